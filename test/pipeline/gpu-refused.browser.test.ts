import { afterAll, expect, test } from 'vitest';
import type { Box3 } from '../../src/format/asset.ts';
import { deriveMesh, disposeWorkers, readField } from '../../src/index.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';

afterAll(disposeWorkers);

/**
 * Parts of the bunny at whose folds, finer than the boxes, divisions over the whole mesh left triangles three to six tolerances off, so
 * that the GPU refused them. Divided inside of each box they pass.
 */
const FOLDED: readonly Box3[] = [
  { min: [0.5, -1, 0], max: [1, -0.5, 0.5] },
  { min: [-0.5, 0, 0], max: [0, 0.5, 0.5] },
  { min: [-1, 0, 0.5], max: [-0.5, 0.5, 1] },
];

const deriveAt = async (region: Box3, tolerance: number) => {
  const file = await fetch(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url));
  const asset = readField(await file.arrayBuffer());
  const { device } = sharedGpu;
  const { stats } = await deriveMesh(asset, { tolerance, region, backend: 'gpu', device, cache: false });
  return stats.backendReason;
};

test('the GPU derives a part of the bunny at 4e-4', async () => {
  const region: Box3 = { min: [0.5, -1, 0.5], max: [1, -0.5, 1] };
  expect(await deriveAt(region, 4e-4)).toMatch(/derived on [^,]*$/);
});

test.each(FOLDED)('the GPU derives the bunny at 4e-4 in %o', async (region) => {
  expect(await deriveAt(region, 4e-4)).toMatch(/derived on [^,]*$/);
});
