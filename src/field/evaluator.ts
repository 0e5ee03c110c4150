import { type Encoder, MOST_POINTS } from './encoder.ts';
import { type DomainFrame, toInputs } from './frame.ts';
import type { HiddenLayer, Network, PackedLayer } from './mlp.ts';
import { applyLastRow, applyLayer, packLayer, rectify } from './mlp.ts';

/** Forward and backward pass over blocks of at most `MOST_POINTS` points. */
export interface Evaluator {
  /** Writes nPreActivations + 1 values a point into `out` from `outOffset` on: pre-activations, then f. */
  forward(points: ArrayLike<number>, start: number, n: number, out: Float64Array, outOffset: number): void;
  /** Gradients of the block that `forward` has just written to `values` (from 0 on): outGradients[3 * start ...]. */
  backward(
    points: ArrayLike<number>,
    start: number,
    n: number,
    values: Float64Array,
    outGradients: Float32Array | Float64Array,
  ): void;
}

export function createEvaluator(encoder: Encoder, frame: DomainFrame, network: Network): Evaluator {
  const { nInputs, hidden, nPreActivations, lastWeights, lastBias } = network;
  const stride = nPreActivations + 1;
  const packed = hidden.map((layer, i) => packLayer(layer, i > 0));
  // After a hidden layer the last row reads 2 relu(z): halved, like every later layer's weights (see PackedLayer).
  const lastPacked = hidden.length > 0 ? lastWeights.map((w) => 0.5 * w) : lastWeights;
  const widest = Math.max(nInputs, ...hidden.map((layer) => layer.nOut));
  const inputs = new Float64Array(MOST_POINTS * 3);
  const distance = new Float64Array(MOST_POINTS);
  const activations = new Float64Array(MOST_POINTS * widest);
  const transposed = hidden.map((layer) => packLayer(transpose(layer), false));
  const slopes = new Float64Array(MOST_POINTS * widest);
  let isAnyOutside = false;

  return {
    forward(points, start, n, out, outOffset) {
      isAnyOutside = toInputs(frame, points, start, n, inputs, distance);
      encoder.encode(inputs, n, activations);
      let offset = outOffset;
      for (let l = 0; l < packed.length; l++) {
        applyLayer(packed[l], n, activations, out, stride, offset);
        rectify(out, stride, offset, n, packed[l].nOut, activations);
        offset += packed[l].nOut;
      }
      applyLastRow(lastPacked, lastBias, n, activations, out, stride, offset);
      if (isAnyOutside) for (let p = 0; p < n; p++) out[offset + p * stride] += distance[p];
    },

    backward(points, start, n, values, outGradients) {
      backwardMlp(transposed, lastWeights, n, values, stride, activations, slopes);
      const gradients = encoder.backward(inputs, n, slopes);
      for (let p = 0, i = 0, o = start * 3; p < n; p++) {
        for (let axis = 0; axis < 3; axis++, i++, o++) outGradients[o] = gradients[i] * frame.scale[axis];
      }
      if (isAnyOutside) replaceOutside(frame, points, start, n, distance, outGradients);
    },
  };
}

/**
 * Slopes of f with respect to the network's inputs; relu'(0) = 1.
 * @param transposed of each hidden layer, its weights transposed: slopes go back through them like values forward.
 * @param values f64, `stride` a point: the pre-activations.
 * @param paired f64, scratch in paired layout.
 * @param slopes f64, the widest layer a point: scratch; on return nInputs a point.
 */
function backwardMlp(
  transposed: readonly PackedLayer[],
  lastWeights: Float64Array,
  n: number,
  values: Float64Array,
  stride: number,
  paired: Float64Array,
  slopes: Float64Array,
): void {
  let width = lastWeights.length;
  for (let p = 0, o = 0; p < n; p++) for (let i = 0; i < width; i++) slopes[o++] = lastWeights[i];
  let offset = stride - 1;
  for (let l = transposed.length - 1; l >= 0; l--) {
    offset -= width;
    for (let p = 0, s = 0; p < n; p++) {
      const z = offset + p * stride;
      for (let i = 0, o = (p >> 1) * width * 2 + (p & 1); i < width; i++, s++, o += 2) {
        paired[o] = values[z + i] < 0 ? 0 : slopes[s];
      }
    }
    width = transposed[l].nOut;
    applyLayer(transposed[l], n, paired, slopes, width, 0);
  }
}

/** The layer's weights transposed, no bias. */
function transpose({ nIn, nOut, weights }: HiddenLayer): HiddenLayer {
  const transposed = new Float64Array(nIn * nOut);
  for (let row = 0; row < nOut; row++) {
    for (let i = 0; i < nIn; i++) transposed[i * nOut + row] = weights[row * nIn + i];
  }
  return { nIn: nOut, nOut: nIn, weights: transposed, bias: new Float64Array(nIn) };
}

/** Outside the domain f(q) + |p - q| grows along p - q on the clamped axes; f(q) alone varies along the others. */
function replaceOutside(
  frame: DomainFrame,
  points: ArrayLike<number>,
  start: number,
  n: number,
  distance: Float64Array,
  outGradients: Float32Array | Float64Array,
): void {
  for (let p = 0; p < n; p++) {
    if (!(distance[p] > 0)) continue;
    for (let axis = 0; axis < 3; axis++) {
      const i = (start + p) * 3 + axis;
      const moved = points[i] - Math.min(Math.max(points[i], frame.min[axis]), frame.max[axis]);
      if (moved !== 0) outGradients[i] = moved / distance[p];
    }
  }
}
