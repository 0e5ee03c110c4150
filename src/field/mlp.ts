import { NsdfFormatError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';

/** A hidden layer in float64. */
export interface HiddenLayer {
  readonly nIn: number;
  readonly nOut: number;
  /** f64[nOut * nIn], row-major. */
  readonly weights: Float64Array;
  /** f64[nOut], zeros where the asset has none. */
  readonly bias: Float64Array;
}

/** The network with its output rule, sign and value scale folded into the last row. */
export interface Network {
  readonly nInputs: number;
  readonly hidden: readonly HiddenLayer[];
  readonly nPreActivations: number;
  /** f = dot(lastWeights, relu(last hidden)) + lastBias */
  readonly lastWeights: Float64Array;
  readonly lastBias: number;
}

/** @throws {NsdfFormatError} if the layers' shapes don't chain. */
export function createNetwork(asset: FieldAsset, nInputs: number): Network {
  const { layers, output } = asset;
  if (layers.length === 0) throw new NsdfFormatError('The network has no layer.', { field: 'layers' });
  let width = nInputs;
  layers.forEach((layer, i) => {
    const isRight =
      layer.nIn === width &&
      layer.weights.length === layer.nIn * layer.nOut &&
      (layer.bias === null || layer.bias.length === layer.nOut);
    if (!isRight) {
      throw new NsdfFormatError(
        `Layer ${i} is ${layer.nOut}x${layer.nIn} with ${layer.weights.length} weights and ` +
          `${layer.bias?.length ?? 'no'} biases; expected ${width} inputs and matching lengths.`,
        { field: `layers[${i}]` },
      );
    }
    width = layer.nOut;
  });
  if (!(output.plus < width && (output.minus ?? 0) < width)) {
    throw new NsdfFormatError(
      `The output rule reads out[${output.plus}] and out[${output.minus}], the network has ${width} outputs.`,
      { field: 'output' },
    );
  }
  const hidden = layers.slice(0, -1).map(({ nIn, nOut, weights, bias }) => ({
    nIn,
    nOut,
    weights: Float64Array.from(weights),
    bias: bias === null ? new Float64Array(nOut) : Float64Array.from(bias),
  }));
  return {
    nInputs,
    hidden,
    nPreActivations: hidden.reduce((sum, layer) => sum + layer.nOut, 0),
    ...foldOutput(asset),
  };
}

/** sign * valueScale * (row[plus] - row[minus]) */
function foldOutput({ layers, output, isNegativeInside, valueScale }: FieldAsset): {
  lastWeights: Float64Array;
  lastBias: number;
} {
  const { nIn, weights, bias } = layers[layers.length - 1];
  const factor = isNegativeInside ? valueScale : -valueScale;
  const { plus, minus } = output;
  const lastWeights = Float64Array.from({ length: nIn }, (_, i) => {
    const subtracted = minus === null ? 0 : weights[minus * nIn + i];
    return factor * (weights[plus * nIn + i] - subtracted);
  });
  const subtracted = minus === null ? 0 : (bias?.[minus] ?? 0);
  return { lastWeights, lastBias: factor * ((bias?.[plus] ?? 0) - subtracted) };
}
