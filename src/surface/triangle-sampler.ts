/** How far triangles stand off the zero set: which ones are asked, at which points, and what is found there. */

import { length3 } from '../arrays.ts';
import { clampTo } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { MeasuredSides, MeasureTask, TriangleSet } from './mesh-tasks.ts';
import { SAMPLING } from './rules.ts';
import { SignProbe } from './sign-probe.ts';

/** Share of the tolerance beyond which a sampled point has its triangle divided. */
export const STANDS_OFF = 0.82;
const TRIANGLES_PER_YIELD = 512;
/** Triangles with a side longer than this many boxes, or beyond this share of STANDS_OFF, are sampled closer. */
const LONG = 1.5;
const CLOSE_SHARE = 0.8;

/** Few points (four inside, one on each side), then the lattices of sixths and twelfths but the corners. */
const PATTERNS: readonly Pattern[] = [
  patternOf(
    [
      [2, 2, 2],
      [4, 1, 1],
      [1, 4, 1],
      [1, 1, 4],
      [3, 3, 0],
      [0, 3, 3],
      [3, 0, 3],
    ],
    6,
  ),
  patternOf(barycentricLattice(6), 6),
  patternOf(barycentricLattice(12), 12),
];
/** The one that most is seen by. */
export const CLOSEST_PATTERN: Pattern = PATTERNS[PATTERNS.length - 1];

/**
 * Samples triangles against the field itself; gives of those that stand off the side that does, or the longest. Yields the
 * fraction done.
 */
export function* measureTriangles(
  field: CpuField,
  { triangles, spacing, isClose }: MeasureTask,
): Generator<number, MeasuredSides, void> {
  const { corners, slopes } = triangles;
  const sides = new Int8Array(slopes.length).fill(-1);
  const sampler = new TriangleSampler(field, triangles);
  for (let from = 0; from < sides.length; from += TRIANGLES_PER_YIELD) {
    yield from / sides.length;
    const n = Math.min(TRIANGLES_PER_YIELD, sides.length - from);
    let asked = Array.from({ length: n }, (_, i) => from + i);
    for (const pattern of isClose ? [CLOSEST_PATTERN] : PATTERNS) {
      sampler.measure(asked, pattern, SAMPLING.look, STANDS_OFF);
      const closer: number[] = [];
      for (let i = 0; i < asked.length; i++) {
        const t = asked[i];
        const off = sampler.off[i] / STANDS_OFF;
        if (off > 1) {
          const side = pattern.sides[sampler.worst[i]];
          sides[t] = side < 0 ? longestSide(corners, t) : side;
        } else if (off > CLOSE_SHARE || (pattern === PATTERNS[0] && isLong(corners, t, spacing)))
          closer.push(t);
      }
      asked = closer;
    }
  }
  return sides;
}

function isLong(corners: Float32Array, t: number, spacing: number): boolean {
  return sideLength(corners, t, longestSide(corners, t)) > LONG * spacing;
}

function longestSide(corners: Float32Array, t: number): number {
  let side = 0;
  let longest = -1;
  for (let k = 0; k < 3; k++) {
    const length = sideLength(corners, t, k);
    if (length <= longest) continue;
    longest = length;
    side = k;
  }
  return side;
}

function sideLength(p: Float32Array, t: number, side: number): number {
  const a = t * 9 + side * 3;
  const b = t * 9 + ((side + 1) % 3) * 3;
  return length3(p[a] - p[b], p[a + 1] - p[b + 1], p[a + 2] - p[b + 2]);
}

/** What a place is found off by that is nearer to first order, as a share of the most. */
const BEYOND = 1.01;

/** Where triangles are sampled, in barycentric coordinates. */
interface Pattern {
  /** f64[n * 3] */
  readonly weights: Float64Array;
  /** Side k runs from corner k to the next; -1 inside. */
  readonly sides: readonly number[];
}

/** A pattern of the points whose barycentric coordinates are `points` / n; corners are left out. */
function patternOf(points: readonly (readonly number[])[], n: number): Pattern {
  const inner = points.filter((w) => Math.max(...w) < n);
  return {
    weights: Float64Array.from(inner.flat(), (w) => w / n),
    sides: inner.map((w) => (w[2] === 0 ? 0 : w[0] === 0 ? 1 : w[1] === 0 ? 2 : -1)),
  };
}

/** All points of a triangle whose barycentric coordinates are whole multiples of 1 / n, times n. */
function barycentricLattice(n: number): number[][] {
  return Array.from({ length: n + 1 }, (_, i) =>
    Array.from({ length: n + 1 - i }, (_, j) => [i, j, n - i - j]),
  ).flat();
}

