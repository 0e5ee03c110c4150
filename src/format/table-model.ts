/**
 * How a grid level's table becomes bits, and the other way round: one walk over the table that both directions take, so that
 * they cannot differ. docs/format.md, "Compact tables", says the same in words. Integers only: every platform decodes the
 * same values.
 */

/** A coder of bits: writes those that it is given, or gives those that it reads. */
export interface BitCoder {
  /**
   * Codes one bit under a probability; gives it.
   * @param p0 of 4096: how likely a 0 is, 1..4095.
   */
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
  /** The level before, where both are dense and it has cells. */
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
  /** Entries at which the coarser levels' sum is of a larger size than this are dropped; -1 where none is. */
  readonly reach: number;
  readonly features: readonly FeatureCoding[];
}

/** Exponents of magnitudes: values are below 2^24 in magnitude, as exact in f32 as in integers. */
export const MAX_EXPONENT = 23;

/** Logistic function of x/256 - 8, in 4096ths, at whole multiples of 128. @see Mahoney 2005, lpaq: squash */
const SQUASH = [
  1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785,
  3901, 3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
];

/** The same at every x from -2048 to 2048, between the points on straight lines. */
const SQUASHED = Uint16Array.from({ length: 4097 }, (_, i) => {
  if (i === 4096) return 4095;
  const at = i >> 7;
  const share = i & 127;
  return (SQUASH[at] * (128 - share) + SQUASH[at + 1] * share + 64) >> 7;
});

function squash(x: number): number {
  return SQUASHED[Math.max(0, Math.min(4096, x + 2048))];
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

/**
 * Bits of one kind: each under three contexts, whose adaptive probabilities are mixed by weights that adapt. A class, as all that runs
 * for every bit: closures would be compiled anew for every table, which took three quarters of the time.
 */
class BitModel {
  readonly #coder: BitCoder;
  /** Of a 1, in 65536ths, and how often asked, three to a context number. */
  readonly #odds: Uint16Array;
  readonly #asked: Uint8Array;
  readonly #weights: Int32Array;

  constructor(coder: BitCoder, nContexts: number, nSets: number) {
    this.#coder = coder;
    this.#odds = new Uint16Array(nContexts * 3).fill(32768);
    this.#asked = new Uint8Array(nContexts * 3);
    this.#weights = new Int32Array(nSets * 3).fill(26000);
  }

  /**
   * @param a the contexts' numbers: a, b and c.
   * @param set which weights mix them.
   */
  code(bit: number, a: number, b: number, c: number, set: number): number {
    const odds = this.#odds;
    const weights = this.#weights;
    const i = a * 3;
    const j = b * 3 + 1;
    const k = c * 3 + 2;
    const w = set * 3;
    const x = STRETCH[odds[i] >> 4];
    const y = STRETCH[odds[j] >> 4];
    const z = STRETCH[odds[k] >> 4];
    const dot = Math.imul(x, weights[w]) + Math.imul(y, weights[w + 1]) + Math.imul(z, weights[w + 2]);
    const p = squash(dot >> 16);
    const coded = this.#coder.code(bit, 4096 - p);
    const error = Math.imul((coded << 12) - p, MIX_RATE);
    weights[w] += (Math.imul(x, error) + 0x2000) >> 14;
    weights[w + 1] += (Math.imul(y, error) + 0x2000) >> 14;
    weights[w + 2] += (Math.imul(z, error) + 0x2000) >> 14;
    const goal = coded * 65535;
    this.#learn(i, goal);
    this.#learn(j, goal);
    this.#learn(k, goal);
    return coded;
  }

  #learn(i: number, goal: number): void {
    const odds = this.#odds;
    const asked = this.#asked;
    odds[i] += ((goal - odds[i]) * RATES[asked[i]]) >> 10;
    if (asked[i] < 127) asked[i]++;
  }
}

/** Size of a magnitude in half octaves, 0..15. */
function sizeOf(n: number): number {
  const bits = 32 - Math.clz32(n);
  return bits < 2 ? bits : Math.min(15, 2 * bits - 2 + ((n >> (bits - 2)) & 1));
}

/** Distances in the table from an entry to the one before it along x, y and z; a hashed level's order is what order it has. */
function stridesOf({ resolution: n }: TableShape): readonly [number, number, number] {
  return n > 0 ? [1, n, n * n] : [1, 2, 3];
}

/** A table with nothing in it, its entries all kept. */
export function emptyTable(
  shape: TableShape,
  reach: number,
  features: readonly FeatureCoding[],
): IntegerTable {
  const [, y, z] = stridesOf(shape);
  const lead = 2 * z + y + 1;
  const n = lead + shape.nEntries;
  const kept = new Uint8Array(n).fill(reach < 0 ? 1 : 0, lead);
  return { shape, lead, values: new Int32Array(n * shape.nFeatures), kept, reach, features };
}

