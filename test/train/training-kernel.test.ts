import { afterEach, describe, expect, it, vi } from 'vitest';
import { type LossWeights, SAMPLE_STRIDE } from '../../src/train/gradient.ts';
import { trainField } from '../../src/train/index.ts';
import { type FieldShape, TrainableField } from '../../src/train/trainable-field.ts';
import {
  chooseKernel,
  JavaScriptKernel,
  type KernelGradient,
  type TrainingKernel,
} from '../../src/train/training-kernel.ts';
import { WasmKernel } from '../../src/train/wasm-kernel.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { sphere, typed } from '../surface/check-meshes.ts';

/** Share of the largest gradient of their kind by which those of the kernels may differ; 4.5e-7 was the most that was seen. */
const TOLERANCE = 2e-6;
const ALL: LossWeights = { normal: 0.3, eikonal: 0.2, curvature: 1e-3 };
const SHAPE = { resolutions: [3, 7.3], nFeaturesPerLevel: 2, hidden: [7] };
const BALL = typed(sphere(3, 2, [5, 0, -1]));
const SMALL = {
  ...SHAPE,
  steps: 6,
  batchSize: 128,
  poolSize: 200,
  checkTolerance: 0.2,
  nWorkers: 0,
} as const;

/** Parameters that are all at work. */
function randomField(shape: FieldShape): TrainableField {
  const field = new TrainableField(shape, 3);
  const random = seededRandom(3);
  for (let i = 0; i < field.table.length; i++) field.table[i] = between(random, -0.5, 0.5);
  for (let i = 0; i < field.mlp.length; i++) field.mlp[i] += between(random, -0.3, 0.3);
  return field;
}

/** Within and beyond the reach of every term, inside and outside, every third without a normal. */
function randomSamples(n: number): Float64Array {
  const random = seededRandom(5);
  const samples = new Float64Array(n * SAMPLE_STRIDE);
  for (let i = 0, at = 0; i < n; i++, at += SAMPLE_STRIDE) {
    for (let k = 0; k < 3; k++) samples[at + k] = between(random, -0.999, 0.999);
    samples[at + 3] = between(random, -0.15, 0.15) * random() ** 2;
    const normal = [0, 1, 2].map(() => between(random, -1, 1));
    const norm = Math.hypot(...normal);
    if (i % 3 > 0) for (let k = 0; k < 3; k++) samples[at + 4 + k] = normal[k] / norm;
  }
  return samples;
}

/** By entry: the order of entries is the kernel's own. */
function byEntry({ entries, table }: KernelGradient, nFeatures: number): Map<number, Float32Array> {
  const sorted = [...entries].map((entry, i) => [entry, i]).sort(([a], [b]) => a - b);
  return new Map(sorted.map(([entry, i]) => [entry, table.subarray(i * nFeatures, (i + 1) * nFeatures)]));
}

function gradientOf(kernel: TrainingKernel, samples: Float64Array): KernelGradient {
  kernel.accumulate(samples, samples.length / SAMPLE_STRIDE);
  return kernel.takeGradient();
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  const scale = Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expect(found.length).toBe(expected.length);
  expect(scale).toBeGreaterThan(0);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(found[i] - expected[i]) / scale, `gradient ${i}`).toBeLessThan(TOLERANCE);
  }
}

afterEach(() => vi.unstubAllGlobals());

