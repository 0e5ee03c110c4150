import { afterEach, describe, expect, test } from 'vitest';
import {
  configureWorkers,
  type DeriveOptions,
  type DeriveProgress,
  deriveMesh,
  disposeWorkers,
  type FieldAsset,
  NsdfLoadError,
} from '../../src/index.ts';
import { blobMlp, emptyField, multiField, sphereField } from '../fixtures/fields.ts';
import { leastOfThree, measureTasks } from './measure-tasks.ts';

afterEach(() => configureWorkers({}));

/** Aborts when the job reports `stage`; gives the time from the abort to the rejection. */
async function measureAbort(asset: FieldAsset, options: DeriveOptions, stage: string): Promise<number> {
  const controller = new AbortController();
  let abortedAtMs = Number.NaN;
  const onProgress = (progress: DeriveProgress): void => {
    if (progress.stage !== stage || controller.signal.aborted) return;
    abortedAtMs = performance.now();
    controller.abort(stage);
  };
  const run = deriveMesh(asset, { ...options, onProgress, signal: controller.signal });
  await expect(run).rejects.toBe(stage);
  return performance.now() - abortedAtMs;
}

const OPTIONS: [string, DeriveOptions][] = [
  ['a tolerance', { tolerance: 5e-3 }],
  ['a resolution', { resolution: 16 }],
  ['exact', { exact: true }],
  ['a vertex budget', { tolerance: 5e-3, maxVertices: 500 }],
];

describe('deriveMesh in the browser', () => {
  test.each(OPTIONS)('gives the same bytes in the worker as in place: %s', async (_what, options) => {
    for (const asset of [multiField(), blobMlp(1)]) {
      const there = await deriveMesh(asset, options);
      const here = await deriveMesh(asset, { ...options, backend: 'cpu' });
      expect(there.stats).toMatchObject({
        backend: 'worker',
        backendReason: 'auto: a module worker keeps this thread free',
      });
      expect(here.stats).toMatchObject({ backend: 'cpu', backendReason: 'asked for' });
      expect(there.mesh.indices.length).toBeGreaterThan(0);
      expect(there.mesh).toEqual(here.mesh);
      expect(there.stats.nBoxesTested).toBe(here.stats.nBoxesTested);
    }
  });

  test('reports an empty zero set as such', async () => {
    const { mesh, isEmpty, stats } = await deriveMesh(emptyField());
    expect(isEmpty).toBe(true);
    expect(mesh.positions).toHaveLength(0);
    expect(stats.nTriangles).toBe(0);
  });

  test('derives several fields at once', async () => {
    const assets = [0.3, 0.5, 0.7].map((radius) => sphereField({ radius }));
    const results = await Promise.all(assets.map((asset) => deriveMesh(asset, { tolerance: 5e-3 })));
    const extents = results.map(({ mesh }) => mesh.positions.reduce((far, x) => Math.max(far, x), 0));
    for (const [i, extent] of extents.entries()) expect(extent).toBeCloseTo([0.3, 0.5, 0.7][i] as number, 1);
  });

  test('reports rising progress through the stages', async () => {
    const progress: DeriveProgress[] = [];
    await deriveMesh(multiField(), { tolerance: 2e-3, onProgress: (step) => progress.push(step) });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(new Set(progress.map(({ stage }) => stage)).size).toBeGreaterThan(3);
  });

  test('leaves the page free while the worker works', async () => {
    await deriveMesh(blobMlp(1));
    const asset = multiField({ cells: [8, 32] });
    const measure = () => measureTasks(() => deriveMesh(asset, { tolerance: 1e-3 }));
    expect(await leastOfThree(async () => (await measure()).longestMs)).toBe(0);
  });

  test('never blocks the page for a long task in place', async () => {
    const asset = multiField({ cells: [8, 32] });
    const measure = () => measureTasks(() => deriveMesh(asset, { tolerance: 1e-3, backend: 'cpu' }));
    expect(await leastOfThree(async () => (await measure()).longestMs)).toBe(0);
  });

  test.each(['worker', 'cpu'] as const)('%s honours an abort within 50 ms at any stage', async (backend) => {
    const asset = multiField({ cells: [8, 32] });
    await deriveMesh(asset, { tolerance: 1e-3, backend });
    for (const stage of ['partition', 'settle', 'faces', 'polygons']) {
      const measure = () => measureAbort(asset, { tolerance: 1e-3, backend }, stage);
      expect(await leastOfThree(measure), stage).toBeLessThan(50);
    }
  });

  test('disposing ends what runs; the next job starts anew', async () => {
    const run = deriveMesh(multiField(), { tolerance: 1e-3 });
    setTimeout(disposeWorkers, 20);
    await expect(run).rejects.toBeInstanceOf(NsdfLoadError);
    expect((await deriveMesh(blobMlp(1))).stats.backend).toBe('worker');
  });
});
