import { diagonalOf } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3 } from '../format/asset.ts';
import { createRandom } from './check-random.ts';
import type { SurfaceMesh } from './mesh.ts';
import { measureMeshError } from './mesh-error.ts';
import { CUBE_WAYS } from './sign-probe.ts';

/** What a mesh is held against. */
export interface SidesOptions {
  /** What the mesh was cut to: it may be open on these faces. */
  readonly bounds: Box3;
  /** The distance between mesh and zero set that was asked for, local units. */
  readonly tolerance: number;
  /** Points to evaluate, about. */
  readonly nSamples: number;
  readonly seed: number;
}

/** A point may be on the wrong side this many times the mesh's error away from the zero set. */
const ERROR_SLACK = 1.5;
/** Single precision, as a share of the domain's diagonal. */
const LEAST_REACH = 1e-6;
/** A mesh that is farther off, as a share of the diagonal, excuses no point by that. */
const MOST_REACH = 1 / 16;
/** Points on the wrong side that are looked at more closely, each of them evaluated around. */
const MAX_SUSPECTS = 32;
const TRIANGLES_PER_YIELD = 8192;
const DIRECTIONS = CUBE_WAYS.map((way) => way.map((k) => k / Math.hypot(...way)));

/**
 * Looks for parts that a mesh lacks, or has too many: along lines through the bounds, f has to change its sign where the
 * line crosses the mesh and nowhere else. The lines and the points on them are drawn at random, one in each cell of a
 * division, so that what is larger than a cell is seen, and what is smaller by its share of the volume. A point closer to
 * the zero set than the mesh may be is no witness. Yields the fraction done.
 * @returns what is wrong, or undefined.
 */
export function* verifySides(
  mesh: SurfaceMesh,
  field: CpuField,
  options: SidesOptions,
): Generator<number, string | undefined, void> {
  const lines = new Lines(options);
  const { nPoints, points } = lines;
  const values = new Float64Array(nPoints);
  const perSlice = field.pointsPerSlice(2048);
  for (let start = 0; start < nPoints; start += perSlice) {
    const n = Math.min(perSlice, nPoints - start);
    field.evaluate(points.subarray(start * 3, (start + n) * 3), values.subarray(start, start + n), n);
    yield (0.7 * start) / nPoints;
  }
  const nTriangles = mesh.indices.length / 3;
  for (let t = 0; t < nTriangles; t++) {
    lines.cross(mesh, t);
    if (t % TRIANGLES_PER_YIELD === 0) yield 0.7 + (0.3 * t) / nTriangles;
  }
  const suspects = lines.disagreements(values);
  if (suspects.length === 0) return undefined;
  const witnesses = (among: readonly number[], reach: number): number[] =>
    among.filter((point) => [point, point + 1].every((each) => !isNear(field, points, values, each, reach)));
  const diagonal = diagonalOf(field.asset.domain);
  const asked = Math.max(LEAST_REACH * diagonal, options.tolerance);
  let wrong = witnesses(suspects, ERROR_SLACK * asked);
  if (wrong.length > 0 && nTriangles > 0) {
    // What was asked for was not kept, perhaps: simplified meshes are farther off.
    const error = yield* measureMeshError(mesh, field, field.asset.domain);
    const measured = Math.min(error, MOST_REACH * diagonal);
    if (measured > asked) wrong = witnesses(wrong, ERROR_SLACK * measured);
  }
  if (wrong.length === 0) return undefined;
  const at = Array.from(points.subarray(wrong[0] * 3, wrong[0] * 3 + 3), (x) => x.toPrecision(4));
  return `the sign of f contradicts it, near [${at.join(', ')}] for one: parts of the surface are missing, or too many`;
}

/** Whether f changes its sign within `reach` of a point. */
function isNear(
  field: CpuField,
  points: Float64Array,
  values: Float64Array,
  point: number,
  reach: number,
): boolean {
  const around = new Float64Array(DIRECTIONS.length * 3);
  DIRECTIONS.forEach((direction, i) => {
    for (let k = 0; k < 3; k++) around[i * 3 + k] = points[point * 3 + k] + reach * direction[k];
  });
  const found = new Float64Array(DIRECTIONS.length);
  field.evaluate(around, found);
  return found.some((f) => f >= 0 !== values[point] >= 0);
}

