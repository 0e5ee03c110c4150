import type { Vec3 } from '../format/asset.ts';
import { TupleTable } from './check-tuples.ts';

/** What the oracles read: an indexed triangle mesh, ours or anybody's. */
export interface CheckableMesh {
  /** f32[nVertices * 3] */
  readonly positions: Float32Array;
  /** u16 or u32[nTriangles * 3] */
  readonly indices: Uint32Array | Uint16Array;
  /** f32[nVertices * 3] */
  readonly normals?: Float32Array | undefined;
  /** What the positions are relative to, as `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

export interface Welded {
  /** u32[nVertices], the number of each vertex's position. */
  readonly welded: Uint32Array;
  /** u32[nPositions], the first vertex at each position. */
  readonly firstOf: Uint32Array;
  readonly nDuplicates: number;
  readonly nSplit: number;
}

/** Gives vertices of one position one number. */
export function weld({ positions, normals }: CheckableMesh): Welded {
  const nVertices = positions.length / 3;
  // Adding +0 makes -0 and +0 one pattern.
  const bits = new Int32Array(positions.map((x) => x + 0).buffer);
  const table = new TupleTable(nVertices);
  const welded = new Uint32Array(nVertices);
  const firstOf = new Uint32Array(nVertices);
  let nSplit = 0;
  for (let v = 0, k = 0; v < nVertices; v++, k += 3) {
    const before = table.count;
    const id = table.insert(bits[k], bits[k + 1], bits[k + 2]);
    welded[v] = id;
    if (id === before) firstOf[id] = v;
    else if (normals !== undefined && !sameTriple(normals, k, firstOf[id] * 3)) nSplit++;
  }
  return { welded, firstOf: firstOf.subarray(0, table.count), nDuplicates: nVertices - table.count, nSplit };
}

function sameTriple(values: Float32Array, i: number, j: number): boolean {
  return values[i] === values[j] && values[i + 1] === values[j + 1] && values[i + 2] === values[j + 2];
}

/** The triangles with three distinct positions, and what was measured on all of them. */
export interface Triangles {
  /** u32[n * 3], welded vertices of the triangles with three distinct positions. */
  readonly corners: Uint32Array;
  /** u32[n], their numbers in the mesh. */
  readonly source: Uint32Array;
  readonly nAll: number;
  readonly nDuplicates: number;
  readonly nDegenerate: number;
  readonly area: number;
  readonly volume: number;
}

/** Sorts out degenerate triangles, counts repeated ones, sums area and signed volume. */
export function collectTriangles({ positions, indices }: CheckableMesh, welded: Uint32Array): Triangles {
  const nAll = indices.length / 3;
  const corners = new Uint32Array(indices.length);
  const source = new Uint32Array(nAll);
  const seen = new TupleTable(nAll);
  const measure = { area: 0, volume: 0 };
  let n = 0;
  let nDegenerate = 0;
  let nDuplicates = 0;
  for (let t = 0; t < nAll; t++) {
    const a = welded[indices[t * 3]];
    const b = welded[indices[t * 3 + 1]];
    const c = welded[indices[t * 3 + 2]];
    const isFlat = addMeasure(positions, indices, t, measure);
    if (a === b || b === c || c === a) {
      nDegenerate++;
      continue;
    }
    if (isFlat) nDegenerate++;
    const low = Math.min(a, b, c);
    const high = Math.max(a, b, c);
    const before = seen.count;
    if (seen.insert(low, a + b + c - low - high, high) !== before) nDuplicates++;
    corners.set([a, b, c], n * 3);
    source[n++] = t;
  }
  return {
    corners: corners.subarray(0, n * 3),
    source: source.subarray(0, n),
    nAll,
    nDuplicates,
    nDegenerate,
    ...measure,
  };
}

/** Adds a triangle's area and its share of the signed volume; true where the area is exactly zero in f64. */
function addMeasure(
  p: Float32Array,
  indices: Uint32Array | Uint16Array,
  t: number,
  sum: { area: number; volume: number },
): boolean {
  const a = indices[t * 3] * 3;
  const b = indices[t * 3 + 1] * 3;
  const c = indices[t * 3 + 2] * 3;
  const ux = p[b] - p[a];
  const uy = p[b + 1] - p[a + 1];
  const uz = p[b + 2] - p[a + 2];
  const vx = p[c] - p[a];
  const vy = p[c + 1] - p[a + 1];
  const vz = p[c + 2] - p[a + 2];
  const nx = uy * vz - uz * vy;
  const ny = uz * vx - ux * vz;
  const nz = ux * vy - uy * vx;
  sum.area += Math.sqrt(nx * nx + ny * ny + nz * nz) / 2;
  sum.volume += ((p[a] - p[0]) * nx + (p[a + 1] - p[1]) * ny + (p[a + 2] - p[2]) * nz) / 6;
  return nx === 0 && ny === 0 && nz === 0;
}

/** Vertices with a coordinate that is NaN or infinite. */
export function countNonFinite(positions: Float32Array): number {
  let n = 0;
  for (let k = 0; k < positions.length; k += 3) {
    if (!Number.isFinite(positions[k] + positions[k + 1] + positions[k + 2])) n++;
  }
  return n;
}

/** Vertices in no triangle. */
export function countUnused({ positions, indices }: CheckableMesh): number {
  const isUsed = new Uint8Array(positions.length / 3);
  for (let i = 0; i < indices.length; i++) isUsed[indices[i]] = 1;
  return isUsed.reduce((n, used) => n - used, isUsed.length);
}

/** Normals that are not finite or whose length is off 1 by more than 1e-3. */
export function countBadNormals(normals: Float32Array): number {
  let n = 0;
  for (let k = 0; k < normals.length; k += 3) {
    const length = Math.hypot(normals[k], normals[k + 1], normals[k + 2]);
    if (!(Math.abs(length - 1) <= 1e-3)) n++;
  }
  return n;
}
