/**
 * Rows of weighted sums of functions that are given by their 8 corner values:
 * out[row * 8 + c] = bias[row] + Σ_j weights[row * nIn + i_j] * corners[i_j * 8 + c].
 * @param weights f64[nRows * nIn]
 * @param bias f64[nRows], or null for none.
 * @param index i32: the `n` columns i_j that count.
 * @param corners f64[nIn * 8]
 * @param out f64[nRows * 8], overwritten.
 */
export function sumCorners(
  weights: Float64Array,
  bias: Float64Array | null,
  nRows: number,
  nIn: number,
  index: Int32Array,
  n: number,
  corners: Float64Array,
  out: Float64Array,
): void {
  for (let row = 0, from = 0, at = 0; row < nRows; row++, from += nIn, at += 8) {
    let c0 = bias === null ? 0 : bias[row];
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let c4 = c0;
    let c5 = c0;
    let c6 = c0;
    let c7 = c0;
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
}
