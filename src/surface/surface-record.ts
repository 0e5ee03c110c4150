import { RecordReader, RecordWriter } from '../partition/record-bytes.ts';
import type { SurfaceMesh } from './mesh.ts';

const INDICES_PER_YIELD = 32_768;
/** Bytes of a vertex in the record, and the least of a triangle. */
const VERTEX_BYTES = 24;
const TRIANGLE_BYTES = 3;

/** Writes a finished mesh: its vertices and normals bit by bit, its connectivity as differences. Yields the fraction done. */
export function* encodeSurface(mesh: SurfaceMesh): Generator<number, Uint8Array<ArrayBuffer>, void> {
  const { positions, normals, indices } = mesh;
  const writer = new RecordWriter();
  writer.unsigned(positions.length / 3);
  writer.unsigned(indices.length / 3);
  writer.raw(positions);
  writer.raw(normals);
  let previous = 0;
  for (let i = 0; i < indices.length; i++) {
    writer.signed(indices[i] - previous);
    previous = indices[i];
    if (i % INDICES_PER_YIELD === 0) yield i / indices.length;
  }
  return writer.finish();
}

/**
 * Reads what {@link encodeSurface} wrote: the same bytes in arrays of their own.
 * @throws {NsdfFormatError} where a count or an index is out of bounds.
 */
export function* decodeSurface(bytes: Uint8Array): Generator<number, SurfaceMesh, void> {
  const reader = new RecordReader(bytes);
  const nVertices = reader.unsigned(Math.floor(bytes.length / VERTEX_BYTES));
  const nTriangles = reader.unsigned(Math.floor(bytes.length / TRIANGLE_BYTES));
  const positions = reader.floats32(nVertices * 3);
  const normals = reader.floats32(nVertices * 3);
  if (nTriangles * TRIANGLE_BYTES > reader.nLeft)
    reader.fail(`${nTriangles} triangles in ${reader.nLeft} bytes`);
  const indices = new Uint32Array(nTriangles * 3);
  let index = 0;
  for (let i = 0; i < indices.length; i++) {
    index += reader.signed();
    if (!(index >= 0 && index < nVertices)) reader.fail(`vertex ${index} of ${nVertices}`);
    indices[i] = index;
    if (i % INDICES_PER_YIELD === 0) yield i / indices.length;
  }
  reader.end();
  return { positions, normals, indices };
}
