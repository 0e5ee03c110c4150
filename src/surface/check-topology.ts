import { NsdfArgumentError } from '../errors.ts';
import type { Box3, Vec3 } from '../format/asset.ts';
import { DisjointSets, TupleTable } from './check-tuples.ts';
import {
  type CheckableMesh,
  collectTriangles,
  countBadNormals,
  countNonFinite,
  countUnused,
  type Triangles,
  weld,
} from './check-weld.ts';

export type { CheckableMesh } from './check-weld.ts';

/**
 * Topology of a triangle mesh. Vertices of one position are welded first, so that normals split along a crease are no
 * hole; triangles that collapse under welding are counted as degenerate and then left out.
 */
export interface TopologyReport {
  readonly nVertices: number;
  readonly nTriangles: number;
  /** Vertices whose position an earlier vertex already has. */
  readonly nDuplicateVertices: number;
  /** Those of the duplicates that differ from the earlier vertex in their normal: splits along creases. */
  readonly nSplitVertices: number;
  /** Vertices in no triangle. */
  readonly nUnusedVertices: number;
  /** Vertices with a NaN or infinite coordinate. */
  readonly nNonFiniteVertices: number;
  /** Normals that are not finite or whose length is off 1 by more than 1e-3; 0 without normals. */
  readonly nBadNormals: number;
  /** Triangles that repeat the three vertices of an earlier one, in any order. */
  readonly nDuplicateTriangles: number;
  /** Triangles with a repeated position, or whose area is zero in f64. */
  readonly nDegenerateTriangles: number;
  /** Edges of one triangle that are not on a face of the domain. */
  readonly nOpenEdges: number;
  /** Edges of one triangle whose two ends lie on one face of the domain: the surface leaves the domain there. */
  readonly nOpenEdgesOnDomain: number;
  /** Edges of three or more triangles. */
  readonly nNonManifoldEdges: number;
  /** Edges whose two triangles run along them in the same direction. */
  readonly nMisorientedEdges: number;
  /** Edges whose two triangles lie on one another: the surface turns back there and encloses nothing. */
  readonly nFoldedEdges: number;
  /** Vertices whose triangles are not one disc or one fan. */
  readonly nNonManifoldVertices: number;
  /** Pieces connected by shared vertices. */
  readonly nComponents: number;
  /** V - E + F after welding. */
  readonly eulerCharacteristic: number;
  /** Sum of the components' genera; null unless the mesh is closed, manifold and oriented. */
  readonly genus: number | null;
  /** No open edge but on the faces of the domain. */
  readonly isClosed: boolean;
  /** No non-manifold edge or vertex, and no triangle twice: two on the same vertices are closed, but no surface. */
  readonly isManifold: boolean;
  /** No misoriented edge. */
  readonly isOriented: boolean;
  /** Local units squared. */
  readonly area: number;
  /** Local units cubed, about the first vertex; means something for closed meshes only. */
  readonly signedVolume: number;
}

/** The report and what later stages need of its making. */
interface Topology {
  readonly report: TopologyReport;
  /** i32[nTriangles], the component of each triangle, or -1 where it is degenerate by welding. */
  readonly componentOfTriangle: Int32Array;
}

/**
 * Counts every way in which a mesh can fail to be a closed oriented 2-manifold.
 * @param domain where given, open edges on one of its faces are counted apart.
 * @throws {NsdfArgumentError} if an index is out of range or an array's length is no multiple of three.
 */
export function checkTopology(mesh: CheckableMesh, domain?: Box3): TopologyReport {
  const { origin } = mesh;
  if (origin === undefined || domain === undefined) return analyseTopology(mesh, domain).report;
  const seen = ([x, y, z]: Vec3): Vec3 => [x - origin[0], y - origin[1], z - origin[2]];
  return analyseTopology(mesh, { min: seen(domain.min), max: seen(domain.max) }).report;
}

