/**
 * How a grid level's table becomes bits, and the other way round: one walk over the table that both directions take, so that
 * they cannot differ. docs/format.md, "Compact tables", says the same in words. Integers only: every platform decodes the
 * same values.
 */

/** Codes one bit under a probability: writes the bit that it is given, or gives the one that it reads. */
export interface BitCoder {
  /** @param p0 of 4096: how likely a 0 is, 1..4095. */
  code(bit: number, p0: number): number;
}

/** What a feature of a level is stored with. */
export interface FeatureCoding {
  /** What an integer is multiplied by. f32. */
  readonly step: number;
  /** The integer of the entries that are dropped. */
  readonly fill: number;
  /** Sixteenths by which the neighbours foretell a value: those along an axis, across a square, across a cube. Integers. */
  readonly weights: readonly [edge: number, face: number, cube: number];
}

/** Where a level's entries lie. */
export interface TableShape {
  readonly nEntries: number;
  readonly nFeatures: number;
  /** Stride of the dense index; 0 where the level is hashed. */
  readonly resolution: number;
  readonly scale: number;
  readonly offset: number;
  /** The level before, where both are dense. */
  readonly coarser: IntegerTable | null;
}

/**
 * A level's table in integers. Arrays begin with entries that are none, so that every entry has neighbours before it: entry i
 * is at `lead + i`.
 */
export interface IntegerTable {
  readonly shape: TableShape;
  readonly lead: number;
  /** i32[(lead + nEntries) * nFeatures], entry-major, less `fill`. */
  readonly values: Int32Array;
  /** Whether an entry is kept: u8[lead + nEntries]. */
  readonly kept: Uint8Array;
  /** Whether any may be dropped. */
  readonly isMasked: boolean;
  readonly features: readonly FeatureCoding[];
}

/** Exponents of magnitudes: values are below 2^24 in magnitude, as exact in f32 as in integers. */
export const MAX_EXPONENT = 23;

/** Logistic function of x/256 - 8, in 4096ths, at whole multiples of 128. @see Mahoney 2005, lpaq: squash */
const SQUASH = [
  1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785,
  3901, 3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
];

function squash(x: number): number {
  if (x > 2047) return 4095;
  if (x < -2047) return 1;
  const at = (x >> 7) + 16;
  const share = x & 127;
  return (SQUASH[at] * (128 - share) + SQUASH[at + 1] * share + 64) >> 7;
}

/** Inverse of {@link squash}: the least x that reaches p. */
const STRETCH = new Int16Array(4096);
for (let x = -2047, p = 0; p < 4096; x++) {
  for (const reached = x > 2047 ? 4095 : squash(x); p <= reached; p++) STRETCH[p] = x;
}

/** How fast a probability follows, in 1024ths, by how often it was asked. */
const RATES = Uint16Array.from({ length: 128 }, (_, n) => Math.floor(2048 / (2 * n + 3)));
/** How fast the mixture follows. */
const MIX_RATE = 6;
const N_INPUTS = 3;

/** Bits of one kind: each under three contexts, whose adaptive probabilities are mixed by weights that adapt. */
class BitModel {
  private readonly coder: BitCoder;
  /** Of a 1, in 65536ths, and how often asked, three to a context number. */
  private readonly odds: Uint16Array;
  private readonly asked: Uint8Array;
  private readonly weights: Int32Array;

  constructor(coder: BitCoder, nContexts: number, nSets: number) {
    this.coder = coder;
    this.odds = new Uint16Array(nContexts * N_INPUTS).fill(32768);
    this.asked = new Uint8Array(nContexts * N_INPUTS);
    this.weights = new Int32Array(nSets * N_INPUTS).fill(26000);
  }

