import type { GridLevel, HashGridEncoding } from '../format/asset.ts';
import { cellOffsets } from './hash-grid.ts';

/**
 * Gradients, with respect to the unit cube's coordinates, of Σ lambda[i] * feature[i].
 * @param unit f64[3n], in the unit cube.
 * @param lambda f64[n*L*F], point-major.
 * @param out f64[3n], overwritten.
 * @param offsets i32[8], scratch.
 */
export function backwardHashGrid(
  encoding: HashGridEncoding,
  unit: Float64Array,
  n: number,
  lambda: Float64Array,
  out: Float64Array,
  offsets: Int32Array,
): void {
  const { nFeaturesPerLevel: F, levels } = encoding;
  out.fill(0, 0, n * 3);
  for (let l = 0; l < levels.length; l++) {
    addLevelGradients(levels[l], F, unit, n, lambda, F * levels.length, l * F, out, offsets);
  }
}

/**
 * In its cell, Σ_k lambda_k feature_k is one trilinear function with corner values s_c. The features share
 * the corners; the gradient is that of the interpolant. No function is called with a double: that would allocate.
 */
function addLevelGradients(
  level: GridLevel,
  F: number,
  unit: Float64Array,
  n: number,
  lambda: Float64Array,
  stride: number,
  offset: number,
  out: Float64Array,
  offsets: Int32Array,
): void {
  const { params, scale, offset: shift } = level;
  for (let p = 0, i = 0, q = offset; p < n; p++, i += 3, q += stride) {
    const px = unit[i] * scale + shift;
    const py = unit[i + 1] * scale + shift;
    const pz = unit[i + 2] * scale + shift;
    const cx = Math.floor(px);
    const cy = Math.floor(py);
    const cz = Math.floor(pz);
    cellOffsets(level, F, cx | 0, cy | 0, cz | 0, offsets);
    const e0 = offsets[0];
    const e1 = offsets[1];
    const e2 = offsets[2];
    const e3 = offsets[3];
    const e4 = offsets[4];
    const e5 = offsets[5];
    const e6 = offsets[6];
    const e7 = offsets[7];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    let s5 = 0;
    let s6 = 0;
    let s7 = 0;
    for (let k = 0; k < F; k++) {
      const factor = lambda[q + k] * scale;
      s0 += factor * params[e0 + k];
      s1 += factor * params[e1 + k];
      s2 += factor * params[e2 + k];
      s3 += factor * params[e3 + k];
      s4 += factor * params[e4 + k];
      s5 += factor * params[e5 + k];
      s6 += factor * params[e6 + k];
      s7 += factor * params[e7 + k];
    }
    const x = px - cx;
    const y = py - cy;
    const z = pz - cz;
    const dx0 = s1 - s0 + (s3 - s2 - (s1 - s0)) * y;
    const dx1 = s5 - s4 + (s7 - s6 - (s5 - s4)) * y;
    out[i] += dx0 + (dx1 - dx0) * z;
    const dy0 = s2 - s0 + (s3 - s1 - (s2 - s0)) * x;
    const dy1 = s6 - s4 + (s7 - s5 - (s6 - s4)) * x;
    out[i + 1] += dy0 + (dy1 - dy0) * z;
    const dz0 = s4 - s0 + (s5 - s1 - (s4 - s0)) * x;
    const dz1 = s6 - s2 + (s7 - s3 - (s6 - s2)) * x;
    out[i + 2] += dz0 + (dz1 - dz0) * y;
  }
}
