import { concat } from '../arrays.ts';
import { clampTo } from '../box.ts';
import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';
import { createRandom, writeDirection } from './check-random.ts';
import { RayBatch, rootsOf, sampleMesh } from './distance-samples.ts';
import { distancesToZeroSet } from './distance-to-zero-set.ts';
import { ERROR_SEARCH } from './rules.ts';
import { SignProbe } from './sign-probe.ts';
import { CLOSEST_PATTERN } from './triangle-sampler.ts';
import { type Triangles, TriangleTree } from './triangle-tree.ts';

const BATCH = 1024;
/** Points whose distances are searched for at once. */
const N_SEARCHED = 32;
/** Share of a mesh's points that are farthest, whose triangles are looked at closely. */
const WORST_SHARE = 1 / 256;
/** Places that are looked at closely on the way back, and segments around each in every round. */
const N_WORST = 128;
const SEGMENTS_AROUND = 16;
/** Size of the cells of which each is looked at once, in lengths of the shortest segments. */
const CELL = 4;
/** Width of a root's bracket as a share of its segment, which is a few tolerances long. */
export const RELATIVE_ERROR = 1e-4;

/** How far a mesh and the zero set are from one another at most, as far as points tell; local units. */
export interface MeshErrors {
  readonly errorLocal: number;
  /** Infinity where the mesh is empty and the zero set isn't. */
  readonly errorBackLocal: number;
  /** Triangles with points that are farther from the zero set than the tolerance there. */
  readonly off: readonly number[];
  /** f64[3n], points of the zero set that are farther from the mesh than that. */
  readonly missed: Float64Array;
}

/**
 * Measures a mesh that was derived, both ways: as {@link measureMeshError} does, and {@link measureBack} for points of the zero set
 * that are known. Yields the fraction done.
 * @param domain the zero set outside of it does not count, nor is the mesh held against what is outside of `bounds`.
 * @param tolerance at a point p[offset...], local units.
 * @param suspects f64[3n], see {@link measureMeshError}.
 * @param known f64[3n]
 * @param reach, nearest: see {@link measureBack}.
 * @param nSamples points uniform on the mesh: see {@link ERROR_SEARCH}.
 */
export function* measureErrors(
  mesh: Triangles,
  field: CheckField,
  { bounds, domain }: { readonly bounds: Box3; readonly domain: Box3 },
  tolerance: (p: Float64Array, offset: number) => number,
  { suspects, known }: { readonly suspects: Float64Array; readonly known: Float64Array },
  { reach, nearest }: { readonly reach: number; readonly nearest: number },
  nSamples: number,
): Generator<number, MeshErrors> {
  const { search, triangles } = yield* searchMesh(mesh, field, domain, suspects, nSamples);
  const off = [...new Set(search.beyond(tolerance).map((id) => triangles[id]))];
  const tree = new TriangleTree(mesh);
  yield 0.5;
  const random = createRandom(1);
  // Where the mesh could not be divided no point of what stands out of it need be known.
  const beside = rootsAround(field, bounds, suspects, 4 * nearest, random, 1);
  const farthest = yield* findFarthest(tree, field, bounds, [known, beside], reach, random, nearest);
  return {
    errorLocal: search.distance,
    errorBackLocal: farthest.distance,
    off,
    missed: farthest.beyond(tolerance),
  };
}

/**
 * How far a mesh stands off the zero set inside the domain, local units: the largest of bounds on the distances of
 * `ERROR_SEARCH.samples` points, uniform on the mesh, and of many on the triangles of the farthest. A point's bound is the least
 * distance found at which f has its other sign: along the gradient, and for the points that may be the farthest as `checkMesh` searches.
 * One way only: what the mesh lacks is not seen, nor what lies between the points. `checkMesh` measures more, both ways. Yields the
 * fraction done.
 * @param suspects f64[3n], more points of the mesh, where it may be worst.
 */
export function* measureMeshError(
  mesh: Triangles,
  field: CheckField,
  domain: Box3,
  suspects: Float64Array = new Float64Array(0),
): Generator<number, number> {
  return (yield* searchMesh(mesh, field, domain, suspects, ERROR_SEARCH.samples)).search.distance;
}

