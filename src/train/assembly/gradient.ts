import { at, BLOCK, choose, layerOf, levelOf, madd, pad, ROW, Training } from './layout';
import { addProducts, multiply } from './network';
import { scatter } from './tables';

/** Bytes a sample: position, distance, normal, f64. */
const SAMPLE: i32 = 7 * 8;

/**
 * Adds the gradients of the first n samples: GradientKernel.accumulate of ../gradient.ts, in single precision.
 *
 * Samples lie side by side. Every quantity is an array over the samples of a block, four of them in a vector, so that
 * whatever the network does is a small matrix times such arrays, of any width.
 */
export function accumulate(training: Training, n: i32): void {
  takeWeights(training);
  training.errorSum = 0;
  training.nErrors = 0;
  for (let first = 0; first < n; first += BLOCK) addBlock(training, first, min(BLOCK, n - first));
  giveSums(training);
}

/** The network in single precision; empty sums. */
function takeWeights(training: Training): void {
  for (let l = 0; l < training.nLayers; l++) {
    const to = layerOf(training, l);
    const width = pad(to.nIn);
    for (let row = 0; row < to.nOut; row++) {
      const from = training.mlp + ((to.weightsAt + row * to.nIn) << 3);
      for (let i = 0; i < to.nIn; i++) {
        store<f32>(to.weights + ((row * width + i) << 2), <f32>load<f64>(from + (i << 3)));
      }
      store<f32>(to.biases + (row << 2), <f32>load<f64>(training.mlp + ((to.biasAt + row) << 3)));
    }
    memory.fill(to.weightSums, 0, (width * pad(to.nOut)) << 2);
    memory.fill(to.biasSums, 0, pad(to.nOut) << 2);
  }
}

/** Adds the sums to the network's gradients. */
function giveSums(training: Training): void {
  for (let l = 0; l < training.nLayers; l++) {
    const from = layerOf(training, l);
    for (let row = 0; row < from.nOut; row++) {
      let to = training.mlpGradient + ((from.weightsAt + row * from.nIn) << 3);
      for (let i = 0; i < from.nIn; i++, to += 8) {
        const sum = load<f32>(from.weightSums + ((i * pad(from.nOut) + row) << 2));
        store<f64>(to, load<f64>(to) + <f64>sum);
      }
      to = training.mlpGradient + ((from.biasAt + row) << 3);
      store<f64>(to, load<f64>(to) + <f64>load<f32>(from.biasSums + (row << 2)));
    }
  }
}

/** @param n samples, at most a block. Up to a multiple of 8 the last one is repeated and weighs nothing. */
function addBlock(training: Training, first: i32, n: i32): void {
  const end = (n + 7) & ~7;
  const nLayers = training.nLayers;
  readTargets(training, first, n, end);
  for (let l = 0; l < training.nLevels; l++) {
    locate(training, l, first, n, end);
    encode(training, l, end);
  }
  for (let l = 0; l < nLayers; l++) {
    const layer = layerOf(training, l);
    const out = layerOf(training, l + 1).values;
    const mask = l + 1 < nLayers ? out : 0;
    const stride = pad(layer.nIn);
    multiply(layer.weights, stride, 1, layer.nOut, layer.nIn, layer.values, out, end, layer.biases, 0, mask);
  }
  for (let l = nLayers - 1; l >= 0; l--) {
    const layer = layerOf(training, l);
    const from = layerOf(training, l + 1).slopes;
    const mask = l > 0 ? layer.values : 0;
    multiply(layer.weights, 1, pad(layer.nIn), layer.nIn, layer.nOut, from, layer.slopes, end, 0, 0, mask);
  }
  weigh(training, n, end);
  startTangents(training, end);
  for (let l = 0; l < nLayers; l++) {
    const layer = layerOf(training, l);
    const to = layerOf(training, l + 1);
    // g h + h' obeys the layer as h does, with g times the biases.
    if (l + 1 < nLayers) {
      const g = training.residuals;
      const out = to.tangents;
      const mask = to.values;
      const stride = pad(layer.nIn);
      multiply(layer.weights, stride, 1, layer.nOut, layer.nIn, layer.tangents, out, end, layer.biases, g, mask);
    }
    addProducts(layer, to.slopes, training.residuals, end);
  }
  for (let l = 0; l < training.nLevels; l++) scatter(training, l, end);
}

function readTargets(training: Training, first: i32, n: i32, end: i32): void {
  for (let s = 0; s < end; s++) {
    const from = training.samples + (first + min(s, n - 1)) * SAMPLE + 24;
    for (let k = 0; k < 4; k++) store<f32>(at(training.targets, k, s), <f32>load<f64>(from + (k << 3)));
  }
}