  /** @param a first context, `b`, `c` the others. @param set which weights mix them. */
  code(bit: number, a: number, b: number, c: number, set: number): number {
    const { odds, asked, weights } = this;
    const i = a * 3;
    const j = b * 3 + 1;
    const k = c * 3 + 2;
    const w = set * 3;
    const x = STRETCH[odds[i] >> 4];
    const y = STRETCH[odds[j] >> 4];
    const z = STRETCH[odds[k] >> 4];
    const dot =
      (Math.imul(x, weights[w]) + Math.imul(y, weights[w + 1]) + Math.imul(z, weights[w + 2])) >> 16;
    const p = squash(dot);
    const coded = this.coder.code(bit, 4096 - p);
    const error = Math.imul((coded << 12) - p, MIX_RATE);
    weights[w] += (Math.imul(x, error) + 0x2000) >> 14;
    weights[w + 1] += (Math.imul(y, error) + 0x2000) >> 14;
    weights[w + 2] += (Math.imul(z, error) + 0x2000) >> 14;
    const goal = coded * 65535;
    odds[i] += ((goal - odds[i]) * RATES[asked[i]]) >> 10;
    odds[j] += ((goal - odds[j]) * RATES[asked[j]]) >> 10;
    odds[k] += ((goal - odds[k]) * RATES[asked[k]]) >> 10;
    if (asked[i] < 127) asked[i]++;
    if (asked[j] < 127) asked[j]++;
    if (asked[k] < 127) asked[k]++;
    return coded;
  }
}

/** Size of a magnitude in half octaves, 0..15. */
function sizeOf(n: number): number {
  const bits = 32 - Math.clz32(n);
  return bits < 2 ? bits : Math.min(15, 2 * bits - 2 + ((n >> (bits - 2)) & 1));
}

const signOf = (n: number): number => (n > 0 ? 2 : n < 0 ? 0 : 1);

/** Distances in the table from an entry to the one before it along x, y and z; a hashed level's order is what order it has. */
function stridesOf({ resolution: n }: TableShape): readonly [number, number, number] {
  return n > 0 ? [1, n, n * n] : [1, 2, 3];
}

/** A table with nothing in it, its entries all kept. */
export function emptyTable(
  shape: TableShape,
  isMasked: boolean,
  features: readonly FeatureCoding[],
): IntegerTable {
  const [, y, z] = stridesOf(shape);
  const lead = 2 * z + y + 1;
  const n = lead + shape.nEntries;
  const kept = new Uint8Array(n).fill(isMasked ? 0 : 1, lead);
  return { shape, lead, values: new Int32Array(n * shape.nFeatures), kept, isMasked, features };
}

/**
 * Codes a table: reads it from the coder, or writes it there, where the table is full.
 * @throws {RangeError} if a magnitude that is read is none.
 */
export function codeTable(coder: BitCoder, table: IntegerTable): void {
  const { shape, lead, values, kept, isMasked, features } = table;
  const { nEntries, nFeatures: F } = shape;
  const [, ny, nz] = stridesOf(shape);
  const near = hasNearness(shape) ? new Nearness(shape, shape.coarser) : null;
  const masks = new BitModel(coder, 2048, 4);
  const rests = new Int32Array(values.length);
  const strides = [F, ny * F, nz * F] as const;
  const models = features.map((feature) => new ValueModel(coder, feature, values, rests, strides));
  for (let i = lead; i < lead + nEntries; i++) {
    if (near && !near.visit(i - lead)) continue;
    const distance = near ? sizeOf(Math.abs(near.sum)) : 0;
    const x = kept[i - 1];
    const y = kept[i - ny];
    const z = kept[i - nz];
    const n = x + y + z;
    if (isMasked) {
      const xyz = x | (y << 1) | (z << 2);
      const across = kept[i - 1 - ny] | (kept[i - 1 - nz] << 1) | (kept[i - ny - nz] << 2);
      const ahead = kept[i + 1 - ny] | (kept[i + 1 - nz] << 1) | (kept[i + ny - nz] << 2);
      const beyond = kept[i - 2] | (kept[i - 2 * ny] << 1) | (kept[i - 2 * nz] << 2);
      const a = (((distance << 1) | kept[i - 1 - ny - nz]) << 6) | (across << 3) | xyz;
      kept[i] = masks.code(kept[i], a, (beyond << 6) | (ahead << 3) | xyz, (distance << 3) | xyz, n);
    }
    if (kept[i] === 0) continue;
    let before = 0;
    for (let j = 0; j < F; j++) before = models[j].code(i * F + j, n, before, distance);
  }
}

