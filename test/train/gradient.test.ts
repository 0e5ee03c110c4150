import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { GradientKernel, type LossWeights, SAMPLE_STRIDE } from '../../src/train/gradient.ts';
import { TrainableField } from '../../src/train/trainable-field.ts';
import { JavaScriptKernel, type KernelKind, type TrainingKernel } from '../../src/train/training-kernel.ts';
import { WasmKernel } from '../../src/train/wasm-kernel.ts';
import { between, seededRandom } from '../fixtures/random.ts';

const SHAPE = { resolutions: [3, 7.3], nFeaturesPerLevel: 2, hidden: [5, 8] };
const CUBE = { min: [-1, -1, -1], max: [1, 1, 1] } as const;

/** A field whose parameters are all at work: random tables, and weights that are not those of the start. */
function randomField(seed: number): TrainableField {
  const field = new TrainableField(SHAPE, seed);
  const random = seededRandom(seed);
  for (let i = 0; i < field.table.length; i++) field.table[i] = between(random, -0.5, 0.5);
  for (let i = 0; i < field.mlp.length; i++) field.mlp[i] += between(random, -0.3, 0.3);
  return field;
}

function randomSamples(n: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const samples = new Float64Array(n * SAMPLE_STRIDE);
  for (let at = 0; at < samples.length; at += SAMPLE_STRIDE) {
    for (let k = 0; k < 3; k++) samples[at + k] = between(random, -0.99, 0.99);
    samples[at + 3] = between(random, -0.02, 0.02);
    const normal = [0, 1, 2].map(() => between(random, -1, 1));
    const norm = Math.hypot(...normal);
    for (let k = 0; k < 3; k++) samples[at + 4 + k] = normal[k] / norm;
  }
  return samples;
}

/** f, ∇f and the mixed second derivatives at a point, by differences of the public evaluator inside one cell. */
function derivatives(field: TrainableField, point: readonly number[]) {
  const cpu = createCpuField(field.toAsset('test', CUBE));
  const value = new Float64Array(1);
  const gradient = new Float64Array(3);
  cpu.evaluateWithGradient(Float64Array.from(point), value, gradient);
  const h = 1e-4;
  const at = (i: number, j: number, si: number, sj: number) => {
    const moved = point.slice();
    moved[i] += si * h;
    moved[j] += sj * h;
    cpu.evaluate(Float64Array.from(moved), value);
    return value[0];
  };
  const f = value[0];
  const mixed = [
    [0, 1],
    [0, 2],
    [1, 2],
  ].map(([i, j]) => (at(i, j, 1, 1) - at(i, j, 1, -1) - at(i, j, -1, 1) + at(i, j, -1, -1)) / (4 * h * h));
  return { f, gradient: [...gradient], mixed };
}

/** The loss of one sample, written down independently of the kernel. */
function lossOf(
  field: TrainableField,
  samples: Float64Array,
  at: number,
  weights: LossWeights,
  slope: number,
) {
  const { f, gradient, mixed } = derivatives(field, [...samples.slice(at, at + 3)]);
  const normal = samples.slice(at + 4, at + 7);
  const off = gradient.reduce((sum, g, k) => sum + (g - normal[k]) ** 2, 0);
  const norm = Math.hypot(...gradient);
  const bend = mixed.reduce((sum, m) => sum + m * m, 0);
  return (
    slope * f +
    (weights.normal / 2) * off +
    (weights.eikonal / 2) * (norm - 1) ** 2 +
    (weights.curvature / 2) * bend
  );
}

/** The derivative of the distance term by f: what the recipe says. */
function distanceSlope(f: number, d: number): number {
  if (Math.abs(d) > 0.01 && Math.sign(d) * f < 0.3 * Math.abs(d)) return d < 0 ? 1 : -1;
  return ((f - d < 0 ? -1 : 1) * 0.01) / (Math.abs(d) + 0.01);
}

const KERNELS: Record<KernelKind, (field: TrainableField, weights: LossWeights) => Promise<TrainingKernel>> =
  {
    javascript: async (field, weights) => new JavaScriptKernel(field, weights),
    wasm: (field, weights) => WasmKernel.create(field, weights),
  };
