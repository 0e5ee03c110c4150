import { NsdfFormatError } from '../../errors.ts';
import { toLinear, toSrgb } from '../../format/srgb.ts';
import { MeshBuilder, type MeshData, type MeshFormat, viewOf } from './mesh-data.ts';
import { type PlyElement, type PlyProperty, type PlyType, parsePlyHeader } from './ply-header.ts';
import { createPlySource, type PlySource } from './ply-source.ts';

/** Stanford PLY: little-endian binary written, colours in sRGB; binary of both orders and text read. */
export const PLY: MeshFormat = { write, read };

function write({ positions, normals, indices, attributes, origin }: MeshData): Uint8Array {
  const isDouble = origin !== undefined;
  const nVertices = positions.length / 3;
  const nTriangles = indices.length / 3;
  const names = ['x', 'y', 'z', ...(normals === null ? [] : ['nx', 'ny', 'nz'])];
  const colors = attributes?.COLOR_0;
  const channels = CHANNELS.slice(0, colors ? colors.length / nVertices : 0);
  const header = new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      'comment by nsdf-loader',
      `element vertex ${nVertices}`,
      ...names.map((name, i) => `property ${isDouble && i < 3 ? 'double' : 'float'} ${name}`),
      ...channels.map((channel) => `property uchar ${channel}`),
      `element face ${nTriangles}`,
      'property list uchar int vertex_indices',
      'end_header\n',
    ].join('\n'),
  );
  const bytes = new Uint8Array(
    header.length + nVertices * (names.length * 4 + channels.length + (isDouble ? 12 : 0)) + nTriangles * 13,
  );
  bytes.set(header);
  const view = viewOf(bytes);
  let offset = header.length;
  for (let k = 0; k < positions.length; k += 3) {
    for (let axis = 0; axis < 3; axis++, offset += isDouble ? 8 : 4) {
      if (isDouble) view.setFloat64(offset, positions[k + axis] + origin[axis], true);
      else view.setFloat32(offset, positions[k + axis], true);
    }
    for (let axis = 0; normals !== null && axis < 3; axis++, offset += 4) {
      view.setFloat32(offset, normals[k + axis], true);
    }
    for (let c = 0; colors && c < channels.length; c++, offset++) {
      const value = colors[(k / 3) * channels.length + c];
      view.setUint8(offset, Math.round(255 * (c < 3 ? toSrgb(value) : value)));
    }
  }
  for (let i = 0; i < indices.length; i += 3) {
    view.setUint8(offset++, 3);
    for (let corner = 0; corner < 3; corner++, offset += 4) view.setInt32(offset, indices[i + corner], true);
  }
  return bytes;
}

const CHANNELS = ['red', 'green', 'blue', 'alpha'];

function read(bytes: Uint8Array): MeshData {
  const header = parsePlyHeader(bytes);
  const source = createPlySource(bytes, header);
  const builder = new MeshBuilder();
  const normals: number[] = [];
  const colors: number[] = [];
  for (const element of header.elements) {
    expectRows(element, source);
    if (element.name === 'vertex') readVertices(element, source, builder, normals, colors);
    else if (element.name === 'face') readFaces(element, source, builder);
    else skip(element, source);
  }
  const mesh = builder.mesh();
  const hasNormals = normals.length === mesh.positions.length && normals.length > 0;
  return {
    ...mesh,
    ...(hasNormals && { normals: Float32Array.from(normals) }),
    ...(colors.length > 0 && { colors: { vertices: Float32Array.from(colors) } }),
  };
}

/** A count that the file cannot hold is refused before anything is read; rows without properties are none. */
function expectRows({ name, count, properties }: PlyElement, source: PlySource): void {
  if (count === 0) return;
  if (properties.length === 0) {
    throw new NsdfFormatError(`${count} elements "${name}" without properties`, { field: `element ${name}` });
  }
  for (const { type, countType } of properties) source.expect(count, countType ?? type);
}

/** @param colors linear RGB: files have sRGB. */
function readVertices(
  element: PlyElement,
  source: PlySource,
  builder: MeshBuilder,
  normals: number[],
  colors: number[],
): void {
  const column = (name: string) =>
    element.properties.findIndex((p) => p.name === name && p.countType === null);
  const columns = ['x', 'y', 'z'].map(column);
  const normalColumns = ['nx', 'ny', 'nz'].map(column);
  if (columns.includes(-1)) {
    throw new NsdfFormatError('the vertices lack x, y or z', { field: 'element vertex' });
  }
  const hasNormals = !normalColumns.includes(-1);
  const colorColumns = CHANNELS.slice(0, 3).map(column);
  const most = ({ uchar: 255, ushort: 65535 } as Partial<Record<PlyType, number>>)[
    element.properties[colorColumns[0]]?.type ?? 'float'
  ];
  for (let v = 0; v < element.count; v++) {
    const row = element.properties.map((property) => readProperty(property, source)[0] ?? 0);
    builder.addVertex(row[columns[0]], row[columns[1]], row[columns[2]]);
    if (hasNormals) for (const c of normalColumns) normals.push(row[c]);
    if (colorColumns.includes(-1)) continue;
    for (const c of colorColumns) colors.push(toLinear(Math.min(1, Math.max(0, row[c] / (most ?? 1)))));
  }
}

function readFaces(element: PlyElement, source: PlySource, builder: MeshBuilder): void {
  const isCorners = ({ name }: PlyProperty) => name === 'vertex_indices' || name === 'vertex_index';
  const column = element.properties.findIndex(isCorners);
  if (column < 0) throw new NsdfFormatError('the faces lack vertex_indices', { field: 'element face' });
  for (let f = 0; f < element.count; f++) {
    const byteOffset = source.byteOffset;
    const row = element.properties.map((property) => readProperty(property, source));
    builder.addPolygon(row[column], { byteOffset });
  }
}

function skip(element: PlyElement, source: PlySource): void {
  for (let i = 0; i < element.count; i++) {
    for (const property of element.properties) readProperty(property, source);
  }
}

/** A scalar as an array of one. */
function readProperty({ type, countType }: PlyProperty, source: PlySource): number[] {
  if (countType === null) return [source.next(type)];
  const count = source.next(countType);
  source.expect(count, type);
  return Array.from({ length: count }, () => source.next(type));
}
