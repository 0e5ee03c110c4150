import { NsdfFormatError } from '../../errors.ts';

/** Bytes of PLY's scalar types, by the old names and the new. */
export const PLY_TYPE_BYTES = {
  char: 1,
  uchar: 1,
  short: 2,
  ushort: 2,
  int: 4,
  uint: 4,
  float: 4,
  double: 8,
} as const;

export type PlyType = keyof typeof PLY_TYPE_BYTES;

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

export interface PlyProperty {
  readonly name: string;
  readonly type: PlyType;
  /** The type of a list's length, or null for a scalar. */
  readonly countType: PlyType | null;
}

export interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: PlyProperty[];
}

export interface PlyHeader {
  readonly format: 'ascii' | 'binary_little_endian' | 'binary_big_endian';
  readonly elements: readonly PlyElement[];
  /** Where the data start. */
  readonly byteLength: number;
}

/** Headers are short: a file without an end in its first megabyte has none. */
const MAX_HEADER_BYTES = 1 << 20;

/** @throws {NsdfFormatError} with the line that is wrong. */
export function parsePlyHeader(bytes: Uint8Array): PlyHeader {
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
