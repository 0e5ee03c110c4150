import { length3 } from '../arrays.ts';
import { MAX_UNITS } from './region-evaluate.ts';
import type { RegionNetwork } from './region-network.ts';

/** Directions tried before a region is said to have none: more settled < 0.5 % more boxes on bunny-S, fandisk-S. */
const MAX_DIRECTIONS = 12;

/**
 * Cosine of a direction with all gradients from which on no steeper one is looked for. Where f does not rise along it but
 * only does not fall, a sheet of the surface may be seen edge-on, and triangles in it have no area to tell their side by.
 */
const CLEAR = 0.05;

/** Steps towards the middle of the directions that the gradients met so far leave, and what counts as none left. */
const MAX_STEPS = 32;
const LEAST_COSINE = 1e-4;

/** Slopes above this share of the gradient's largest part, negated, count as zero: where its parts cancel, rounding is left. */
const ROUNDING = 1e-12;

/**
 * Looks for a direction d in which f does not fall anywhere in a region. Where one exists a line along d leaves f < 0
 * once at most, so the zero set in the region is a graph over the plane orthogonal to d: it has no closed component
 * inside, and every piece whose boundary is one loop is a disc. (f may be constant along d off the zero set; on it, the
 * corner table's iso offset sees to that.)
 *
 * With relu'(v_u) ∈ [0, 1], ∇f = ∇A_f + Σ_u G_u ∇A_u, G_u an interval found backwards through the couplings B. Each
 * d·∇A is multi-affine, min(G d·∇A) concave along each axis, so the least value over the region is at a corner.
 * The search for d collects the worst gradients met and takes the direction that rises most along all of them (the point
 * of their convex hull nearest to the origin, Gilbert 1966), until none worse is met.
 */
export class MonotoneTest {
  /** The direction found (unit length, local units), valid after {@link find} returned true. */
  readonly direction = new Float64Array(3);
  /** How fast f rises along it at least, per local unit, and its least cosine with a gradient; valid then, too. */
  slope = 0;
  cosine = 0;
  /** How much ∇f may change along each axis; valid after {@link find} returned false. */
  readonly variation = new Float64Array(3);
  readonly #gateLo = new Float64Array(MAX_UNITS);
  readonly #gateHi = new Float64Array(MAX_UNITS);
  /** Corner gradients: function g (f first, then units), corner c, axis k at (g*8 + c)*3 + k. */
  readonly #cornerGradients = new Float64Array((MAX_UNITS + 1) * 24);
  readonly #worst = new Float64Array(3);
  readonly #best = new Float64Array(3);
  /** The worst gradients met, unit length. */
  readonly #met = new Float64Array(MAX_DIRECTIONS * 3);
  #nMet = 0;

