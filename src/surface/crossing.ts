import { length3 } from '../arrays.ts';
import type { Vec3 } from '../format/asset.ts';
import type { Patch } from './patch.ts';

const MAX_NEWTON_STEPS = 12;
/** Halvings after which a bisected crossing is as near as doubles tell. */
const MAX_BISECTIONS = 60;
/** Steps below this share of the chord's length count as converged. */
const CONVERGED = 1e-12;

/**
 * Finds the crossing of two creases on the zero set, f = v_m = v_u = 0, near a chord of unit m's crease along which unit
 * u changes sign. Newton's method first. Where it fails (creases that meet at a small angle, gradients that jump on the
 * way), the crease of m is followed from plane to plane across the chord and u's sign bisected along it.
 */
export class CrossingSolver {
  readonly #patch: Patch;
  readonly #system = new Float64Array(12);
  readonly #start = new Float64Array(3);
  readonly #along = new Float64Array(3);
  #length = 0;

  constructor(patch: Patch) {
    this.#patch = patch;
  }

  /**
   * Puts the crossing between vertices a and b in `patch.point`; false where there is none in the box near the chord.
   * @param va value of unit u at a, vb at b, of opposite signs.
   */
  solve(a: number, b: number, m: number, u: number, va: number, vb: number): boolean {
    const { x, y, z } = this.#patch;
    this.#setChord([x[a], y[a], z[a]], [x[b], y[b], z[b]]);
    return this.#newton(va / (va - vb), m, u) || this.#bisect(m, u, va > 0);
  }

  /** Puts the point of unit m's crease across from the place s of the way between two points of it in `patch.point`. */
  alongCrease(from: Vec3, to: Vec3, m: number, s: number): boolean {
    this.#setChord(from, to);
    return this.#newton(s, m, -1);
  }

  #setChord(from: Vec3, to: Vec3): void {
    this.#start.set(from);
    this.#along.set([to[0] - from[0], to[1] - from[1], to[2] - from[2]]);
    this.#length = length3(this.#along[0], this.#along[1], this.#along[2]);
  }

  #bisect(m: number, u: number, isPositiveAtStart: boolean): boolean {
    let lo = 0;
    let hi = 1;
    for (let i = 0; i < MAX_BISECTIONS; i++) {
      const s = 0.5 * (lo + hi);
      if (s <= lo || s >= hi) break;
      if (!this.#newton(s, m, -1)) return false;
      const [px, py, pz] = this.#patch.point;
      this.#patch.evaluate(px, py, pz);
      if (this.#patch.unitValues[u] > 0 === isPositiveAtStart) lo = s;
      else hi = s;
    }
    return true;
  }

  /**
   * Newton's method from the chord's point at s for f = v_m = 0 and v_u = 0, or, where u is -1, the plane through that
   * point across the chord. The solution goes to `patch.point`; false where it is not found in the box within the chord's
   * length.
   */
  #newton(s: number, m: number, u: number): boolean {
    const patch = this.#patch;
    const system = this.#system;
    const start = this.#start;
    const along = this.#along;
    const length = this.#length;
    const [x, y, z] = [start[0] + s * along[0], start[1] + s * along[1], start[2] + s * along[2]];
    let [px, py, pz] = [x, y, z];
    for (let step = 0; step < MAX_NEWTON_STEPS; step++) {
      system[3] = -patch.evaluate(px, py, pz);
      system[7] = -patch.unitValues[m];
      system[11] =
        u < 0 ? along[0] * (x - px) + along[1] * (y - py) + along[2] * (z - pz) : -patch.unitValues[u];
      for (let k = 0; k < 3; k++) {
        system[k] = patch.gradient[k];
        system[4 + k] = patch.unitGradients[m * 3 + k];
        system[8 + k] = u < 0 ? along[k] : patch.unitGradients[u * 3 + k];
      }
      if (!solve3(system)) return false;
      px += system[3];
      py += system[7];
      pz += system[11];
      if (length3(px - x, py - y, pz - z) > length) return false;
      if (length3(system[3], system[7], system[11]) > CONVERGED * length) continue;
      patch.point.set([px, py, pz]);
      return this.#isInside(px, py, pz);
    }
    return false;
  }

  #isInside(x: number, y: number, z: number): boolean {
    const { origin, size } = this.#patch;
    const inX = x >= origin[0] && x <= origin[0] + size[0];
    const inY = y >= origin[1] && y <= origin[1] + size[1];
    return inX && inY && z >= origin[2] && z <= origin[2] + size[2];
  }
}

/** Gaussian elimination with pivoting on 3 rows of 4; the solution replaces the last column. */
function solve3(m: Float64Array): boolean {
  let scale = 0;
  for (let i = 0; i < 12; i++) if (i % 4 < 3) scale = Math.max(scale, Math.abs(m[i]));
  for (let c = 0; c < 3; c++) {
    let pivot = c;
    for (let r = c + 1; r < 3; r++) if (Math.abs(m[r * 4 + c]) > Math.abs(m[pivot * 4 + c])) pivot = r;
    if (!(Math.abs(m[pivot * 4 + c]) > 1e-10 * scale)) return false;
    for (let k = 0; k < 4; k++) [m[c * 4 + k], m[pivot * 4 + k]] = [m[pivot * 4 + k], m[c * 4 + k]];
    for (let r = 0; r < 3; r++) {
      if (r === c) continue;
      const factor = m[r * 4 + c] / m[c * 4 + c];
      for (let k = c; k < 4; k++) m[r * 4 + k] -= factor * m[c * 4 + k];
    }
  }
  for (let r = 0; r < 3; r++) m[r * 4 + 3] /= m[r * 4 + r];
  return true;
}
