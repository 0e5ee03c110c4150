import { describe, expect, it } from 'vitest';
import { Adam, BETA1, LEARNING_RATE_DEFAULTS } from '../../src/train/adam.ts';
import { GpuTrainer } from '../../src/train/gpu/gpu-trainer.ts';
import {
  GradientKernel,
  LOSS_WEIGHT_DEFAULTS,
  type LossWeights,
  SAMPLE_STRIDE,
} from '../../src/train/gradient.ts';
import type { TrainingState } from '../../src/train/replica.ts';
import type { ReplicaPort } from '../../src/train/replica-port.ts';
import { type FieldShape, TrainableField } from '../../src/train/trainable-field.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';

const N_SAMPLES = 150;

/** A field whose parameters are all at work, as single precision has them. */
function randomField(shape: FieldShape, seed: number): TrainableField {
  const field = new TrainableField(shape, seed);
  const random = seededRandom(seed);
  for (let i = 0; i < field.table.length; i++) field.table[i] = between(random, -0.5, 0.5);
  for (let i = 0; i < field.mlp.length; i++) {
    field.mlp[i] = Math.fround(field.mlp[i] + between(random, -0.3, 0.3));
  }
  return field;
}

/** Samples of all kinds, none of them so near to a cell's face that rounding decides which cell it is in. */
function randomSamples(field: TrainableField, seed: number): Float32Array {
  const random = seededRandom(seed);
  const samples = new Float32Array(N_SAMPLES * SAMPLE_STRIDE);
  const isClear = (x: number): boolean =>
    field.levels.every(({ scale, offset }) => {
      const place = 0.5 * (x + 1) * scale + offset;
      return Math.abs(place - Math.round(place)) > 1e-4;
    });
  for (let at = 0, n = 0; at < samples.length; at += SAMPLE_STRIDE, n++) {
    for (let k = 0; k < 3; k++) {
      do samples[at + k] = between(random, -0.99, 0.99);
      while (!isClear(samples[at + k]));
    }
    const reach = [0, 0.008, 0.05, 0.4][n % 4];
    samples[at + 3] = between(random, -reach, reach);
    if (n % 5 === 4) continue; // no normal
    const normal = [0, 1, 2].map(() => between(random, -1, 1));
    const norm = Math.hypot(...normal);
    for (let k = 0; k < 3; k++) samples[at + 4 + k] = normal[k] / norm;
  }
  return samples;
}

/** Replicas that draw these samples for every step. */
function drawers(...shares: readonly Float32Array[]): ReplicaPort[] {
  return shares.map((samples) => ({
    call: async (...[name]) => (name === 'batch' ? samples.slice() : undefined) as never,
    close: () => {},
  }));
}

function stateOf(field: TrainableField): TrainingState {
  return { shape: field.shape, table: field.table, mlp: field.mlp, moments: new Adam(field).moments() };
}

/** Runs steps from a state and tells what it came to, and the errors. */
async function train(
  state: TrainingState,
  samples: readonly Float32Array[],
  {
    weights = LOSS_WEIGHT_DEFAULTS,
    nSteps = 1,
    rateShare = 1,
  }: {
    weights?: LossWeights;
    nSteps?: number;
    rateShare?: number;
  } = {},
) {
  const batchSize = samples.reduce((n, { length }) => n + length / SAMPLE_STRIDE, 0);
  const plan = { shape: state.shape, seed: 1, batchSize, weights };
  const trainer = await GpuTrainer.create(sharedGpu, drawers(...samples), plan);
  try {
    await trainer.restore(state);
    for (let step = 0; step < nSteps; step++) await trainer.step(step, rateShare);
    const after = await trainer.state();
    return { after, error: await trainer.step(nSteps, rateShare) };
  } finally {
    trainer.close();
  }
}

