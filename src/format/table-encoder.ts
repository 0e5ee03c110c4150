import type { BitCoder } from './bit-model.ts';
import {
  checksum,
  dequantise,
  FEATURE_BYTES,
  HEADER_BYTES,
  noteStream,
  STREAM_PREFIX,
  STREAM_VERSION,
} from './table-decoder.ts';
import {
  emptyTable,
  type FeatureCoding,
  type IntegerTable,
  MAX_EXPONENT,
  reachOf,
  type TableShape,
  TableWalk,
} from './table-model.ts';

/** Writes bits of a range coder. */
class RangeEncoder implements BitCoder {
  private readonly bytes: number[] = [];
  /** Below 2^32, and a carry. */
  private low = 0;
  private range = 0xffffffff;
  /** The last byte, which a carry may still change, and how many bytes of 255 follow it. */
  private last = -1;
  private nFull = 0;
  /** Bytes that a reader has taken by now, but for its first four. */
  private nTaken = 0;

  code(bit: number, p0: number): number {
    const bound = Math.imul(this.range >>> 12, p0) >>> 0;
    if (bit === 0) this.range = bound;
    else {
      this.low += bound;
      this.range -= bound;
    }
    while (this.range < 0x1000000) {
      this.range = (this.range << 8) >>> 0;
      this.nTaken++;
      this.shift();
    }
    return bit;
  }

  /** The bytes, without the zeros at their end that a reader may do without: four, or a stream could be cut short unseen. */
  finish(): Uint8Array {
    // The roundest number in the range that is left.
    for (const unit of [0x1000000, 0x10000, 0x100]) {
      const round = Math.ceil(this.low / unit) * unit;
      if (round >= this.low + this.range) continue;
      this.low = round;
      break;
    }
    for (let i = 0; i < 5; i++) this.shift();
    let end = this.bytes.length;
    while (end > this.nTaken && this.bytes[end - 1] === 0) end--;
    return Uint8Array.from(this.bytes.slice(0, end));
  }

  private shift(): void {
    const carry = this.low >= 2 ** 32 ? 1 : 0;
    const byte = Math.floor(this.low / 2 ** 24) & 255;
    this.low = (this.low % 2 ** 24) * 256;
    if (byte === 255 && carry === 0) {
      this.nFull++;
      return;
    }
    if (this.last >= 0) this.bytes.push(this.last + carry);
    for (; this.nFull > 0; this.nFull--) this.bytes.push((255 + carry) & 255);
    this.last = byte;
  }
}

/** A table to be coded: integers, and which entries are kept. */
export interface TableInput {
  readonly shape: TableShape;
  /** i32[nEntries * nFeatures]; those of dropped entries are not looked at. */
  readonly integers: Int32Array;
  /** u8[nEntries]; null where all are kept. */
  readonly kept: Uint8Array | null;
  /** f32 each. */
  readonly steps: readonly number[];
  readonly fills: readonly number[];
}

/** A coded level. */
export interface EncodedTable {
  readonly stream: Uint8Array;
  readonly table: IntegerTable;
  /** What the stream decodes to. */
  readonly params: Float32Array;
}

/**
 * Codes a level's table as a stream. An entry whose nearest entry of the coarser level is dropped must be dropped.
 * @throws {RangeError} for magnitudes from 2^24 on.
 */
export function encodeTable(input: TableInput): EncodedTable {
  const table = tableOf(input);
  const coder = new RangeEncoder();
  writeTable(coder, table);
  const coded = coder.finish();
  const { features } = table;
  const headerBytes = HEADER_BYTES + FEATURE_BYTES * features.length;
  const stream = new Uint8Array(STREAM_PREFIX + headerBytes + coded.length);
  const view = new DataView(stream.buffer);
  stream.set([STREAM_VERSION, table.reach + 1], STREAM_PREFIX);
  features.forEach(({ step, fill, weights }, j) => {
    const at = STREAM_PREFIX + HEADER_BYTES + FEATURE_BYTES * j;
    view.setFloat32(at, step, true);
    view.setInt32(at + 4, fill, true);
    for (const [k, weight] of weights.entries()) view.setInt8(at + 8 + k, weight);
  });
  stream.set(coded, STREAM_PREFIX + headerBytes);
  view.setUint32(4, stream.length - STREAM_PREFIX, true);
  view.setUint32(0, checksum(stream.subarray(STREAM_PREFIX)), true);
  const params = dequantise(table, input.integers.length);
  noteStream(params, table, stream);
  return { stream, table, params };
}

