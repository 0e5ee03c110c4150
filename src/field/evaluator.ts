import type { FieldAsset } from '../format/asset.ts';
import { type DomainFrame, toInputs } from './frame.ts';
import { encodeHashGrid } from './hash-grid.ts';
import { backwardHashGrid } from './hash-grid-gradient.ts';
import type { HiddenLayer, Network } from './mlp.ts';
import { applyLastRow, applyLayer, packLayer, pairInputs, rectify } from './mlp-forward.ts';

/** Points evaluated together: their activations stay in the first-level cache. */
export const BLOCK_SIZE = 64;

/** Forward and backward pass over blocks of at most BLOCK_SIZE points. */
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

export function createEvaluator(
  encoding: FieldAsset['encoding'],
  frame: DomainFrame,
  network: Network,
): Evaluator {
  const { nInputs, hidden, nPreActivations, lastWeights, lastBias } = network;
  const stride = nPreActivations + 1;
  const packed = hidden.map((layer, i) => packLayer(layer, i > 0));
  // After a hidden layer the last row reads 2 relu(z): halved, like every later layer's weights (see PackedLayer).
  const lastPacked = hidden.length > 0 ? lastWeights.map((w) => 0.5 * w) : lastWeights;
  const widest = Math.max(nInputs, ...hidden.map((layer) => layer.nOut));
  const inputs = new Float64Array(BLOCK_SIZE * 3);
  const distance = new Float64Array(BLOCK_SIZE);
  const activations = new Float64Array(BLOCK_SIZE * widest);
  const slopes = [new Float64Array(widest), new Float64Array(widest)];
  const lambda = new Float64Array(BLOCK_SIZE * nInputs);
  const gradients = encoding.kind === 'none' ? lambda : new Float64Array(BLOCK_SIZE * 3);
  const cell = new Int32Array(8);
  let isAnyOutside = false;

  return {
    forward(points, start, n, out, outOffset) {
      isAnyOutside = toInputs(frame, points, start, n, inputs, distance);
      if (encoding.kind === 'none') pairInputs(inputs, n, 3, activations);
      else encodeHashGrid(encoding, inputs, n, activations, cell);
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
      backwardMlp(hidden, lastWeights, n, values, stride, slopes[0], slopes[1], lambda, nInputs);
      if (encoding.kind !== 'none') backwardHashGrid(encoding, inputs, n, lambda, gradients, cell);
      for (let p = 0, i = 0, o = start * 3; p < n; p++) {
        for (let axis = 0; axis < 3; axis++, i++, o++) outGradients[o] = gradients[i] * frame.scale[axis];
      }
      if (isAnyOutside) replaceOutside(frame, points, start, n, distance, outGradients);
    },
  };
}

/**
 * Slopes of f with respect to the network's inputs; relu'(0) = 1.
 * @param values f64, `stride` a point: the pre-activations.
 * @param current f64, scratch, as wide as the widest layer; so is `next`.
 * @param out f64[n * nInputs]
 */
function backwardMlp(
  hidden: readonly HiddenLayer[],
  lastWeights: Float64Array,
  n: number,
  values: Float64Array,
  stride: number,
  current: Float64Array,
  next: Float64Array,
  out: Float64Array,
  nInputs: number,
): void {
  for (let p = 0; p < n; p++) {
    for (let i = 0; i < lastWeights.length; i++) current[i] = lastWeights[i];
    let offset = p * stride + stride - 1;
    for (let l = hidden.length - 1; l >= 0; l--) {
      const { nIn, nOut, weights } = hidden[l];
      offset -= nOut;
      for (let i = 0; i < nIn; i++) next[i] = 0;
      for (let row = 0, w = 0; row < nOut; row++, w += nIn) {
        if (values[offset + row] < 0) continue;
        const factor = current[row];
        for (let i = 0; i < nIn; i++) next[i] += factor * weights[w + i];
      }
      const swapped = current;
      current = next;
      next = swapped;
    }
    for (let i = 0; i < nInputs; i++) out[p * nInputs + i] = current[i];
  }
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
