import { BUDGETS } from '../budgets.ts';
import { VALUE_BYTES, type ValueType } from './extension.ts';
import { decodeHalf } from './half.ts';
import type { JsonObject } from './json-object.ts';
import type { DecodedTable } from './table-decoder.ts';
import type { TableShape } from './table-model.ts';
import { isSameShape, TableStore } from './table-store.ts';

/** A run of weights in a bufferView. */
export interface Slice {
  readonly bufferView: number;
  readonly byteOffset: number;
  readonly nValues: number;
  readonly dtype: ValueType;
  /** The slice has to fill its bufferView, but for up to three bytes of padding. */
  readonly isWhole?: boolean;
}

/** Why a slice cannot be read. */
export interface SliceError {
  readonly code: 'reference' | 'length' | 'weights' | 'unsupported';
  readonly message: string;
}

/** Where the bytes of bufferViews come from. */
export interface BufferViews {
  /** Null if there is no such bufferView. */
  getBytes(index: number): Uint8Array | null;
  /** Offset in the file, for messages; undefined if unknown. */
  getByteOffset(index: number): number | undefined;
  /** Of a file that is still arriving: whether this bufferView is to come. */
  isMissing?(index: number): boolean;
}

/** Reads slices of bufferViews as float32. */
export interface WeightSource extends BufferViews {
  read(slice: Slice): Float32Array | SliceError;
  /** A coded table, whose stream is all of a bufferView. */
  readTable(bufferView: number, shape: TableShape): DecodedTable | SliceError;
}

/**
 * A source over bufferViews. Aligned f32 slices are views; half floats and unaligned bytes are copied. A slice read
 * twice is the same array. All slices together may claim no more bytes than `maxBytes`, so that bufferViews that
 * overlap cannot make a small file decode to a large one. Streams may decode to more than their bytes, up to a budget.
 * @param tables those of the file that are decoded already.
 */
export function createWeightSource(
  views: BufferViews,
  maxBytes = Number.POSITIVE_INFINITY,
  tables = new TableStore(),
): WeightSource {
  const decoded = new Map<string, Float32Array>();
  let nClaimed = 0;
  const read = (slice: Slice): Float32Array | SliceError => {
    const key = `${slice.bufferView}:${slice.byteOffset}:${slice.nValues}:${slice.dtype}`;
    const known = decoded.get(key);
    if (known !== undefined) return known;
    const bytes = sliceBytes(slice, views);
    if (!(bytes instanceof Uint8Array)) return bytes;
    nClaimed += bytes.length;
    if (nClaimed > maxBytes) {
      return {
        code: 'length',
        message: `weights claim more than the ${maxBytes} bytes there are: do they overlap?`,
      };
    }
    const values = decodeBytes(bytes, slice.dtype);
    decoded.set(key, values);
    return values;
  };
  const counted: { readonly bufferView: number; readonly shape: TableShape }[] = [];
  let nTableValues = 0;
  const readTable = (bufferView: number, shape: TableShape): DecodedTable | SliceError => {
    const bytes = views.getBytes(bufferView);
    if (bytes === null) return noBytes(bufferView);
    if (!counted.some((known) => known.bufferView === bufferView && isSameShape(known.shape, shape))) {
      nTableValues += shape.nEntries * shape.nFeatures;
      counted.push({ bufferView, shape });
    }
    if (!(nTableValues <= BUDGETS.nTableValues)) {
      const message = `the coded tables have ${nTableValues} values or more, at most ${BUDGETS.nTableValues} are decoded`;
      return { code: 'unsupported', message };
    }
    const decoded = tables.read(bufferView, bytes, shape);
    return typeof decoded === 'string' ? { code: 'weights', message: decoded } : decoded;
  };
  return { ...views, read, readTable };
}

function noBytes(bufferView: number): SliceError {
  return { code: 'reference', message: `there are no bytes for bufferView ${bufferView}` };
}

function sliceBytes(
  { bufferView, byteOffset, nValues, dtype, isWhole }: Slice,
  views: BufferViews,
): Uint8Array | SliceError {
  const bytes = views.getBytes(bufferView);
  if (bytes === null) return noBytes(bufferView);
  const nBytes = nValues * VALUE_BYTES[dtype];
  const what = `${nValues} ${dtype} values are ${nBytes} bytes`;
  if (byteOffset % VALUE_BYTES[dtype] !== 0) {
    return {
      code: 'length',
      message: `byte offset ${byteOffset} is not a multiple of ${VALUE_BYTES[dtype]}`,
    };
  }
  // Written so that NaN and infinity, from products of huge counts, fail too.
  if (!(byteOffset + nBytes <= bytes.length)) {
    const message = `${what} from byte ${byteOffset}, but bufferView ${bufferView} has ${bytes.length} bytes`;
    return { code: 'length', message };
  }
  if (isWhole === true && bytes.length - byteOffset - nBytes > 3) {
    return { code: 'length', message: `${what}, but bufferView ${bufferView} has ${bytes.length} bytes` };
  }
  return bytes.subarray(byteOffset, byteOffset + nBytes);
}

/** Little-endian, as glTF and every platform with typed arrays that runs JavaScript today. */
function decodeBytes(bytes: Uint8Array, dtype: ValueType): Float32Array {
  const { buffer, byteOffset, byteLength } =
    bytes.byteOffset % VALUE_BYTES[dtype] === 0 ? bytes : bytes.slice();
  if (dtype === 'f16') return decodeHalf(new Uint16Array(buffer, byteOffset, byteLength / 2));
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** Null, and an issue, where the slice does not fit its bufferView. */
export function readSlice(
  json: JsonObject,
  key: string,
  slice: Slice,
  source: WeightSource,
): Float32Array | null {
  return checkSlice(json, key, source.read(slice));
}

export function checkSlice<T extends object>(
  json: JsonObject,
  key: string,
  result: T | SliceError,
): T | null {
  if (!('code' in result)) return result;
  const { code, message } = result;
  if (code === 'unsupported') json.issues.unsupported('table size', message, json.place(key));
  else json.issues.error(code, message, json.place(key));
  return null;
}
