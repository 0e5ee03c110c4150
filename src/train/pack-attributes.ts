import { createAttribute } from '../field/attribute-field.ts';
import type { AttributeField, FieldAsset } from '../format/asset.ts';
import { isColor } from '../format/attribute-names.ts';
import { mapAttributes } from '../format/encode-field.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { KeptEntries } from './kept-entries.ts';
import { codeTables, nearestIntegers, stepsOf } from './round-tables.ts';

/** By how much all values of a feature are moved to see what that changes, as a share of the largest of them. */
const NUDGE = 1e-3;

/** Attributes that are to be rounded, with what does not depend on the step. */
export type AttributePacking = (share: number) => Record<string, AttributeField>;

/**
 * Prepares a field's attributes for rounding.
 * @param mesh the field's surface, local units: entries of cells that it does not cross are dropped.
 * @param points f64[3n] of the surface, n > 0.
 * @returns gives the attributes in whole steps of a share of each one's range on the surface; colours range from 0 to 1. Those without
 * a grid stay as they are.
 */
export function prepareAttributes(
  asset: FieldAsset,
  mesh: Triangles,
  points: Float64Array,
): AttributePacking {
  const prepared = mapAttributes(asset, (attribute, name) => {
    const { encoding } = attribute;
    if (encoding.kind !== 'hash-grid') return () => attribute;
    const kept = new KeptEntries(encoding, asset.domain);
    kept.add(mesh);
    const evaluate = (levels: typeof encoding.levels): Float64Array => {
      const attributes = { [name]: { ...attribute, encoding: { ...encoding, levels } } };
      const field = createAttribute({ ...asset, attributes }, name);
      const values = new Float64Array((points.length / 3) * field.width);
      field.evaluate(points, values);
      return values;
    };
    const values = evaluate(encoding.levels);
    const range = isColor(name) ? 1 : rangeOf(values);
    const slopes = slopesOf(encoding, values, evaluate);
    return (share: number): AttributeField => {
      const steps = stepsOf(encoding, slopes, share * range);
      const levels = codeTables(encoding, nearestIntegers(encoding, steps), steps, kept);
      return { ...attribute, encoding: { ...encoding, levels } };
    };
  });
  return (share) => mapAttributes({ attributes: prepared }, (round) => round(share));
}

function rangeOf(values: Float64Array): number {
  const [low, high] = values.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  return high - low;
}

/** Root mean squares of the values' slopes by every feature: a feature that is moved as a whole moves by that wherever it is met. */
function slopesOf(
  { levels, nFeaturesPerLevel: F }: Extract<AttributeField['encoding'], { kind: 'hash-grid' }>,
  values: Float64Array,
  evaluate: (nudged: typeof levels) => Float64Array,
): Float64Array {
  const slopes = new Float64Array(levels.length * F);
  levels.forEach((level, l) => {
    for (let j = 0; j < F; j++) {
      let largest = 0;
      for (let i = j; i < level.params.length; i += F) largest = Math.max(largest, Math.abs(level.params[i]));
      const nudge = Math.fround(NUDGE * largest) || NUDGE;
      const params = level.params.map((value, i) => (i % F === j ? value + nudge : value));
      const moved = evaluate(levels.map((own, k) => (k === l ? { ...own, params } : own)));
      const square = moved.reduce((sum, x, i) => sum + ((x - values[i]) / nudge) ** 2, 0);
      slopes[l * F + j] = Math.sqrt(square / Math.max(1, values.length));
    }
  });
  return slopes;
}
