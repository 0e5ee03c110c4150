import type { BoxEncoder } from './box-encoder.ts';
import { LayerBounds, sumError } from './layer-bounds.ts';
import type { Network } from './mlp.ts';

/** Encloses f over boxes. */
export type Bounder = (min: ArrayLike<number>, max: ArrayLike<number>) => { lo: number; hi: number };

/**
 * Certified interval of f over a box. The first layer's pre-activations are trilinear, so any linear combination of
 * them is extreme at the corners. Bounds pass forward through the hidden layers as pairs of functions of that kind
 * (layer-bounds.ts), intersected with interval arithmetic; then f is bounded backward, its coefficients collected on the
 * first layer and evaluated at the corners.
 * @see Zhang et al. 2018 (CROWN). Departs: hidden layers are bounded forward (for two layers that is the same, for more
 * it costs L n² instead of L² n³); the input set is a box of trilinear functions, not of coordinates.
 */
export function createBounder(network: Network, encoder: BoxEncoder): Bounder {
  const { nInputs, hidden, lastWeights, lastBias } = network;
  const corners = new Float64Array(nInputs * 8);
  const radius = new Float64Array(nInputs);
  const layers = hidden.map((layer) => new LayerBounds(layer));
  const lastLayer = layers.at(-1);
  const firstSlack = hidden.length > 0 ? inputSlack(hidden[0].weights, hidden[0].bias, encoder) : undefined;
  const biasOfF = Float64Array.of(lastBias);
  // Without a hidden layer this stays; otherwise it is overwritten for every box.
  const slackOfF = lastLayer === undefined ? inputSlack(lastWeights, biasOfF, encoder) : new Float64Array(1);
  const intervalLo = new Float64Array(1);
  const intervalHi = new Float64Array(1);
  const widest = Math.max(nInputs, ...hidden.map((layer) => layer.nOut));
  const lambda = new Float64Array(widest);
  const next = new Float64Array(widest);
  const all = Int32Array.from({ length: widest }, (_, i) => i);
  const scratch = new Float64Array(8);

  /** Lower bound of sign * f, without the slack of the last row. */
  const backward = (sign: 1 | -1): number => {
    let current = lambda;
    let other = next;
    let constant = sign * lastBias;
    for (let i = 0; i < lastWeights.length; i++) current[i] = sign * lastWeights[i];
    for (let l = layers.length - 1; l >= 0; l--) {
      constant += layers[l].passBack(current);
      // z itself is known at the corners then: no need to go back to the inputs.
      if (l === 0 && layers[0].isExact) return constant + layers[0].leastAtCorners(current, all, scratch);
      constant += layers[l].passThroughWeights(current, other);
      const swapped = current;
      current = other;
      other = swapped;
    }
    return constant + leastOverInputs(current, corners, radius, nInputs);
  };

  return (min, max) => {
    encoder.encode(min, max, corners, radius);
    if (lastLayer === undefined || firstSlack === undefined) {
      return { lo: backward(1) - slackOfF[0], hi: slackOfF[0] - backward(-1) };
    }
    layers[0].encloseFirst(corners, radius, firstSlack, all);
    for (let l = 1; l < layers.length; l++) layers[l].encloseAfter(layers[l - 1]);
    lastLayer.intervals(lastWeights, biasOfF, intervalLo, intervalHi, slackOfF);
    return {
      lo: Math.max(intervalLo[0], backward(1)) - slackOfF[0],
      hi: Math.min(intervalHi[0], -backward(-1)) + slackOfF[0],
    };
  };
}

/** By how much rounding can move W input + b: f64[rows]. */
function inputSlack(weights: Float64Array, bias: Float64Array, encoder: BoxEncoder): Float64Array {
  const { magnitude, roundingError } = encoder;
  const n = magnitude.length;
  const relative = sumError(n);
  return bias.map((b, row) => {
    let sum = relative * Math.abs(b);
    for (let i = 0; i < n; i++) {
      sum += Math.abs(weights[row * n + i]) * (roundingError[i] + relative * magnitude[i]);
    }
    return sum;
  });
}

/** min over the corners of Σ lambda_i T_i, less Σ |lambda_i| radius_i. */
function leastOverInputs(
  lambda: Float64Array,
  corners: Float64Array,
  radius: Float64Array,
  nInputs: number,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let c = 0; c < 8; c++) {
    let sum = 0;
    for (let i = 0; i < nInputs; i++) sum += lambda[i] * corners[i * 8 + c];
    least = Math.min(least, sum);
  }
  for (let i = 0; i < nInputs; i++) least -= Math.abs(lambda[i]) * radius[i];
  return least;
}
