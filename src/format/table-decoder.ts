import type { GridLevel } from './asset.ts';
import type { BitCoder } from './bit-model.ts';
import { FIELD_LIMITS } from './extension.ts';
import {
  emptyTable,
  type FeatureCoding,
  type IntegerTable,
  type TableShape,
  TableWalk,
} from './table-model.ts';

/** The version of the streams that this package reads and writes. */
export const STREAM_VERSION = 1;
/** Bytes before the header: the checksum and the length of the rest. */
export const STREAM_PREFIX = 8;
/** Bytes of the header: version, reach; and for each feature: step, fill, three weights. */
export const HEADER_BYTES = 2;
export const FEATURE_BYTES = 11;

/** A decoded stream. */
export interface DecodedTable {
  readonly table: IntegerTable;
  /** f32[nEntries * nFeatures] */
  readonly params: Float32Array;
  /** What it was decoded from, without padding: a copy. */
  readonly stream: Uint8Array;
}

type LevelShape = Omit<GridLevel, 'params'>;

/** Whether a level's numbers can be those of a coded table at all. */
export function isCodable(
  { resolution, scale, offset, nEntries, isDense }: LevelShape,
  nFeatures: number,
): boolean {
  const isCount = (n: number, most: number): boolean => Number.isInteger(n) && n >= 1 && n <= most;
  const areCounts =
    isCount(resolution, FIELD_LIMITS.resolution) &&
    isCount(nEntries, FIELD_LIMITS.nEntries) &&
    isCount(nFeatures, FIELD_LIMITS.nFeaturesPerLevel);
  return areCounts && scale > 0 && Number.isFinite(offset) && (!isDense || resolution ** 3 <= nEntries);
}

/** A level's table as the codec sees it. */
export function tableShape(
  { resolution, scale, offset, nEntries, isDense }: LevelShape,
  nFeatures: number,
  coarser: IntegerTable | null,
): TableShape {
  const isAfterDense = isDense && coarser !== null && coarser.shape.resolution > 1;
  return {
    nEntries,
    nFeatures,
    resolution: isDense ? resolution : 0,
    scale,
    offset,
    coarser: isAfterDense ? coarser : null,
  };
}

/** What a table was decoded from. */
interface Origin {
  readonly shape: Omit<TableShape, 'coarser'>;
  readonly stream: Uint8Array;
  /** Stand for the table itself, which nobody needs any more, and for the one before it. */
  readonly features: readonly FeatureCoding[];
  readonly coarser: readonly FeatureCoding[] | null;
}

/** Where tables come from, so that a field that was read is written as it was. */
const origins = new WeakMap<Float32Array, Origin>();

/** Notes which stream a table is decoded from. */
export function noteStream(
  params: Float32Array,
  { shape, features }: IntegerTable,
  stream: Uint8Array,
): void {
  const { coarser, ...own } = shape;
  origins.set(params, { shape: own, stream, features, coarser: coarser?.features ?? null });
}

/** The streams that a grid's tables are decoded from, coarse to fine; null if one of them is of no stream. */
export function streamsOf(levels: readonly GridLevel[], nFeatures: number): readonly Uint8Array[] | null {
  let before: Origin | null = null;
  const streams: Uint8Array[] = [];
  for (const level of levels) {
    const origin = origins.get(level.params);
    if (origin === undefined) return null;
    const { coarser: _, ...shape } = tableShape(level, nFeatures, null);
    const keys = ['nEntries', 'nFeatures', 'resolution', 'scale', 'offset'] as const;
    if (keys.some((key) => origin.shape[key] !== shape[key])) return null;
    if (origin.coarser !== null && origin.coarser !== before?.features) return null;
    before = origin;
    streams.push(origin.stream);
  }
  return streams;
}

/** FNV-1a, 32 bits: a step is a bijection, so that no single damaged byte goes unseen. */
export function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash >>> 0;
}