  /**
   * @param sizes local extents of the region along its dim axes (dim = log2 nCorners).
   */
  find(net: RegionNetwork, sizes: ArrayLike<number>): boolean {
    if (net.isOverflow) return this.#giveUp();
    this.#computeGates(net);
    this.#computeCornerGradients(net, sizes);
    const d = this.direction;
    this.#startDirection(net);
    this.#nMet = 0;
    let steepest = -1;
    for (let i = 0; i < MAX_DIRECTIONS && steepest < CLEAR; i++) {
      const norm = length3(d[0], d[1], d[2]);
      if (norm === 0) break;
      for (let k = 0; k < 3; k++) d[k] /= norm;
      const slope = this.#leastSlope(net);
      const worstNorm = length3(this.#worst[0], this.#worst[1], this.#worst[2]);
      const cosine = worstNorm === 0 ? slope : slope / worstNorm;
      if (slope >= 0 && cosine > steepest) {
        steepest = cosine;
        this.slope = slope;
        this.cosine = cosine;
        this.#best.set(d);
      }
      if (worstNorm === 0) break;
      for (let k = 0; k < 3; k++) this.#met[this.#nMet * 3 + k] = this.#worst[k] / worstNorm;
      this.#nMet++;
      if (!this.#turnToAllMet()) break;
    }
    if (steepest >= 0) {
      d.set(this.#best);
      return true;
    }
    this.slope = 0;
    this.cosine = 0;
    if (net.nCorners === 4 && this.#isLevelAcross(net)) return true;
    this.#computeVariation(net);
    return false;
  }

  /** Turns `direction` to rise along all gradients met, most along the worst of them; false where it cannot. */
  #turnToAllMet(): boolean {
    const { direction: d } = this;
    const met = this.#met;
    d.set(met.subarray(0, 3));
    for (let step = 0; step < MAX_STEPS; step++) {
      let least = Number.POSITIVE_INFINITY;
      let at = 0;
      for (let i = 0; i < this.#nMet * 3; i += 3) {
        const dot = d[0] * met[i] + d[1] * met[i + 1] + d[2] * met[i + 2];
        if (dot >= least) continue;
        least = dot;
        at = i;
      }
      const norm2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      if (norm2 < LEAST_COSINE * LEAST_COSINE) return false;
      if (least > 0.9 * norm2) return true;
      const share = Math.min(1, (norm2 - least) / (norm2 - 2 * least + 1));
      for (let k = 0; k < 3; k++) d[k] += share * (met[at + k] - d[k]);
    }
    return true;
  }

  /** Whether f is constant on a face across the first gradient met: what folds there are run from side to side. */
  #isLevelAcross(net: RegionNetwork): boolean {
    const { direction: d } = this;
    const met = this.#met;
    if (this.#nMet === 0) return false;
    d[0] = -met[1];
    d[1] = met[0];
    d[2] = 0;
    return this.#leastSlope(net) >= 0;
  }

  /** Whether f falls nowhere in the region along the given unit direction. */
  accepts(net: RegionNetwork, sizes: ArrayLike<number>, direction: ArrayLike<number>): boolean {
    if (net.isOverflow) return false;
    this.#computeGates(net);
    this.#computeCornerGradients(net, sizes);
    this.direction.set(direction);
    return this.#leastSlope(net) >= 0;
  }

  /**
   * After a successful {@link find}: whether f falls nowhere along its direction's projection onto the plane
   * orthogonal to `axis` either, which then holds on all faces of the region in such planes too.
   */
  holdsAcross(net: RegionNetwork, axis: number): boolean {
    const d = this.direction;
    const kept = [d[0], d[1], d[2]];
    d[axis] = 0;
    const holds = (d[0] !== 0 || d[1] !== 0 || d[2] !== 0) && this.#leastSlope(net) >= 0;
    d.set(kept);
    return holds;
  }

  #giveUp(): boolean {
    this.variation.fill(1);
    return false;
  }

  #computeGates(net: RegionNetwork): void {
    const gateLo = this.#gateLo;
    const gateHi = this.#gateHi;
    const n = net.nUnits;
    for (let u = 0; u < n; u++) {
      gateLo[u] = net.fB[u];
      gateHi[u] = net.fB[u];
    }
    for (let u = n - 1; u >= 0; u--) {
      gateLo[u] = Math.min(0, gateLo[u]);
      gateHi[u] = Math.max(0, gateHi[u]);
      const row = u * MAX_UNITS;
      for (let w = 0; w < u; w++) {
        const b = net.unitB[row + w];
        gateLo[w] += b > 0 ? b * gateLo[u] : b * gateHi[u];
        gateHi[w] += b > 0 ? b * gateHi[u] : b * gateLo[u];
      }
    }
  }

  #computeCornerGradients(net: RegionNetwork, sizes: ArrayLike<number>): void {
    this.#cornerGradients.fill(0, 0, (net.nUnits + 1) * 24);
    for (let axis = 0; 1 << axis < net.nCorners; axis++) {
      const bit = 1 << axis;
      const scale = 1 / sizes[axis];
      for (let g = 0; g <= net.nUnits; g++) {
        const a = g === 0 ? net.fA : net.unitA;
        const from = g === 0 ? 0 : (g - 1) * 8;
        for (let c = 0; c < net.nCorners; c++) {
          const slope = (a[from + (c | bit)] - a[from + (c & ~bit)]) * scale;
          this.#cornerGradients[(g * 8 + c) * 3 + axis] = slope;
        }
      }
    }
  }

