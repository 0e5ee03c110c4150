import { NsdfArgumentError } from '../errors.ts';
import type { Box3, Vec3 } from '../format/asset.ts';
import { collectEdges, collectParts, countEdges, countFolds } from './check-edges.ts';
import {
  type CheckableMesh,
  collectTriangles,
  countBadNormals,
  countNonFinite,
  countUnused,
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
export interface Topology {
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
