/**
 * Weighted sums of functions given by their 8 corner values:
 * out[at + c] = bias + Σ_j weights[from + index[j]] * corners[index[j] * 8 + c].
 * @param index i32, `n` of them.
 */
export function addCorners(
  weights: Float64Array,
  from: number,
  index: Int32Array,
  n: number,
  corners: Float64Array,
  bias: number,
  out: Float64Array,
  at: number,
): void {
  let c0 = bias;
  let c1 = bias;
  let c2 = bias;
  let c3 = bias;
  let c4 = bias;
  let c5 = bias;
  let c6 = bias;
  let c7 = bias;
  for (let j = 0; j < n; j++) {
    const i = index[j];
    const w = weights[from + i];
    const k = i * 8;
    c0 += w * corners[k];
    c1 += w * corners[k + 1];
    c2 += w * corners[k + 2];
    c3 += w * corners[k + 3];
    c4 += w * corners[k + 4];
    c5 += w * corners[k + 5];
    c6 += w * corners[k + 6];
    c7 += w * corners[k + 7];
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
  out[at + 4] = c4;
  out[at + 5] = c5;
  out[at + 6] = c6;
  out[at + 7] = c7;
}

/** The same with |weights| and without a bias: how spreads add up. */
export function addCornersAbsolute(
  weights: Float64Array,
  from: number,
  index: Int32Array,
  n: number,
  corners: Float64Array,
  out: Float64Array,
  at: number,
): void {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let c4 = 0;
  let c5 = 0;
  let c6 = 0;
  let c7 = 0;
  for (let j = 0; j < n; j++) {
    const i = index[j];
    const w = Math.abs(weights[from + i]);
    const k = i * 8;
    c0 += w * corners[k];
    c1 += w * corners[k + 1];
    c2 += w * corners[k + 2];
    c3 += w * corners[k + 3];
    c4 += w * corners[k + 4];
    c5 += w * corners[k + 5];
    c6 += w * corners[k + 6];
    c7 += w * corners[k + 7];
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
  out[at + 4] = c4;
  out[at + 5] = c5;
  out[at + 6] = c6;
  out[at + 7] = c7;
}