  /** Sum of the corners' normalised gradients with every gate half open. */
  #startDirection(net: RegionNetwork): void {
    const { direction } = this;
    const grad = this.#cornerGradients;
    direction.fill(0);
    for (let c = 0; c < net.nCorners; c++) {
      let x = grad[c * 3];
      let y = grad[c * 3 + 1];
      let z = grad[c * 3 + 2];
      for (let u = 0; u < net.nUnits; u++) {
        const gate = 0.5 * (this.#gateLo[u] + this.#gateHi[u]);
        const i = ((u + 1) * 8 + c) * 3;
        x += gate * grad[i];
        y += gate * grad[i + 1];
        z += gate * grad[i + 2];
      }
      const norm = length3(x, y, z);
      if (norm === 0) continue;
      direction[0] += x / norm;
      direction[1] += y / norm;
      direction[2] += z / norm;
    }
  }

  /** Least d·∇f over corners and gates; the gradient that attains it goes to `worst`. */
  #leastSlope(net: RegionNetwork): number {
    const grad = this.#cornerGradients;
    const gateLo = this.#gateLo;
    const gateHi = this.#gateHi;
    const worst = this.#worst;
    const [dx, dy, dz] = this.direction;
    let least = Number.POSITIVE_INFINITY;
    let size = 0;
    for (let c = 0; c < net.nCorners; c++) {
      let x = grad[c * 3];
      let y = grad[c * 3 + 1];
      let z = grad[c * 3 + 2];
      size = Math.max(size, Math.abs(x) + Math.abs(y) + Math.abs(z));
      for (let u = 0; u < net.nUnits; u++) {
        const i = ((u + 1) * 8 + c) * 3;
        const slope = dx * grad[i] + dy * grad[i + 1] + dz * grad[i + 2];
        const gate = slope > 0 ? gateLo[u] : gateHi[u];
        const part = Math.max(-gateLo[u], gateHi[u]);
        size = Math.max(size, part * (Math.abs(grad[i]) + Math.abs(grad[i + 1]) + Math.abs(grad[i + 2])));
        x += gate * grad[i];
        y += gate * grad[i + 1];
        z += gate * grad[i + 2];
      }
      const total = dx * x + dy * y + dz * z;
      if (total >= least) continue;
      least = total;
      worst[0] = x;
      worst[1] = y;
      worst[2] = z;
    }
    return least >= -ROUNDING * size ? Math.max(0, least) : least;
  }

  /**
   * How much the gradient may change along each axis: differences of ∇A_f between opposite corners, and for each unit
   * the jump of ∇f over its crease times the share of the unit's range that lies along the axis. Bisecting the axis
   * with the largest separates creases (and sheets) in the fewest bisections.
   */
  #computeVariation(net: RegionNetwork): void {
    const { variation } = this;
    variation.fill(0);
    for (let k = 0; 1 << k < net.nCorners; k++) {
      variation[k] = this.#gradientDifference(net, k);
      for (let u = 0; u < net.nUnits; u++) {
        const jump = (this.#gateHi[u] - this.#gateLo[u]) * this.#meanGradient(net, u);
        variation[k] += jump * shareAlong(net, u, k);
      }
    }
  }

  #gradientDifference(net: RegionNetwork, axis: number): number {
    const grad = this.#cornerGradients;
    let most = 0;
    for (let c = 0; c < net.nCorners; c++) {
      const a = c * 3;
      const b = (c | (1 << axis)) * 3;
      most = Math.max(most, length3(grad[a] - grad[b], grad[a + 1] - grad[b + 1], grad[a + 2] - grad[b + 2]));
    }
    return most;
  }

  #meanGradient(net: RegionNetwork, u: number): number {
    const grad = this.#cornerGradients;
    let sum = 0;
    for (let c = 0; c < net.nCorners; c++) {
      const i = ((u + 1) * 8 + c) * 3;
      sum += length3(grad[i], grad[i + 1], grad[i + 2]);
    }
    return sum / net.nCorners;
  }
}

/** Largest change of A_u between opposite corners along `axis`, relative to its whole range. */
function shareAlong(net: RegionNetwork, u: number, axis: number): number {
  const bit = 1 << axis;
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  let most = 0;
  for (let c = 0; c < net.nCorners; c++) {
    const value = net.unitA[u * 8 + c];
    lo = Math.min(lo, value);
    hi = Math.max(hi, value);
    most = Math.max(most, Math.abs(value - net.unitA[u * 8 + (c | bit)]));
  }
  return hi > lo ? most / (hi - lo) : 0;
}
