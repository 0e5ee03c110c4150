import { Training } from './layout';

/** One bit for each of the 16 entries from `first` on: whether it was touched. Forgets that. */
@inline
function takeTouched(training: Training, first: i32): i32 {
  const flags = training.touched + first;
  const bits = i8x16.bitmask(v128.load(flags));
  if (bits != 0) v128.store(flags, i64x2.splat(0));
  return bits;
}

/**
 * Packs the entries that were touched, in their order, and their gradients, and forgets them.
 * @returns how many there are.
 */
export function pack(training: Training): i32 {
  const nFeatures = training.nFeatures;
  let n = 0;
  let to = training.packedValues;
  for (let first = 0; first < training.nEntries; first += 16) {
    for (let bits = takeTouched(training, first); bits != 0; bits &= bits - 1) {
      const entry = first + ctz(bits);
      store<i32>(training.packedEntries + (n << 2), entry);
      n++;
      let from = training.gradient + ((entry * nFeatures) << 2);
      for (let j = 0; j < nFeatures; j++, from += 4, to += 4) {
        store<f32>(to, load<f32>(from));
        store<f32>(from, 0);
      }
    }
  }
  return n;
}

/** Adds a packed gradient of n entries. */
export function unpack(training: Training, n: i32): void {
  const nFeatures = training.nFeatures;
  let from = training.packedValues;
  for (let i = 0; i < n; i++) {
    const entry = load<i32>(training.packedEntries + (i << 2));
    store<u8>(training.touched + entry, 0xff);
    let to = training.gradient + ((entry * nFeatures) << 2);
    for (let j = 0; j < nFeatures; j++, from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
  }
}

/**
 * Adam's step for the entries that were touched, whose gradients are forgotten then. In double precision and in the order
 * of ../adam.ts, so that it gives the same bits: replicas stay equal, whichever of both they have.
 */
export function stepTable(
  training: Training,
  rate: f64,
  correct2: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
): void {
  const nFeatures = training.nFeatures;
  for (let first = 0; first < training.nEntries; first += 16) {
    for (let bits = takeTouched(training, first); bits != 0; bits &= bits - 1) {
      let i = (first + ctz(bits)) * nFeatures;
      for (const last = i + nFeatures - 1; i < last; i += 2) {
        stepTwo(training, i << 2, rate, correct2, beta1, beta2, epsilon);
      }
      if ((nFeatures & 1) == 1) stepOne(training, i << 2, rate, correct2, beta1, beta2, epsilon);
    }
  }
}

/** Two numbers of an entry, side by side. */
@inline
function stepTwo(
  training: Training,
  offset: usize,
  rate: f64,
  correct2: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
): void {
  const g = f64x2.promote_low_f32x4(v128.load64_zero(training.gradient + offset));
  const oldMean = f64x2.promote_low_f32x4(v128.load64_zero(training.mean + offset));
  const oldSquare = f64x2.promote_low_f32x4(v128.load64_zero(training.square + offset));
  const value = f64x2.promote_low_f32x4(v128.load64_zero(training.table + offset));
  const mean = f64x2.add(
    f64x2.mul(f64x2.splat(beta1), oldMean),
    f64x2.mul(f64x2.splat(1 - beta1), g),
  );
  const square = f64x2.add(
    f64x2.mul(f64x2.splat(beta2), oldSquare),
    f64x2.mul(f64x2.mul(f64x2.splat(1 - beta2), g), g),
  );
  const root = f64x2.sqrt(f64x2.mul(square, f64x2.splat(correct2)));
  const change = f64x2.div(
    f64x2.mul(f64x2.splat(rate), mean),
    f64x2.add(root, f64x2.splat(epsilon)),
  );
  v128.store64_lane(training.mean + offset, f32x4.demote_f64x2_zero(mean), 0);
  v128.store64_lane(training.square + offset, f32x4.demote_f64x2_zero(square), 0);
  v128.store64_lane(training.table + offset, f32x4.demote_f64x2_zero(f64x2.sub(value, change)), 0);
  store<u64>(training.gradient + offset, 0);
}

@inline
function stepOne(
  training: Training,
  offset: usize,
  rate: f64,
  correct2: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
): void {
  const g = <f64>load<f32>(training.gradient + offset);
  const mean = beta1 * <f64>load<f32>(training.mean + offset) + (1 - beta1) * g;
  const square = beta2 * <f64>load<f32>(training.square + offset) + (1 - beta2) * g * g;
  const change = (rate * mean) / (sqrt<f64>(square * correct2) + epsilon);
  store<f32>(training.mean + offset, <f32>mean);
  store<f32>(training.square + offset, <f32>square);
  store<f32>(training.table + offset, <f32>(<f64>load<f32>(training.table + offset) - change));
  store<f32>(training.gradient + offset, 0);
}
