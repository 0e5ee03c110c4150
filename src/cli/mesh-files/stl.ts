import { NsdfFormatError } from '../../errors.ts';
import { TupleTable } from '../../surface/check-tuples.ts';
import { MeshBuilder, type MeshData, type MeshFormat, viewOf } from './mesh-data.ts';

const HEADER_BYTES = 84;
/** Normal, three corners, two bytes of attributes. */
const FACET_BYTES = 50;

/** Stereolithography: binary written, binary and text read. It has no shared vertices: equal positions are joined. */
export const STL: MeshFormat = { write, read, isSingle: true };

function write({ positions, indices, origin }: MeshData): Uint8Array {
  const nTriangles = indices.length / 3;
  const bytes = new Uint8Array(HEADER_BYTES + nTriangles * FACET_BYTES);
  new TextEncoder().encodeInto('binary STL by nsdf-loader', bytes);
  const view = viewOf(bytes);
  view.setUint32(80, nTriangles, true);
  for (let t = 0, offset = HEADER_BYTES; t < nTriangles; t++, offset += FACET_BYTES) {
    const corners = [0, 1, 2].map((k) =>
      positions.subarray(indices[t * 3 + k] * 3, indices[t * 3 + k] * 3 + 3),
    );
    const values = [
      ...facetNormal(corners),
      ...corners.flatMap((corner) => origin?.map((at, k) => corner[k] + at) ?? [...corner]),
    ];
    values.forEach((value, i) => {
      view.setFloat32(offset + i * 4, value, true);
    });
  }
  return bytes;
}

/** Unit normal of a triangle; zero where it has no area, as the format asks. */
function facetNormal([a, b, c]: readonly Float32Array[]): number[] {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [vx, vy, vz] = [c[0] - a[0], c[1] - a[1], c[2] - a[2]];
  const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  const length = Math.hypot(...normal);
  return length > 0 ? normal.map((x) => x / length) : [0, 0, 0];
}

function read(bytes: Uint8Array): MeshData {
  if (bytes.length >= HEADER_BYTES) {
    const nTriangles = viewOf(bytes).getUint32(80, true);
    if (bytes.length === HEADER_BYTES + nTriangles * FACET_BYTES) return readBinary(bytes, nTriangles);
  }
  const isText = new TextDecoder('latin1').decode(bytes.subarray(0, 5)).toLowerCase() === 'solid';
  if (isText) return readText(bytes);
  if (bytes.length < HEADER_BYTES) {
    throw new NsdfFormatError(`not an STL: ${bytes.length} bytes, expected at least ${HEADER_BYTES}`, {
      byteOffset: 0,
    });
  }
  const nTriangles = viewOf(bytes).getUint32(80, true);
  throw new NsdfFormatError(
    `${nTriangles} triangles need ${HEADER_BYTES + nTriangles * FACET_BYTES} bytes, the file has ${bytes.length}`,
    { byteOffset: 80 },
  );
}

function readBinary(bytes: Uint8Array, nTriangles: number): MeshData {
  const view = viewOf(bytes);
  const corners = new Float32Array(nTriangles * 9);
  for (let t = 0; t < nTriangles; t++) {
    const offset = HEADER_BYTES + t * FACET_BYTES + 12;
    for (let i = 0; i < 9; i++) corners[t * 9 + i] = view.getFloat32(offset + i * 4, true);
  }
  return joined(corners);
}

function readText(bytes: Uint8Array): MeshData {
  const text = new TextDecoder('latin1').decode(bytes);
  const corners: number[] = [];
  for (const match of text.matchAll(/\bvertex\s+(\S+)\s+(\S+)\s+(\S+)/gi)) {
    const point = match.slice(1, 4).map(Number);
    if (point.some(Number.isNaN)) {
      throw new NsdfFormatError(`not a vertex: "${match[0].slice(0, 60)}"`, { byteOffset: match.index });
    }
    corners.push(...point);
  }
  if (corners.length % 9 !== 0 || !/endsolid/i.test(text)) {
    throw new NsdfFormatError('the text STL ends within a facet or without "endsolid"', {
      byteOffset: bytes.length,
    });
  }
  return joined(Float32Array.from(corners));
}

/** @param corners f32[nTriangles * 9] */
function joined(corners: Float32Array): MeshData {
  const nCorners = corners.length / 3;
  const table = new TupleTable(nCorners);
  const bits = new Int32Array(corners.map((x) => x + 0).buffer);
  const builder = new MeshBuilder();
  const ids = Array.from({ length: nCorners }, (_, c) => {
    const id = table.insert(bits[c * 3], bits[c * 3 + 1], bits[c * 3 + 2]);
    if (id === builder.nVertices) builder.addVertex(corners[c * 3], corners[c * 3 + 1], corners[c * 3 + 2]);
    return id;
  });
  for (let c = 0; c < nCorners; c += 3) builder.addPolygon(ids.slice(c, c + 3));
  return builder.mesh();
}