const WEIGHTS = [
  { name: 'distances', weights: { normal: 0, eikonal: 0, curvature: 0 } },
  { name: 'normals', weights: { normal: 0.7, eikonal: 0, curvature: 0 } },
  { name: 'eikonal', weights: { normal: 0, eikonal: 0.9, curvature: 0 } },
  { name: 'curvature', weights: { normal: 0, eikonal: 0, curvature: 1e-3 } },
  { name: 'all', weights: { normal: 0.3, eikonal: 0.2, curvature: 1e-3 } },
];

describe.each(['javascript', 'wasm'] as const)('the gradient in %s', (kind) => {
  it.each(WEIGHTS)('is the finite difference of the loss: $name', async ({ weights }) => {
    const field = randomField(3);
    const kernel = await KERNELS[kind](field, weights);
    const samples = randomSamples(6, 5);
    const random = seededRandom(8);
    for (let at = 0; at < samples.length; at += SAMPLE_STRIDE) {
      kernel.accumulate(samples.subarray(at, at + SAMPLE_STRIDE), 1);
      const { entries, table: ofEntries, mlp: mlpGradient } = kernel.takeGradient();
      const slope = distanceSlope(derivatives(field, [...samples.slice(at, at + 3)]).f, samples[at + 3]);
      const F = SHAPE.nFeaturesPerLevel;
      const tableGradient = new Float32Array(field.table.length);
      entries.forEach((entry, i) => {
        tableGradient.set(ofEntries.subarray(i * F, i * F + F), entry * F);
      });
      const touched = [...entries].sort((a, b) => a - b).flatMap((entry) => [entry * F, entry * F + 1]);
      expect(touched).toHaveLength(SHAPE.resolutions.length * 8 * F);
      const table = [0, 1, 2, 3].map(() => touched[Math.floor(random() * touched.length)]);
      // Biases do not move slopes; a step over a kink of a ReLU would be no derivative: 1e-4 is rarely one, and the seeds are fixed.
      const mlp = [0, 1, 2, 3].map(() => Math.floor(random() * field.mlp.length));
      for (const [parameters, gradient, indices] of [
        [field.table, tableGradient, table],
        [field.mlp, mlpGradient, mlp],
      ] as const) {
        for (const i of indices) {
          const kept = parameters[i];
          const h = 2 ** -10;
          parameters[i] = kept + h;
          const up = lossOf(field, samples, at, weights, slope);
          parameters[i] = kept - h;
          const down = lossOf(field, samples, at, weights, slope);
          parameters[i] = kept;
          const expected = (up - down) / (2 * h);
          const tolerance = 2e-3 * (1 + Math.abs(expected));
          expect(Math.abs(gradient[i] - expected), `parameter ${i}, sample ${at}`).toBeLessThan(tolerance);
        }
      }
    }
  });
});

describe('GradientKernel', () => {
  it('starts anew after clear', () => {
    const field = randomField(1);
    const samples = randomSamples(20, 2);
    const once = new GradientKernel(field);
    once.accumulate(samples, 20);
    const twice = new GradientKernel(field);
    twice.accumulate(randomSamples(30, 9), 30);
    twice.clear();
    twice.accumulate(samples, 20);
    expect(twice.tableGradient).toEqual(once.tableGradient);
    expect(twice.mlpGradient).toEqual(once.mlpGradient);
    expect(twice.errorSum).toBe(once.errorSum);
  });
});

describe('TrainableField', () => {
  it('is the distance that its coarse levels were given, before any step', () => {
    const field = new TrainableField({ resolutions: [4, 8], nFeaturesPerLevel: 2, hidden: [16, 16] }, 1);
    const point = new Float64Array(3);
    // A linear distance is reproduced everywhere by trilinear interpolation.
    const distances = field.levels.map(({ nEntries }, l) =>
      Float64Array.from({ length: nEntries }, (_, i) => {
        field.writeVertex(l, i, point);
        return 0.3 * point[0] - 0.2 * point[1] + 0.4 * point[2] - 0.1;
      }),
    );
    field.setDistances(distances);
    const cpu = createCpuField(field.toAsset('plane', CUBE));
    const value = new Float64Array(1);
    cpu.evaluate(Float64Array.of(0.31, -0.62, 0.17), value);
    expect(value[0]).toBeCloseTo(0.3 * 0.31 + 0.2 * 0.62 + 0.4 * 0.17 - 0.1, 3);
  });
});