/** {@link checkTopology} with the components kept. */
export function analyseTopology(mesh: CheckableMesh, domain?: Box3): Topology {
  assertShape(mesh);
  const vertices = weld(mesh);
  const triangles = collectTriangles(mesh, vertices.welded);
  const edges = collectEdges(triangles.corners);
  const edgeCounts = countEdges(mesh, edges, vertices.firstOf, domain);
  const parts = collectParts(triangles, vertices.firstOf.length, edges);
  const eulerCharacteristic = parts.nUsedVertices - edges.count + triangles.corners.length / 3;
  const isManifold =
    edgeCounts.nNonManifoldEdges === 0 && parts.nNonManifoldVertices === 0 && triangles.nDuplicates === 0;
  const isOriented = edgeCounts.nMisorientedEdges === 0;
  const isWhole = isManifold && isOriented && edgeCounts.nOpenEdges + edgeCounts.nOpenEdgesOnDomain === 0;
  const report: TopologyReport = {
    nVertices: mesh.positions.length / 3,
    nTriangles: mesh.indices.length / 3,
    nDuplicateVertices: vertices.nDuplicates,
    nSplitVertices: vertices.nSplit,
    nUnusedVertices: countUnused(mesh),
    nNonFiniteVertices: countNonFinite(mesh.positions),
    nBadNormals: mesh.normals === undefined ? 0 : countBadNormals(mesh.normals),
    nDuplicateTriangles: triangles.nDuplicates,
    nDegenerateTriangles: triangles.nDegenerate,
    ...edgeCounts,
    nFoldedEdges: countFolds(mesh, triangles, edges),
    nNonManifoldVertices: parts.nNonManifoldVertices,
    nComponents: parts.nComponents,
    eulerCharacteristic,
    genus: isWhole ? parts.nComponents - eulerCharacteristic / 2 : null,
    isClosed: edgeCounts.nOpenEdges === 0,
    isManifold,
    isOriented,
    area: triangles.area,
    signedVolume: triangles.volume,
  };
  return { report, componentOfTriangle: parts.componentOfTriangle };
}

function assertShape({ positions, indices, normals }: CheckableMesh): void {
  if (positions.length % 3 !== 0 || indices.length % 3 !== 0) {
    throw new NsdfArgumentError(
      'mesh',
      `mesh: ${positions.length} coordinates and ${indices.length} indices, expected multiples of 3`,
    );
  }
  if (normals !== undefined && normals.length !== positions.length) {
    throw new NsdfArgumentError(
      'mesh.normals',
      `mesh.normals: ${normals.length} numbers, expected ${positions.length}, as many as positions`,
    );
  }
  const nVertices = positions.length / 3;
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] < nVertices) continue;
    throw new NsdfArgumentError(
      'mesh.indices',
      `mesh.indices[${i}] is ${indices[i]}, but there are only ${nVertices} vertices`,
    );
  }
}

/** Edges of the welded triangles; half-edge h = 3t + k runs from corner k of triangle t to the next. */
interface Edges {
  readonly count: number;
  /** i32[nHalfEdges] */
  readonly edgeOfHalfEdge: Int32Array;
  /** i32[count], half-edges on each edge. */
  readonly nUses: Int32Array;
  /** i32[count], those of them that run from the lower vertex to the higher. */
  readonly nForward: Int32Array;
  /** u32[count * 2], welded vertices, lower first. */
  readonly ends: Uint32Array;
}

/** The half-edge that follows h around its triangle. */
function next(h: number): number {
  return h % 3 === 2 ? h - 2 : h + 1;
}

/** Finds the undirected edges of u32[nTriangles * 3] welded corners. */
function collectEdges(corners: Uint32Array): Edges {
  const nHalfEdges = corners.length;
  const table = new TupleTable(nHalfEdges);
  const edgeOfHalfEdge = new Int32Array(nHalfEdges);
  const nUses = new Int32Array(nHalfEdges);
  const nForward = new Int32Array(nHalfEdges);
  const ends = new Uint32Array(nHalfEdges * 2);
  for (let h = 0; h < nHalfEdges; h++) {
    const a = corners[h];
    const b = corners[next(h)];
    const low = a < b ? a : b;
    const high = a < b ? b : a;
    const edge = table.insert(low, high, 0);
    edgeOfHalfEdge[h] = edge;
    ends[edge * 2] = low;
    ends[edge * 2 + 1] = high;
    nUses[edge]++;
    if (a < b) nForward[edge]++;
  }
  return { count: table.count, edgeOfHalfEdge, nUses, nForward, ends };
}

interface EdgeCounts {
  readonly nOpenEdges: number;
  readonly nOpenEdgesOnDomain: number;
  readonly nNonManifoldEdges: number;
  readonly nMisorientedEdges: number;
}

/** @param firstOf u32[nPositions], a vertex of the mesh at each welded position. */
function countEdges(
  mesh: CheckableMesh,
  edges: Edges,
  firstOf: Uint32Array,
  domain: Box3 | undefined,
): EdgeCounts {
  let nOpenEdges = 0;
  let nOpenEdgesOnDomain = 0;
  let nNonManifoldEdges = 0;
  let nMisorientedEdges = 0;
  for (let e = 0; e < edges.count; e++) {
    const n = edges.nUses[e];
    if (n > 2) nNonManifoldEdges++;
    else if (n === 2 && edges.nForward[e] !== 1) nMisorientedEdges++;
    else if (n === 1) {
      const a = firstOf[edges.ends[e * 2]] * 3;
      const b = firstOf[edges.ends[e * 2 + 1]] * 3;
      if (domain !== undefined && shareDomainFace(mesh.positions, a, b, domain)) nOpenEdgesOnDomain++;
      else nOpenEdges++;
    }
  }
  return { nOpenEdges, nOpenEdgesOnDomain, nNonManifoldEdges, nMisorientedEdges };
}

