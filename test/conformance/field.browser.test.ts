import { expect, it } from 'vitest';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import { randomField, randomMlp, randomPoints, withHalfTable } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { describeField } from './describe-field.ts';

const context = sharedGpu;

// Hidden layers are not bounded backward there (wgsl-bound.ts), which three of them can show.
const LOOSE = [{ name: 'three hidden layers, no bias', seed: 2027, boxes: [2, 5, 16] }];
describeField('gpu', (asset) => createGpuField(asset, context), 'single', LOOSE);

it('refuses a network that is too large to be unfolded, and weights beyond single precision', async () => {
  const wide = randomMlp(1, [128, 128]);
  await expect(createGpuField(wide, context)).rejects.toMatchObject({ feature: 'gpu-network-size' });
  const asset = randomField(2);
  const [first, ...rest] = asset.layers;
  const huge = { ...first, weights: first.weights.map((w) => w * 1e20) };
  const broken = createGpuField({ ...asset, layers: [huge, ...rest] }, context);
  await expect(broken).rejects.toMatchObject({ feature: 'gpu-weight-range' });
});

it('tells nothing off where features are beyond single precision', async () => {
  const asset = randomField(4, { layers: [4] });
  if (asset.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
  const levels = asset.encoding.levels.map((level) => ({
    ...level,
    params: level.params.map((v) => v * 1e12),
  }));
  const field = await createGpuField({ ...asset, encoding: { ...asset.encoding, levels } }, context);
  const planes = Float64Array.of(-1, -0.3, 0.4, 1);
  const { lo, hi } = await field.boundBlocks([planes, planes, planes], Int32Array.of(0, 0, 0, 1, 2, 1), 1);
  expect(Math.max(...lo)).toBeLessThan(-1e38);
  expect(Math.min(...hi)).toBeGreaterThan(1e38);
  field.dispose();
});

it('names the limit that a table exceeds', async () => {
  const asset = randomField(3);
  if (asset.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
  const levels = asset.encoding.levels.map((level) => ({ ...level, nEntries: 2 ** 24 }));
  const large = createGpuField({ ...asset, encoding: { ...asset.encoding, levels } }, context);
  await expect(large).rejects.toMatchObject({ limit: 'maxStorageBufferBindingSize' });
});

it('reads a table in half precision without loss: the same bytes as in single, from half the memory', async () => {
  const asset = withHalfTable(randomField(21, { T: 9, L: 4, finest: 40 }));
  const [half, single] = [await createGpuField(asset, context), await createGpuField(asset, context, false)];
  expect(half.resources.table.size).toBe(single.resources.table.size / 2);
  const points = Float32Array.from(randomPoints(seededRandom(5), asset.domain, 500).flat());
  expect(await half.evaluateWithGradient(points)).toEqual(await single.evaluateWithGradient(points));
  half.dispose();
  single.dispose();
});
