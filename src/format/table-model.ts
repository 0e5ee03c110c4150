/**
 * How a grid level's table becomes bits, and the other way round: one walk over the table that both directions take, so that
 * they cannot differ. docs/format.md, "Compact tables", says the same in words. Integers only: every platform decodes the
 * same values.
 */

/**
 * Codes one bit under a probability: writes the bit that it is given, or gives the one that it reads.
 * @param p0 of 4096: how likely a 0 is, 1..4095.
 */
export type BitCoder = (bit: number, p0: number) => number;

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

/**
 * Bits of one kind: each under three contexts, whose adaptive probabilities are mixed by weights that adapt. The model takes the bit, the
 * three contexts' numbers, and which weights mix them.
 */
function bitModel(coder: BitCoder, nContexts: number, nSets: number) {
  // Of a 1, in 65536ths, and how often asked, three to a context number.
  const odds = new Uint16Array(nContexts * 3).fill(32768);
  const asked = new Uint8Array(nContexts * 3);
  const weights = new Int32Array(nSets * 3).fill(26000);
  const learn = (i: number, goal: number): void => {
    odds[i] += ((goal - odds[i]) * RATES[asked[i]]) >> 10;
    if (asked[i] < 127) asked[i]++;
  };
  return (bit: number, a: number, b: number, c: number, set: number): number => {
    const i = a * 3;
    const j = b * 3 + 1;
    const k = c * 3 + 2;
    const w = set * 3;
    const x = STRETCH[odds[i] >> 4];
    const y = STRETCH[odds[j] >> 4];
    const z = STRETCH[odds[k] >> 4];
    const dot = Math.imul(x, weights[w]) + Math.imul(y, weights[w + 1]) + Math.imul(z, weights[w + 2]);
    const p = squash(dot >> 16);
    const coded = coder(bit, 4096 - p);
    const error = Math.imul((coded << 12) - p, MIX_RATE);
    weights[w] += (Math.imul(x, error) + 0x2000) >> 14;
    weights[w + 1] += (Math.imul(y, error) + 0x2000) >> 14;
    weights[w + 2] += (Math.imul(z, error) + 0x2000) >> 14;
    const goal = coded * 65535;
    learn(i, goal);
    learn(j, goal);
    learn(k, goal);
    return coded;
  };
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
  const near = shape.coarser && nearness(shape, shape.coarser);
  const masks = bitModel(coder, 2048, 4);
  const rests = new Int32Array(values.length);
  const strides = [F, ny * F, nz * F] as const;
  const models = features.map(({ weights }) => valueModel(coder, weights, values, rests, strides));
  let column = -1;
  let row = -1;
  for (let i = lead; i < lead + nEntries; i++) {
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
      kept[i] = masks(kept[i], a, (beyond << 6) | (ahead << 3) | xyz, (distance << 3) | xyz, n);
    }
    if (kept[i] === 0) continue;
    let before = 0;
    for (let j = 0; j < F; j++) before = models[j](i * F + j, n, before, distance);
  }
}

/**
 * Values of one feature. The model takes where the value is, how many of the entries before it along the axes are kept, the size of the
 * feature before and that of the coarser levels' sum there; it gives the size of what was not foretold.
 */
