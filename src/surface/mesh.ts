import { createAttribute } from '../field/attribute-field.ts';
import type { FieldAsset, Vec3 } from '../format/asset.ts';

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
  /**
   * The field's attributes at the vertices, by glTF's names (`COLOR_0`, linear, `_TEMPERATURE`): f32[nVertices * width]
   * each. Absent where the field has none.
   */
  readonly attributes?: Readonly<Record<string, Float32Array>>;
  /**
   * What the positions are relative to: a vertex's local coordinates are the sums, in double precision. Absent where the
   * positions are the local coordinates themselves, as they are but for fields far from zero: see `originOf`.
   */
  readonly origin?: Vec3;
}

/** The vertices in local coordinates: the positions themselves, or f64[nVertices * 3] where they have an origin. */
export function localPositions({
  positions,
  origin,
}: {
  readonly positions: Float32Array;
  readonly origin?: Vec3 | undefined;
}): Float32Array | Float64Array {
  if (origin === undefined) return positions;
  return Float64Array.from(positions, (x, i) => x + origin[i % 3]);
}

/** Vertices evaluated between two yields: about 4 ms. */
const VERTICES_PER_YIELD = 4096;

/**
 * The mesh with the field's attributes at its vertices; the mesh itself where the field has none. Yields the fraction done.
 * @param asset in the frame that the positions are relative to.
 */
export function* addAttributes(mesh: SurfaceMesh, asset: FieldAsset): Generator<number, SurfaceMesh, void> {
  const names = Object.keys(asset.attributes ?? {});
  if (names.length === 0) return mesh;
  const nVertices = mesh.positions.length / 3;
  const attributes: [string, Float32Array][] = [];
  for (const name of names) {
    const attribute = createAttribute(asset, name);
    const values = new Float32Array(nVertices * attribute.width);
    const nAtOnce = attribute.pointsPerSlice(VERTICES_PER_YIELD);
    for (let first = 0; first < nVertices; first += nAtOnce) {
      const end = Math.min(nVertices, first + nAtOnce);
      const points = mesh.positions.subarray(first * 3, end * 3);
      attribute.evaluate(points, values.subarray(first * attribute.width, end * attribute.width));
      yield (attributes.length + end / nVertices) / names.length;
    }
    attributes.push([name, values]);
  }
  return { ...mesh, attributes: Object.fromEntries(attributes) };
}