/** What {@link measureMeshError} found, and the triangles that its first points are on. */
function* searchMesh(
  mesh: Triangles,
  field: CheckField,
  domain: Box3,
  suspects: Float64Array,
  nSamples: number,
): Generator<number, { search: ErrorSearch; triangles: Int32Array }> {
  const search = new ErrorSearch(field, domain, createRandom(2));
  const triangles = new Int32Array(nSamples);
  yield* search.ask(sampleMesh(mesh, nSamples, createRandom(1), triangles));
  const nWorst = Math.ceil(nSamples * WORST_SHARE);
  const worst = new Set(search.farthest(nWorst).map((id) => triangles[id]));
  const close = [...worst].map((t) => pointsOf(mesh, t));
  yield* search.ask(concat(Float64Array, close));
  yield* search.ask(suspects);
  return { search, triangles };
}

/** f64[3n]: the points of {@link CLOSEST_PATTERN} on a triangle. */
function pointsOf({ positions, indices }: Triangles, triangle: number): Float64Array {
  const { weights } = CLOSEST_PATTERN;
  const out = new Float64Array(weights.length);
  for (let i = 0; i < out.length; i++) {
    const k = i % 3;
    for (let corner = 0; corner < 3; corner++) {
      out[i] += weights[i - k + corner] * positions[indices[triangle * 3 + corner] * 3 + k];
    }
  }
  return out;
}

/**
 * The largest distance from the zero set of all points asked, never too short. A point's distance is bounded by the nearest
 * change of f's sign along its gradient; those that may be the farthest are looked at closely, but for those around which f
 * changes its sign within the largest distance found so far.
 */
class ErrorSearch {
  distance = 0;
  /** Points f64[3n], f there and bounds on their distances; of the first call. */
  #asked: { points: Float64Array; values: Float64Array; limits: Float64Array } | undefined;
  readonly #field: CheckField;
  readonly #domain: Box3;
  readonly #probe: SignProbe;
  readonly #random: () => number;

  constructor(field: CheckField, domain: Box3, random: () => number) {
    this.#field = field;
    this.#domain = domain;
    this.#random = random;
    this.#probe = new SignProbe(field, domain);
  }

