import { BUDGETS } from '../budgets.ts';
import type { GridLevel } from '../format/asset.ts';
import { rowEntries } from './hash-grid.ts';

/** Vertices an axis of the blocks at the pyramid's foot, as a power of two. */
const FOOT_BITS = 2;
/** Values read between two yields: 2 to 8 ms. */
const VALUES_PER_YIELD = 2 ** 19;
/** Blocks an axis that a query reads at most. */
const MAX_BLOCKS = 4;

/** Ranges of a level's features over blocks of grid vertices. */
export interface MinMaxPyramid {
  /**
   * Range of all features over the vertices first..last (inclusive, each axis); conservative.
   * @param first i32[3]
   * @param last i32[3]
   * @param outLo f64, F values from `at` on
   */
  range(first: Int32Array, last: Int32Array, outLo: Float64Array, outHi: Float64Array, at: number): void;
}

interface Storey {
  readonly bits: number;
  readonly side: number;
  /** f32[side³ * F], x fastest. */
  readonly lo: Float32Array;
  readonly hi: Float32Array;
}

/** Vertices an axis that points of the unit cube reach. */
export function levelSide(level: GridLevel): number {
  return Math.floor(level.scale + level.offset) + 2;
}

/**
 * Builds the pyramid of a level; blocks have 2^k vertices an axis, k = FOOT_BITS up to the whole level. A level with too
 * many values for that (they are read at 150M a second) is one block. Yields every few milliseconds of work.
 */
export function* buildPyramid(level: GridLevel, nFeatures: number): Generator<void, MinMaxPyramid, void> {
  const side = levelSide(level);
  const isLarge = side ** 3 * nFeatures > BUDGETS.nPyramidValues;
  const storeys = isLarge
    ? [yield* wholeTable(level, nFeatures)]
    : yield* buildStoreys(level, nFeatures, side);
  return pyramidOf(storeys, nFeatures);
}

function pyramidOf(storeys: readonly Storey[], nFeatures: number): MinMaxPyramid {
  return {
    range(first, last, outLo, outHi, at) {
      let widest = 0;
      let storey = storeys[0];
      for (const candidate of storeys) {
        storey = candidate;
        widest = 0;
        for (let a = 0; a < 3; a++) {
          widest = Math.max(widest, (last[a] >> storey.bits) - (first[a] >> storey.bits) + 1);
        }
        if (widest <= MAX_BLOCKS) break;
      }
      const { bits, side: n, lo, hi } = storey;
      outLo.fill(Number.POSITIVE_INFINITY, at, at + nFeatures);
      outHi.fill(Number.NEGATIVE_INFINITY, at, at + nFeatures);
      for (let z = first[2] >> bits; z <= last[2] >> bits; z++) {
        for (let y = first[1] >> bits; y <= last[1] >> bits; y++) {
          for (let x = first[0] >> bits; x <= last[0] >> bits; x++) {
            const block = ((z * n + y) * n + x) * nFeatures;
            for (let k = 0; k < nFeatures; k++) {
              if (lo[block + k] < outLo[at + k]) outLo[at + k] = lo[block + k];
              if (hi[block + k] > outHi[at + k]) outHi[at + k] = hi[block + k];
            }
          }
        }
      }
    },
  };
}

/** One block for a level that is too large: the range of its table. */
function* wholeTable(level: GridLevel, nFeatures: number): Generator<void, Storey, void> {
  const lo = new Float32Array(nFeatures).fill(Number.POSITIVE_INFINITY);
  const hi = new Float32Array(nFeatures).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < level.params.length; i++) {
    const k = i % nFeatures;
    if (level.params[i] < lo[k]) lo[k] = level.params[i];
    if (level.params[i] > hi[k]) hi[k] = level.params[i];
    if (i % VALUES_PER_YIELD === 0) yield;
  }
  return { bits: 31, side: 1, lo, hi };
}

function* buildStoreys(level: GridLevel, F: number, nVertices: number): Generator<void, Storey[], void> {
  const { params } = level;
  const entries = new Float64Array(nVertices);
  const table = (y: number, z: number) => rowEntries(level, y, z, entries);
  const storeys = [yield* gather(nVertices, FOOT_BITS, FOOT_BITS, params, params, F, table, entries)];
  for (let below = storeys[0]; below.side > 1; below = storeys[storeys.length - 1]) {
    const { side, lo, hi, bits } = below;
    const blocks = (y: number, z: number) => {
      for (let x = 0; x < side; x++) entries[x] = (z * side + y) * side + x;
    };
    storeys.push(yield* gather(side, 1, bits + 1, lo, hi, F, blocks, entries));
  }
  return storeys;
}

/**
 * The storey whose blocks have 2^shift blocks (or vertices) an axis of what lies below.
 * @param readRow writes the entries of a row of what lies below to `entries`.
 */
function* gather(
  sideBelow: number,
  shift: number,
  bits: number,
  belowLo: Float32Array,
  belowHi: Float32Array,
  F: number,
  readRow: (y: number, z: number) => void,
  entries: Float64Array,
): Generator<void, Storey, void> {
  const side = ((sideBelow - 1) >> shift) + 1;
  const lo = new Float32Array(side ** 3 * F).fill(Number.POSITIVE_INFINITY);
  const hi = new Float32Array(side ** 3 * F).fill(Number.NEGATIVE_INFINITY);
  let nRead = 0;
  for (let z = 0; z < sideBelow; z++) {
    for (let y = 0; y < sideBelow; y++) {
      nRead += sideBelow * F;
      if (nRead > VALUES_PER_YIELD) {
        nRead = 0;
        yield;
      }
      readRow(y, z);
      const to = ((z >> shift) * side + (y >> shift)) * side * F;
      for (let k = 0; k < F; k++) mergeRow(belowLo, belowHi, entries, sideBelow, shift, F, k, lo, hi, to + k);
    }
  }
  return { bits, side, lo, hi };
}

/** Merges feature k of a row of entries into a row of blocks. */
function mergeRow(
  belowLo: Float32Array,
  belowHi: Float32Array,
  entries: Float64Array,
  n: number,
  shift: number,
  F: number,
  k: number,
  lo: Float32Array,
  hi: Float32Array,
  to: number,
): void {
  for (let x = 0; x < n; ) {
    const block = x >> shift;
    const end = Math.min((block + 1) << shift, n);
    let least = lo[to + block * F];
    let most = hi[to + block * F];
    for (; x < end; x++) {
      const i = entries[x] * F + k;
      if (belowLo[i] < least) least = belowLo[i];
      if (belowHi[i] > most) most = belowHi[i];
    }
    lo[to + block * F] = least;
    hi[to + block * F] = most;
  }
}
