import { NsdfUnsupportedError } from '../../errors.ts';
import { defineStruct } from '../../gpu/struct.ts';
import type { TrainableField } from '../trainable-field.ts';

/** A level of the grid: cells an axis and where they begin, entries an axis, and its first entry in the table. */
export const LEVEL = defineStruct('TrainLevel', {
  scale: 'f32',
  offset: 'f32',
  resolution: 'u32',
  firstEntry: 'u32',
});
/** A layer: its widths, where its weights and biases start, and its first input among the values of all layers. */
export const LAYER = defineStruct('TrainLayer', {
  nIn: 'u32',
  nOut: 'u32',
  weightsAt: 'u32',
  biasAt: 'u32',
  inputsAt: 'u32',
});

/** Samples that one invocation of `sumProducts` sums over; their sums are summed in order. */
export const CHUNK_SAMPLES = 64;
/** Samples a step: with more, the fixed point of table gradients would be too coarse (see `fixedPoint`). */
const MAX_SAMPLES = 65_536;
/** Numbers that an invocation may keep: 4 KiB, which GPUs hold in registers or near them. Not measured on one. */
const MAX_PRIVATE = 1024;
/** Sums that no parameter has: errors beside the surface, and their number. */
export const N_ERRORS = 2;

/** How many of what a training has; what depends on it is written into the kernels, or bound. */
export interface TrainShape {
  readonly nLevels: number;
  readonly nFeatures: number;
  /** Of the network: features of all levels. */
  readonly nInputs: number;
  readonly nLayers: number;
  /** Inputs and neurons of all layers, the output last. */
  readonly nValues: number;
  /** Numbers that a sample leaves for the network's gradients; see {@link productsOf}. */
  readonly nTraces: number;
}

/**
 * @throws {NsdfUnsupportedError} if an invocation would have to keep too much, or a batch is too large.
 */
export function trainShapeOf(field: TrainableField, batchSize: number): TrainShape {
  const { layers, levels, shape } = field;
  const nInputs = layers[0].nIn;
  const nValues = layers.reduce((n, { nOut }) => n + nOut, nInputs);
  // Values, slopes and tangents; a gradient and mixed derivatives a feature, which take vec3s; cell and place in it a level.
  const nPrivate = 3 * nValues + 8 * nInputs + 5 * levels.length;
  if (nPrivate > MAX_PRIVATE) {
    const found = `The network has ${nValues} inputs and neurons: ${nPrivate} numbers a sample`;
    throw new NsdfUnsupportedError('gpu-training-size', `${found}; the GPU trains up to ${MAX_PRIVATE}.`);
  }
  if (batchSize > MAX_SAMPLES) {
    const found = `The batch has ${batchSize} samples`;
    throw new NsdfUnsupportedError('gpu-training-batch', `${found}; the GPU trains up to ${MAX_SAMPLES}.`);
  }
  const nNeurons = nValues - nInputs;
  return {
    nLevels: levels.length,
    nFeatures: shape.nFeaturesPerLevel,
    nInputs,
    nLayers: layers.length,
    nValues,
    nTraces: nValues - 1 + nNeurons + 3,
  };
}

/** WGSL: the shape as constants. */
export function shapeWgsl(shape: TrainShape): string {
  return `
const N_LEVELS = ${shape.nLevels}u;
const N_FEATURES = ${shape.nFeatures}u;
const N_INPUTS = ${shape.nInputs}u;
const N_LAYERS = ${shape.nLayers}u;
const N_VALUES = ${shape.nValues}u;
const N_TRACES = ${shape.nTraces}u;
`;
}

export function packLevels({ levels, entriesAt }: TrainableField): ArrayBuffer {
  return LEVEL.pack(
    ...levels.map(({ scale, offset, resolution }, l) => ({
      scale,
      offset,
      resolution,
      firstEntry: entriesAt[l],
    })),
  );
}

export function packLayers({ layers }: TrainableField): ArrayBuffer {
  let inputsAt = 0;
  return LAYER.pack(
    ...layers.map((layer) => {
      const packed = { ...layer, inputsAt };
      inputsAt += layer.nIn;
      return packed;
    }),
  );
}

/**
 * The gradient of every parameter of the network, and the errors after them, as sums over the samples of products of two of
 * the numbers that a sample leaves. Those are, in this order: slope h + h' of every layer's inputs; δ of every neuron, the output's is 1;
 * the slope; |f - d| beside the surface, else 0; 1 beside it, else 0.
 * @returns u32[(parameters + N_ERRORS) * 2]
 */
export function productsOf(
  { layers }: TrainableField,
  { nValues, nInputs, nTraces }: TrainShape,
): Uint32Array {
  const [slope, error, isNear] = [3, 2, 1].map((n) => nTraces - n);
  const pairs: number[] = [];
  let inputsAt = 0;
  let deltasAt = nValues - 1;
  for (const { nIn, nOut } of layers) {
    for (let row = 0; row < nOut; row++) {
      for (let i = 0; i < nIn; i++) pairs.push(deltasAt + row, inputsAt + i);
    }
    for (let row = 0; row < nOut; row++) pairs.push(deltasAt + row, slope);
    inputsAt += nIn;
    deltasAt += nOut;
  }
  if (deltasAt !== nValues - 1 + nValues - nInputs)
    throw new RangeError('a layer has other inputs than outputs');
  return Uint32Array.from([...pairs, error, isNear, isNear, isNear]);
}

/** Gradients of tables in fixed point: two integers, in units that are powers of two. */
export interface FixedPoint {
  /** Of the first integer, and of the second, which has what that leaves. */
  readonly highUnit: number;
  readonly lowUnit: number;
}

/** What one sample may add to the gradient of an entry, at most; beyond, it is cut off. With the default weights it is about 1. */
export const MAX_SHARE = 512;

/**
 * Units in which no sum overflows, whatever the samples are: an entry is a corner of at most one cell for each sample, so that it gets
 * at most `batchSize` shares of at most MAX_SHARE. At 4,096 samples: 2⁻⁹ and 2⁻²⁷, so that f32 itself rounds more coarsely all that is above
 * an eighth.
 */
export function fixedPoint(batchSize: number): FixedPoint {
  const bits = Math.ceil(Math.log2(batchSize));
  const highUnit = MAX_SHARE * 2 ** (bits - 30);
  return { highUnit, lowUnit: highUnit * 2 ** (bits - 30) };
}