  /** Asks points f64[3n]. Yields the fraction of the whole measurement. */
  *ask(points: Float64Array): Generator<number, void> {
    const n = points.length / 3;
    const limits = new Float64Array(n);
    const values = new Float64Array(n);
    for (let from = 0; from < n; from += BATCH) {
      const part = points.subarray(from * 3, (from + BATCH) * 3);
      limits.set(
        boundAlongGradients(part, values.subarray(from, from + BATCH), this.#field, this.#domain),
        from,
      );
      yield 0.25;
    }
    const first = largestOf(limits, N_SEARCHED);
    this.#asked ??= { points, values, limits };
    // The others need not be searched for where f changes its sign nearer to them than the first one is.
    const look = (ids: readonly number[]): void => this.#look(points, values, limits, ids);
    look(first.slice(0, 1));
    look(first.slice(1));
    yield 0.25;
    const rest = [...limits.keys()].filter((id) => limits[id] > this.distance && !first.includes(id));
    rest.sort((a, b) => limits[b] - limits[a]);
    for (let from = 0; from < rest.length; from += N_SEARCHED) {
      look(rest.slice(from, from + N_SEARCHED));
      yield 0.25;
    }
  }

  /** So many points of the first call that are farthest, going by their bounds. */
  farthest(n: number): number[] {
    return largestOf(this.#asked?.limits ?? [], n);
  }

  /** The points of the first call within whose tolerance f keeps its sign, as far as is looked. */
  beyond(tolerance: (p: Float64Array, offset: number) => number): number[] {
    if (!this.#asked) return [];
    const { points, values, limits } = this.#asked;
    return [...limits.keys()].filter((id) => {
      const least = tolerance(points, id * 3);
      if (limits[id] <= least || this.distance <= least) return false;
      const [x, y, z] = points.subarray(id * 3, id * 3 + 3);
      return !this.#probe.isCrossedAround(values[id], x, y, z, least);
    });
  }

  #look(points: Float64Array, values: Float64Array, limits: Float64Array, ids: readonly number[]): void {
    const far = ids.filter((id) => {
      if (limits[id] <= this.distance) return false;
      const [x, y, z] = points.subarray(id * 3, id * 3 + 3);
      return this.distance === 0 || !this.#probe.isCrossedAround(values[id], x, y, z, this.distance);
    });
    if (far.length === 0) return;
    const distances = distancesToZeroSet(this.#field, gather(points, far), this.#domain, this.#random);
    far.forEach((id, i) => {
      this.distance = Math.max(this.distance, Math.min(distances[i], limits[id]));
    });
  }
}

/** The places of the n largest values, the largest first. */
function largestOf(values: ArrayLike<number>, n: number): number[] {
  const order: number[] = [];
  for (let id = 0; id < values.length; id++) {
    if (order.length === n && values[id] <= values[order[n - 1]]) continue;
    if (order.length === n) order.pop();
    let at = order.length;
    while (at > 0 && values[order[at - 1]] < values[id]) at--;
    order.splice(at, 0, id);
  }
  return order;
}

function gather(points: Float64Array, ids: readonly number[]): Float64Array {
  return Float64Array.from(
    { length: ids.length * 3 },
    (_, i) => points[ids[(i - (i % 3)) / 3] * 3 + (i % 3)],
  );
}

/**
 * The first of `ERROR_SEARCH.aims` at which f has its other sign along the gradient, as a distance; Infinity where none has.
 * @param points f64[3n]
 * @param values f64[n], f there, written.
 * @param box the domain: what lies beside it does not count, places there are moved onto its faces.
 */
export function boundAlongGradients(
  points: Float64Array,
  values: Float64Array,
  field: CheckField,
  box: Box3,
): Float64Array {
  const n = points.length / 3;
  const bounds = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const gradients = new Float64Array(n * 3);
  field.evaluateWithGradient(points, values, gradients, n);
  const ahead = new Float64Array(n * 3);
  const valuesAhead = new Float64Array(n);
  const norms = new Float64Array(n);
  const open = new Int32Array(n);
  let nOpen = 0;
  for (let id = 0; id < n; id++) {
    norms[id] = Math.hypot(gradients[id * 3], gradients[id * 3 + 1], gradients[id * 3 + 2]);
    if (values[id] === 0) bounds[id] = 0;
    else if (norms[id] > 0) open[nOpen++] = id;
  }
  for (const aim of ERROR_SEARCH.aims) {
    for (let i = 0; i < nOpen; i++) {
      const id = open[i];
      const step = (aim * values[id]) / norms[id];
      for (let k = 0; k < 3; k++) {
        const x = points[id * 3 + k] - step * (gradients[id * 3 + k] / norms[id]);
        ahead[i * 3 + k] = clampTo(box, k, x);
      }
    }
    field.evaluate(ahead, valuesAhead, nOpen);
    let nLeft = 0;
    for (let i = 0; i < nOpen; i++) {
      const id = open[i];
      if (valuesAhead[i] >= 0 !== values[id] >= 0) bounds[id] = (aim * Math.abs(values[id])) / norms[id];
      else open[nLeft++] = id;
    }
    nOpen = nLeft;
  }
  return bounds;
}

/** {@link findFarthest}'s distance: 0 where there is no point, Infinity where the mesh is empty and there are some. */
export function* measureBack(...of: Parameters<typeof findFarthest>): Generator<number, number> {
  return (yield* findFarthest(...of)).distance;
}

/**
 * How far the zero set is from a mesh inside the bounds, local units: distances of points of it, then of others that are found around
 * the farthest: close to those first, before what is found farther away takes their places. The distances are exact; what is not seen
 * lies between the points. Yields the fraction done.
 * @param points points of the zero set, f64[3n] at a time.
 * @param reach length of the segments around them at first, local units.
 * @param nearest half a tolerance, say: the length that close by is measured in, local units.
 */
function* findFarthest(
  tree: TriangleTree,
  field: CheckField,
  bounds: Box3,
  points: Iterable<Float64Array>,
  reach: number,
  random: () => number,
  nearest = reach / 8,
): Generator<number, FarthestPoints> {
  const farthest = new FarthestPoints(tree, CELL * nearest);
  for (const part of points) {
    for (let from = 0; from < part.length; from += BATCH * 3) {
      farthest.ask(part.subarray(from, from + BATCH * 3));
      yield 0.5;
    }
  }
  for (const length of lengthsOf(reach, nearest)) {
    farthest.ask(rootsAround(field, bounds, farthest.places(), length, random));
    yield 0.5;
  }
  return farthest;
}

/** Lengths of the segments of each round, local units: close by, then from afar back to there. */
function lengthsOf(reach: number, nearest: number): number[] {
  const lengths = [4, 2, 1].map((times) => times * nearest);
  for (let length = reach; length > nearest; length /= 2) lengths.push(length);
  return [...lengths, nearest, nearest / 2];
}

/** Roots on random segments around places f64[3n], so many around each, about as long as `length`. */
function rootsAround(
  field: CheckField,
  bounds: Box3,
  places: Float64Array,
  length: number,
  random: () => number,
  nAround = SEGMENTS_AROUND,
): Float64Array {
  const n = (places.length / 3) * nAround;
  return rootsOnSegments(field, bounds, n, random, (origins, i) => {
    const at = Math.floor(i / nAround) * 3;
    for (let k = 0; k < 3; k++) origins[i * 3 + k] = places[at + k] + (random() - 0.5) * length;
    return length;
  });
}

/**
 * Roots on n segments in random directions, f64[3m].
 * @param begin writes where segment i begins, and gives its length.
 */
export function rootsOnSegments(
  field: CheckField,
  bounds: Box3,
  n: number,
  random: () => number,
  begin: (origins: Float64Array, i: number) => number,
): Float64Array {
  const rays = new RayBatch(field, n);
  for (let i = 0; i < n; i++) {
    const length = begin(rays.origins, i);
    writeDirection(random, rays.directions, i * 3);
    rays.high[i] = Math.min(length, rays.exitDistance(i, bounds));
  }
  return rootsOf(rays, n, RELATIVE_ERROR);
}

/** Of all points that were asked those that are farthest from a mesh, one a cell: around one place there may be any number. */
class FarthestPoints {
  private readonly tree: TriangleTree;
  private readonly size: number;
  private readonly cells: string[] = [];
  private readonly distances = new Float64Array(N_WORST).fill(-1);
  private readonly points = new Float64Array(N_WORST * 3);
  #least = 0;

  /** @param size of a cell, local units. */
  constructor(tree: TriangleTree, size: number) {
    this.tree = tree;
    this.size = size;
  }

  /** The largest distance; 0 where there was no point. */
  get distance(): number {
    return Math.max(0, ...this.distances);
  }

  /** f64[3n], those of the points that are farther than the tolerance there. */
  beyond(tolerance: (p: Float64Array, offset: number) => number): Float64Array {
    const { points, distances } = this;
    const far = [...distances.keys()].filter((i) => distances[i] > tolerance(points, i * 3));
    return gather(points, far);
  }

  /** f64[3n] */
  places(): Float64Array {
    return this.points.slice(0, 3 * this.distances.filter((distance) => distance >= 0).length);
  }

  /** Asks points f64[3n]: those that are nearer than all that are kept need no exact distance. */
  ask(points: Float64Array): void {
    const { distances, cells, tree, size } = this;
    for (let at = 0; at < points.length; at += 3) {
      const kept = distances[this.#least];
      const distance = tree.closest(points[at], points[at + 1], points[at + 2], undefined, kept);
      if (distance <= kept) continue;
      const cell = [0, 1, 2].map((k) => Math.floor(points[at + k] / size)).join();
      const known = cells.indexOf(cell);
      const to = known < 0 ? this.#least : known;
      if (distance <= distances[to]) continue;
      cells[to] = cell;
      distances[to] = distance;
      for (let k = 0; k < 3; k++) this.points[to * 3 + k] = points[at + k];
      for (let i = 0; i < N_WORST; i++) if (distances[i] < distances[this.#least]) this.#least = i;
    }
  }
}
