import { NsdfFormatError } from '../../errors.ts';
import { viewOf } from './mesh-data.ts';
import { PLY_TYPE_BYTES, type PlyHeader, type PlyType } from './ply-header.ts';

/** The numbers after a PLY header, one after the other. */
export interface PlySource {
  /** Where the next number starts. */
  readonly byteOffset: number;
  /** @throws {NsdfFormatError} at the end of the file. */
  next(type: PlyType): number;
  /** Refuses a list before it is allocated. @throws {NsdfFormatError} if the file is too short for it. */
  expect(count: number, type: PlyType): void;
}

export function createPlySource(bytes: Uint8Array, { format, byteLength }: PlyHeader): PlySource {
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