/**
 * Codes a table: reads it from the coder, or writes it there, where the table is full.
 * @throws {RangeError} if a magnitude that is read is none.
 */
export function codeTable(coder: BitCoder, table: IntegerTable): void {
  const { shape, lead, values, kept, reach, features } = table;
  const isMasked = reach >= 0;
  const { nEntries, nFeatures: F } = shape;
  const [, ny, nz] = stridesOf(shape);
  const near = shape.coarser && new Nearness(shape, shape.coarser);
  const masks = new BitModel(coder, 2048, 4);
  const rests = new Int32Array(values.length);
  const strides = [F, ny * F, nz * F] as const;
  const models = features.map(({ weights }) => new ValueModel(coder, weights, values, rests, strides));
  let column = -1;
  let row = -1;
  const end = lead + nEntries;
  for (let i = lead; i < end; i++) {
    let distance = 0;
    if (near) {
      column = (column + 1) % ny;
      if (column === 0) near.row(++row % ny, Math.min(ny - 1, Math.floor(row / ny)));
      if (!near.isReached(column)) continue;
      distance = sizeOf(Math.abs(near.sum(column)));
      if (isMasked && distance > reach) continue;
    }
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
  readonly #coder: BitCoder;
  readonly #weights: FeatureCoding['weights'];
  /** The values, and what of them was not foretold. */
  readonly #v: Int32Array;
  readonly #r: Int32Array;
  readonly #nx: number;
  readonly #ny: number;
  readonly #nz: number;
  readonly #sizes: BitModel;
  readonly #signs: BitModel;
  readonly #digits: BitModel;

  constructor(
    coder: BitCoder,
    weights: FeatureCoding['weights'],
    values: Int32Array,
    rests: Int32Array,
    [nx, ny, nz]: readonly [number, number, number],
  ) {
    this.#coder = coder;
    this.#weights = weights;
    this.#v = values;
    this.#r = rests;
    this.#nx = nx;
    this.#ny = ny;
    this.#nz = nz;
    this.#sizes = new BitModel(coder, (MAX_EXPONENT + 2) * 256, MAX_EXPONENT + 2);
    this.#signs = new BitModel(coder, 27, 1);
    this.#digits = new BitModel(coder, (MAX_EXPONENT + 1) * 32, 2);
  }

  /**
   * @param at where the value is.
   * @param n how many of the entries before it along the axes are kept.
   * @param before the size of the feature before.
   * @param distance the size of the coarser levels' sum there.
   * @returns the size of what was not foretold.
   */
  code(at: number, n: number, before: number, distance: number): number {
    const v = this.#v;
    const nx = this.#nx;
    const ny = this.#ny;
    const nz = this.#nz;
    const weights = this.#weights;
    const x = at - nx;
    const y = at - ny;
    const z = at - nz;
    const foretold =
      (Math.imul(weights[0], v[x] + v[y] + v[z]) +
        Math.imul(weights[1], v[x - ny] + v[x - nz] + v[y - nz]) +
        Math.imul(weights[2], v[x - ny - nz]) +
        8) >>
      4;
    const near = this.#apart(x) + this.#apart(y) + this.#apart(z);
    const across = this.#apart(x - ny) + this.#apart(x - nz) + this.#apart(y - nz);
    const beyond =
      this.#apart(x - nx) +
      this.#apart(y - ny) +
      this.#apart(z - nz) +
      this.#apart(y + nx) +
      this.#apart(z + nx) +
      this.#apart(z + ny);
    const all = sizeOf((2 * near + across) >> 1);
    const b = (sizeOf(near) << 4) | sizeOf((beyond + across) >> 1);
    const c = (distance << 4) | (before > 0 ? before : all);
    const rest = this.#codeRest(v[at] - foretold, (all << 2) | n, b, c, at);
    this.#r[at] = rest;
    v[at] = foretold + rest;
    return sizeOf(Math.abs(rest));
  }

  #apart(at: number): number {
    return Math.abs(this.#r[at]);
  }

  #signOf(at: number): number {
    const rest = this.#r[at];
    return rest > 0 ? 2 : rest < 0 ? 0 : 1;
  }

  /** What was not foretold, coded under contexts. */
  #codeRest(rest: number, a: number, b: number, c: number, at: number): number {
    const coder = this.#coder;
    const sizes = this.#sizes;
    const digits = this.#digits;
    const nx = this.#nx;
    const ny = this.#ny;
    const nz = this.#nz;
    const magnitude = Math.abs(rest);
    // The number of bits, in ones; 0 has none.
    const wanted = 32 - Math.clz32(magnitude);
    let size = 0;
    while (sizes.code(size < wanted ? 1 : 0, (size << 8) | a, (size << 8) | b, (size << 8) | c, size) === 1) {
      if (++size > MAX_EXPONENT + 1) throw new RangeError('a magnitude of more than 24 bits');
    }
    if (size === 0) return 0;
    const sx = this.#signOf(at - nx) * 9 + this.#signOf(at - ny) * 3 + this.#signOf(at - nz);
    const sy = this.#signOf(at - nx - ny) * 9 + this.#signOf(at - nx - nz) * 3 + this.#signOf(at - ny - nz);
    const isNegative = this.#signs.code(rest < 0 ? 1 : 0, sx, sy, 0, 0);
    let found = 1;
    for (let digit = size - 2; digit >= 0; digit--) {
      const bit = (magnitude >> digit) & 1;
      const known = size - 2 - digit;
      if (known > 1) found = (found << 1) | coder.code(bit, 2048);
      else {
        const place = (size << 2) | (known << 1) | (found & 1);
        found = (found << 1) | digits.code(bit, place, (size << 4) | (a >> 2), place, known);
      }
    }
    return isNegative === 1 ? -found : found;
  }
}

