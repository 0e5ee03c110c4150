import { NsdfFormatError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { TupleTable } from '../surface/check-tuples.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { boundingSurface } from './bounding-surface.ts';
import { componentsOf } from './components.ts';
import { checkCube, checkInside, cubeAround } from './training-cube.ts';
import { WindingTree } from './winding-tree.ts';

/** What a mesh to train on turned out to be. */
export interface TrainingMesh {
  /** In the cube [-1, 1]³: welded, without triangles of no area, turned outwards. */
  readonly triangles: Triangles;
  /** What of them bounds the inside: all, or what is left where parts overlap; see `boundingSurface`. */
  readonly surface: Triangles;
  /** Share of the area that is not in `surface`. */
  readonly buriedShare: number;
  /** The cube in the mesh's own units. */
  readonly domain: Box3;
  readonly nComponents: number;
  /** Sides of one triangle only: where the mesh is open. */
  readonly nOpenEdges: number;
  /** Triangles that had to be turned over. */
  readonly nTurned: number;
  /** Triangles without area, and those that were there already, either way round. */
  readonly nDropped: number;
}

/** With the tree of all its triangles, which was needed to find the surface. */
export interface PreparedMesh extends TrainingMesh {
  readonly tree: WindingTree;
}

/**
 * Welds, cleans and orients meshes and fits them in a cube. Of triangles on the same corners one is kept. Triangles that run against their neighbours are turned over, and so are
 * whole components that lie inside out outside of all others; a hollow inside of another component stays one. What is left
 * open, or crosses itself, is for the winding number to judge.
 * @param meshes read as one.
 * @param domain a cube to use instead of one around the mesh.
 * @throws {NsdfArgumentError} if the domain is no cube, or none that a field can have, or does not hold the mesh.
 * @throws {NsdfFormatError} if a coordinate is not finite, an index is out of range, no triangle has an area, they enclose nothing, or are
 * of a size that no field can have.
 */
export function prepareMesh(meshes: readonly Triangles[], domain?: Box3): PreparedMesh {
  const { positions, corners } = weld(meshes);
  if (domain !== undefined) {
    checkCube(domain);
    checkInside(domain, positions);
  }
  const cube = domain ?? cubeAround(positions);
  const half = (cube.max[0] - cube.min[0]) / 2;
  for (let i = 0; i < positions.length; i++) positions[i] = (positions[i] - cube.min[i % 3]) / half - 1;
  const seen = new TupleTable(corners.length / 3);
  const kept: number[] = [];
  for (let t = 0; t < corners.length; t += 3) {
    if (!hasArea(positions, corners, t) || !isFirst(seen, corners, t)) continue;
    kept.push(corners[t], corners[t + 1], corners[t + 2]);
  }
  if (kept.length === 0) {
    throw new NsdfFormatError(
      `the mesh has ${corners.length / 3} triangles, none with an area: expected a surface`,
      { field: 'indices' },
    );
  }
  const triangles = { positions, indices: Uint32Array.from(kept) };
  const facts = orient(positions, triangles.indices);
  const tree = new WindingTree(triangles);
  const bounding = boundingSurface(triangles, tree);
  if (bounding.surface.indices.length === 0) {
    throw new NsdfFormatError(
      `the mesh encloses nothing: its ${kept.length / 3} triangles have no inside (${facts.nOpenEdges} open edges). Expected a closed surface, or one with holes; give sheets a thickness`,
      { field: 'indices' },
    );
  }
  const nDropped = (corners.length - kept.length) / 3;
  return { triangles, tree, ...bounding, domain: cube, nDropped, ...facts };
}

function weld(meshes: readonly Triangles[]): { positions: Float64Array; corners: number[] } {
  const positions: number[] = [];
  const corners: number[] = [];
  const nVertices = meshes.reduce((sum, mesh) => sum + mesh.positions.length / 3, 0);
  // A number for each coordinate, then one for each three of them.
  const coordinates = new TupleTable(nVertices * 3);
  const places = new TupleTable(nVertices);
  const bits = new Int32Array(2);
  const coordinate = new Float64Array(bits.buffer);
  const numberOf = (x: number): number => {
    // -0 and 0 are one place.
    coordinate[0] = x + 0;
    return coordinates.insert(bits[0], bits[1], 0);
  };
  meshes.forEach((mesh, m) => {
    const n = mesh.positions.length / 3;
    const own = new Int32Array(n);
    for (let v = 0; v < n; v++) {
      const [x, y, z] = [mesh.positions[v * 3], mesh.positions[v * 3 + 1], mesh.positions[v * 3 + 2]];
      if (!Number.isFinite(x + y + z)) {
        throw new NsdfFormatError(
          `vertex ${v} of mesh ${m} lies at (${x}, ${y}, ${z}): expected finite numbers`,
          {
            field: 'positions',
          },
        );
      }
      const { count } = places;
      own[v] = places.insert(numberOf(x), numberOf(y), numberOf(z));
      if (own[v] === count) positions.push(x, y, z);
    }
    for (const v of mesh.indices) {
      if (!(v < n)) {
        throw new NsdfFormatError(`a triangle of mesh ${m} names vertex ${v}, but there are ${n}`, {
          field: 'indices',
        });
      }
      corners.push(own[v]);
    }
  });
  if (corners.length === 0) {
    throw new NsdfFormatError('there is no triangle: expected a mesh', { field: 'indices' });
  }
  return { positions: Float64Array.from(positions), corners };
}

function hasArea(p: Float64Array, corners: readonly number[], t: number): boolean {
  const [a, b, c] = [corners[t] * 3, corners[t + 1] * 3, corners[t + 2] * 3];
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) > 0;
}

