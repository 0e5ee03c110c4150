import type { GridLevel, HashGridEncoding } from '../format/asset.ts';
import { tableShape } from '../format/table-decoder.ts';
import { encodeTable } from '../format/table-encoder.ts';
import type { IntegerTable } from '../format/table-model.ts';
import type { KeptEntries } from './kept-entries.ts';

/** Magnitudes that the codec takes. */
const MAX_INTEGER = 2 ** 23;

/**
 * The nearest integers of a grid's values, by level.
 * @param steps of each level, by feature.
 */
export function nearestIntegers(
  { levels, nFeaturesPerLevel: F }: HashGridEncoding,
  steps: readonly (readonly number[])[],
): Int32Array[] {
  return levels.map(({ params }, l) =>
    Int32Array.from(params, (value, i) => Math.round(value / steps[l][i % F])),
  );
}

/** The levels with values of integers. */
export function levelsOf(
  { levels, nFeaturesPerLevel: F }: HashGridEncoding,
  integers: readonly Int32Array[],
  steps: readonly (readonly number[])[],
): GridLevel[] {
  return levels.map((level, l) => ({
    ...level,
    params: Float32Array.from(integers[l], (value, i) => value * steps[l][i % F]),
  }));
}

/**
 * Codes a grid's tables.
 * @param integers i32[nEntries * F] by level.
 * @param steps of each level, by feature.
 * @param keptEntries null where all entries are kept; dropped ones become the mean of the others.
 * @returns the levels as a reader of the streams has them.
 */
export function codeTables(
  { levels, nFeaturesPerLevel: F }: HashGridEncoding,
  integers: readonly Int32Array[],
  steps: readonly (readonly number[])[],
  keptEntries: KeptEntries | null,
): GridLevel[] {
  let coarser: IntegerTable | null = null;
  return levels.map((level, l) => {
    const kept = keptEntries?.levels[l] ?? null;
    const { table, params } = encodeTable({
      shape: tableShape(level, F, coarser),
      integers: integers[l],
      kept,
      steps: steps[l],
      fills: steps[l].map((_, j) => (kept ? meanOf(integers[l], kept, j, F) : 0)),
    });
    coarser = table;
    return { ...level, params };
  });
}

/**
 * The steps of every level by which values are rounded to `step`: `step` over the slopes of what is evaluated by the features. What no
 * value shows in becomes 0.
 * @param slopes f64[nLevels * nFeaturesPerLevel], root mean squares.
 */
export function stepsOf(
  { levels, nFeaturesPerLevel: F }: HashGridEncoding,
  slopes: Float64Array,
  step: number,
): number[][] {
  return levels.map(({ params }, l) =>
    Array.from({ length: F }, (_, j) => {
      let largest = 0;
      for (let i = j; i < params.length; i += F) largest = Math.max(largest, Math.abs(params[i]));
      const wanted = step / slopes[l * F + j];
      return Math.fround(Math.min(Math.max(wanted, largest / MAX_INTEGER), 4 * largest) || 1);
    }),
  );
}

/** Mean of the kept integers of a feature, rounded. */
function meanOf(integers: Int32Array, kept: Uint8Array, j: number, F: number): number {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < kept.length; i++) {
    if (kept[i] === 0) continue;
    sum += integers[i * F + j];
    n++;
  }
  return n > 0 ? Math.round(sum / n) : 0;
}
