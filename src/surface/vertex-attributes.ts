import { createAttribute } from '../field/attribute-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { SurfaceMesh } from './mesh.ts';

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