/** Sine of the angle between two triangles below which they are one sheet, folded: single precision's. */
const FOLD = 1e-5;

/** Edges of two triangles that lie on one another. */
function countFolds(
  { positions: p, indices }: CheckableMesh,
  { corners, source }: Triangles,
  edges: Edges,
): number {
  const normalOf = (h: number): readonly [number, number, number] => {
    const t = source[Math.floor(h / 3)] * 3;
    const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
    const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  };
  const first = new Int32Array(edges.count).fill(-1);
  let n = 0;
  for (let h = 0; h < corners.length; h++) {
    const e = edges.edgeOfHalfEdge[h];
    if (edges.nUses[e] !== 2) continue;
    if (first[e] < 0) {
      first[e] = h;
      continue;
    }
    const [ax, ay, az] = normalOf(first[e]);
    const [bx, by, bz] = normalOf(h);
    const cosine = ax * bx + ay * by + az * bz;
    const sine = Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx);
    // Triangles that run along their edge the same way are counted as misoriented: their normals are one's opposite.
    const isTurned = edges.nForward[e] === 1 ? cosine < 0 : cosine > 0;
    if (isTurned && sine < FOLD * Math.abs(cosine)) n++;
  }
  return n;
}

/** True where both positions lie on one face of the domain, to 2 ulp of f32 at the size of its coordinates. */
function shareDomainFace(positions: Float32Array, a: number, b: number, domain: Box3): boolean {
  for (let axis = 0; axis < 3; axis++) {
    const slack = 2 ** -22 * Math.max(Math.abs(domain.min[axis]), Math.abs(domain.max[axis]));
    for (const face of [domain.min[axis], domain.max[axis]]) {
      const isOn = (k: number) => Math.abs(positions[k + axis] - face) <= slack;
      if (isOn(a) && isOn(b)) return true;
    }
  }
  return false;
}

interface Parts {
  readonly nUsedVertices: number;
  readonly nNonManifoldVertices: number;
  readonly nComponents: number;
  readonly componentOfTriangle: Int32Array;
}

/**
 * Walks around the vertices and over the components. The triangles' corners at a vertex are united across the edges
 * that they share: one set and no edge of three triangles means that the link is one cycle or one path.
 */
function collectParts(triangles: Triangles, nPositions: number, edges: Edges): Parts {
  const { corners, source, nAll } = triangles;
  const fans = new DisjointSets(corners.length);
  const parts = new DisjointSets(nPositions);
  const firstHalfEdge = new Int32Array(edges.count).fill(-1);
  for (let h = 0; h < corners.length; h++) {
    parts.union(corners[h], corners[next(h)]);
    const first = firstHalfEdge[edges.edgeOfHalfEdge[h]];
    if (first < 0) {
      firstHalfEdge[edges.edgeOfHalfEdge[h]] = h;
      continue;
    }
    const isSameWay = corners[first] === corners[h];
    fans.union(first, isSameWay ? h : next(h));
    fans.union(next(first), isSameWay ? next(h) : h);
  }
  const nFans = new Int32Array(nPositions);
  const isUsed = new Uint8Array(nPositions);
  for (let c = 0; c < corners.length; c++) {
    isUsed[corners[c]] = 1;
    if (fans.find(c) === c) nFans[corners[c]]++;
  }
  for (let e = 0; e < edges.count; e++) {
    if (edges.nUses[e] > 2) nFans[edges.ends[e * 2]] = nFans[edges.ends[e * 2 + 1]] = 2;
  }
  const componentOf = numberRoots(parts, isUsed);
  const componentOfTriangle = new Int32Array(nAll).fill(-1);
  for (let i = 0; i < source.length; i++) {
    componentOfTriangle[source[i]] = componentOf.ids[parts.find(corners[i * 3])];
  }
  return {
    nUsedVertices: isUsed.reduce((n, used) => n + used, 0),
    nNonManifoldVertices: nFans.reduce((n, fan) => n + (fan > 1 ? 1 : 0), 0),
    nComponents: componentOf.count,
    componentOfTriangle,
  };
}

function numberRoots(sets: DisjointSets, isUsed: Uint8Array): { ids: Int32Array; count: number } {
  const ids = new Int32Array(isUsed.length).fill(-1);
  let count = 0;
  for (let i = 0; i < isUsed.length; i++) if (isUsed[i] === 1 && sets.find(i) === i) ids[i] = count++;
  return { ids, count };
}
