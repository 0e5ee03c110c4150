import { NsdfArgumentError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { createRandom } from '../surface/check-random.ts';
import type { DistanceSource } from './distance-source.ts';

/** A signed distance function to train on: an analytic shape, another network, a smooth field that the importers refuse. */
export interface SignedDistance {
  /** The cube in which it is asked, the function's own units. */
  readonly domain: Box3;
  /**
   * Distances at points, negative inside.
   * @param points f64[3n], xyz per point.
   * @param out f64[n], overwritten.
   */
  distance(points: Float64Array, out: Float64Array): void;
  /** Its gradients, f64[3n]. Default: central differences. */
  gradient?(points: Float64Array, out: Float64Array): void;
}

/** Boxes an axis of the lattice on which the surface is looked for. */
const LATTICE = 64;
/** Points of the surface kept to draw from. */
const N_SURFACE = 50_000;
/** Share of the cube's half side for central differences. */
const DIFFERENCE = 1e-4;
const HALVINGS = 40;

/** Draws from a function's zero set: roots on the edges of lattice boxes that it crosses, moved at random. */
export class FunctionSource implements DistanceSource {
  private readonly source: SignedDistance;
  private readonly half: number;
  private readonly surface: Float64Array;
  private readonly point = new Float64Array(3);
  private readonly value = new Float64Array(1);
  private readonly normal = new Float64Array(3);

  /** @throws {NsdfArgumentError} if the domain is no cube, or the function has no zero set in it, or gives numbers that are none. */
  constructor(source: SignedDistance) {
    const { min, max } = source.domain;
    const sides = min.map((low, k) => max[k] - low);
    if (!sides.every((side) => side > 0 && Math.abs(side - sides[0]) <= 1e-9 * sides[0])) {
      throw new NsdfArgumentError('domain', `domain has sides ${sides.join(', ')}: expected a cube`);
    }
    this.source = source;
    this.half = sides[0] / 2;
    this.surface = this.findSurface();
  }

  writeSurface(random: () => number, offset: number, samples: Float64Array, at: number): void {
    const from = Math.floor(random() * (this.surface.length / 6)) * 6;
    for (let k = 0; k < 3; k++) {
      samples[at + k] = this.surface[from + k] + offset * this.surface[from + 3 + k];
      samples[at + 4 + k] = this.surface[from + 3 + k];
    }
    samples[at + 3] = offset;
  }

  complete(samples: Float64Array, at: number): void {
    samples[at + 3] = this.distanceAt(samples[at], samples[at + 1], samples[at + 2]);
    this.writeNormal(samples, at, samples, at + 4);
  }

  private distanceAt(x: number, y: number, z: number): number {
    const { min } = this.source.domain;
    this.point[0] = min[0] + (x + 1) * this.half;
    this.point[1] = min[1] + (y + 1) * this.half;
    this.point[2] = min[2] + (z + 1) * this.half;
    this.source.distance(this.point, this.value);
    return this.value[0] / this.half;
  }

  private writeNormal(at: Float64Array, i: number, out: Float64Array, o: number): void {
    const { normal } = this;
    const [x, y, z] = [at[i], at[i + 1], at[i + 2]];
    if (this.source.gradient) {
      this.distanceAt(x, y, z);
      this.source.gradient(this.point, normal);
    } else {
      for (let k = 0; k < 3; k++) {
        const d = (sign: number) =>
          this.distanceAt(
            x + (k === 0 ? sign * DIFFERENCE : 0),
            y + (k === 1 ? sign * DIFFERENCE : 0),
            z + (k === 2 ? sign * DIFFERENCE : 0),
          );
        normal[k] = d(1) - d(-1);
      }
    }
    const norm = Math.hypot(normal[0], normal[1], normal[2]);
    for (let k = 0; k < 3; k++) out[o + k] = norm > 0 ? normal[k] / norm : 0;
  }

  /** f64[6n]: points of the zero set and their normals, about uniform. */
  private findSurface(): Float64Array {
    const n = LATTICE + 1;
    const values = new Float64Array(n ** 3);
    const at = (i: number) => (2 * i) / LATTICE - 1;
    for (let i = 0; i < values.length; i++) {
      values[i] = this.distanceAt(at(i % n), at(Math.floor(i / n) % n), at(Math.floor(i / (n * n))));
      if (Number.isFinite(values[i])) continue;
      throw new NsdfArgumentError(
        'source.distance',
        `source.distance gave ${values[i]} at (${this.point.join(', ')}): expected a finite number`,
      );
    }
    const boxes: number[] = [];
    for (let i = 0; i < values.length; i++) {
      const [x, y, z] = [i % n, Math.floor(i / n) % n, Math.floor(i / (n * n))];
      if (x === LATTICE || y === LATTICE || z === LATTICE) continue;
      let nInside = 0;
      for (let c = 0; c < 8; c++)
        nInside += Number(values[i + (c & 1) + ((c >> 1) & 1) * n + (c >> 2) * n * n] < 0);
      if (nInside > 0 && nInside < 8) boxes.push(i);
    }
    if (boxes.length === 0) {
      throw new NsdfArgumentError(
        'source.distance',
        `source.distance has one sign on a lattice of ${LATTICE}³ boxes of its domain: expected a surface`,
      );
    }
    return this.rootsIn(boxes, n);
  }

  /** Where random short segments that start in the boxes change sign: uniform by area (Crofton). */
  private rootsIn(boxes: readonly number[], n: number): Float64Array {
    const random = createRandom(1);
    const found = new Float64Array(N_SURFACE * 6);
    const size = 2 / LATTICE;
    const a = [0, 0, 0];
    const b = [0, 0, 0];
    const middle = new Float64Array(3);
    let count = 0;
    for (let tries = 0; count < N_SURFACE && tries < N_SURFACE * 40; tries++) {
      const i = boxes[Math.floor(random() * boxes.length)];
      const cell = [i % n, Math.floor(i / n) % n, Math.floor(i / (n * n))];
      for (let k = 0; k < 3; k++) {
        a[k] = Math.min(1, Math.max(-1, (cell[k] + 2 * random() - 0.5) * size - 1));
        b[k] = Math.min(1, Math.max(-1, (cell[k] + 2 * random() - 0.5) * size - 1));
      }
      const isInside = this.distanceAt(a[0], a[1], a[2]) < 0;
      if (this.distanceAt(b[0], b[1], b[2]) < 0 === isInside) continue;
      let [low, high] = [0, 1];
      for (let step = 0; step < HALVINGS; step++) {
        const t = 0.5 * (low + high);
        for (let k = 0; k < 3; k++) middle[k] = a[k] + t * (b[k] - a[k]);
        if (this.distanceAt(middle[0], middle[1], middle[2]) < 0 === isInside) low = t;
        else high = t;
      }
      found.set(middle, count * 6);
      this.writeNormal(middle, 0, found, count * 6 + 3);
      count++;
    }
    return found.slice(0, count * 6);
  }
}
