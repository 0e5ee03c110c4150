import type { FieldAsset } from '../format/asset.ts';
import { type DomainFrame, toInputs } from './frame.ts';
import { backwardHashGrid, encodeHashGrid } from './hash-grid.ts';
import { applyLayer, type Network } from './mlp.ts';

/** Points evaluated together: their activations stay in the first-level cache. */
export const BLOCK_SIZE = 64;

/** Forward and backward pass over blocks of at most BLOCK_SIZE points. */
export interface Evaluator {
  /** Writes nPreActivations + 1 values a point into `out` from `outOffset` on: pre-activations, then f. */
  forward(points: ArrayLike<number>, start: number, n: number, out: Float64Array, outOffset: number): void;
  /** Gradients of the block that `forward` has just written to `values`: outGradients[3 * start ...]. */
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
  const inputs = new Float64Array(BLOCK_SIZE * 3);
  const distance = new Float64Array(BLOCK_SIZE);
  const features = encoding.kind === 'none' ? inputs : new Float64Array(BLOCK_SIZE * nInputs);
  const widest = Math.max(nInputs, ...hidden.map((layer) => layer.nOut));
  const lambda = [new Float64Array(widest), new Float64Array(widest)];
  const gradient = new Float64Array(3);
  let isAnyOutside = false;

  return {
    forward(points, start, n, out, outOffset) {
      isAnyOutside = toInputs(frame, points, start, n, inputs, distance);
      if (encoding.kind !== 'none') encodeHashGrid(encoding, inputs, n, features);
      let source: Float64Array = features;
      let sourceStride = nInputs;
      let sourceOffset = 0;
      let offset = outOffset;
      hidden.forEach((layer, i) => {
        applyLayer(layer, n, source, sourceStride, sourceOffset, i > 0, out, stride, offset);
        source = out;
        sourceStride = stride;
        sourceOffset = offset;
        offset += layer.nOut;
      });
      for (let p = 0; p < n; p++) {
        let sum = lastBias;
        for (let i = 0; i < lastWeights.length; i++) {
          const x = source[p * sourceStride + sourceOffset + i];
          sum += lastWeights[i] * (hidden.length > 0 && x < 0 ? 0 : x);
        }
        out[p * stride + offset] = isAnyOutside ? sum + distance[p] : sum;
      }
    },

    backward(points, start, n, values, outGradients) {
      for (let p = 0; p < n; p++) {
        let current = lambda[0];
        let next = lambda[1];
        current.set(lastWeights);
        let offset = p * stride + nPreActivations;
        for (let l = hidden.length - 1; l >= 0; l--) {
          const { nIn, nOut, weights } = hidden[l];
          offset -= nOut;
          next.fill(0, 0, nIn);
          for (let row = 0; row < nOut; row++) {
            if (!(values[offset + row] >= 0)) continue;
            const factor = current[row];
            for (let i = 0; i < nIn; i++) next[i] += factor * weights[row * nIn + i];
          }
          [current, next] = [next, current];
        }
        if (encoding.kind === 'none') gradient.set(current.subarray(0, 3));
        else backwardHashGrid(encoding, inputs, p, current, gradient);
        for (let axis = 0; axis < 3; axis++) {
          let slope = gradient[axis] * frame.scale[axis];
          if (distance[p] > 0) {
            const at = points[(start + p) * 3 + axis];
            const moved = at - Math.min(Math.max(at, frame.min[axis]), frame.max[axis]);
            if (moved !== 0) slope = moved / distance[p];
          }
          outGradients[(start + p) * 3 + axis] = slope;
        }
      }
    },
  };
}
