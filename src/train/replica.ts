import { createRandom } from '../surface/check-random.ts';
import type { Moments } from './adam.ts';
import type { ColorShape } from './color-field.ts';
import type { ColorSource } from './color-source.ts';
import { type ColorGradient, type ColorState, ColorTrainer } from './color-trainer.ts';
import { closestOf, type DistanceSource, drawBatch, makePool, type SamplePools } from './distance-source.ts';
import { type LossWeights, SAMPLE_STRIDE } from './gradient.ts';
import { type FieldShape, TrainableField } from './trainable-field.ts';
import {
  type ChosenKernel,
  chooseKernel,
  type KernelGradient,
  type KernelKind,
  type TrainingKernel,
} from './training-kernel.ts';

/** What all replicas of one training have in common; plain data, which workers take. */
export interface ReplicaSetup {
  readonly shape: FieldShape;
  /** Of the colours, where the source has any and they are wanted. */
  readonly color?: ColorShape | undefined;
  /** Steps from one of the colours to the next. */
  readonly colorInterval: number;
  readonly weights: LossWeights;
  /** Samples a step, of all replicas together. */
  readonly batchSize: number;
  readonly seed: number;
  readonly nReplicas: number;
  /** The arithmetic that is wanted. */
  readonly kernel: KernelKind;
}

/** Sum of |f - d| at a step's samples beside the surface, and their number. */
export type StepError = Pick<KernelGradient, 'errorSum' | 'nErrors'>;

/** The gradients of one replica's samples. */
export interface SparseGradient extends KernelGradient {
  readonly color?: ColorGradient | undefined;
}

/** The parameters of a field, as `TrainableField` lays them out. */
export interface Parameters {
  readonly table: Float32Array;
  readonly mlp: Float64Array;
  /** Of the colours, where there are any. */
  readonly color?: Pick<ColorState, 'shape' | 'table' | 'mlp'> | undefined;
}

/** Parameters and moments: all that a training needs to go on. */
export interface TrainingState extends Parameters {
  readonly shape: FieldShape;
  /** Adam's moments and its steps. */
  readonly moments: Moments;
  readonly color?: ColorState | undefined;
}

/** Seeds of different uses lie this far apart. */
const SEED_STRIDE = 1_000_003;
const COLOR_SEED_STRIDE = 15_485_863;
/** Samples of colour for each of distance. */
const COLOR_SHARE = 0.5;

/**
 * One of the replicas that train a field together. Each draws its share of a batch and computes its gradients; all apply the gradients of
 * all in one order, so that they stay equal bit by bit without ever exchanging parameters.
 */
export class Replica {
  readonly field: TrainableField;
  readonly kernel: TrainingKernel;
  /** Why the kernel is not the one that was wanted. */
  readonly kernelReason: string | undefined;
  private readonly setup: ReplicaSetup;
  private readonly source: DistanceSource;
  private readonly number: number;
  private samples: Float64Array;
  /** Replicas, the first ones, that share a batch. */
  private nSharers: number;
  private readonly color: ColorTrainer | undefined;
  private pools: SamplePools = { wide: new Float64Array(0), uniform: new Float64Array(0) };

  private constructor(
    source: DistanceSource,
    setup: ReplicaSetup,
    number: number,
    { kernel, kernelReason }: ChosenKernel,
    colors?: ColorSource,
  ) {
    this.source = source;
    this.setup = setup;
    this.number = number;
    this.kernel = kernel;
    this.kernelReason = kernelReason;
    this.field = kernel.field;
    this.nSharers = setup.nReplicas;
    this.samples = this.makeBatch();
    const nColors = Math.ceil(COLOR_SHARE * (this.samples.length / SAMPLE_STRIDE));
    if (colors && setup.color) this.color = new ColorTrainer(colors, setup.color, setup.seed, nColors);
  }

  /** @param colors of the source, where it has any. */
  static async create(
    source: DistanceSource,
    setup: ReplicaSetup,
    number: number,
    colors?: ColorSource,
  ): Promise<Replica> {
    const field = new TrainableField(setup.shape, setup.seed);
    return new Replica(source, setup, number, await chooseKernel(field, setup.weights, setup.kernel), colors);
  }

  /** Has the first n replicas share a batch; the others are for distances only. Not for replicas that train colours. */
  shareBatch(n: number): void {
    this.nSharers = n;
    this.samples = this.makeBatch();
  }

  private makeBatch(): Float64Array {
    const share = (n: number) => Math.floor((this.setup.batchSize * n) / this.nSharers);
    const nSamples = this.number < this.nSharers ? share(this.number + 1) - share(this.number) : 0;
    return new Float64Array(nSamples * SAMPLE_STRIDE);
  }

  /** Samples `first` to `end` of a pool. */
  makePool(kind: keyof SamplePools, first: number, end: number): Float64Array {
    const use = kind === 'wide' ? 1 : 2;
    return makePool(this.source, kind, first, end, this.setup.seed + use * SEED_STRIDE);
  }