describe('WasmKernel', () => {
  it.each([
    { resolutions: [8, 22, 64], nFeaturesPerLevel: 2, hidden: [16, 16] },
    { resolutions: [5], nFeaturesPerLevel: 1, hidden: [7] },
    { resolutions: [3, 7.3], nFeaturesPerLevel: 2, hidden: [13] },
    { resolutions: [3, 5, 9, 17], nFeaturesPerLevel: 4, hidden: [13, 7, 3, 16] },
    { resolutions: [3, 5, 6], nFeaturesPerLevel: 3, hidden: [1, 2] },
    { resolutions: [4, 6], nFeaturesPerLevel: 8, hidden: [64, 5, 9] },
  ])(
    'has the gradients of the JavaScript kernel: $resolutions of $nFeaturesPerLevel, $hidden',
    async (shape) => {
      const field = randomField(shape);
      const samples = randomSamples(301);
      const found = gradientOf(await WasmKernel.create(field, ALL), samples);
      const expected = gradientOf(new JavaScriptKernel(field, ALL), samples);
      const [inWasm, inScript] = [found, expected].map((gradient) =>
        byEntry(gradient, shape.nFeaturesPerLevel),
      );
      expect([...inWasm.keys()]).toEqual([...inScript.keys()]);
      const flat = (entries: Map<number, Float32Array>) =>
        [...entries.values()].flatMap((values) => [...values]);
      expectClose(flat(inWasm), flat(inScript));
      expectClose(found.mlp, expected.mlp);
      expect(found.nErrors).toBe(expected.nErrors);
      expect(found.nErrors).toBeGreaterThan(10);
      expect(found.errorSum).toBeCloseTo(expected.errorSum, 4);
    },
  );

  it.each([
    { normal: 0, eikonal: 0, curvature: 0 },
    { normal: 0.7, eikonal: 0, curvature: 0 },
    { normal: 0, eikonal: 0.9, curvature: 0 },
    { normal: 0, eikonal: 0, curvature: 1e-3 },
  ])('has them for each term alone: %o', async (weights) => {
    const field = randomField(SHAPE);
    const samples = randomSamples(50);
    const found = gradientOf(await WasmKernel.create(field, weights), samples);
    const expected = gradientOf(new JavaScriptKernel(field, weights), samples);
    expectClose(found.mlp, expected.mlp);
  });

  it('takes what was accumulated once, of more samples than it is handed at a time', async () => {
    const field = randomField(SHAPE);
    const samples = randomSamples(2101);
    const kernel = await WasmKernel.create(field, ALL);
    kernel.accumulate(samples.subarray(0, 9 * SAMPLE_STRIDE), 9);
    kernel.accumulate(samples.subarray(9 * SAMPLE_STRIDE), 2092);
    const inParts = kernel.takeGradient();
    expectClose(inParts.mlp, gradientOf(new JavaScriptKernel(field, ALL), samples).mlp);
    const nothing = kernel.takeGradient();
    expect(nothing.entries).toHaveLength(0);
    expect(nothing.mlp.every((x) => x === 0)).toBe(true);
    expect([nothing.errorSum, nothing.nErrors]).toEqual([0, 0]);
    // And the tables' gradients are all forgotten.
    expect(gradientOf(kernel, samples.subarray(0, 70))).toEqual(
      gradientOf(await WasmKernel.create(field, ALL), samples.subarray(0, 70)),
    );
  });

  it('gives the same bits every time', async () => {
    const options = { ...SMALL, kernel: 'wasm' } as const;
    const { state, stats } = await trainField(BALL, options);
    expect(stats).toMatchObject({ kernel: 'wasm', kernelReason: undefined });
    expect((await trainField(BALL, options)).state).toEqual(state);
  });
});

describe('chooseKernel', () => {
  it('takes WebAssembly where it runs, and JavaScript where that is wanted', async () => {
    const field = randomField(SHAPE);
    const { kernel, kernelReason } = await chooseKernel(field, ALL, 'wasm');
    expect([kernel.kind, kernelReason]).toEqual(['wasm', undefined]);
    expect(kernel.field.table).toEqual(field.table);
    expect(kernel.field.mlp).toEqual(field.mlp);
    const wanted = await chooseKernel(field, ALL, 'javascript');
    expect([wanted.kernel.kind, wanted.kernelReason]).toEqual(['javascript', undefined]);
  });

  it.each([
    { where: 'there is none', api: undefined, reason: /no WebAssembly/ },
    {
      where: 'a policy forbids it',
      api: {
        compile: () => Promise.reject(new Error('disallowed')),
      },
      reason: /disallowed/,
    },
    {
      where: 'memory is short',
      api: {
        compile: WebAssembly.compile,
        Memory: class {
          constructor() {
            throw new RangeError('could not allocate memory');
          }
        },
      },
      reason: /could not allocate/,
    },
  ])('takes JavaScript, and says why, where $where', async ({ api, reason }) => {
    vi.stubGlobal('WebAssembly', api);
    const { stats } = await trainField(BALL, { ...SMALL, steps: 2 });
    expect(stats.kernel).toBe('javascript');
    expect(stats.kernelReason).toMatch(reason);
  });

  it.each([
    ['wasm', 'javascript'],
    ['javascript', 'wasm'],
  ] as const)('goes on from %s in %s', async (before, after) => {
    const { state } = await trainField(BALL, { ...SMALL, steps: 30, kernel: before });
    const resumed = await trainField(BALL, { ...SMALL, steps: 1, kernel: after, resume: state });
    expect(resumed.state.moments.nSteps).toBe(31);
    expect(resumed.stats.kernel).toBe(after);
    const { stats } = await trainField(BALL, { ...SMALL, steps: 1, kernel: before, resume: state });
    expect(resumed.stats.errorLocal / stats.errorLocal).toBeCloseTo(1, 3);
  });
});
