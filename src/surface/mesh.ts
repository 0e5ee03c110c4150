/**
 * An indexed triangle mesh in the field's local units. Vertices are welded (no two share a position), triangles are
 * counter-clockwise seen from outside (f > 0).
 */
export interface SurfaceMesh {
  /** f32[nVertices * 3] */
  readonly positions: Float32Array;
  /** f32[nVertices * 3], unit length, the field's gradient direction. */
  readonly normals: Float32Array;
  /** u32[nTriangles * 3] */
  readonly indices: Uint32Array;
}