  /** Signed distances at vertices `first` to `end` of a level. */
  distancesAtVertices(level: number, first: number, end: number): Float64Array {
    const sample = new Float64Array(SAMPLE_STRIDE);
    const distances = new Float64Array(end - first);
    const point = new Float64Array(3);
    for (let i = first; i < end; i++) {
      this.field.writeVertex(level, i, point);
      sample.set(point);
      this.source.complete(sample, 0);
      distances[i - first] = sample[3];
    }
    return distances;
  }

  /** Signed distances at points f64[3n] of the cube. */
  distances(points: Float64Array): Float64Array {
    const sample = new Float64Array(SAMPLE_STRIDE);
    const distances = new Float64Array(points.length / 3);
    for (let i = 0; i < distances.length; i++) {
      sample.set(points.subarray(i * 3, i * 3 + 3));
      this.source.complete(sample, 0);
      distances[i] = sample[3];
    }
    return distances;
  }

  /**
   * For points f64[3n] of the cube, the surface's nearest ones and the source's parts that they are of, f64[4n]; to first
   * order, where the source is a function.
   */
  closestPoints(points: Float64Array): Float64Array {
    return closestOf(this.source, points);
  }

  /** n points of the surface, f64[3n] in the cube. */
  surfacePoints(n: number, seed: number): Float64Array {
    const random = createRandom(seed + SEED_STRIDE);
    const sample = new Float64Array(SAMPLE_STRIDE);
    const points = new Float64Array(n * 3);
    for (let i = 0; i < n; i++) {
      this.source.writeSurface(random, 0, sample, 0);
      points.set(sample.subarray(0, 3), i * 3);
    }
    return points;
  }

  setPools(pools: SamplePools): void {
    this.pools = pools;
  }

  setDistances(distances: readonly Float64Array[]): void {
    this.field.setDistances(distances);
  }

  /** This replica's share of the samples of step `step`, f32[n * SAMPLE_STRIDE]: those of `gradient`, for who trains elsewhere. */
  batch(step: number): Float32Array {
    this.draw(step);
    return Float32Array.from(this.samples);
  }

  private draw(step: number): void {
    const { samples, setup, number, nSharers } = this;
    const random = createRandom(setup.seed + (3 + step * nSharers + number) * SEED_STRIDE);
    drawBatch(this.source, this.pools, samples.length / SAMPLE_STRIDE, random, samples);
  }

  /** The gradients of this replica's share of step `step`, a part of it at a time. Yields after each part. */
  *gradient(step: number): Generator<void, SparseGradient> {
    const { kernel, samples, setup, number, nSharers } = this;
    const n = samples.length / SAMPLE_STRIDE;
    this.draw(step);
    for (let first = 0; first < n; first += kernel.samplesPerPart) {
      const end = Math.min(n, first + kernel.samplesPerPart);
      kernel.accumulate(samples.subarray(first * SAMPLE_STRIDE, end * SAMPLE_STRIDE), end - first);
      yield;
    }
    const colors = step % setup.colorInterval === 0 ? this.color : undefined;
    const color = colors?.gradient(setup.seed + (7 + step * nSharers + number) * COLOR_SEED_STRIDE);
    return { ...kernel.takeGradient(), color };
  }

  /** A step of a replica that shares its batch with nobody. Yields as `gradient` does. */
  *takeStep(step: number, rateShare: number): Generator<void, StepError> {
    const gradient = yield* this.gradient(step);
    this.apply([gradient], rateShare);
    return { errorSum: gradient.errorSum, nErrors: gradient.nErrors };
  }

  /** Sums the gradients of all replicas, in their order, and takes one step. */
  apply(gradients: readonly SparseGradient[], rateShare: number): void {
    this.kernel.apply(gradients, rateShare);
    const colors = gradients.flatMap(({ color }) => color ?? []);
    if (colors.length > 0) this.color?.apply(colors, rateShare);
  }

  /** Copied. */
  parameters(): Parameters {
    const color = this.color?.parameters();
    return { table: this.field.table.slice(), mlp: this.field.mlp.slice(), ...(color && { color }) };
  }

  /** Copied. */
  state(): TrainingState {
    return {
      shape: this.setup.shape,
      ...this.parameters(),
      moments: this.kernel.moments(),
      color: this.color?.state(),
    };
  }

  /** Points of the source and their colours, for the report; undefined where there are none. */
  colorSamples(n: number, seed: number): Float64Array | undefined {
    return this.color?.drawSamples(n, seed + COLOR_SEED_STRIDE);
  }

  restore({ table, mlp, moments, color }: TrainingState): void {
    if (color) this.color?.restore(color);
    this.field.table.set(table);
    this.field.mlp.set(mlp);
    this.kernel.restore(moments);
  }
}
