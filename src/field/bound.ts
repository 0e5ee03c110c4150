import { toInput } from './frame.ts';
import type { FeatureRanger } from './grid-range.ts';
import type { Network } from './mlp.ts';

type Bounder = (min: ArrayLike<number>, max: ArrayLike<number>) => { lo: number; hi: number };

/** Certified interval of f over boxes, by interval arithmetic. */
export function createBounder(network: Network, ranger: FeatureRanger): Bounder {
  const { nInputs, hidden, lastWeights, lastBias } = network;
  const featureLo = new Float64Array(nInputs);
  const featureHi = new Float64Array(nInputs);
  const isTrilinear = new Uint8Array(nInputs);
  const slack = 1e-9;
  return (min, max) => {
    if (ranger.encoding.kind === 'none') {
      for (let a = 0; a < 3; a++) {
        featureLo[a] = toInput(ranger.frame, a, min[a]);
        featureHi[a] = toInput(ranger.frame, a, max[a]);
      }
    } else ranger.range(min, max, featureLo, featureHi, isTrilinear);
    let lo: Float64Array = featureLo;
    let hi: Float64Array = featureHi;
    hidden.forEach(({ nIn, nOut, weights, bias }, l) => {
      const nextLo = new Float64Array(nOut);
      const nextHi = new Float64Array(nOut);
      for (let row = 0; row < nOut; row++) {
        let a = bias[row];
        let b = a;
        for (let i = 0; i < nIn; i++) {
          const w = weights[row * nIn + i];
          const x = l > 0 ? Math.max(lo[i], 0) : lo[i];
          const y = l > 0 ? Math.max(hi[i], 0) : hi[i];
          a += w > 0 ? w * x : w * y;
          b += w > 0 ? w * y : w * x;
        }
        nextLo[row] = a;
        nextHi[row] = b;
      }
      lo = nextLo;
      hi = nextHi;
    });
    let a = lastBias;
    let b = lastBias;
    for (let i = 0; i < lastWeights.length; i++) {
      const w = lastWeights[i];
      const x = hidden.length > 0 ? Math.max(lo[i], 0) : lo[i];
      const y = hidden.length > 0 ? Math.max(hi[i], 0) : hi[i];
      a += w > 0 ? w * x : w * y;
      b += w > 0 ? w * y : w * x;
    }
    return { lo: a - slack, hi: b + slack };
  };
}