/** Measures how far triangles stand off the zero set at the points of a pattern. */
export class TriangleSampler {
  /** Largest distance found on each triangle of the last call, as a share of its tolerance; 0 where all are below `least`. */
  off = new Float64Array(0);
  /** Index in the pattern of the point where that was found. */
  worst = new Int32Array(0);
  /** u8[triangles]: whether more points than the one of the largest |f| are to be asked: f may be less steep there. */
  #hasOthers = new Uint8Array(0);
  readonly #field: CpuField;
  readonly #triangles: TriangleSet;
  #points = new Float64Array(0);
  #values = new Float64Array(0);
  #gradients = new Float64Array(0);
  #ahead = new Float64Array(0);
  #valuesAhead = new Float64Array(0);
  readonly #normal = new Float64Array(3);
  readonly #probe: SignProbe;

  constructor(field: CpuField, triangles: TriangleSet) {
    this.#field = field;
    this.#triangles = triangles;
    this.#probe = new SignProbe(field, field.asset.domain);
  }

  /**
   * Measures triangles by their numbers. Where |f| over the corners' slope is below the share `least` of the tolerance at all
   * points, and f changes its sign within the share `most` along the normal of the one that is farthest, the gradient is not
   * asked: going by the slope alone would not do, which may be a fifth of the corners' in between.
   * @param most share of the tolerance beyond which a distance is only believed where f keeps its sign that far along the
   * triangle's normal.
   */
  measure(triangles: readonly number[], pattern: Pattern, least: number, most: number): void {
    const nSamples = pattern.sides.length;
    this.#reserve(triangles.length, nSamples);
    for (let i = 0; i < triangles.length; i++) this.#place(triangles[i], pattern, i * nSamples);
    this.#field.evaluate(this.#points, this.#values, triangles.length * nSamples);
    for (let i = 0; i < triangles.length; i++) {
      this.worst[i] = this.#largest(i, triangles[i], nSamples, most);
      this.off[i] = Math.abs(this.#values[i * nSamples + this.worst[i]]);
    }
    this.#skipNear(triangles, nSamples, least, most);
    let nAsked = 0;
    for (let i = 0; i < triangles.length; i++) {
      this.off[i] = 0;
      if (this.worst[i] < 0) continue;
      const from = (i * nSamples + this.worst[i]) * 3;
      this.#points.copyWithin(nAsked * 3, from, from + 3);
      nAsked++;
    }
    this.#field.evaluateWithGradient(this.#points, this.#values, this.#gradients, nAsked);
    for (let i = 0, n = 0; i < triangles.length; i++) {
      const t = triangles[i];
      if (this.worst[i] >= 0) this.off[i] = this.#share(t, n++, most);
    }
    for (let i = 0; i < triangles.length; i++) {
      if (this.off[i] === most || (this.off[i] < most && this.#hasOthers[i] === 1))
        this.#measureOthers(i, triangles[i], pattern, least, most);
    }
  }

  /** Where the point of the largest |f| is not as far off as it seems, or as it may be, another one of its triangle is. */
  #measureOthers(i: number, t: number, pattern: Pattern, least: number, most: number): void {
    const nSamples = pattern.sides.length;
    this.#reserve(1, nSamples);
    this.#place(t, pattern, 0);
    this.#field.evaluateWithGradient(this.#points, this.#values, this.#gradients, nSamples);
    const beyond = least * this.#triangles.tolerances[t] * this.#triangles.slopes[t];
    for (let k = 0; k < nSamples; k++) {
      if (Math.abs(this.#values[k]) <= beyond) continue;
      const share = this.#share(t, k, most);
      if (share <= this.off[i]) continue;
      this.off[i] = share;
      this.worst[i] = k;
    }
  }

  #reserve(nTriangles: number, nSamples: number): void {
    if (this.off.length < nTriangles) {
      this.off = new Float64Array(nTriangles);
      this.worst = new Int32Array(nTriangles);
      this.#hasOthers = new Uint8Array(nTriangles);
    }
    const nGradients = Math.max(nTriangles, nSamples) * 3;
    if (this.#gradients.length < nGradients) this.#gradients = new Float64Array(nGradients);
    if (this.#values.length >= nTriangles * nSamples) return;
    this.#points = new Float64Array(nTriangles * nSamples * 3);
    this.#values = new Float64Array(nTriangles * nSamples);
  }

  #place(t: number, { weights: w, sides }: Pattern, at: number): void {
    const points = this.#points;
    const { corners: p } = this.#triangles;
    const a = t * 9;
    const b = a + 3;
    const c = a + 6;
    for (let s = 0; s < sides.length; s++) {
      const wa = w[s * 3];
      const wb = w[s * 3 + 1];
      const wc = w[s * 3 + 2];
      const o = (at + s) * 3;
      points[o] = wa * p[a] + wb * p[b] + wc * p[c];
      points[o + 1] = wa * p[a + 1] + wb * p[b + 1] + wc * p[c + 1];
      points[o + 2] = wa * p[a + 2] + wb * p[b + 2] + wc * p[c + 2];
    }
  }

  /** The point of triangle t, the i-th, that has the largest |f|. */
  #largest(i: number, t: number, nSamples: number, most: number): number {
    const values = this.#values;
    const scale = this.#triangles.tolerances[t] * this.#triangles.slopes[t];
    let largest = -1;
    let worst = 0;
    let nBeyond = 0;
    for (let k = 0; k < nSamples; k++) {
      const off = Math.abs(values[i * nSamples + k]);
      if (off > most * scale) nBeyond++;
      if (off <= largest) continue;
      largest = off;
      worst = k;
    }
    this.#hasOthers[i] = nBeyond > 1 ? 1 : 0;
    return worst;
  }

  /** Makes `worst` -1 where the zero set is near enough to the farthest point: see {@link measure}. */
  #skipNear(triangles: readonly number[], nSamples: number, least: number, most: number): void {
    const { tolerances, slopes } = this.#triangles;
    const near: number[] = [];
    for (let i = 0; i < triangles.length; i++) {
      const t = triangles[i];
      if (this.off[i] <= least * tolerances[t] * slopes[t]) near.push(i);
    }
    if (this.#ahead.length < near.length * 3) {
      this.#ahead = new Float64Array(near.length * 3);
      this.#valuesAhead = new Float64Array(near.length);
    }
    const { domain } = this.#field.asset;
    for (let n = 0; n < near.length; n++) {
      const i = near[n];
      const t = triangles[i];
      const at = i * nSamples + this.worst[i];
      this.#findNormal(t);
      const reach = (this.#values[at] >= 0 ? -most : most) * tolerances[t];
      for (let k = 0; k < 3; k++) {
        const x = this.#points[at * 3 + k] + reach * this.#normal[k];
        this.#ahead[n * 3 + k] = clampTo(domain, k, x);
      }
    }
    this.#field.evaluate(this.#ahead, this.#valuesAhead, near.length);
    for (let n = 0; n < near.length; n++) {
      const at = near[n] * nSamples + this.worst[near[n]];
      if (this.#valuesAhead[n] >= 0 !== this.#values[at] >= 0) this.worst[near[n]] = -1;
    }
  }

  /**
   * Distance of the n-th asked point from the zero set as a share of the tolerance; where it is not so far, `most`, and where
   * it is farther than to first order, just beyond.
   */
  #share(t: number, n: number, most: number): number {
    const share = this.#distance(t, n) / this.#triangles.tolerances[t];
    if (share > most) return this.#isCrossed(t, this.#points, n, this.#values[n], most) ? most : share;
    // Nor is it believed where it is less: f may be steeper here than where it vanishes.
    if (this.#isCrossed(t, this.#points, n, this.#values[n], most)) return share;
    const [x, y, z] = this.#points.subarray(n * 3, n * 3 + 3);
    return this.#probe.isCrossedAround(this.#values[n], x, y, z, most * this.#triangles.tolerances[t])
      ? share
      : BEYOND * most;
  }

  /** Whether f changes its sign within the share `most` of the tolerance from a point along its triangle's normal. */
  #isCrossed(t: number, points: Float64Array, n: number, f: number, most: number): boolean {
    const normal = this.#normal;
    const probe = this.#probe;
    this.#findNormal(t);
    const reach = (f >= 0 ? -most : most) * this.#triangles.tolerances[t];
    const [x, y, z] = [points[n * 3], points[n * 3 + 1], points[n * 3 + 2]];
    return probe.isCrossed(f, x, y, z, reach * normal[0], reach * normal[1], reach * normal[2]);
  }

  /**
   * Distance of the n-th asked point from the zero set to first order, along its triangle's normal: beside a sharp ridge
   * that the triangle cuts off the ridge is farther away than the nearest point of the zero set.
   */
  #distance(t: number, n: number): number {
    const g = this.#gradients;
    const normal = this.#normal;
    this.#findNormal(t);
    const slope = length3(g[n * 3], g[n * 3 + 1], g[n * 3 + 2]);
    const along = Math.abs(g[n * 3] * normal[0] + g[n * 3 + 1] * normal[1] + g[n * 3 + 2] * normal[2]);
    return Math.abs(this.#values[n]) / (Math.max(along, SAMPLING.leastCosine * slope) || 1);
  }

  /** Puts the unit normal of triangle t in `normal`; zero where it has no area. */
  #findNormal(t: number): void {
    const normal = this.#normal;
    const { corners: p } = this.#triangles;
    const o = t * 9;
    const [ux, uy, uz] = [p[o + 3] - p[o], p[o + 4] - p[o + 1], p[o + 5] - p[o + 2]];
    const [vx, vy, vz] = [p[o + 6] - p[o], p[o + 7] - p[o + 1], p[o + 8] - p[o + 2]];
    normal[0] = uy * vz - uz * vy;
    normal[1] = uz * vx - ux * vz;
    normal[2] = ux * vy - uy * vx;
    const size = length3(normal[0], normal[1], normal[2]) || 1;
    for (let k = 0; k < 3; k++) normal[k] /= size;
  }
}
