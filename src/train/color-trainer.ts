import { createRandom } from '../surface/check-random.ts';
import { Adam, type LearningRates } from './adam.ts';
import { ColorField, type ColorShape } from './color-field.ts';
import { COLOR_STRIDE, type ColorSource } from './color-source.ts';

/**
 * Measured on a chequered torus, mean sRGB error after 400 steps: 0.023 with the rates of distances, 0.017 with these; after
 * 120, twice the tables' rate is worse.
 */
const COLOR_RATES: LearningRates = { table: 5e-2, mlp: 1e-2 };

/** The gradients of one replica's samples. */
export interface ColorGradient {
  /** u32[n] */
  readonly entries: Uint32Array;
  /** f32[n * nFeaturesPerLevel] */
  readonly table: Float32Array;
  readonly mlp: Float64Array;
}

/** Parameters and moments of a colour network. */
export interface ColorState {
  readonly shape: ColorShape;
  readonly table: Float32Array;
  readonly mlp: Float64Array;
  readonly moments: ReturnType<Adam['moments']>;
}

/** A replica's part of training the colours: as for distances, all replicas apply the gradients of all in one order. */
export class ColorTrainer {
  readonly field: ColorField;
  private readonly source: ColorSource;
  private readonly adam: Adam;
  private readonly samples: Float64Array;

  /** @param nSamples of this replica a step. */
  constructor(source: ColorSource, shape: ColorShape, seed: number, nSamples: number) {
    this.source = source;
    this.field = new ColorField(shape, seed);
    this.adam = new Adam(this.field);
    this.samples = new Float64Array(nSamples * COLOR_STRIDE);
  }

  gradient(seed: number): ColorGradient {
    const { field, samples } = this;
    const random = createRandom(seed);
    for (let at = 0; at < samples.length; at += COLOR_STRIDE) this.source.writeSample(random, samples, at);
    field.clear();
    field.accumulate(samples, samples.length / COLOR_STRIDE);
    const F = field.shape.nFeaturesPerLevel;
    const entries = field.touched.slice(0, field.nTouched);
    const table = new Float32Array(entries.length * F);
    for (let i = 0; i < table.length; i++) {
      table[i] = field.tableGradient[entries[Math.floor(i / F)] * F + (i % F)];
    }
    return { entries, table, mlp: field.mlpGradient.slice() };
  }

  apply(gradients: readonly ColorGradient[], rateShare: number): void {
    const { field } = this;
    const F = field.shape.nFeaturesPerLevel;
    field.clear();
    for (const { entries, table, mlp } of gradients) {
      for (let i = 0; i < entries.length; i++) {
        field.touch(entries[i]);
        for (let j = 0; j < F; j++) field.tableGradient[entries[i] * F + j] += table[i * F + j];
      }
      for (let i = 0; i < mlp.length; i++) field.mlpGradient[i] += mlp[i];
    }
    this.adam.step(field, COLOR_RATES, rateShare);
  }

  /** Copied. */
  parameters(): Omit<ColorState, 'moments'> {
    const { shape, table, mlp } = this.field;
    return { shape, table: table.slice(), mlp: mlp.slice() };
  }

  /** Copied. */
  state(): ColorState {
    return { ...this.parameters(), moments: this.adam.moments() };
  }

  restore({ table, mlp, moments }: ColorState): void {
    this.field.table.set(table);
    this.field.mlp.set(mlp);
    this.adam.restore(moments);
  }

  /** n points of the surface and their colours, f64[n * COLOR_STRIDE] in the cube. */
  drawSamples(n: number, seed: number): Float64Array {
    const random = createRandom(seed);
    const samples = new Float64Array(n * COLOR_STRIDE);
    for (let i = 0; i < n; i++) this.source.writeSample(random, samples, i * COLOR_STRIDE);
    return samples;
  }
}