function valueModel(
  coder: BitCoder,
  [edge, face, cube]: FeatureCoding['weights'],
  v: Int32Array,
  r: Int32Array,
  [nx, ny, nz]: readonly [number, number, number],
) {
  const sizes = bitModel(coder, (MAX_EXPONENT + 2) * 256, MAX_EXPONENT + 2);
  const signs = bitModel(coder, 27, 1);
  const digits = bitModel(coder, (MAX_EXPONENT + 1) * 32, 2);
  const apart = (at: number): number => Math.abs(r[at]);
  const signOf = (at: number): number => (r[at] > 0 ? 2 : r[at] < 0 ? 0 : 1);

  /** What was not foretold, coded under contexts. */
  const codeRest = (rest: number, a: number, b: number, c: number, at: number): number => {
    const magnitude = Math.abs(rest);
    // The number of bits, in ones; 0 has none.
    const wanted = 32 - Math.clz32(magnitude);
    let size = 0;
    while (sizes(Number(size < wanted), (size << 8) | a, (size << 8) | b, (size << 8) | c, size) === 1) {
      if (++size > MAX_EXPONENT + 1) throw new RangeError('a magnitude of more than 24 bits');
    }
    if (size === 0) return 0;
    const sx = signOf(at - nx) * 9 + signOf(at - ny) * 3 + signOf(at - nz);
    const sy = signOf(at - nx - ny) * 9 + signOf(at - nx - nz) * 3 + signOf(at - ny - nz);
    const isNegative = signs(Number(rest < 0), sx, sy, 0, 0);
    let found = 1;
    for (let digit = size - 2; digit >= 0; digit--) {
      const bit = (magnitude >> digit) & 1;
      const known = size - 2 - digit;
      if (known > 1) found = (found << 1) | coder(bit, 2048);
      else {
        const place = (size << 2) | (known << 1) | (found & 1);
        found = (found << 1) | digits(bit, place, (size << 4) | (a >> 2), place, known);
      }
    }
    return isNegative === 1 ? -found : found;
  };

  return (at: number, n: number, before: number, distance: number): number => {
    const x = at - nx;
    const y = at - ny;
    const z = at - nz;
    const foretold =
      (Math.imul(edge, v[x] + v[y] + v[z]) +
        Math.imul(face, v[x - ny] + v[x - nz] + v[y - nz]) +
        Math.imul(cube, v[x - ny - nz]) +
        8) >>
      4;
    const near = apart(x) + apart(y) + apart(z);
    const across = apart(x - ny) + apart(x - nz) + apart(y - nz);
    const beyond =
      apart(x - nx) + apart(y - ny) + apart(z - nz) + apart(y + nx) + apart(z + nx) + apart(z + ny);
    const all = sizeOf((2 * near + across) >> 1);
    const b = (sizeOf(near) << 4) | sizeOf((beyond + across) >> 1);
    const c = (distance << 4) | (before > 0 ? before : all);
    const rest = codeRest(v[at] - foretold, (all << 2) | n, b, c, at);
    r[at] = rest;
    v[at] = foretold + rest;
    return sizeOf(Math.abs(rest));
  };
}

/** What the coarser level says at a level's entries, row by row. */
interface Nearness {
  /** Goes to a row of entries along x. */
  row(y: number, z: number): void;
  /** Whether the coarser level's nearest entry is kept: where not, this one is not, either. */
  isReached(x: number): boolean;
  /** Sum of the first features of all coarser levels there: about a distance, in steps. */
  sum(x: number): number;
}

function nearness(own: TableShape, coarser: IntegerTable): Nearness {
  const m = coarser.shape.resolution;
  const { kept, lead } = coarser;
  const sums = sumsOf(coarser);
  // Along an axis: the coarser cell of every vertex, where in it, and the nearest vertex.
  const places = sixteenthsOf(own, coarser.shape);
  const cells = places.map((place) => Math.min(m - 2, place >> 4));
  const shares = places.map((place, x) => place - 16 * cells[x]);
  const nearest = nearestVertices(own, coarser.shape);
  const alongX = (at: number, share: number): number => between(sums[at], sums[at + 1], share);
  let corner = 0;
  let nearestRow = 0;
  let fy = 0;
  let fz = 0;
  return {
    row: (y, z) => {
      corner = m * (cells[y] + m * cells[z]);
      nearestRow = lead + m * (nearest[y] + m * nearest[z]);
      fy = shares[y];
      fz = shares[z];
    },
    isReached: (x) => kept[nearestRow + nearest[x]] === 1,
    sum: (x) => {
      const at = corner + cells[x];
      const up = at + m * m;
      const low = between(alongX(at, shares[x]), alongX(at + m, shares[x]), fy);
      const high = between(alongX(up, shares[x]), alongX(up + m, shares[x]), fy);
      return between(low, high, fz);
    },
  };
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
  const near = coarser && nearness(shape, coarser);
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
  const near = nearness(shape, coarser);
  let reach = 0;
  for (let i = 0; i < nEntries; i++) {
    if (i % n === 0) near.row(Math.floor(i / n) % n, Math.min(n - 1, Math.floor(i / (n * n))));
    if (kept[lead + i] === 1) reach = Math.max(reach, sizeOf(Math.abs(near.sum(i % n))));
  }
  return reach;
}
