/**
 * How a grid level's table becomes bits, and the other way round: one walk over the table that both directions take, so that
 * they cannot differ. docs/format.md, "Compact tables", says the same in words. Integers only: every platform decodes the
 * same values.
 */
import { type BitCoder, BitModel, sizeOf } from './bit-model.ts';

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

/** Distances in the table from an entry to the one before it along x, y and z; a hashed level's order is what order it has. */
function stridesOf({ resolution: n }: TableShape): readonly [number, number, number] {
  return n > 0 ? [1, n, n * n] : [1, 2, 3];
}

/** Entries of a hashed level that are coded at a time. */
const HASHED_ROW = 256;

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
 * The walk over a table: reads it from the coder, or writes it there, where the table is full. In as many pieces as its caller
 * likes, which gives others their turn, and compiled code its chance: a loop that runs but once is interpreted for longer.
 */
export class TableWalk {
  readonly #table: IntegerTable;
  readonly #near: Nearness | null;
  readonly #masks: BitModel;
  readonly #models: readonly ValueModel[];
  /** The row of entries along x that is next. */
  #row = 0;

  constructor(coder: BitCoder, table: IntegerTable) {
    const { shape, values, features } = table;
    const F = shape.nFeatures;
    const [, ny, nz] = stridesOf(shape);
    this.#table = table;
    this.#near = shape.coarser && new Nearness(shape, shape.coarser);
    this.#masks = new BitModel(coder, 2048, 4);
    const rests = new Int32Array(values.length);
    const strides = [F, ny * F, nz * F] as const;
    this.#models = features.map(({ weights }) => new ValueModel(coder, weights, values, rests, strides));
  }

  /**
   * Goes on by a row of entries.
   * @returns whether there are more.
   * @throws {RangeError} if a magnitude that is read is none.
   */
  advance(): boolean {
    const { shape, lead } = this.#table;
    const { nEntries, resolution } = shape;
    const length = resolution || HASHED_ROW;
    const row = this.#row++;
    const first = row * length;
    const near = this.#near;
    near?.row(row % length, Math.min(length - 1, Math.floor(row / length)));
    const end = Math.min(length, nEntries - first);
    if (near === null) for (let x = 0; x < end; x++) this.#code(lead + first + x, x);
    else for (let x = near.next(0); x < end; x = near.next(x + 1)) this.#code(lead + first + x, x);
    return first + length < nEntries;
  }

  /** Codes the entry i, in the array, which is number `column` of its row. */
  #code(i: number, column: number): void {
    const { shape, kept, reach } = this.#table;
    const near = this.#near;
    const F = shape.nFeatures;
    const isMasked = reach >= 0;
    let distance = 0;
    if (near !== null) {
      distance = sizeOf(Math.abs(near.sum(column)));
      if (isMasked && distance > reach) return;
    }
    const [, ny, nz] = stridesOf(shape);
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
      kept[i] = this.#masks.code(kept[i], a, (beyond << 6) | (ahead << 3) | xyz, (distance << 3) | xyz, n);
    }
    if (kept[i] === 0) return;
    let before = 0;
    for (let j = 0; j < F; j++) before = this.#models[j].code(i * F + j, n, before, distance);
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
  readonly #n: number;
  readonly #m: number;
  readonly #kept: Uint8Array;
  readonly #lead: number;
  readonly #sums: Int32Array;
  /** Along an axis: the coarser cell of every vertex, where in it, and the nearest vertex. */
  readonly #cells: Int32Array;
  readonly #shares: Int32Array;
  readonly #nearest: Int32Array;
  /** The first vertex that is nearest to each of the coarser level's, or to one beyond it. */
  readonly #firsts: Int32Array;
  /** Of two planes of the coarser level, the one of this row's cells and the next: the sums along x, i32[2 * m * n]. */
  readonly #planes: Int32Array;
  #plane = -1;
  #at = 0;
  #nearestRow = 0;
  #fy = 0;
  #fz = 0;

  constructor(own: TableShape, coarser: IntegerTable) {
    const n = own.resolution;
    const m = coarser.shape.resolution;
    const places = sixteenthsOf(own, coarser.shape);
    this.#n = n;
    this.#m = m;
    this.#kept = coarser.kept;
    this.#lead = coarser.lead;
    this.#sums = sumsOf(coarser);
    this.#cells = places.map((place) => Math.min(m - 2, place >> 4));
    this.#shares = places.map((place, x) => place - 16 * this.#cells[x]);
    this.#nearest = nearestVertices(own, coarser.shape);
    this.#firsts = new Int32Array(m + 1).fill(n);
    for (let x = n - 1, j = m - 1; j >= 0; j--) {
      while (x >= 0 && this.#nearest[x] >= j) x--;
      this.#firsts[j] = x + 1;
    }
    this.#planes = new Int32Array(2 * m * n);
  }

  /** Goes to a row of entries along x. */
  row(y: number, z: number): void {
    const m = this.#m;
    const nearest = this.#nearest;
    this.#goToPlane(this.#cells[z]);
    this.#at = this.#n * this.#cells[y];
    this.#nearestRow = this.#lead + m * (nearest[y] + m * nearest[z]);
    this.#fy = this.#shares[y];
    this.#fz = this.#shares[z];
  }

  /**
   * The next column from one on whose nearest entry of the coarser level is kept: where that is not, those of this level are not,
   * either. The row's length where there is none.
   */
  next(x: number): number {
    if (x >= this.#n) return this.#n;
    const from = this.#nearestRow + this.#nearest[x];
    if (this.#kept[from] === 1) return x;
    const found = this.#kept.indexOf(1, from) - this.#nearestRow;
    return found < 0 || found >= this.#m ? this.#n : this.#firsts[found];
  }

  /** Sum of the first features of all coarser levels there: about a distance, in steps. */
  sum(x: number): number {
    const n = this.#n;
    const planes = this.#planes;
    const low = this.#at + x;
    const high = low + this.#m * n;
    const fy = this.#fy;
    return between(
      between(planes[low], planes[low + n], fy),
      between(planes[high], planes[high + n], fy),
      this.#fz,
    );
  }

  #goToPlane(cell: number): void {
    if (cell === this.#plane) return;
    this.#plane = cell;
    const [m, n] = [this.#m, this.#n];
    const [sums, cells, shares, planes] = [this.#sums, this.#cells, this.#shares, this.#planes];
    for (let row = 0; row < 2 * m; row++) {
      const first = m * (m * cell + row);
      for (let x = 0; x < n; x++) {
        const at = first + cells[x];
        planes[row * n + x] = between(sums[at], sums[at + 1], shares[x]);
      }
    }
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

/** Sums of the first features of a complete level and those before it, at its vertices; once a level: each finer one asks again. */
function sumsOf(table: IntegerTable): Int32Array {
  const known = SUMS.get(table);
  if (known !== undefined) return known;
  const { shape, values, features, lead } = table;
  const { nFeatures: F, resolution: n, coarser } = shape;
  const sums = Int32Array.from({ length: n * n * n }, (_, i) => values[(lead + i) * F] + features[0].fill);
  SUMS.set(table, sums);
  const near = coarser && new Nearness(shape, coarser);
  for (let row = 0; near && row < n * n; row++) {
    near.row(row % n, Math.floor(row / n));
    for (let x = near.next(0); x < n; x = near.next(x + 1)) sums[row * n + x] += near.sum(x);
  }
  return sums;
}
const SUMS = new WeakMap<IntegerTable, Int32Array>();

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
