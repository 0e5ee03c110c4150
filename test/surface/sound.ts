/** What `checkMesh` says of every mesh that a derivation gives. */
export const SOUND = {
  isClosed: true,
  isManifold: true,
  isOriented: true,
  isOutwardOriented: true,
  nNonManifoldVertices: 0,
  nDuplicateVertices: 0,
  nDuplicateTriangles: 0,
  nDegenerateTriangles: 0,
} as const;
