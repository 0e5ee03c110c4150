import type { CpuField } from '../field/cpu-field.ts';
import { NumberMap } from '../partition/number-map.ts';
import { DisjointSets } from './check-tuples.ts';
import type { SurfaceMesh } from './mesh.ts';

/** Share of the way from a corner to its triangle's centroid at which the gradient is taken: on the triangle's side. */
const NUDGE = 0.05;
/** Cosines closer than this are one: rounding may not split what an angle of 180 degrees keeps whole. */
const ROUNDING = 1e-12;
/** Corners evaluated, and half-edges looked up, between two yields: about 4 ms each. */
const CORNERS_PER_YIELD = 4096;
const HALF_EDGES_PER_YIELD = 16384;

/**
 * Gives every vertex one normal for each smooth group of triangles around it. Two triangles that share an edge belong to
 * one group at a vertex where the field's gradients on their sides differ by at most `creaseAngleDegrees`; so a crease
 * that ends at a vertex does not split it. The first group keeps the vertex, the others get copies of it behind all
 * vertices, in the order of the triangles: positions, triangles and their order stay what they were.
 * @param creaseAngleDegrees in (0, 180].
 */
export function splitNormals(mesh: SurfaceMesh, field: CpuField, creaseAngleDegrees: number): SurfaceMesh {
  const steps = splitNormalsSteps(mesh, field, creaseAngleDegrees);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** {@link splitNormals} in steps of a few milliseconds; yields the fraction done. */
export function* splitNormalsSteps(
  mesh: SurfaceMesh,
  field: CpuField,
  creaseAngleDegrees: number,
): Generator<number, SurfaceMesh, void> {
  const directions = yield* cornerDirections(mesh, field);
  const leastCosine = Math.cos((creaseAngleDegrees * Math.PI) / 180) - ROUNDING;
  const groups = yield* groupCorners(mesh, directions, leastCosine);
  return assemble(mesh, directions, groups);
}

/** f64[nTriangles * 3 * 3]: the unit gradient beside each corner, inside its triangle; zero where f is constant there. */
function* cornerDirections(mesh: SurfaceMesh, field: CpuField): Generator<number, Float64Array, void> {
  const nCorners = mesh.indices.length;
  const directions = new Float64Array(nCorners * 3);
  const points = new Float64Array(CORNERS_PER_YIELD * 3);
  const values = new Float64Array(CORNERS_PER_YIELD);
  for (let first = 0; first < nCorners; first += CORNERS_PER_YIELD) {
    const n = Math.min(CORNERS_PER_YIELD, nCorners - first);
    for (let i = 0; i < n; i++) nudgedCorner(mesh, first + i, points, i * 3);
    const gradients = directions.subarray(first * 3, (first + n) * 3);
    field.evaluateWithGradient(points, values, gradients, n);
    for (let i = 0; i < n * 3; i += 3) normalise(gradients, i);
    yield (0.7 * (first + n)) / nCorners;
  }
  return directions;
}

/** Writes corner c, moved a little towards its triangle's centroid. */
function nudgedCorner({ positions, indices }: SurfaceMesh, c: number, out: Float64Array, o: number): void {
  const t = c - (c % 3);
  for (let k = 0; k < 3; k++) {
    const p = positions[indices[c] * 3 + k];
    const sum =
      positions[indices[t] * 3 + k] + positions[indices[t + 1] * 3 + k] + positions[indices[t + 2] * 3 + k];
    out[o + k] = p + NUDGE * (sum / 3 - p);
  }
}

function normalise(vectors: Float64Array, i: number): void {
  const length = Math.hypot(vectors[i], vectors[i + 1], vectors[i + 2]);
  if (length === 0) return;
  for (let k = 0; k < 3; k++) vectors[i + k] /= length;
}

/** Unites corners of one vertex across the edges over which the gradient turns little. */
function* groupCorners(
  { positions, indices }: SurfaceMesh,
  directions: Float64Array,
  leastCosine: number,
): Generator<number, DisjointSets, void> {
  const nVertices = positions.length / 3;
  const groups = new DisjointSets(indices.length);
  const halfEdges = new NumberMap(indices.length);
  for (let h = 0; h < indices.length; h++) {
    halfEdges.set(indices[h] * nVertices + indices[next(h)], h);
    if (h % HALF_EDGES_PER_YIELD === 0) yield 0.7 + (0.1 * h) / indices.length;
  }
  for (let h = 0; h < indices.length; h++) {
    if (h % HALF_EDGES_PER_YIELD === 0) yield 0.8 + (0.1 * h) / indices.length;
    const other = halfEdges.get(indices[next(h)] * nVertices + indices[h]);
    if (other < h) continue;
    uniteIfSmooth(groups, directions, h, next(other), leastCosine);
    uniteIfSmooth(groups, directions, next(h), other, leastCosine);
  }
  return groups;
}

/** The corner that follows c around its triangle. */
function next(c: number): number {
  return c % 3 === 2 ? c - 2 : c + 1;
}

function uniteIfSmooth(
  groups: DisjointSets,
  d: Float64Array,
  a: number,
  b: number,
  leastCosine: number,
): void {
  const [i, j] = [a * 3, b * 3];
  const cosine = d[i] * d[j] + d[i + 1] * d[j + 1] + d[i + 2] * d[j + 2];
  const isFlat = isZero(d, i) || isZero(d, j);
  if (isFlat || cosine >= leastCosine) groups.union(a, b);
}

function isZero(vectors: Float64Array, i: number): boolean {
  return vectors[i] === 0 && vectors[i + 1] === 0 && vectors[i + 2] === 0;
}

function assemble(mesh: SurfaceMesh, directions: Float64Array, groups: DisjointSets): SurfaceMesh {
  const { positions, indices } = mesh;
  const source: number[] = Array.from({ length: positions.length / 3 }, (_, v) => v);
  const isTaken = new Uint8Array(source.length);
  const vertexOf = new Int32Array(indices.length).fill(-1);
  const split = new Uint32Array(indices.length);
  for (let c = 0; c < indices.length; c++) {
    const group = groups.find(c);
    if (vertexOf[group] < 0) {
      const v = indices[c];
      vertexOf[group] = isTaken[v] === 0 ? v : source.push(v) - 1;
      isTaken[v] = 1;
    }
    split[c] = vertexOf[group];
  }
  return {
    positions: copied(positions, 3, source),
    normals: meanNormals(mesh, directions, split, source),
    indices: split,
    ...(mesh.attributes && { attributes: copyAttributes(mesh, source) }),
  };
}

function copyAttributes({ positions, attributes }: SurfaceMesh, source: readonly number[]) {
  const nVertices = positions.length / 3;
  const entries = Object.entries(attributes ?? {}).map(([name, values]): [string, Float32Array] => [
    name,
    copied(values, values.length / nVertices, source),
  ]);
  return Object.fromEntries(entries);
}

/** Values of the vertices in `source`, `width` each. */
function copied(values: Float32Array, width: number, source: readonly number[]): Float32Array {
  const out = new Float32Array(source.length * width);
  for (let v = 0; v < source.length; v++) {
    for (let k = 0; k < width; k++) out[v * width + k] = values[source[v] * width + k];
  }
  return out;
}

/** Area-weighted means of the corners' directions; the old normal where they cancel. */
function meanNormals(
  mesh: SurfaceMesh,
  directions: Float64Array,
  split: Uint32Array,
  source: readonly number[],
): Float32Array {
  const sums = new Float64Array(source.length * 3);
  for (let c = 0; c < split.length; c++) {
    const area = triangleArea(mesh, c - (c % 3));
    for (let k = 0; k < 3; k++) sums[split[c] * 3 + k] += area * directions[c * 3 + k];
  }
  const normals = new Float32Array(sums.length);
  for (let v = 0; v < source.length; v++) {
    const isNone = isZero(sums, v * 3);
    if (!isNone) normalise(sums, v * 3);
    for (let k = 0; k < 3; k++)
      normals[v * 3 + k] = isNone ? mesh.normals[source[v] * 3 + k] : sums[v * 3 + k];
  }
  return normals;
}

function triangleArea({ positions: p, indices }: SurfaceMesh, t: number): number {
  const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return 0.5 * Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
}
