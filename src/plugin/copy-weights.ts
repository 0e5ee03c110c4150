import type { FieldAsset } from '../index.ts';

/**
 * A field with weights of its own. What is kept of a network is found by its arrays: those of a training, which change in
 * place, would be taken for the weights that they were.
 */
export function copyWeights(asset: FieldAsset): FieldAsset {
  const { encoding, layers } = asset;
  return {
    ...asset,
    encoding:
      encoding.kind === 'hash-grid'
        ? {
            ...encoding,
            levels: encoding.levels.map((level) => ({ ...level, params: level.params.slice() })),
          }
        : encoding,
    layers: layers.map((layer) => ({
      ...layer,
      weights: layer.weights.slice(),
      bias: layer.bias?.slice() ?? null,
    })),
  };
}
