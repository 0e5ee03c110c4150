import { at, Layer, madd, pad, ROW } from './layout';

/**
 * out = W in, four rows and eight samples at a time.
 * @param rowStride, columnStride of W, in numbers: the layer's matrix or its transpose.
 * @param biases what each row starts with; 0: nothing.
 * @param factors of the biases, a sample each; 0: 1.
 * @param mask `out` is 0 where this is not positive; 0: nowhere. `out` itself makes a ReLU.
 */
export function multiply(
  weights: usize,
  rowStride: i32,
  columnStride: i32,
  nRows: i32,
  nColumns: i32,
  inputs: usize,
  out: usize,
  end: i32,
  biases: usize,
  factors: usize,
  mask: usize,
): void {
  const step = rowStride << 2;
  const stride = columnStride << 2;
  for (let row = 0; row < nRows; row += 4, weights += step << 2) {
    for (let s = 0; s < end; s += 8) {
      let a0 = f32x4.splat(0);
      let b0 = a0;
      let c0 = a0;
      let d0 = a0;
      if (biases != 0) {
        const bias = biases + (row << 2);
        a0 = v128.load32_splat(bias);
        b0 = v128.load32_splat(bias, 4);
        c0 = v128.load32_splat(bias, 8);
        d0 = v128.load32_splat(bias, 12);
      }
      let a1 = a0;
      let b1 = b0;
      let c1 = c0;
      let d1 = d0;
      if (factors != 0) {
        const first = v128.load(factors + (s << 2));
        const second = v128.load(factors + (s << 2), 16);
        a0 = f32x4.mul(a0, first);
        b0 = f32x4.mul(b0, first);
        c0 = f32x4.mul(c0, first);
        d0 = f32x4.mul(d0, first);
        a1 = f32x4.mul(a1, second);
        b1 = f32x4.mul(b1, second);
        c1 = f32x4.mul(c1, second);
        d1 = f32x4.mul(d1, second);
      }
      let from = inputs + (s << 2);
      let w = weights;
      for (let i = 0; i < nColumns; i++, from += ROW, w += stride) {
        const x0 = v128.load(from);
        const x1 = v128.load(from, 16);
        const wa = v128.load32_splat(w);
        const wb = v128.load32_splat(w + step);
        const wc = v128.load32_splat(w + 2 * step);
        const wd = v128.load32_splat(w + 3 * step);
        a0 = madd(a0, wa, x0);
        a1 = madd(a1, wa, x1);
        b0 = madd(b0, wb, x0);
        b1 = madd(b1, wb, x1);
        c0 = madd(c0, wc, x0);
        c1 = madd(c1, wc, x1);
        d0 = madd(d0, wd, x0);
        d1 = madd(d1, wd, x1);
      }
      const to = at(out, row, s);
      v128.store(to, a0);
      v128.store(to, a1, 16);
      v128.store(to, b0, ROW);
      v128.store(to, b1, ROW + 16);
      v128.store(to, c0, 2 * ROW);
      v128.store(to, c1, 2 * ROW + 16);
      v128.store(to, d0, 3 * ROW);
      v128.store(to, d1, 3 * ROW + 16);
      if (mask == 0) continue;
      const signs = at(mask, row, s);
      for (let k = 0; k < 4 * ROW; k += ROW) {
        cut(to + k, signs + k);
        cut(to + k + 16, signs + k + 16);
      }
    }
  }
}

/** Four numbers become 0 where `signs` are not positive. */
@inline
function cut(numbers: usize, signs: usize): void {
  const isPositive = f32x4.gt(v128.load(signs), f32x4.splat(0));
  v128.store(numbers, v128.and(v128.load(numbers), isPositive));
}

/**
 * Adds a layer's gradients: of W, the products of the slopes by its outputs and of g h + h', summed over the samples;
 * of its biases, those of the slopes and g.
 */
export function addProducts(layer: Layer, slopes: usize, g: usize, end: i32): void {
  const nRows = pad(layer.nOut);
  for (let row = 0; row < layer.nOut; row += 4) {
    const rows = at(slopes, row, 0);
    const to = layer.weightSums + (row << 2);
    for (let i = 0; i < layer.nIn; i += 2) {
      addPair(rows, at(layer.tangents, i, 0), end, to + ((i * nRows) << 2), nRows << 2);
    }
    addColumn(rows, g, end, layer.biasSums + (row << 2));
  }
}

/** Products of four rows with two inputs; beside the last of an odd number of inputs is padding, of zeros. */
function addPair(rows: usize, inputs: usize, end: i32, to: usize, stride: i32): void {
  let a0 = f32x4.splat(0);
  let b0 = a0;
  let c0 = a0;
  let d0 = a0;
  let a1 = a0;
  let b1 = a0;
  let c1 = a0;
  let d1 = a0;
  for (let s = 0; s < end; s += 4, rows += 16, inputs += 16) {
    const x0 = v128.load(inputs);
    const x1 = v128.load(inputs, ROW);
    const a = v128.load(rows);
    const b = v128.load(rows, ROW);
    const c = v128.load(rows, 2 * ROW);
    const d = v128.load(rows, 3 * ROW);
    a0 = madd(a0, a, x0);
    a1 = madd(a1, a, x1);
    b0 = madd(b0, b, x0);
    b1 = madd(b1, b, x1);
    c0 = madd(c0, c, x0);
    c1 = madd(c1, c, x1);
    d0 = madd(d0, d, x0);
    d1 = madd(d1, d, x1);
  }
  v128.store(to, f32x4.add(v128.load(to), totals(a0, b0, c0, d0)));
  v128.store(to + stride, f32x4.add(v128.load(to + stride), totals(a1, b1, c1, d1)));
}

function addColumn(rows: usize, g: usize, end: i32, to: usize): void {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let s = 0; s < end; s += 4, rows += 16, g += 16) {
    const x = v128.load(g);
    a = madd(a, v128.load(rows), x);
    b = madd(b, v128.load(rows, ROW), x);
    c = madd(c, v128.load(rows, 2 * ROW), x);
    d = madd(d, v128.load(rows, 3 * ROW), x);
  }
  v128.store(to, f32x4.add(v128.load(to), totals(a, b, c, d)));
}

/** The sum of each vector's four numbers. */
@inline
function totals(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  const ab = f32x4.add(ab0, ab1);
  const cd = f32x4.add(cd0, cd1);
  return f32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}