/** The largest difference, in units of the largest expected number. */
function worst(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(found[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  expect(found).toHaveLength(expected.length);
  expect(largest).toBeGreaterThan(0);
  return difference / largest;
}

describe("a step's gradients on the GPU", () => {
  const ALL: LossWeights = { normal: 0.3, eikonal: 0.2, curvature: 1e-3 };
  it.each([
    { resolutions: [6], nFeaturesPerLevel: 1, hidden: [8], weights: LOSS_WEIGHT_DEFAULTS },
    { resolutions: [4, 10], nFeaturesPerLevel: 2, hidden: [5, 7], weights: ALL },
    { resolutions: [3, 7.3, 20], nFeaturesPerLevel: 2, hidden: [16, 16], weights: LOSS_WEIGHT_DEFAULTS },
    { resolutions: [3, 7.3, 20], nFeaturesPerLevel: 2, hidden: [16, 16], weights: ALL },
    { resolutions: [4, 9], nFeaturesPerLevel: 3, hidden: [9, 4, 6], weights: ALL },
  ])(
    'are those of the kernel in JavaScript: $resolutions, $nFeaturesPerLevel, $hidden, $weights',
    async ({ weights, ...shape }) => {
      const field = randomField(shape, 3);
      const samples = randomSamples(field, 5);
      const kernel = new GradientKernel(field, weights);
      kernel.accumulate(Float64Array.from(samples), N_SAMPLES);
      const { after, error } = await train(stateOf(field), [samples], { weights });
      // From moments of zero, the first one is a share of the gradient.
      const gradient = (mean: ArrayLike<number>) => Array.from(mean, (value) => value / (1 - BETA1));
      // Single precision, and ReLUs at whose kinks no sample is.
      expect(worst(gradient(after.moments.tableMean), kernel.tableGradient)).toBeLessThan(2e-6);
      expect(worst(gradient(after.moments.mlpMean), kernel.mlpGradient)).toBeLessThan(2e-6);
      expect(error?.nErrors).toBe(kernel.nErrors);
      expect(error?.errorSum).toBeCloseTo(kernel.errorSum, 4);
    },
  );

  it('are the same for shares of several replicas', async () => {
    const field = randomField({ resolutions: [4, 10], nFeaturesPerLevel: 2, hidden: [8] }, 2);
    const samples = randomSamples(field, 1);
    const cut = 61 * SAMPLE_STRIDE;
    const { after } = await train(stateOf(field), [samples]);
    const shared = await train(stateOf(field), [samples.slice(0, cut), samples.slice(cut)]);
    expect(shared.after).toEqual(after);
  });

  it('are cut off where they would overflow the sums', async () => {
    const field = randomField({ resolutions: [4], nFeaturesPerLevel: 1, hidden: [4] }, 4);
    const samples = randomSamples(field, 1);
    for (let at = SAMPLE_STRIDE; at < samples.length; at += SAMPLE_STRIDE) {
      samples.copyWithin(at, 0, SAMPLE_STRIDE); // all in one cell
    }
    samples.set([1, 0, 0], 4);
    const weights = { normal: 1e30, eikonal: 0, curvature: 0 };
    const { after } = await train(stateOf(field), [samples], { weights });
    const sums = after.moments.tableMean.map((mean) => Math.abs(mean / (1 - BETA1)));
    expect(Math.max(...sums)).toBeLessThanOrEqual(512 * N_SAMPLES * (1 + 1e-6));
    expect(Math.max(...sums)).toBeGreaterThan(512);
  });
});

describe("Adam's step on the GPU", () => {
  it('is that of the processor: moments, corrections, rates, and entries without a gradient left alone', async () => {
    const shape = { resolutions: [4, 10], nFeaturesPerLevel: 2, hidden: [8, 5] };
    const field = randomField(shape, 6);
    const samples = randomSamples(field, 3);
    const random = seededRandom(4);
    const moments = new Adam(field).moments();
    const fill = (values: Float32Array | Float64Array, least: number): void => {
      for (let i = 0; i < values.length; i++) values[i] = between(random, least, 1);
    };
    for (const each of [moments.tableMean, moments.mlpMean]) fill(each, -1);
    for (const each of [moments.tableSquare, moments.mlpSquare]) fill(each, 0);
    for (const each of [moments.mlpMean, moments.mlpSquare]) each.set(Float32Array.from(each));
    const before = { ...stateOf(field), moments: { ...moments, nSteps: 7 } };
    const { after } = await train(before, [samples], { rateShare: 0.3 });

    const kernel = new GradientKernel(field);
    kernel.accumulate(Float64Array.from(samples), N_SAMPLES);
    // Its own gradients, as the moments tell them: this is about what follows from them.
    const gradientOf = (mean: ArrayLike<number>, old: ArrayLike<number>) =>
      Array.from(mean, (value, i) => (value - BETA1 * old[i]) / (1 - BETA1));
    const ofTable = gradientOf(after.moments.tableMean, moments.tableMean);
    const adam = new Adam(field);
    adam.restore(before.moments);
    const untouched = new Set(ofTable.keys());
    for (const entry of kernel.touched.subarray(0, kernel.nTouched)) {
      for (let k = 0; k < shape.nFeaturesPerLevel; k++) untouched.delete(entry * shape.nFeaturesPerLevel + k);
    }
    const { touched, nTouched } = kernel;
    const old = before.table.slice();
    adam.step(
      {
        touched,
        nTouched,
        tableGradient: Float32Array.from(ofTable),
        mlpGradient: Float64Array.from(gradientOf(after.moments.mlpMean, moments.mlpMean)),
      },
      LEARNING_RATE_DEFAULTS,
      0.3,
    );
    const expected = { table: field.table, mlp: field.mlp, moments: adam.moments() };
    expect(worst(after.table, expected.table)).toBeLessThan(3e-7);
    expect(worst(after.mlp, expected.mlp)).toBeLessThan(3e-7);
    for (const name of ['tableSquare', 'mlpSquare'] as const) {
      expect(worst(after.moments[name], expected.moments[name])).toBeLessThan(3e-6);
    }
    expect(after.moments.nSteps).toBe(8);
    expect(untouched.size).toBeGreaterThan(100);
    for (const i of untouched) {
      expect([after.table[i], after.moments.tableMean[i], after.moments.tableSquare[i]]).toEqual([
        old[i],
        moments.tableMean[i],
        moments.tableSquare[i],
      ]);
    }
  });

  it('follows the processor for some steps, and forgets the gradients of each', async () => {
    const shape = { resolutions: [4, 10], nFeaturesPerLevel: 2, hidden: [8] };
    const field = randomField(shape, 9);
    const samples = randomSamples(field, 2);
    const state = { ...stateOf(field), table: field.table.slice(), mlp: field.mlp.slice() };
    const { after } = await train(state, [samples], { nSteps: 3, rateShare: 0.05 });
    const kernel = new GradientKernel(field);
    const adam = new Adam(field);
    for (let step = 0; step < 3; step++) {
      kernel.clear();
      kernel.accumulate(Float64Array.from(samples), N_SAMPLES);
      adam.step(kernel, LEARNING_RATE_DEFAULTS, 0.05);
    }
    // A gradient near zero may have the other sign in single precision, and Adam's first steps know little but signs.
    const step = 3 * 0.05 * LEARNING_RATE_DEFAULTS.table;
    const off = after.table.filter((value, i) => Math.abs(value - field.table[i]) > 1e-3 * step);
    expect(off.length / after.table.length).toBeLessThan(0.01);
    expect(after.moments.nSteps).toBe(3);
  });
});
