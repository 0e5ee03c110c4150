import { NsdfFormatError } from '../../errors.ts';
import { toLinear, toSrgb } from '../../format/srgb.ts';
import { MeshBuilder, type MeshData, type MeshFormat, viewOf } from './mesh-data.ts';

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

/** The numbers after a PLY header, one after the other. */
interface PlySource {
  /** Where the next number starts. */
  readonly byteOffset: number;
  /** @throws {NsdfFormatError} at the end of the file. */
  next(type: PlyType): number;
  /** Refuses a list before it is allocated. @throws {NsdfFormatError} if the file is too short for it. */
  expect(count: number, type: PlyType): void;
}

function createPlySource(bytes: Uint8Array, { format, byteLength }: PlyHeader): PlySource {
  if (format === 'ascii') return new TextSource(bytes, byteLength);
  return new BinarySource(bytes, byteLength, format === 'binary_little_endian');
}

const GETTERS = {
  char: 'getInt8',
  uchar: 'getUint8',
  short: 'getInt16',
  ushort: 'getUint16',
  int: 'getInt32',
  uint: 'getUint32',
  float: 'getFloat32',
  double: 'getFloat64',
} as const satisfies Record<PlyType, keyof DataView>;

class BinarySource implements PlySource {
  byteOffset: number;
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;

  constructor(bytes: Uint8Array, byteOffset: number, isLittleEndian: boolean) {
    this.#view = viewOf(bytes);
    this.byteOffset = byteOffset;
    this.#isLittleEndian = isLittleEndian;
  }

  next(type: PlyType): number {
    this.expect(1, type);
    const value = this.#view[GETTERS[type]](this.byteOffset, this.#isLittleEndian);
    this.byteOffset += PLY_TYPE_BYTES[type];
    return value;
  }

  expect(count: number, type: PlyType): void {
    const end = this.byteOffset + count * PLY_TYPE_BYTES[type];
    if (count >= 0 && end <= this.#view.byteLength) return;
    throw new NsdfFormatError(`truncated: ${end} bytes are needed, the file has ${this.#view.byteLength}`, {
      byteOffset: this.byteOffset,
    });
  }
}

class TextSource implements PlySource {
  byteOffset: number;
  readonly #text: string;
  readonly #word = /\S+/g;

  constructor(bytes: Uint8Array, byteOffset: number) {
    this.#text = new TextDecoder('latin1').decode(bytes);
    this.byteOffset = byteOffset;
  }

  next(): number {
    this.#word.lastIndex = this.byteOffset;
    const match = this.#word.exec(this.#text);
    const value = Number(match?.[0]);
    if (match === null || Number.isNaN(value)) {
      const found = match === null ? 'the end of the file' : `"${match[0].slice(0, 30)}"`;
      throw new NsdfFormatError(`expected a number, found ${found}`, { byteOffset: this.byteOffset });
    }
    this.byteOffset = this.#word.lastIndex;
    return value;
  }

  expect(count: number): void {
    if (count >= 0 && this.byteOffset + 2 * count <= this.#text.length + 1) return;
    throw new NsdfFormatError(`truncated: a list of ${count} does not fit the file`, {
      byteOffset: this.byteOffset,
    });
  }
}

/** Bytes of PLY's scalar types, by the old names and the new. */
const PLY_TYPE_BYTES = {
  char: 1,
  uchar: 1,
  short: 2,
  ushort: 2,
  int: 4,
  uint: 4,
  float: 4,
  double: 8,
} as const;

type PlyType = keyof typeof PLY_TYPE_BYTES;

const ALIASES: ReadonlyMap<string, PlyType> = new Map(
  Object.entries({
    int8: 'char',
    uint8: 'uchar',
    int16: 'short',
    uint16: 'ushort',
    int32: 'int',
    uint32: 'uint',
    float32: 'float',
    float64: 'double',
  } as const),
);

interface PlyProperty {
  readonly name: string;
  readonly type: PlyType;
  /** The type of a list's length, or null for a scalar. */
  readonly countType: PlyType | null;
}

interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: PlyProperty[];
}

interface PlyHeader {
  readonly format: 'ascii' | 'binary_little_endian' | 'binary_big_endian';
  readonly elements: readonly PlyElement[];
  /** Where the data start. */
  readonly byteLength: number;
}

/** Headers are short: a file without an end in its first megabyte has none. */
const MAX_HEADER_BYTES = 1 << 20;

/** @throws {NsdfFormatError} with the line that is wrong. */
function parsePlyHeader(bytes: Uint8Array): PlyHeader {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, MAX_HEADER_BYTES));
  if (!/^ply\r?\n/.test(text))
    throw new NsdfFormatError('not a PLY: it does not start with "ply"', { byteOffset: 0 });
  const end = /^end_header\r?\n/m.exec(text);
  if (end === null) throw new NsdfFormatError('the PLY header has no "end_header"', { byteOffset: 0 });
  const elements: PlyElement[] = [];
  let format: PlyHeader['format'] | null = null;
  text
    .slice(0, end.index)
    .split(/\r?\n/)
    .forEach((line, i) => {
      const words = line.trim().split(/\s+/);
      const fail = () =>
        new NsdfFormatError(`PLY header: "${line.slice(0, 60)}"`, { field: `line ${i + 1}` });
      if (words[0] === 'format') format = parseFormat(words[1], fail);
      else if (words[0] === 'element') elements.push(parseElement(words, fail));
      else if (words[0] === 'property') {
        const element = elements.at(-1);
        if (element === undefined) throw fail();
        element.properties.push(parseProperty(words, fail));
      }
    });
  if (format === null) throw new NsdfFormatError('the PLY header has no format', { byteOffset: 0 });
  return { format, elements, byteLength: end.index + end[0].length };
}

function parseFormat(word: string | undefined, fail: () => Error): PlyHeader['format'] {
  if (word === 'ascii' || word === 'binary_little_endian' || word === 'binary_big_endian') return word;
  throw fail();
}

function parseElement([, name, count]: readonly string[], fail: () => Error): PlyElement {
  if (name === undefined || !/^\d{1,10}$/.test(count ?? '')) throw fail();
  return { name, count: Number(count), properties: [] };
}

function parseProperty(words: readonly string[], fail: () => Error): PlyProperty {
  const isList = words[1] === 'list';
  const [countWord, typeWord, name] = isList ? words.slice(2) : [undefined, words[1], words[2]];
  const typeOf = (word: string | undefined): PlyType => {
    const type = ALIASES.get(word ?? '') ?? word;
    if (type === undefined || !Object.hasOwn(PLY_TYPE_BYTES, type)) throw fail();
    return type as PlyType;
  };
  if (name === undefined) throw fail();
  return { name, type: typeOf(typeWord), countType: isList ? typeOf(countWord) : null };
}