/** Lines along z, one in each cell of a division of the bounds across it, with points in the cells along it. */
class Lines {
  /** f64[nPoints * 3]: line after line, upwards. */
  readonly points: Float64Array;
  readonly nPoints: number;
  /** Lines along x and y, and points on each. */
  readonly #n: number;
  readonly #min: readonly number[];
  readonly #step: readonly number[];
  /** Whether the mesh is crossed an odd number of times below point k of a line and above the one before. */
  readonly #isCrossed: Uint8Array;

  constructor({ bounds, nSamples, seed }: SidesOptions) {
    const random = createRandom(seed);
    const n = Math.max(2, Math.round(Math.cbrt(nSamples)));
    this.#n = n;
    this.#min = bounds.min;
    this.#step = bounds.min.map((low, k) => (bounds.max[k] - low) / n);
    this.nPoints = n ** 3;
    this.points = new Float64Array(this.nPoints * 3);
    this.#isCrossed = new Uint8Array(n * n * (n + 1));
    for (let line = 0, at = 0; line < n * n; line++) {
      const x = this.#at(0, (line % n) + random());
      const y = this.#at(1, Math.floor(line / n) + random());
      for (let k = 0; k < n; k++, at += 3) this.points.set([x, y, this.#at(2, k + random())], at);
    }
  }

  #at(axis: number, cell: number): number {
    return this.#min[axis] + cell * this.#step[axis];
  }

  /** Notes where a triangle crosses lines. */
  cross({ positions, indices }: SurfaceMesh, triangle: number): void {
    const n = this.#n;
    const [a, b, c] = [0, 1, 2].map((k) => indices[triangle * 3 + k] * 3);
    const from = [0, 1].map((k) =>
      this.#cell(k, Math.min(positions[a + k], positions[b + k], positions[c + k])),
    );
    const to = [0, 1].map((k) =>
      this.#cell(k, Math.max(positions[a + k], positions[b + k], positions[c + k])),
    );
    for (let j = from[1]; j <= to[1]; j++) {
      for (let i = from[0]; i <= to[0]; i++) {
        const line = j * n + i;
        const x = this.points[line * n * 3];
        const y = this.points[line * n * 3 + 1];
        const wa = edgeSide(positions, b, c, x, y);
        const wb = edgeSide(positions, c, a, x, y);
        const wc = edgeSide(positions, a, b, x, y);
        const isInside = wa >= 0 === wb >= 0 && wb >= 0 === wc >= 0;
        if (!isInside) continue;
        const sum = wa + wb + wc;
        if (sum === 0) continue;
        this.#note(line, (wa * positions[a + 2] + wb * positions[b + 2] + wc * positions[c + 2]) / sum);
      }
    }
  }

  #cell(axis: number, at: number): number {
    return Math.max(0, Math.min(this.#n - 1, Math.floor((at - this.#min[axis]) / this.#step[axis])));
  }

  #note(line: number, z: number): void {
    const n = this.#n;
    const k = this.#cell(2, z);
    const isAbove = z > this.points[(line * n + k) * 3 + 2];
    this.#isCrossed[line * (n + 1) + k + (isAbove ? 1 : 0)] ^= 1;
  }

  /** Points from which to the next one f and mesh say different things; no more than are looked at. */
  disagreements(values: Float64Array): number[] {
    const n = this.#n;
    const found: number[] = [];
    for (let point = 0; point < this.nPoints; point++) {
      const k = point % n;
      if (k === n - 1) continue;
      const changes = values[point] >= 0 !== values[point + 1] >= 0;
      const line = Math.floor(point / n);
      if (changes !== (this.#isCrossed[line * (n + 1) + k + 1] === 1)) found.push(point);
    }
    const stride = Math.ceil(found.length / MAX_SUSPECTS);
    return found.filter((_, i) => i % stride === 0);
  }
}

/**
 * On which side of an edge, seen along z, a point lies; of an edge and its reverse exactly opposite, so that triangles
 * which share it neither both have the point nor both lack it.
 */
function edgeSide(positions: Float32Array, from: number, to: number, x: number, y: number): number {
  const isForward =
    positions[from] < positions[to] ||
    (positions[from] === positions[to] && positions[from + 1] <= positions[to + 1]);
  const [p, q] = isForward ? [from, to] : [to, from];
  const side =
    (positions[q] - positions[p]) * (y - positions[p + 1]) -
    (positions[q + 1] - positions[p + 1]) * (x - positions[p]);
  return isForward ? side : -side;
}
