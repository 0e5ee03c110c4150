import { extentOf } from '../box.ts';
import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';
import { createRandom } from './check-random.ts';
import { alongLines, RayBatch, rootsOf } from './distance-samples.ts';
import type { BoxList } from './lattice-band.ts';
import type { MarchedSurface } from './lattice-level.ts';
import type { SurfaceMesh } from './mesh.ts';
import { measureBack, measureMeshError, RELATIVE_ERROR, rootsOnSegments } from './mesh-error.ts';
import { TriangleTree } from './triangle-tree.ts';

/** Vertices of the lattice, and segments in its boxes, that points of the zero set are taken from, at most. */
const MOST_VERTICES = 16_384;
const MOST_SEGMENTS = 12_288;
/** Lines through all of the bounds, which see what is far from the boxes, and pieces of each along the longest axis. */
const N_LINES = 384;
const LINE_PIECES = 32;
const BATCH = 1024;

/** How far a mesh and the zero set are from one another at most, as far as points tell; local units. */
export interface LevelErrors {
  readonly meshToZeroSet: number;
  /** Infinity where the mesh is empty and the zero set isn't. */
  readonly zeroSetToMesh: number;
}

/**
 * Measures a mesh made on a lattice, both ways. From the mesh: `measureMeshError`. From the zero set: what is `known` of it, f64[3n], the
 * vertices that the lattice had before it was thinned, roots on random segments in
 * the lattice's boxes, in those that the surface passes through and as many in those beside it, roots on lines through the
 * bounds, what was found where the lattice passes by, and more around the farthest (`measureBack`). Yields the fraction done.
 */
export function* measureBothWays(
  mesh: SurfaceMesh,
  field: CheckField,
  bounds: Box3,
  surface: MarchedSurface,
  known: Float64Array,
): Generator<number, LevelErrors> {
  const random = createRandom(3);
  const meshToZeroSet = yield* measureMeshError(mesh, field, bounds);
  const tree = new TriangleTree(mesh);
  yield 0.5;
  const points = zeroSetPoints(field, bounds, surface, known, random);
  const back = measureBack(tree, field, bounds, points, surface.lattice.diagonal, random);
  return { meshToZeroSet, zeroSetToMesh: yield* back };
}

/** Points of the zero set, f64[3n] at a time. */
function* zeroSetPoints(
  field: CheckField,
  bounds: Box3,
  { positions, nVertices, band, lattice, hidden }: MarchedSurface,
  known: Float64Array,
  random: () => number,
): Generator<Float64Array, void> {
  yield known;
  const stride = Math.max(1, Math.ceil(nVertices / MOST_VERTICES));
  const vertices = new Float64Array(Math.ceil(nVertices / stride) * 3);
  for (let i = 0; i < vertices.length; i++) vertices[i] = positions[(i - (i % 3)) * stride + (i % 3)];
  for (let from = 0; from < vertices.length; from += BATCH * 3)
    yield vertices.subarray(from, from + BATCH * 3);
  for (const list of [band.crossed, band.beside]) {
    const n = Math.min(MOST_SEGMENTS / 2, 16 * list.n);
    for (let from = 0; from < n; from += BATCH) {
      yield rootsInBoxes(field, bounds, list, lattice.positions, Math.min(BATCH, n - from), random);
    }
  }
  const longest = Math.max(...extentOf(bounds));
  yield* alongLines(field, bounds, longest / LINE_PIECES, N_LINES, random, RELATIVE_ERROR);
  const nHidden = hidden.points.length / 3;
  const passed = new RayBatch(field, nHidden);
  for (let i = 0; i < nHidden; i++) aim(passed, i, hidden.corners, hidden.points);
  yield rootsOf(passed, nHidden);
}

/** Makes ray i run from point i of one list to that of another. */
function aim(rays: RayBatch, i: number, from: readonly number[], to: readonly number[]): void {
  const way = [0, 1, 2].map((k) => to[i * 3 + k] - from[i * 3 + k]);
  rays.high[i] = Math.hypot(...way);
  for (let k = 0; k < 3; k++) {
    rays.origins[i * 3 + k] = from[i * 3 + k];
    rays.directions[i * 3 + k] = way[k] / rays.high[i];
  }
}

/** Roots on n random segments, as long as a box's diagonal, that begin in the boxes. */
function rootsInBoxes(
  field: CheckField,
  bounds: Box3,
  { n: nBoxes, corners }: BoxList,
  positions: Float64Array,
  n: number,
  random: () => number,
): Float64Array {
  return rootsOnSegments(field, bounds, n, random, (origins, i) => {
    const box = Math.floor(random() * nBoxes) * 8;
    const [low, high] = [corners[box] * 3, corners[box + 7] * 3];
    const size = [0, 1, 2].map((k) => positions[high + k] - positions[low + k]);
    for (let k = 0; k < 3; k++) origins[i * 3 + k] = positions[low + k] + random() * size[k];
    return Math.hypot(...size);
  });
}