/** Reads bits of a range coder, as LZMA's. @see Martin 1979 */
class RangeDecoder implements BitCoder {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Range and value: in an array, because numbers above 2^31 elsewhere cost an allocation a change. */
  readonly #state = Uint32Array.of(0xffffffff, 0);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    while (this.#at < 4) this.#next();
  }

  /** Whether more was read than there is. */
  get isOver(): boolean {
    return this.#at > this.#bytes.length + 4;
  }

  code(_bit: number, p0: number): number {
    const state = this.#state;
    const bound = Math.imul(state[0] >>> 12, p0) >>> 0;
    const bit = state[1] < bound ? 0 : 1;
    if (bit === 0) state[0] = bound;
    else {
      state[1] -= bound;
      state[0] -= bound;
    }
    while (state[0] < 0x1000000) {
      state[0] <<= 8;
      this.#next();
    }
    return bit;
  }

  /** Beyond the end there are zeros, which writers leave away. */
  #next(): void {
    const state = this.#state;
    const bytes = this.#bytes;
    const at = this.#at;
    state[1] = (state[1] << 8) | (at < bytes.length ? bytes[at] : 0);
    this.#at = at + 1;
  }
}

/**
 * Decodes a level's stream, row by row, for whoever gives others their turn between them.
 * @param bytes the bufferView; up to three bytes of padding may follow the stream.
 * @returns what is wrong, in words, for a stream that is damaged.
 */
export function* decodingSteps(
  bytes: Uint8Array,
  shape: TableShape,
): Generator<void, DecodedTable | string, void> {
  const opened = openStream(bytes, shape);
  if (typeof opened === 'string') return opened;
  const { table, coded, stream } = opened;
  const decoder = new RangeDecoder(coded);
  const walk = new TableWalk(decoder, table);
  try {
    while (walk.advance()) yield;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `the stream holds ${error.message}: it is damaged`;
  }
  if (decoder.isOver) return 'the stream ends before its last value: it is cut short';
  return { table, params: dequantise(table, shape.nEntries * shape.nFeatures), stream };
}

/** As {@link decodingSteps}, at once. */
export function decodeTable(bytes: Uint8Array, shape: TableShape): DecodedTable | string {
  const steps = decodingSteps(bytes, shape);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** A stream with its header read, and the table that is to be filled from it. */
interface OpenedStream {
  readonly table: IntegerTable;
  readonly coded: Uint8Array;
  readonly stream: Uint8Array;
}

function openStream(bytes: Uint8Array, shape: TableShape): OpenedStream | string {
  const { nFeatures: F } = shape;
  const least = STREAM_PREFIX + HEADER_BYTES + FEATURE_BYTES * F;
  if (bytes.length < least) return `the stream has ${bytes.length} bytes, expected at least ${least}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = STREAM_PREFIX + view.getUint32(4, true);
  if (end < least || end > bytes.length || bytes.length - end > 3) {
    return `the stream says that it has ${end} bytes, its bufferView has ${bytes.length}`;
  }
  if (checksum(bytes.subarray(STREAM_PREFIX, end)) !== view.getUint32(0, true)) {
    return 'the stream has another checksum than it says: it is damaged';
  }
  const [version, reach] = bytes.subarray(STREAM_PREFIX);
  if (version !== STREAM_VERSION || reach > 16) {
    return `the stream has version ${version} and reach ${reach}, expected version ${STREAM_VERSION} and at most 16: update nsdf-loader`;
  }
  const features = Array.from({ length: F }, (_, j) => {
    const at = STREAM_PREFIX + HEADER_BYTES + FEATURE_BYTES * j;
    const weight = (k: number): number => view.getInt8(at + 8 + k);
    return {
      step: view.getFloat32(at, true),
      fill: view.getInt32(at + 4, true),
      weights: [weight(0), weight(1), weight(2)] as const,
    };
  });
  return {
    table: emptyTable(shape, reach - 1, features),
    coded: bytes.subarray(least, end),
    stream: bytes.slice(0, end),
  };
}

/** One product of two f32 each, rounded once; dropped entries have the fill alone. */
export function dequantise({ values, features, lead, kept }: IntegerTable, nValues: number): Float32Array {
  const F = features.length;
  const params = new Float32Array(nValues);
  features.forEach(({ step, fill }, j) => {
    const dropped = fill * step;
    for (let i = j, entry = lead; i < nValues; i += F, entry++) {
      params[i] = kept[entry] === 0 ? dropped : (values[entry * F + j] + fill) * step;
    }
  });
  return params;
}