/** Whether no triangle of these corners was met yet: two faces back to back enclose nothing, and cancel out. */
function isFirst(seen: TupleTable, corners: readonly number[], t: number): boolean {
  const [a, b, c] = [corners[t], corners[t + 1], corners[t + 2]];
  const least = Math.min(a, b, c);
  const most = Math.max(a, b, c);
  const { count } = seen;
  return seen.insert(least, a + b + c - least - most, most) === count;
}

/** Two triangles at each side that exactly two have; -1 elsewhere. */
function neighboursOf(indices: Uint32Array): { across: Int32Array; nOpenEdges: number } {
  const across = new Int32Array(indices.length).fill(-1);
  const edges = new TupleTable(indices.length);
  /** By edge: its first side, and how many it has. */
  const first = new Int32Array(indices.length);
  const shared = new Int32Array(indices.length);
  for (let side = 0; side < indices.length; side++) {
    const a = indices[side];
    const b = indices[side - (side % 3) + ((side + 1) % 3)];
    const edge = edges.insert(Math.min(a, b), Math.max(a, b), 0);
    const n = ++shared[edge];
    if (n === 1) first[edge] = side;
    const other = first[edge];
    if (n === 2) {
      across[side] = other;
      across[other] = side;
    } else if (n > 2 && across[other] >= 0) {
      across[across[other]] = -1;
      across[other] = -1;
    }
  }
  return { across, nOpenEdges: shared.reduce((sum, n) => sum + Number(n === 1), 0) };
}

/** Turns triangles over, in place, so that neighbours agree and outermost closed components face outwards. */
function orient(
  positions: Float64Array,
  indices: Uint32Array,
): { nComponents: number; nOpenEdges: number; nTurned: number } {
  const { across, nOpenEdges } = neighboursOf(indices);
  const nTriangles = indices.length / 3;
  const componentOf = new Int32Array(nTriangles).fill(-1);
  const isTurned = new Uint8Array(nTriangles);
  const components: number[][] = [];
  for (let seed = 0; seed < nTriangles; seed++) {
    if (componentOf[seed] >= 0) continue;
    const members = [seed];
    componentOf[seed] = components.length;
    for (let i = 0; i < members.length; i++) {
      const t = members[i];
      for (let side = t * 3; side < t * 3 + 3; side++) {
        const other = across[side];
        if (other < 0 || componentOf[(other - (other % 3)) / 3] >= 0) continue;
        const next = (other - (other % 3)) / 3;
        // Neighbours that agree run along their side in opposite directions.
        isTurned[next] = isTurned[t] ^ Number(indices[side] === indices[other]);
        componentOf[next] = components.length;
        members.push(next);
      }
    }
    components.push(members);
  }
  for (const members of components) {
    // The side that most of a component's triangles already have is kept, unless it is inside out.
    const nMinority = members.reduce((n, t) => n + isTurned[t], 0);
    if (2 * nMinority > members.length) for (const t of members) isTurned[t] ^= 1;
  }
  for (let t = 0; t < nTriangles; t++) if (isTurned[t]) turn(indices, t);
  const boxes = components.map((members) => boxOf(positions, indices, members));
  components.forEach((members, c) => {
    if (volumeOf(positions, indices, members) >= 0) return;
    if (isInsideOthers(positions, indices, components, boxes, c)) return;
    for (const t of members) {
      turn(indices, t);
      isTurned[t] ^= 1;
    }
  });
  return {
    nComponents: new Set(componentsOf(indices, positions.length / 3).filter((c) => c >= 0)).size,
    nOpenEdges,
    nTurned: isTurned.reduce((n, x) => n + x, 0),
  };
}

