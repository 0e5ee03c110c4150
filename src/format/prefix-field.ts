import type { IdentityEncoding, MlpLayer } from './asset.ts';
import type { GridParts } from './field-rules.ts';
import type { JsonObject } from './json-object.ts';
import type { BufferViews } from './weights.ts';

/** The levels before the first whose bytes are still to come; all of them where the file is whole. */
export function arrivedLevels(
  levels: readonly (JsonObject | null)[],
  { isMissing }: BufferViews,
): readonly (JsonObject | null)[] {
  if (isMissing === undefined) return levels;
  const first = levels.findIndex((level) => {
    const bufferView = level?.value.bufferView;
    return typeof bufferView === 'number' && isMissing(bufferView);
  });
  return first < 0 ? levels : levels.slice(0, first);
}

/**
 * The network as it reads the levels that have arrived: features of the others count as zero, which takes their columns
 * out of the first layer.
 */
export function fitFirstLayer(
  layers: (MlpLayer | null)[] | null,
  encoding: GridParts | IdentityEncoding | null,
): (MlpLayer | null)[] | null {
  const first = layers?.[0];
  if (!layers || !first || encoding?.kind !== 'hash-grid') return layers;
  const nIn = encoding.levels.length * encoding.nFeaturesPerLevel;
  // A count of features that is none is named by the field rules.
  if (!(nIn >= 0 && nIn < first.nIn)) return layers;
  const weights = new Float32Array(first.nOut * nIn);
  for (let row = 0; row < first.nOut; row++) {
    weights.set(first.weights.subarray(row * first.nIn, row * first.nIn + nIn), row * nIn);
  }
  return [{ ...first, nIn, weights }, ...layers.slice(1)];
}
