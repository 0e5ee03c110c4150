import { NsdfFormatError, NsdfUnsupportedError } from '../errors.ts';
import type { BytesSource } from '../format/bytes.ts';
import {
  alignedBytes,
  isGlb,
  nameForeignBytes,
  parseJsonText,
  plainBytes,
  SAFETENSORS,
} from '../format/bytes.ts';
import { decodeBfloat16, decodeHalf } from '../format/half.ts';

/** One tensor of a safetensors file, still in its stored type. */
export interface SafeTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Offset of the first byte in the file. */
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/** A parsed safetensors container: nothing is copied. */
export interface SafeTensors {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

const BYTES_PER_VALUE: ReadonlyMap<string, number> = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
]);
const GLB = { what: 'a GLB, as .nsdf files are', advice: 'read it with readNsdf' };
/** The container's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Parses the container: u64 header length, JSON header, data. Every offset is checked against the file first.
 * @throws {NsdfFormatError} with the byte or the tensor at fault.
 * @see https://huggingface.co/docs/safetensors (format section)
 */
export function parseSafetensors(source: BytesSource): SafeTensors {
  const bytes = alignedBytes(source);
  const dataOffset = readHeaderLength(bytes) + 8;
  const header = parseHeader(bytes.subarray(8, dataOffset));
  const tensors = new Map<string, SafeTensor>();
  const metadata = new Map<string, string>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      for (const [key, value] of Object.entries(asRecord(entry, name))) {
        metadata.set(key, typeof value === 'string' ? value : JSON.stringify(value));
      }
    } else tensors.set(name, parseTensor(name, entry, bytes, dataOffset));
  }
  return { tensors, metadata };
}

function readHeaderLength(bytes: Uint8Array): number {
  const foreign = isGlb(bytes) ? GLB : nameForeignBytes(bytes);
  if (foreign && foreign.what !== SAFETENSORS) {
    const message = `not a safetensors file: it is ${foreign.what}; ${foreign.advice}`;
    throw new NsdfFormatError(message, { byteOffset: 0 });
  }
  if (bytes.length < 8) {
    throw new NsdfFormatError(`${bytes.length} bytes are too few for a safetensors file`, { byteOffset: 0 });
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const available = Math.min(bytes.length - 8, MAX_HEADER_BYTES);
  if (length < 2 || length > available) {
    const message = `not a safetensors file, or truncated: header length is ${length}, expected 2..${available}`;
    throw new NsdfFormatError(message, { byteOffset: 0 });
  }
  return length;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    return asRecord(parseJsonText(bytes, 8), 'the header');
  } catch (cause) {
    if (!(cause instanceof NsdfFormatError)) throw cause;
    const message = `not a safetensors file: its header is ${cause.message}`;
    throw new NsdfFormatError(message, { byteOffset: 8, cause });
  }
}

function asRecord(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new NsdfFormatError(`${field} is not an object`, { field });
}

function parseTensor(name: string, entry: unknown, bytes: Uint8Array, dataOffset: number): SafeTensor {
  const { dtype, shape, data_offsets: range } = asRecord(entry, name);
  const isCounts = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(range) || range.length !== 2) {
    throw new NsdfFormatError(`${name}: expected dtype, shape and data_offsets`, { field: name });
  }
  const [begin, end] = range;
  const byteOffset = dataOffset + begin;
  if (begin > end || dataOffset + end > bytes.length) {
    const message = `${name} claims bytes ${begin}..${end} of ${bytes.length - dataOffset} (truncated file?)`;
    throw new NsdfFormatError(message, { field: name, byteOffset });
  }
  const bytesPerValue = BYTES_PER_VALUE.get(dtype);
  const nValues = shape.reduce((product, n) => product * n, 1);
  if (bytesPerValue !== undefined && nValues * bytesPerValue !== end - begin) {
    const message = `${name}: ${dtype} [${shape}] needs ${nValues * bytesPerValue} bytes, found ${end - begin}`;
    throw new NsdfFormatError(message, { field: name, byteOffset });
  }
  return { name, dtype, shape, byteOffset, bytes: bytes.subarray(byteOffset, dataOffset + end) };
}

/**
 * A tensor's values as float32: a view of the file for aligned F32, a converted copy else (F16, BF16, F64).
 * @throws {NsdfUnsupportedError} for integer and other types.
 */
export function tensorValues({ name, dtype, bytes }: SafeTensor): Float32Array {
  const bytesPerValue = BYTES_PER_VALUE.get(dtype);
  if (bytesPerValue === undefined) {
    const message = `${name} is ${dtype}, expected F32, F16, BF16 or F64: convert it before saving`;
    throw new NsdfUnsupportedError(`dtype ${dtype}`, message);
  }
  const plain = plainBytes(bytes);
  const aligned = plain.byteOffset % bytesPerValue === 0 ? plain : plain.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  const length = byteLength / bytesPerValue;
  if (dtype === 'F32') return new Float32Array(buffer, byteOffset, length);
  if (dtype === 'F64') return Float32Array.from(new Float64Array(buffer, byteOffset, length));
  const halves = new Uint16Array(buffer, byteOffset, length);
  return dtype === 'F16' ? decodeHalf(halves) : decodeBfloat16(halves);
}