/** Bits of the coder's payload as they would be without a coder's own losses. */
export function idealLength(input: TableInput): number {
  let nBits = 0;
  const meter: BitCoder = {
    code(bit, p0) {
      nBits -= Math.log2((bit === 0 ? p0 : 4096 - p0) / 4096);
      return bit;
    },
  };
  writeTable(meter, tableOf(input));
  return nBits;
}

function writeTable(coder: BitCoder, table: IntegerTable): void {
  const walk = new TableWalk(coder, table);
  while (walk.advance());
}

function tableOf({ shape, integers, kept, steps, fills }: TableInput): IntegerTable {
  const { nFeatures: F, nEntries } = shape;
  // A mean that was rounded may be -0, which the stream does not know.
  const features = steps.map(
    (step, j): FeatureCoding => ({ step, fill: Math.trunc(fills[j]) + 0, weights: [0, 0, 0] }),
  );
  const table = emptyTable(shape, kept === null ? -1 : 0, features);
  if (kept) table.kept.set(kept, table.lead);
  for (let i = 0; i < nEntries; i++) {
    if (kept?.[i] === 0) continue;
    for (let j = 0; j < F; j++) {
      const value = integers[i * F + j] - fills[j];
      if (Math.abs(value) >= 2 ** (MAX_EXPONENT + 1)) {
        throw new RangeError(`the integer ${value} of entry ${i} is too large`);
      }
      table.values[(table.lead + i) * F + j] = value;
    }
  }
  const reach = kept === null ? -1 : reachOf(table);
  return {
    ...table,
    reach,
    features: features.map((feature, j) => ({ ...feature, weights: bestWeights(table, j) })),
  };
}

/** The weights by which neighbours foretell a feature best, by least squares, in sixteenths. */
function bestWeights({ shape, lead, values, kept }: IntegerTable, j: number): FeatureCoding['weights'] {
  const { nFeatures: F, nEntries, resolution: n } = shape;
  if (n === 0) return [0, 0, 0];
  const at = (entry: number): number => values[entry * F + j];
  const a = [0, 0, 0, 0, 0, 0];
  const b = [0, 0, 0];
  for (let i = lead; i < lead + nEntries; i++) {
    if (kept[i] === 0) continue;
    const [y, z] = [i - n, i - n * n];
    const edge = at(i - 1) + at(y) + at(z);
    const face = at(y - 1) + at(z - 1) + at(z - n);
    const cube = at(z - n - 1);
    const value = at(i);
    a[0] += edge * edge;
    a[1] += edge * face;
    a[2] += edge * cube;
    a[3] += face * face;
    a[4] += face * cube;
    a[5] += cube * cube;
    b[0] += value * edge;
    b[1] += value * face;
    b[2] += value * cube;
  }
  const found = solve3(a, b).map((x) => Math.round(16 * Math.min(7.9, Math.max(-7.9, x))));
  return [found[0], found[1], found[2]];
}

/** Solves a symmetric system, xx xy xz yy yz zz, by Cramer's rule; zeros where it has no one solution. */
function solve3([xx, xy, xz, yy, yz, zz]: readonly number[], [x, y, z]: readonly number[]): number[] {
  const det = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz);
  if (!(Math.abs(det) > 1e-9 * xx * yy * zz)) return [0, 0, 0];
  return [
    (x * (yy * zz - yz * yz) - xy * (y * zz - yz * z) + xz * (y * yz - yy * z)) / det,
    (xx * (y * zz - yz * z) - x * (xy * zz - yz * xz) + xz * (xy * z - y * xz)) / det,
    (xx * (yy * z - y * yz) - xy * (xy * z - y * xz) + x * (xy * yz - yy * xz)) / det,
  ];
}