/** What the coarser level says at a level's entries, row by row. */
class Nearness {
  readonly #m: number;
  readonly #kept: Uint8Array;
  readonly #lead: number;
  readonly #sums: Int32Array;
  /** Along an axis: the coarser cell of every vertex, where in it, and the nearest vertex. */
  readonly #cells: Int32Array;
  readonly #shares: Int32Array;
  readonly #nearest: Int32Array;
  #corner = 0;
  #nearestRow = 0;
  #fy = 0;
  #fz = 0;

  constructor(own: TableShape, coarser: IntegerTable) {
    const m = coarser.shape.resolution;
    const places = sixteenthsOf(own, coarser.shape);
    this.#m = m;
    this.#kept = coarser.kept;
    this.#lead = coarser.lead;
    this.#sums = sumsOf(coarser);
    this.#cells = places.map((place) => Math.min(m - 2, place >> 4));
    this.#shares = places.map((place, x) => place - 16 * this.#cells[x]);
    this.#nearest = nearestVertices(own, coarser.shape);
  }

  /** Goes to a row of entries along x. */
  row(y: number, z: number): void {
    const m = this.#m;
    const cells = this.#cells;
    const shares = this.#shares;
    const nearest = this.#nearest;
    this.#corner = m * (cells[y] + m * cells[z]);
    this.#nearestRow = this.#lead + m * (nearest[y] + m * nearest[z]);
    this.#fy = shares[y];
    this.#fz = shares[z];
  }

  /** Whether the coarser level's nearest entry is kept: where not, this one is not, either. */
  isReached(x: number): boolean {
    return this.#kept[this.#nearestRow + this.#nearest[x]] === 1;
  }

  /** Sum of the first features of all coarser levels there: about a distance, in steps. */
  sum(x: number): number {
    const m = this.#m;
    const fy = this.#fy;
    const fz = this.#fz;
    const share = this.#shares[x];
    const at = this.#corner + this.#cells[x];
    const up = at + m * m;
    const low = between(this.#alongX(at, share), this.#alongX(at + m, share), fy);
    const high = between(this.#alongX(up, share), this.#alongX(up + m, share), fy);
    return between(low, high, fz);
  }

  #alongX(at: number, share: number): number {
    return between(this.#sums[at], this.#sums[at + 1], share);
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
function sumsOf({ shape, values, features, lead }: IntegerTable): Int32Array {
  const { nFeatures: F, resolution: n, coarser } = shape;
  const near = coarser && new Nearness(shape, coarser);
  const sums = new Int32Array(n * n * n);
  for (let i = 0; i < sums.length; i++) {
    const x = i % n;
    if (near && x === 0) near.row(Math.floor(i / n) % n, Math.floor(i / (n * n)));
    const below = near?.isReached(x) ? near.sum(x) : 0;
    sums[i] = values[(lead + i) * F] + features[0].fill + below;
  }
  return sums;
}

/** The largest size of the coarser levels' sum at an entry that is kept. */
export function reachOf({ shape, kept, lead }: IntegerTable): number {
  const { coarser, nEntries, resolution: n } = shape;
  if (coarser === null) return 0;
  const near = new Nearness(shape, coarser);
  let reach = 0;
  for (let i = 0; i < nEntries; i++) {
    if (i % n === 0) near.row(Math.floor(i / n) % n, Math.min(n - 1, Math.floor(i / (n * n))));
    if (kept[lead + i] === 1) reach = Math.max(reach, sizeOf(Math.abs(near.sum(i % n))));
  }
  return reach;
}
