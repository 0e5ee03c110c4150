import { length3 } from '../arrays.ts';
import type { Patch } from './patch.ts';

/** Vertices that refinement may add to one patch. */
const MAX_INSERTED = 400;
/** Height over longest side below which a triangle is split at that side instead of inside. */
const FLAT = 0.4;
/** Smaller part of a quadrilateral that a flip may leave: thinner ones let flips and splits chase each other. */
const LEAST_SHARE = 0.1;
/** Largest squared length of a flipped edge, relative to the old one: longer ones would be split again. */
const MAX_STRETCH = 1.5;
/** Inserted vertices after which nothing is flipped any more, so that splitting must come to an end. */
const MAX_WITH_FLIPS = 24;
/** Share of the tolerance from which a triangle is sampled more closely. */
const CLOSER_LOOK = 0.4;
/** A flip must better the deviation of the edge by this factor. */
const FLIP_GAIN = 0.8;

/**
 * Inserts vertices into the triangles of a patch until none stands off the zero set by more than the tolerance, where
 * it is sampled: at its centroid, halfway from there to its corners, and at the middle of its inner sides. Sides on the
 * box's faces are not touched: faces decide them. Vertices move along the patch's direction only, so triangles keep
 * their orientation in the projection.
 */
export class Refiner {
  readonly #patch: Patch;
  /** Triangle on the left of directed edge a -> b. */
  readonly #left = new Map<number, number>();
  #earliestTouched = 0;
  #nInserted = 0;
  /** Largest deviation sampled on the current triangle, and where. */
  #most = 0;
  #worst = 0;
  #tolerance = 0;
  /** Longest side of the current triangle. */
  #longest = 0;

  constructor(patch: Patch) {
    this.#patch = patch;
  }

  /** Whether the last patch used up its vertices. */
  isFull = false;

  /** @returns whether the tolerance is met. */
  refine(tolerance: number): boolean {
    const patch = this.#patch;
    const { triangles } = patch;
    let isLinked = false;
    let isMet = true;
    this.#nInserted = 0;
    this.isFull = false;
    for (let t = 0; t < triangles.length; t += 3) {
      const worst = this.#worstSample(t, tolerance);
      if (worst === 0) continue;
      if (this.#nInserted >= MAX_INSERTED) {
        this.isFull = true;
        return false;
      }
      if (!isLinked) this.#link();
      isLinked = true;
      if (!this.#insert(t, worst)) {
        isMet = false;
        continue;
      }
      // Triangles up to the earliest that was split or flipped are to be looked at again.
      t = this.#earliestTouched - 3;
    }
    return isMet;
  }