/** Cells, and places in them: in double precision, so that both kernels choose the same cells. */
function locate(training: Training, l: i32, first: i32, n: i32, end: i32): void {
  const level = levelOf(training, l);
  const scale = <f64>level.scale;
  const offset = <f64>level.offset;
  for (let s = 0; s < end; s++) {
    const from = training.samples + (first + min(s, n - 1)) * SAMPLE;
    let entry = 0;
    for (let axis = 2; axis >= 0; axis--) {
      const position = 0.5 * (load<f64>(from + (axis << 3)) + 1) * scale + offset;
      const cell = floor<f64>(position);
      entry = entry * level.resolution + <i32>cell;
      store<f32>(at(training.fractions, l * 3 + axis, s), <f32>(position - cell));
    }
    store<i32>(at(training.cells, l, s), level.firstEntry + entry);
  }
}

/** One number of each of four samples. */
@inline
function gather(a: usize, b: usize, c: usize, d: usize, offset: usize): v128 {
  let lanes = v128.load32_zero(a + offset);
  lanes = v128.load32_lane(b + offset, lanes, 1);
  lanes = v128.load32_lane(c + offset, lanes, 2);
  return v128.load32_lane(d + offset, lanes, 3);
}

/** Features of a level, their gradients and their mixed second derivatives inside the cell. */
function encode(training: Training, l: i32, end: i32): void {
  const level = levelOf(training, l);
  const stepX = training.nFeatures << 2;
  const stepY = stepX * level.resolution;
  const stepZ = stepY * level.resolution;
  const slope = f32x4.splat(0.5 * level.scale);
  const bend = f32x4.mul(slope, slope);
  const values = layerOf(training, 0).values;
  for (let s = 0; s < end; s += 4) {
    const cells = at(training.cells, l, s);
    let a = training.table + load<i32>(cells) * stepX;
    let b = training.table + load<i32>(cells, 4) * stepX;
    let c = training.table + load<i32>(cells, 8) * stepX;
    let d = training.table + load<i32>(cells, 12) * stepX;
    const x = v128.load(at(training.fractions, l * 3, s));
    const y = v128.load(at(training.fractions, l * 3 + 1, s));
    const z = v128.load(at(training.fractions, l * 3 + 2, s));
    for (let k = l * training.nFeatures, last = k + training.nFeatures; k < last; k++) {
      // Along x: values and slopes on the four sides that run along it. Then along y, then along z.
      let low = gather(a, b, c, d, 0);
      const x00 = f32x4.sub(gather(a, b, c, d, stepX), low);
      const f00 = madd(low, x00, x);
      low = gather(a, b, c, d, stepY);
      const x10 = f32x4.sub(gather(a, b, c, d, stepY + stepX), low);
      const f10 = madd(low, x10, x);
      low = gather(a, b, c, d, stepZ);
      const x01 = f32x4.sub(gather(a, b, c, d, stepZ + stepX), low);
      const f01 = madd(low, x01, x);
      low = gather(a, b, c, d, stepZ + stepY);
      const x11 = f32x4.sub(gather(a, b, c, d, stepZ + stepY + stepX), low);
      const f11 = madd(low, x11, x);
      const y0 = f32x4.sub(f10, f00);
      const y1 = f32x4.sub(f11, f01);
      const xy0 = f32x4.sub(x10, x00);
      const xy1 = f32x4.sub(x11, x01);
      const f0 = madd(f00, y0, y);
      const fz = f32x4.sub(madd(f01, y1, y), f0);
      const x0 = madd(x00, xy0, y);
      const xz = f32x4.sub(madd(x01, xy1, y), x0);
      const yz = f32x4.sub(y1, y0);
      v128.store(at(values, k, s), madd(f0, fz, z));
      const to = at(training.derivatives, k * 6, s);
      v128.store(to, f32x4.mul(slope, madd(x0, xz, z)));
      v128.store(to, f32x4.mul(slope, madd(y0, yz, z)), ROW);
      v128.store(to, f32x4.mul(slope, fz), 2 * ROW);
      v128.store(to, f32x4.mul(bend, madd(xy0, f32x4.sub(xy1, xy0), z)), 3 * ROW);
      v128.store(to, f32x4.mul(bend, xz), 4 * ROW);
      v128.store(to, f32x4.mul(bend, yz), 5 * ROW);
      a += 4;
      b += 4;
      c += 4;
      d += 4;
    }
  }
}

