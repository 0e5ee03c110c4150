import { at, layerOf, levelOf, madd, ROW, Training } from './layout';

/** Both corners of a pair. */
const TOUCHED: u16 = 0xffff;

/** To every corner of every cell: v_k times the corner's share of value, gradient and mixed derivatives. */
export function scatter(training: Training, l: i32, end: i32): void {
  const level = levelOf(training, l);
  const nFeatures = training.nFeatures;
  const slopes = layerOf(training, 0).slopes;
  const up = f32x4.splat(0.5 * level.scale);
  const one = f32x4.splat(1);
  for (let s = 0; s < end; s += 4) {
    const r = at(training.residuals, 0, s);
    const x = v128.load(at(training.fractions, l * 3, s));
    const y = v128.load(at(training.fractions, l * 3 + 1, s));
    const z = v128.load(at(training.fractions, l * 3 + 2, s));
    const cells = at(training.cells, l, s);
    for (let pair = 0; pair < 4; pair++) {
      const isUpY = (pair & 1) == 1;
      const isUpZ = pair >= 2;
      const wy = isUpY ? y : f32x4.sub(one, y);
      const wz = isUpZ ? z : f32x4.sub(one, z);
      const dy = isUpY ? up : f32x4.neg(up);
      const dz = isUpZ ? up : f32x4.neg(up);
      const wyz = f32x4.mul(wy, wz);
      const dyz = f32x4.mul(dy, wz);
      const wydz = f32x4.mul(wy, dz);
      let along = f32x4.mul(v128.load(r), wyz);
      along = madd(along, v128.load(r, 2 * ROW), dyz);
      along = madd(along, v128.load(r, 3 * ROW), wydz);
      along = madd(along, v128.load(r, 6 * ROW), f32x4.mul(dy, dz));
      let across = f32x4.mul(v128.load(r, ROW), wyz);
      across = madd(across, v128.load(r, 4 * ROW), dyz);
      across = f32x4.mul(up, madd(across, v128.load(r, 5 * ROW), wydz));
      const high = madd(across, x, along);
      const low = f32x4.sub(along, high);
      const step = ((isUpZ ? level.resolution : 0) + (isUpY ? 1 : 0)) * level.resolution;
      addShares(training, cells, step, low, high, at(slopes, l * nFeatures, s));
    }
  }
}

/** Adds shares of a pair of corners along x times the slopes by the features; notes both corners. */
function addShares(training: Training, cells: usize, step: i32, low: v128, high: v128, slopes: usize): void {
  const nFeatures = training.nFeatures;
  const stride = nFeatures << 2;
  const a = load<i32>(cells) + step;
  const b = load<i32>(cells, 4) + step;
  const c = load<i32>(cells, 8) + step;
  const d = load<i32>(cells, 12) + step;
  const touched = training.touched;
  store<u16>(touched + a, TOUCHED);
  store<u16>(touched + b, TOUCHED);
  store<u16>(touched + c, TOUCHED);
  store<u16>(touched + d, TOUCHED);
  const gradient = training.gradient;
  if (nFeatures == 2) {
    // Both corners' gradients are four numbers in a row.
    const v0 = v128.load(slopes);
    const v1 = v128.load(slopes, ROW);
    const low0 = f32x4.mul(low, v0);
    const low1 = f32x4.mul(low, v1);
    const high0 = f32x4.mul(high, v0);
    const high1 = f32x4.mul(high, v1);
    const lowAB = v128.shuffle<i32>(low0, low1, 0, 4, 1, 5);
    const lowCD = v128.shuffle<i32>(low0, low1, 2, 6, 3, 7);
    const highAB = v128.shuffle<i32>(high0, high1, 0, 4, 1, 5);
    const highCD = v128.shuffle<i32>(high0, high1, 2, 6, 3, 7);
    addFour(gradient + (a << 3), v128.shuffle<i64>(lowAB, highAB, 0, 2));
    addFour(gradient + (b << 3), v128.shuffle<i64>(lowAB, highAB, 1, 3));
    addFour(gradient + (c << 3), v128.shuffle<i64>(lowCD, highCD, 0, 2));
    addFour(gradient + (d << 3), v128.shuffle<i64>(lowCD, highCD, 1, 3));
    return;
  }
  for (let j = 0; j < nFeatures; j++, slopes += ROW) {
    const v = v128.load(slopes);
    const to = gradient + (j << 2);
    let sums = f32x4.mul(low, v);
    for (let corner = 0; corner < 2; corner++) {
      addOne(to + (a + corner) * stride, f32x4.extract_lane(sums, 0));
      addOne(to + (b + corner) * stride, f32x4.extract_lane(sums, 1));
      addOne(to + (c + corner) * stride, f32x4.extract_lane(sums, 2));
      addOne(to + (d + corner) * stride, f32x4.extract_lane(sums, 3));
      sums = f32x4.mul(high, v);
    }
  }
}

@inline
function addOne(to: usize, x: f32): void {
  store<f32>(to, load<f32>(to) + x);
}

@inline
function addFour(to: usize, x: v128): void {
  v128.store(to, f32x4.add(v128.load(to), x));
}