function turn(indices: Uint32Array, t: number): void {
  const kept = indices[t * 3 + 1];
  indices[t * 3 + 1] = indices[t * 3 + 2];
  indices[t * 3 + 2] = kept;
}

/** Six times the signed volume, about the component's first vertex. */
function volumeOf(p: Float64Array, indices: Uint32Array, members: readonly number[]): number {
  const o = indices[members[0] * 3] * 3;
  let sum = 0;
  for (const t of members) {
    const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
    const [bx, by, bz] = [p[b] - p[o], p[b + 1] - p[o + 1], p[b + 2] - p[o + 2]];
    const [cx, cy, cz] = [p[c] - p[o], p[c + 1] - p[o + 1], p[c + 2] - p[o + 2]];
    sum +=
      (p[a] - p[o]) * (by * cz - bz * cy) +
      (p[a + 1] - p[o + 1]) * (bz * cx - bx * cz) +
      (p[a + 2] - p[o + 2]) * (bx * cy - by * cx);
  }
  return sum;
}

/**
 * Whether a ray from the component's first vertex crosses the others an odd number of times; only those whose box holds
 * the vertex can hold it, too.
 */
function isInsideOthers(
  p: Float64Array,
  indices: Uint32Array,
  components: readonly (readonly number[])[],
  boxes: readonly Float64Array[],
  own: number,
): boolean {
  const start = indices[components[own][0] * 3] * 3;
  let isOdd = false;
  for (let c = 0; c < components.length; c++) {
    if (c === own || ![0, 1, 2].every((k) => p[start + k] >= boxes[c][k] && p[start + k] <= boxes[c][3 + k]))
      continue;
    for (const t of components[c]) if (crossesRay(p, indices, t, start)) isOdd = !isOdd;
  }
  return isOdd;
}

/** Least and largest coordinates of some triangles. */
function boxOf(p: Float64Array, indices: Uint32Array, members: readonly number[]): Float64Array {
  const box = new Float64Array(6).fill(Number.POSITIVE_INFINITY, 0, 3).fill(Number.NEGATIVE_INFINITY, 3);
  for (const t of members) {
    for (let i = t * 9; i < t * 9 + 9; i++) {
      const k = i % 3;
      const x = p[indices[Math.floor(i / 3)] * 3 + k];
      box[k] = Math.min(box[k], x);
      box[3 + k] = Math.max(box[3 + k], x);
    }
  }
  return box;
}

/** A direction that no modelling tool has sides along. */
const RAY = [0.5377, 0.8339, 0.1253];

/** @see Möller, Trumbore 1997. */
function crossesRay(p: Float64Array, indices: Uint32Array, t: number, start: number): boolean {
  const [a, b, c] = [0, 1, 2].map((k) => indices[t * 3 + k] * 3);
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  const [wx, wy, wz] = [p[start] - p[a], p[start + 1] - p[a + 1], p[start + 2] - p[a + 2]];
  const [qx, qy, qz] = [RAY[1] * vz - RAY[2] * vy, RAY[2] * vx - RAY[0] * vz, RAY[0] * vy - RAY[1] * vx];
  const det = ux * qx + uy * qy + uz * qz;
  if (det === 0) return false;
  const s = (wx * qx + wy * qy + wz * qz) / det;
  const [rx, ry, rz] = [wy * uz - wz * uy, wz * ux - wx * uz, wx * uy - wy * ux];
  const r = (RAY[0] * rx + RAY[1] * ry + RAY[2] * rz) / det;
  const along = (vx * rx + vy * ry + vz * rz) / det;
  return s >= 0 && r >= 0 && s + r <= 1 && along > 0;
}