/** Values of one feature. */
class ValueModel {
  private readonly coder: BitCoder;
  private readonly weights: FeatureCoding['weights'];
  private readonly values: Int32Array;
  /** What the neighbours did not foretell, in the places of `values`. */
  private readonly rests: Int32Array;
  private readonly strides: readonly [number, number, number];
  private readonly sizes: BitModel;
  private readonly signs: BitModel;
  private readonly digits: BitModel;

  constructor(
    coder: BitCoder,
    { weights }: FeatureCoding,
    values: Int32Array,
    rests: Int32Array,
    strides: readonly [number, number, number],
  ) {
    this.coder = coder;
    this.weights = weights;
    this.values = values;
    this.rests = rests;
    this.strides = strides;
    this.sizes = new BitModel(coder, (MAX_EXPONENT + 2) * 256, MAX_EXPONENT + 2);
    this.signs = new BitModel(coder, 27, 1);
    this.digits = new BitModel(coder, (MAX_EXPONENT + 1) * 32, 2);
  }

  /**
   * Codes the value at `at`.
   * @param n how many of the entries before it along the axes are kept. @param before size of the feature before.
   * @param distance size of the coarser levels' sum there.
   * @returns the size of what was not foretold.
   */
  code(at: number, n: number, before: number, distance: number): number {
    const { values: v, rests: r, weights } = this;
    const nx = this.strides[0];
    const ny = this.strides[1];
    const nz = this.strides[2];
    const x = at - nx;
    const y = at - ny;
    const z = at - nz;
    const foretold =
      (Math.imul(weights[0], v[x] + v[y] + v[z]) +
        Math.imul(weights[1], v[x - ny] + v[x - nz] + v[y - nz]) +
        Math.imul(weights[2], v[x - ny - nz]) +
        8) >>
      4;
    const across = Math.abs(r[x - ny]) + Math.abs(r[x - nz]) + Math.abs(r[y - nz]);
    const beyond = Math.abs(r[x - nx]) + Math.abs(r[y - ny]) + Math.abs(r[z - nz]);
    const ahead = Math.abs(r[y + nx]) + Math.abs(r[z + nx]) + Math.abs(r[z + ny]);
    const edge = Math.abs(r[x]) + Math.abs(r[y]) + Math.abs(r[z]);
    const all = sizeOf((2 * edge + across) >> 1);
    const one = (sizeOf(edge) << 4) | sizeOf((beyond + ahead + across) >> 1);
    const other = (distance << 4) | (before > 0 ? before : all);
    const rest = v[at] - foretold;
    const coded = this.rest(rest, (all << 2) | n, one, other, at);
    r[at] = coded;
    v[at] = foretold + coded;
    return sizeOf(Math.abs(coded));
  }

  private rest(rest: number, a: number, b: number, c: number, at: number): number {
    const { sizes, signs, digits, rests: r } = this;
    const magnitude = Math.abs(rest);
    // The exponent, in ones; 0 has none.
    const wanted = 32 - Math.clz32(magnitude);
    let size = 0;
    while (sizes.code(Number(size < wanted), (size << 8) | a, (size << 8) | b, (size << 8) | c, size) === 1) {
      if (++size > MAX_EXPONENT + 1) throw new RangeError('a magnitude of more than 24 bits');
    }
    if (size === 0) return 0;
    const nx = this.strides[0];
    const ny = this.strides[1];
    const nz = this.strides[2];
    const x = at - nx;
    const y = at - ny;
    const z = at - nz;
    const sx = signOf(r[x]) * 9 + signOf(r[y]) * 3 + signOf(r[z]);
    const sy = signOf(r[x - ny]) * 9 + signOf(r[x - nz]) * 3 + signOf(r[y - nz]);
    const isNegative = signs.code(Number(rest < 0), sx, sy, 0, 0);
    let found = 1;
    for (let digit = size - 2; digit >= 0; digit--) {
      const bit = (magnitude >> digit) & 1;
      const known = size - 2 - digit;
      if (known > 1) found = (found << 1) | this.coder.code(bit, 2048);
      else {
        const place = (size << 2) | (known << 1) | (found & 1);
        found = (found << 1) | digits.code(bit, place, (size << 4) | (a >> 2), place, known);
      }
    }
    return isNegative === 1 ? -found : found;
  }
}

