import { afterAll, expect, test } from 'vitest';
import type { Box3 } from '../../src/format/asset.ts';
import { deriveMesh, disposeWorkers, readField } from '../../src/index.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';

afterAll(disposeWorkers);

/**
 * Expected to fail: parts of the bunny that the GPU derives at no tolerance below 5e-4, where the whole of it is refused for
 * them every time. Divisions and flips do not mend the triangles around folds finer than the boxes, so that at three to eight
 * points of some thousand the mesh stands off by three to six times its tolerance, and the worker derives it. Other parts of
 * that size pass. Once these do, they are ordinary tests.
 */
const REFUSED: readonly Box3[] = [
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

test.fails.each(REFUSED)(
  'the GPU derives the bunny at 4e-4 in %o',

  async (region) => {
    expect(await deriveAt(region, 4e-4)).toMatch(/derived on [^,]*$/);
  },
);
