import {
  CURVATURE_REACH,
  DISTANCE_SCALE,
  FAR,
  FAR_SHARE,
  type LossWeights,
  NORMAL_REACH,
  SAMPLE_STRIDE,
} from './gradient.ts';
import type { TrainableField } from './trainable-field.ts';

/** Samples of a block, and bytes of an array over them: those of assembly/layout.ts. */
const BLOCK = 64;
const ROW = BLOCK * 4;
/** Samples that are handed over at a time. */
export const SAMPLES_AT_ONCE = 2048;

const PAGE = 65_536;
/** Linear memory ends there. */
const MAX_PAGES = 65_536;
/** Bytes a vector. */
const ALIGNMENT = 16;
/** 4-byte fields of the classes in assembly/layout.ts. */
const TRAINING_FIELDS = 31;
const LEVEL_FIELDS = 4;
const LAYER_FIELDS = 11;

/** Where things are in the memory of the WebAssembly kernel, in bytes. */
export interface KernelMemory {
  readonly memory: WebAssembly.Memory;
  /** The `Training` of assembly/layout.ts. */
  readonly training: number;
  readonly samples: Float64Array;
  readonly table: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  readonly packedEntries: Uint32Array;
  readonly packedValues: Float32Array;
  readonly mlp: Float64Array;
  readonly mlpGradient: Float64Array;
  /** f32[1] and i32[1]: results of `accumulate`. */
  readonly errorSum: Float32Array;
  readonly nErrors: Int32Array;
}

/** The next multiple of 4. */
const pad = (n: number): number => (n + 3) & ~3;

/**
 * Lays out the memory of a training and writes what it is made of, as assembly/layout.ts reads it.
 * @throws {RangeError} if there is no such memory.
 */
export function layOutMemory(field: TrainableField, weights: LossWeights): KernelMemory {
  const { levels, layers, shape, table, mlp, entriesAt } = field;
  const F = shape.nFeaturesPerLevel;
  const nEntries = table.length / F;
  let end = ALIGNMENT; // 0 is nowhere
  const take = (bytes: number): number => {
    const at = end;
    end = Math.ceil((end + bytes) / ALIGNMENT) * ALIGNMENT;
    return at;
  };
  const training = take(TRAINING_FIELDS * 4);
  const levelsAt = take(levels.length * LEVEL_FIELDS * 4);
  const layersAt = take((layers.length + 1) * LAYER_FIELDS * 4);
  const samples = take(SAMPLES_AT_ONCE * SAMPLE_STRIDE * 8);
  const [tableAt, gradient, mean, square] = [0, 1, 2, 3].map(() => take(table.length * 4));
  const touched = take(nEntries);
  const packedEntries = take(nEntries * 4);
  const packedValues = take(table.length * 4);
  const [mlpAt, mlpGradient] = [0, 1].map(() => take(mlp.length * 8));
  const [fractions, cells] = [3, 1].map((n) => take(levels.length * n * ROW));
  const derivatives = take(layers[0].nIn * 6 * ROW);
  const [targets, residuals] = [4, 7].map((n) => take(n * ROW));
  /** Of activations, of tangents, of slopes. */
  const takeArrays = (width: number): number[] => [0, 1, 2].map(() => take(pad(width) * ROW));
  const layerFields = layers.map(({ nIn, nOut, weightsAt, biasAt }) => {
    const parameters = [0, 1].flatMap(() => [take(pad(nIn) * pad(nOut) * 4), take(pad(nOut) * 4)]);
    return [nIn, nOut, weightsAt, biasAt, ...parameters, ...takeArrays(nIn)];
  });
  layerFields.push([1, 0, 0, 0, 0, 0, 0, 0, ...takeArrays(1)]);
  const nPages = Math.ceil(end / PAGE);
  if (nPages > MAX_PAGES) throw new RangeError(`the training needs ${end} bytes: WebAssembly has 4 GiB`);
  const memory = new WebAssembly.Memory({ initial: nPages });
  const words = new Int32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const integers = [
    ...[levels.length, layers.length, F, nEntries, levelsAt, layersAt, samples],
    ...[tableAt, gradient, mean, square, touched, packedEntries, packedValues, mlpAt, mlpGradient],
    ...[fractions, cells, derivatives, targets, residuals],
  ];
  words.set(integers, training / 4);
  const errorSum = training + integers.length * 4;
  const { normal, eikonal, curvature } = weights;
  const constants = [
    normal,
    eikonal,
    curvature,
    NORMAL_REACH,
    CURVATURE_REACH,
    DISTANCE_SCALE,
    FAR,
    FAR_SHARE,
  ];
  floats.set(constants, errorSum / 4 + 2);
  levels.forEach(({ scale, offset, resolution }, l) => {
    const at = levelsAt / 4 + l * LEVEL_FIELDS;
    floats.set([scale, offset], at);
    words.set([resolution, entriesAt[l]], at + 2);
  });
  layerFields.forEach((fields, l) => {
    words.set(fields, layersAt / 4 + l * LAYER_FIELDS);
  });
  // Nothing is below the outputs: the slope of f by itself is 1.
  const outputSlopes = layerFields[layers.length][LAYER_FIELDS - 1];
  floats.fill(1, outputSlopes / 4, outputSlopes / 4 + BLOCK);
  const f32 = (at: number, n: number): Float32Array => new Float32Array(memory.buffer, at, n);
  const f64 = (at: number, n: number): Float64Array => new Float64Array(memory.buffer, at, n);
  return {
    memory,
    training,
    samples: f64(samples, SAMPLES_AT_ONCE * SAMPLE_STRIDE),
    table: f32(tableAt, table.length),
    mean: f32(mean, table.length),
    square: f32(square, table.length),
    packedEntries: new Uint32Array(memory.buffer, packedEntries, nEntries),
    packedValues: f32(packedValues, table.length),
    mlp: f64(mlpAt, mlp.length),
    mlpGradient: f64(mlpGradient, mlp.length),
    errorSum: f32(errorSum, 1),
    nErrors: new Int32Array(memory.buffer, errorSum + 4, 1),
  };
}
