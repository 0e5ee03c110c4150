/** Samples of a block: about 40 kB of arrays for the default shape. ../kernel-memory.ts has the same number. */
export const BLOCK: i32 = 64;
/** Bytes of an array over the samples of a block. */
export const ROW: i32 = BLOCK * 4;

/** What a training is made of. ../kernel-memory.ts writes it, field by field in this order, 4 bytes each. */
@unmanaged
export class Training {
  nLevels: i32;
  nLayers: i32;
  nFeatures: i32;
  nEntries: i32;
  levels: usize;
  /** One more than there are layers: the last one has the arrays of the outputs alone. */
  layers: usize;
  /** f64[n * 7], as gradient.ts has them. */
  samples: usize;
  /** f32[nEntries * nFeatures] each: parameters, gradients, Adam's moments. */
  table: usize;
  gradient: usize;
  mean: usize;
  square: usize;
  /** u8[nEntries], and zeros up to a multiple of 16: whether `gradient` has anything there. */
  touched: usize;
  /** A gradient on its way from or to a replica: u32[n] entries, f32[n * nFeatures]. */
  packedEntries: usize;
  packedValues: usize;
  /** f64: the network's parameters and their gradients, as TrainableField lays them out. */
  mlp: usize;
  mlpGradient: usize;
  /** Where in their cells samples are, f32[nLevels * 3][BLOCK]; the cells' first entries, i32[nLevels][BLOCK]. */
  fractions: usize;
  cells: usize;
  /** f32[nInputs * 6][BLOCK]: gradients and mixed second derivatives of the features. */
  derivatives: usize;
  /** f32[4][BLOCK]: distance and normal. */
  targets: usize;
  /** f32[7][BLOCK]: what the loss asks of f, of its gradient, of its mixed derivatives. */
  residuals: usize;
  /** Results of `accumulate`: the sum of |f - d| beside the surface, and of how many samples. */
  errorSum: f32;
  nErrors: i32;
  /** The constants of gradient.ts. */
  normalWeight: f32;
  eikonalWeight: f32;
  curvatureWeight: f32;
  normalReach: f32;
  curvatureReach: f32;
  distanceScale: f32;
  far: f32;
  farShare: f32;
}

@unmanaged
export class Level {
  scale: f32;
  offset: f32;
  resolution: i32;
  firstEntry: i32;
}

@unmanaged
export class Layer {
  nIn: i32;
  nOut: i32;
  /** Indices in `mlp`. */
  weightsAt: i32;
  biasAt: i32;
  /** f32[pad(nOut)][pad(nIn)], f32[pad(nOut)]: in single precision, padded with zeros. */
  weights: usize;
  biases: usize;
  /** f32[pad(nIn)][pad(nOut)], f32[pad(nOut)]: their gradients, of the samples of a call. */
  weightSums: usize;
  biasSums: usize;
  /** f32[pad(nIn)][BLOCK], of what goes in: activations; g h + h' of gradient.ts; slopes of f. */
  values: usize;
  tangents: usize;
  slopes: usize;
}

/** The next multiple of 4: what rows of vectors hold. */
@inline
export function pad(n: i32): i32 {
  return (n + 3) & ~3;
}

@inline
export function levelOf(training: Training, l: i32): Level {
  return changetype<Level>(training.levels + l * offsetof<Level>());
}

@inline
export function layerOf(training: Training, l: i32): Layer {
  return changetype<Layer>(training.layers + l * offsetof<Layer>());
}

/** Address of the samples from `s` on in one of several arrays. */
@inline
export function at(arrays: usize, row: i32, s: i32): usize {
  return arrays + row * ROW + (s << 2);
}

/** `yes` where the mask is set. */
@inline
export function choose(mask: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, mask);
}

@inline
export function madd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}