/** What the coarser level says at a level's vertices, one after the other. */
class Nearness {
  /** Sum of the first features of all coarser levels at the vertex: about a distance, in steps. */
  sum = 0;
  private readonly coarser: IntegerTable;
  private readonly sums: Int32Array;
  /** Along an axis: the coarser cell of every vertex, and where in it, in sixteenths. */
  private readonly cells: Int32Array;
  private readonly shares: Int32Array;

  constructor(own: TableShape, coarser: IntegerTable) {
    const n = own.resolution;
    this.coarser = coarser;
    this.sums = sumsOf(coarser);
    this.cells = new Int32Array(n);
    this.shares = new Int32Array(n);
    const places = sixteenthsOf(own, coarser.shape);
    for (let x = 0; x < n; x++) {
      this.cells[x] = Math.min(coarser.shape.resolution - 2, places[x] >> 4);
      this.shares[x] = places[x] - 16 * this.cells[x];
    }
  }

  /** Goes to entry i. False where the coarser level's nearest entry is dropped: then this one is, too. */
  visit(i: number): boolean {
    const { cells, shares, coarser, sums } = this;
    const n = cells.length;
    const m = coarser.shape.resolution;
    const x = i % n;
    const row = (i - x) / n;
    const y = row % n;
    const z = Math.min(n - 1, (row - y) / n);
    const [fx, fy, fz] = [shares[x], shares[y], shares[z]];
    const at = cells[x] + m * (cells[y] + m * cells[z]);
    const nearest = at + ((fx + 8) >> 4) + m * (((fy + 8) >> 4) + m * ((fz + 8) >> 4));
    if (coarser.kept[coarser.lead + nearest] === 0) return false;
    const up = at + m * m;
    const low = between(between(sums[at], sums[at + 1], fx), between(sums[at + m], sums[at + m + 1], fx), fy);
    const high = between(
      between(sums[up], sums[up + 1], fx),
      between(sums[up + m], sums[up + m + 1], fx),
      fy,
    );
    this.sum = between(low, high, fz);
    return true;
  }
}

type AxisShape = Pick<TableShape, 'resolution' | 'scale' | 'offset'>;

/** Where a level's vertices lie along an axis of a coarser level, in sixteenths of its cells. */
function sixteenthsOf({ resolution: n, scale, offset }: AxisShape, coarser: AxisShape): Int32Array {
  return Int32Array.from({ length: n }, (_, x) => {
    const at = ((x - offset) / scale) * coarser.scale + coarser.offset;
    return Math.floor(16 * Math.min(coarser.resolution - 1, Math.max(0, at)) + 0.5);
  });
}

/** The vertices of a coarser level that are nearest to a level's, along an axis: without them these are not kept. */
export function nearestVertices(own: AxisShape, coarser: AxisShape): Int32Array {
  return sixteenthsOf(own, coarser).map((place) => Math.min(coarser.resolution - 1, (place + 8) >> 4));
}

/** a + (b - a) share / 16, in integers. */
function between(a: number, b: number, share: number): number {
  return (a + (Math.imul(b - a, share) >> 4)) | 0;
}

/** Sums of the first features of a level and those before it, at this level's vertices. */
function sumsOf(table: IntegerTable): Int32Array {
  const { shape, values, features, lead } = table;
  const { nFeatures: F, resolution: n } = shape;
  const near = hasNearness(shape) ? new Nearness(shape, shape.coarser) : null;
  const sums = new Int32Array(n * n * n);
  for (let i = 0; i < sums.length; i++) {
    sums[i] = values[(lead + i) * F] + features[0].fill + (near?.visit(i) ? near.sum : 0);
  }
  return sums;
}

function hasNearness(shape: TableShape): shape is TableShape & { readonly coarser: IntegerTable } {
  return shape.resolution > 0 && shape.coarser !== null && shape.coarser.shape.resolution > 1;
}