  #link(): void {
    const { triangles } = this.#patch;
    this.#left.clear();
    for (let t = 0; t < triangles.length; t += 3) this.#linkTriangle(t);
  }

  #linkTriangle(t: number): void {
    const { triangles } = this.#patch;
    for (let k = 0; k < 3; k++) this.#left.set(key(triangles[t + k], triangles[t + ((k + 1) % 3)]), t);
  }

  #setTriangle(t: number, a: number, b: number, c: number): void {
    const { triangles } = this.#patch;
    triangles[t] = a;
    triangles[t + 1] = b;
    triangles[t + 2] = c;
    this.#linkTriangle(t);
    if (t < this.#earliestTouched) this.#earliestTouched = t;
  }

  /** 0 where triangle t is within tolerance, 1 + k where the middle of its side k is worst, 4 where its inside is. */
  #worstSample(t: number, tolerance: number): number {
    const { triangles, x, y, z } = this.#patch;
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]];
    // A point of a triangle is never farther from the zero set than from the nearest corner.
    this.#longest = this.#longestSide(a, b, c);
    if (this.#longest <= tolerance) return 0;
    const cx = (x[a] + x[b] + x[c]) / 3;
    const cy = (y[a] + y[b] + y[c]) / 3;
    const cz = (z[a] + z[b] + z[c]) / 3;
    this.#tolerance = tolerance;
    this.#most = 0;
    this.#worst = 4;
    this.#sample(cx, cy, cz, 4);
    for (let k = 0; k < 3; k++) {
      const i = triangles[t + k];
      const j = triangles[t + ((k + 1) % 3)];
      this.#sample(0.5 * (x[i] + cx), 0.5 * (y[i] + cy), 0.5 * (z[i] + cz), 4);
      if (this.#patch.sharesSide(i, j)) continue;
      this.#sample(0.5 * (x[i] + x[j]), 0.5 * (y[i] + y[j]), 0.5 * (z[i] + z[j]), 1 + k);
    }
    if (this.#most > CLOSER_LOOK * tolerance && this.#most <= tolerance) this.#sampleCloser(t, cx, cy, cz);
    return this.#most > tolerance ? this.#worst : 0;
  }

  /** More samples: quarters of the inner sides, and between the centroid and the middles of all sides. */
  #sampleCloser(t: number, cx: number, cy: number, cz: number): void {
    const { triangles, x, y, z } = this.#patch;
    for (let k = 0; k < 3; k++) {
      const i = triangles[t + k];
      const j = triangles[t + ((k + 1) % 3)];
      const mx = 0.5 * (x[i] + x[j]);
      const my = 0.5 * (y[i] + y[j]);
      const mz = 0.5 * (z[i] + z[j]);
      this.#sample(0.5 * (mx + cx), 0.5 * (my + cy), 0.5 * (mz + cz), 4);
      if (this.#patch.sharesSide(i, j)) continue;
      this.#sample(0.5 * (mx + x[i]), 0.5 * (my + y[i]), 0.5 * (mz + z[i]), 1 + k);
      this.#sample(0.5 * (mx + x[j]), 0.5 * (my + y[j]), 0.5 * (mz + z[j]), 1 + k);
    }
  }

  #sample(x: number, y: number, z: number, place: number): void {
    const off = this.#patch.deviationWithin(x, y, z, this.#tolerance, this.#longest);
    if (off <= this.#most) return;
    this.#most = off;
    this.#worst = place;
  }

  #longestSide(a: number, b: number, c: number): number {
    const { x, y, z } = this.#patch;
    const ab = length3(x[a] - x[b], y[a] - y[b], z[a] - z[b]);
    const bc = length3(x[b] - x[c], y[b] - y[c], z[b] - z[c]);
    return Math.max(ab, bc, length3(x[c] - x[a], y[c] - y[a], z[c] - z[a]));
  }

  #insert(t: number, worst: number): boolean {
    const { triangles } = this.#patch;
    this.#earliestTouched = t;
    const long = this.#longSide(t);
    const side = long < 0 && worst < 4 ? worst - 1 : long;
    if (side < 0) return this.#splitInside(t);
    const a = triangles[t + side];
    const b = triangles[t + ((side + 1) % 3)];
    const other = this.#left.get(key(b, a));
    // A flat triangle on a side that its box's face decided, or whose side's middle lies beyond the box, stays.
    return other !== undefined && this.#splitSide(t, other, a, b);
  }

  /** The longest side of a triangle too flat to be split inside (it would only get flatter), or -1. */
  #longSide(t: number): number {
    const { triangles, qx, qy } = this.#patch;
    let longest = 0;
    let side = -1;
    for (let k = 0; k < 3; k++) {
      const a = triangles[t + k];
      const b = triangles[t + ((k + 1) % 3)];
      const length2 = (qx[a] - qx[b]) ** 2 + (qy[a] - qy[b]) ** 2;
      if (length2 <= longest) continue;
      longest = length2;
      side = k;
    }
    const area = this.#patch.area(triangles[t], triangles[t + 1], triangles[t + 2]);
    return area < FLAT * longest ? side : -1;
  }

  /** A vertex on the zero set beside (x, y, z), or -1 where it would leave the box. */
  #addVertex(x: number, y: number, z: number): number {
    const patch = this.#patch;
    if (!patch.project(x, y, z)) return -1;
    const [px, py, pz] = patch.point;
    this.#nInserted++;
    return patch.addVertex(-1, px, py, pz, -1);
  }

  #splitInside(t: number): boolean {
    const patch = this.#patch;
    const { triangles, x, y, z } = patch;
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]];
    const v = this.#addVertex((x[a] + x[b] + x[c]) / 3, (y[a] + y[b] + y[c]) / 3, (z[a] + z[b] + z[c]) / 3);
    if (v < 0) return false;
    const n = triangles.length;
    triangles.push(0, 0, 0, 0, 0, 0);
    this.#setTriangle(t, a, b, v);
    this.#setTriangle(n, b, c, v);
    this.#setTriangle(n + 3, c, a, v);
    if (this.#nInserted < MAX_WITH_FLIPS) this.#flipAround(v, [a, b, c]);
    return true;
  }

  #splitSide(t: number, other: number, a: number, b: number): boolean {
    const patch = this.#patch;
    const { triangles, x, y, z } = patch;
    const c = apex(triangles, t, a, b);
    const d = apex(triangles, other, a, b);
    const v = this.#addVertex(0.5 * (x[a] + x[b]), 0.5 * (y[a] + y[b]), 0.5 * (z[a] + z[b]));
    if (v < 0) return false;
    patch.maskA[v] = patch.maskA[a] & patch.maskA[b];
    patch.maskB[v] = patch.maskB[a] & patch.maskB[b];
    this.#left.delete(key(a, b));
    this.#left.delete(key(b, a));
    const n = triangles.length;
    triangles.push(0, 0, 0, 0, 0, 0);
    this.#setTriangle(t, a, v, c);
    this.#setTriangle(n, v, b, c);
    this.#setTriangle(other, v, a, d);
    this.#setTriangle(n + 3, b, v, d);
    if (this.#nInserted < MAX_WITH_FLIPS) this.#flipAround(v, [a, d, b, c]);
    return true;
  }

  /** Flips the sides opposite to new vertex v where the other diagonal stays nearer to the zero set. */
  #flipAround(v: number, ring: readonly number[]): void {
    const stack: number[] = [];
    for (let k = 0; k < ring.length; k++) {
      const a = ring[k];
      const b = ring[(k + 1) % ring.length];
      if (this.#left.has(key(a, b)) && apexIs(this.#patch.triangles, this.#left.get(key(a, b)), v))
        stack.push(a, b);
      else stack.push(b, a);
    }
    for (let guard = 0; stack.length > 0 && guard < 64; guard++) {
      const b = stack.pop() as number;
      const a = stack.pop() as number;
      const t = this.#left.get(key(a, b));
      const other = this.#left.get(key(b, a));
      if (t === undefined || other === undefined || !apexIs(this.#patch.triangles, t, v)) continue;
      const w = apex(this.#patch.triangles, other, a, b);
      if (!this.#isBetterFlipped(a, b, v, w)) continue;
      this.#left.delete(key(a, b));
      this.#left.delete(key(b, a));
      this.#setTriangle(t, a, w, v);
      this.#setTriangle(other, w, b, v);
      stack.push(a, w, w, b);
    }
  }

  #isBetterFlipped(a: number, b: number, v: number, w: number): boolean {
    const patch = this.#patch;
    const { x, y, z } = patch;
    if (v === w || patch.sharesLine(a, b) || patch.sharesLine(v, w) || this.#left.has(key(v, w)))
      return false;
    if (this.#left.has(key(w, v))) return false;
    const one = patch.area(a, w, v);
    const two = patch.area(w, b, v);
    const whole = one + two;
    if (!(Math.min(one, two) > LEAST_SHARE * whole)) return false;
    const old2 = (x[a] - x[b]) ** 2 + (y[a] - y[b]) ** 2 + (z[a] - z[b]) ** 2;
    const new2 = (x[v] - x[w]) ** 2 + (y[v] - y[w]) ** 2 + (z[v] - z[w]) ** 2;
    if (new2 > MAX_STRETCH * old2) return false;
    const now = this.#patch.deviation(0.5 * (x[a] + x[b]), 0.5 * (y[a] + y[b]), 0.5 * (z[a] + z[b]));
    const then = this.#patch.deviation(0.5 * (x[v] + x[w]), 0.5 * (y[v] + y[w]), 0.5 * (z[v] + z[w]));
    return then < FLIP_GAIN * now;
  }
}

function key(a: number, b: number): number {
  return a * 65536 + b;
}

/** The corner of triangle t that is neither a nor b. */
function apex(triangles: readonly number[], t: number, a: number, b: number): number {
  for (let k = 0; k < 3; k++) {
    const c = triangles[t + k];
    if (c !== a && c !== b) return c;
  }
  return -1;
}

function apexIs(triangles: readonly number[], t: number | undefined, v: number): boolean {
  return t !== undefined && (triangles[t] === v || triangles[t + 1] === v || triangles[t + 2] === v);
}
