import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';
import { createRandom } from './check-random.ts';
import type { CheckableMesh } from './check-topology.ts';
import { sampleMesh } from './distance-samples.ts';
import { distancesToZeroSet } from './distance-to-zero-set.ts';
import { ERROR_SEARCH } from './rules.ts';
import { SignProbe } from './sign-probe.ts';

/** Points of the mesh that are asked: about 5 ms on bunny-S, less than a hundredth of any derivation. */
const N_SAMPLES = 2048;
const BATCH = 1024;
/** Points whose distances are searched for at once. */
const N_SEARCHED = 32;

/**
 * How far a mesh stands off the zero set inside the domain, local units: the largest of bounds on the distances of 2,048
 * points, uniform on the mesh. A point's bound is the least distance found at which f has its other sign: along the
 * gradient, and for the points that are worst in 26 directions, nearer by. One way only: what the mesh lacks is not seen,
 * nor what lies between the points. `checkMesh` measures more, both ways.
 * @param suspects f64[3n], more points of the mesh, where it may be worst.
 */
export function measureMeshError(
  mesh: CheckableMesh,
  field: CheckField,
  domain: Box3,
  suspects: Float64Array = new Float64Array(0),
): number {
  const search = new ErrorSearch(field, domain);
  const around: Distances = (points, values, limits) =>
    limits.map((limit, i) => lookAround(field, domain, points.subarray(i * 3, i * 3 + 3), values[i], limit));
  for (const _ of search.ask(sampleMesh(mesh, N_SAMPLES, createRandom(1)), around));
  // Suspects lie where f is next to constant, or bends: there eighths of the way to a sign far off say too much.
  const random = createRandom(2);
  for (const _ of search.ask(suspects, (points) => distancesToZeroSet(field, points, domain, random)));
  return search.distance;
}

/** Bounds, never too short, on the distances of points f64[3n], at which f has these values and which are no farther than these limits. */
export type Distances = (points: Float64Array, values: Float64Array, limits: Float64Array) => Float64Array;

/**
 * The largest distance from the zero set of all points asked, never too short. A point's distance is bounded by the nearest
 * change of f's sign along its gradient; those that may be the farthest are looked at closely, but for those around which f
 * changes its sign within the largest distance found so far.
 */
export class ErrorSearch {
  distance = 0;
  /** f64[3n], the points that were farthest, going by their bounds; of the first call. */
  worst: Float64Array = new Float64Array(0);
  readonly #field: CheckField;
  readonly #domain: Box3;
  readonly #probe: SignProbe;

  constructor(field: CheckField, domain: Box3) {
    this.#field = field;
    this.#domain = domain;
    this.#probe = new SignProbe(field, domain);
  }

  /**
   * Asks points f64[3n]. Yields after a few milliseconds each.
   * @param closely how those are looked at that may be the farthest.
   */
  *ask(points: Float64Array, closely: Distances): Generator<void, void> {
    const n = points.length / 3;
    const limits = new Float64Array(n);
    const values = new Float64Array(n);
    for (let from = 0; from < n; from += BATCH) {
      const part = points.subarray(from * 3, (from + BATCH) * 3);
      limits.set(
        boundAlongGradients(part, values.subarray(from, from + BATCH), this.#field, this.#domain),
        from,
      );
      yield;
    }
    const first = largestOf(limits, N_SEARCHED);
    if (this.worst.length === 0) this.worst = gather(points, first);
    // The others need not be searched for where f changes its sign nearer to them than the first one is.
    const look = (ids: readonly number[]): void => this.#look(points, values, limits, ids, closely);
    look(first.slice(0, 1));
    look(first.slice(1));
    yield;
    const rest = [...limits.keys()].filter((id) => limits[id] > this.distance && !first.includes(id));
    rest.sort((a, b) => limits[b] - limits[a]);
    for (let from = 0; from < rest.length; from += N_SEARCHED) {
      look(rest.slice(from, from + N_SEARCHED));
      yield;
    }
  }

  #look(
    points: Float64Array,
    values: Float64Array,
    limits: Float64Array,
    ids: readonly number[],
    closely: Distances,
  ): void {
    const far = ids.filter((id) => {
      if (limits[id] <= this.distance) return false;
      const [x, y, z] = points.subarray(id * 3, id * 3 + 3);
      return this.distance === 0 || !this.#probe.isCrossedAround(values[id], x, y, z, this.distance);
    });
    if (far.length === 0) return;
    const of = (numbers: Float64Array): Float64Array => Float64Array.from(far, (id) => numbers[id]);
    const distances = closely(gather(points, far), of(values), of(limits));
    far.forEach((id, i) => {
      this.distance = Math.max(this.distance, Math.min(distances[i], limits[id]));
    });
  }
}

/** A bound on the distance of one point, from signs around it; `bound` where nothing nearer is found. */
function lookAround(
  field: CheckField,
  domain: Box3,
  [x, y, z]: Float64Array,
  f: number,
  bound: number,
): number {
  const probe = new SignProbe(field, domain);
  const { min, max } = domain;
  const { parts, least, growth } = ERROR_SEARCH;
  const diagonal = Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
  let most = Math.min(bound, diagonal);
  if (bound === Number.POSITIVE_INFINITY) {
    for (most = least * diagonal; most < diagonal; most *= growth)
      if (probe.isCrossedAround(f, x, y, z, most)) break;
  }
  for (;;) {
    const part = parts.find((share) => probe.isCrossedAround(f, x, y, z, share * most));
    if (part === undefined) return most;
    most *= part;
    // Within the least of them there may be a sign that is much nearer.
    if (part > parts[0]) return most;
  }
}

/** The places of the n largest values, the largest first. */
function largestOf(values: Float64Array, n: number): number[] {
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
  { min, max }: Box3,
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
        ahead[i * 3 + k] = Math.min(max[k], Math.max(min[k], x));
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
