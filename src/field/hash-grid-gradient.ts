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
    const level = levels[l];
    const { scale, offset } = level;
    for (let p = 0, i = 0, q = l * F; p < n; p++, i += 3, q += F * levels.length) {
      const px = unit[i] * scale + offset;
      const py = unit[i + 1] * scale + offset;
      const pz = unit[i + 2] * scale + offset;
      const cx = Math.floor(px);
      const cy = Math.floor(py);
      const cz = Math.floor(pz);
      cellOffsets(level, F, cx | 0, cy | 0, cz | 0, offsets);
      addGradient(level, F, offsets, lambda, q, px - cx, py - cy, pz - cz, out, i);
    }
  }
}

/** Adds the gradient at (x, y, z) in a cell of the trilinear function with corner values Σ_k lambda_k feature_k. */
function addGradient(
  level: GridLevel,
  F: number,
  offsets: Int32Array,
  lambda: Float64Array,
  q: number,
  x: number,
  y: number,
  z: number,
  out: Float64Array,
  i: number,
): void {
  const { params, scale } = level;
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
    s0 += factor * params[offsets[0] + k];
    s1 += factor * params[offsets[1] + k];
    s2 += factor * params[offsets[2] + k];
    s3 += factor * params[offsets[3] + k];
    s4 += factor * params[offsets[4] + k];
    s5 += factor * params[offsets[5] + k];
    s6 += factor * params[offsets[6] + k];
    s7 += factor * params[offsets[7] + k];
  }
  const x0 = s1 - s0 + (s3 - s2 - (s1 - s0)) * y;
  const x1 = s5 - s4 + (s7 - s6 - (s5 - s4)) * y;
  out[i] += x0 + (x1 - x0) * z;
  const y0 = s2 - s0 + (s3 - s1 - (s2 - s0)) * x;
  const y1 = s6 - s4 + (s7 - s5 - (s6 - s4)) * x;
  out[i + 1] += y0 + (y1 - y0) * z;
  const z0 = s4 - s0 + (s5 - s1 - (s4 - s0)) * x;
  const z1 = s6 - s2 + (s7 - s3 - (s6 - s2)) * x;
  out[i + 2] += z0 + (z1 - z0) * y;
}