/** What the loss asks of f and of its derivatives: GradientKernel.addSample, four samples at a time. */
function weigh(training: Training, n: i32, end: i32): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const scale = f32x4.splat(training.distanceScale);
  const normalWeight = f32x4.splat(training.normalWeight);
  const eikonalWeight = f32x4.splat(training.eikonalWeight);
  const curvatureWeight = f32x4.splat(training.curvatureWeight);
  const inputs = layerOf(training, 0);
  const values = layerOf(training, training.nLayers).values;
  let errorSum = zero;
  let nErrors = i32x4.splat(0);
  for (let s = 0; s < end; s += 4) {
    const isSample = i32x4.lt_s(i32x4.add(i32x4.splat(s), i32x4(0, 1, 2, 3)), i32x4.splat(n));
    const f = v128.load(at(values, 0, s));
    const distance = v128.load(at(training.targets, 0, s));
    const nx = v128.load(at(training.targets, 1, s));
    const ny = v128.load(at(training.targets, 2, s));
    const nz = v128.load(at(training.targets, 3, s));
    const reach = f32x4.abs(distance);
    const error = f32x4.sub(f, distance);
    const isBeside = v128.and(f32x4.lt(reach, scale), isSample);
    errorSum = f32x4.add(errorSum, v128.and(f32x4.abs(error), isBeside));
    nErrors = i32x4.sub(nErrors, isBeside);
    const pull = choose(f32x4.lt(error, zero), f32x4.neg(scale), scale);
    const isInside = f32x4.lt(distance, zero);
    const least = f32x4.mul(f32x4.splat(training.farShare), reach);
    const isWrong = v128.and(
      f32x4.gt(reach, f32x4.splat(training.far)),
      f32x4.lt(choose(isInside, f32x4.neg(f), f), least),
    );
    const full = choose(isInside, one, f32x4.neg(one));
    const slope = choose(isWrong, full, f32x4.div(pull, f32x4.add(reach, scale)));
    let gx = zero;
    let gy = zero;
    let gz = zero;
    let rxy = zero;
    let rxz = zero;
    let ryz = zero;
    for (let k = 0; k < inputs.nIn; k++) {
      const v = v128.load(at(inputs.slopes, k, s));
      const from = at(training.derivatives, k * 6, s);
      gx = madd(gx, v, v128.load(from));
      gy = madd(gy, v, v128.load(from, ROW));
      gz = madd(gz, v, v128.load(from, 2 * ROW));
      rxy = madd(rxy, v, v128.load(from, 3 * ROW));
      rxz = madd(rxz, v, v128.load(from, 4 * ROW));
      ryz = madd(ryz, v, v128.load(from, 5 * ROW));
    }
    const hasNormal = f32x4.ne(v128.or(v128.or(f32x4.abs(nx), f32x4.abs(ny)), f32x4.abs(nz)), zero);
    const isNormal = v128.and(hasNormal, f32x4.lt(reach, f32x4.splat(training.normalReach)));
    const normal = v128.and(normalWeight, isNormal);
    const norm = f32x4.sqrt(madd(madd(f32x4.mul(gx, gx), gy, gy), gz, gz));
    const stretch = f32x4.div(f32x4.mul(eikonalWeight, f32x4.sub(norm, one)), norm);
    const eikonal = v128.and(stretch, f32x4.gt(norm, zero));
    const curvature = v128.and(curvatureWeight, f32x4.lt(reach, f32x4.splat(training.curvatureReach)));
    const to = at(training.residuals, 0, s);
    v128.store(to, v128.and(slope, isSample));
    v128.store(to, v128.and(madd(f32x4.mul(normal, f32x4.sub(gx, nx)), eikonal, gx), isSample), ROW);
    v128.store(to, v128.and(madd(f32x4.mul(normal, f32x4.sub(gy, ny)), eikonal, gy), isSample), 2 * ROW);
    v128.store(to, v128.and(madd(f32x4.mul(normal, f32x4.sub(gz, nz)), eikonal, gz), isSample), 3 * ROW);
    v128.store(to, v128.and(f32x4.mul(curvature, rxy), isSample), 4 * ROW);
    v128.store(to, v128.and(f32x4.mul(curvature, rxz), isSample), 5 * ROW);
    v128.store(to, v128.and(f32x4.mul(curvature, ryz), isSample), 6 * ROW);
  }
  for (let lane = 0; lane < 4; lane++) {
    training.errorSum += f32x4.extract_lane(errorSum, 0);
    training.nErrors += i32x4.extract_lane(nErrors, 0);
    errorSum = v128.shuffle<i32>(errorSum, errorSum, 1, 2, 3, 0);
    nErrors = v128.shuffle<i32>(nErrors, nErrors, 1, 2, 3, 0);
  }
}

/** g φ + φ', where φ' = Σ r·∇φ. */
function startTangents(training: Training, end: i32): void {
  const inputs = layerOf(training, 0);
  for (let s = 0; s < end; s += 4) {
    const r = at(training.residuals, 0, s);
    const g = v128.load(r);
    const rx = v128.load(r, ROW);
    const ry = v128.load(r, 2 * ROW);
    const rz = v128.load(r, 3 * ROW);
    const rxy = v128.load(r, 4 * ROW);
    const rxz = v128.load(r, 5 * ROW);
    const ryz = v128.load(r, 6 * ROW);
    for (let k = 0; k < inputs.nIn; k++) {
      const from = at(training.derivatives, k * 6, s);
      let sum = f32x4.mul(g, v128.load(at(inputs.values, k, s)));
      sum = madd(sum, rx, v128.load(from));
      sum = madd(sum, ry, v128.load(from, ROW));
      sum = madd(sum, rz, v128.load(from, 2 * ROW));
      sum = madd(sum, rxy, v128.load(from, 3 * ROW));
      sum = madd(sum, rxz, v128.load(from, 4 * ROW));
      v128.store(at(inputs.tangents, k, s), madd(sum, ryz, v128.load(from, 5 * ROW)));
    }
  }
}
