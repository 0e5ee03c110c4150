import { afterEach, describe, expect, test } from 'vitest';
import {
  configureWorkers,
  type DeriveOptions,
  type DeriveProgress,
  deriveMesh,
  disposeWorkers,
  NsdfLoadError,
} from '../../src/index.ts';
import { blobMlp, emptyField, multiField, sphereField } from '../fixtures/fields.ts';
import { countGivenWay, countTurnsToEnd } from './event-turns.ts';

afterEach(() => configureWorkers({}));

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

  test('leaves the page free while the worker works: its own thread has no step to give way for', async () => {
    const asset = multiField({ cells: [8, 32] });
    const derive = () => deriveMesh(asset, { tolerance: 1e-3, backend: 'worker' });
    expect((await countGivenWay(9, derive)).n).toBe(0);
  });

  test('works in place in small steps, and gives way wherever a slice is over', async () => {
    const asset = multiField({ cells: [8, 32] });
    const derive = () => deriveMesh(asset, { tolerance: 1e-3, backend: 'cpu' });
    const [standing, running] = [await countGivenWay(0, derive), await countGivenWay(9, derive)];
    expect(running.value.mesh).toEqual(standing.value.mesh);
    expect(standing.n).toBe(1); // the caller's own task is not lengthened
    const { nBoxesTested, nVertices } = running.value.stats;
    expect(running.n).toBeGreaterThan((nBoxesTested + nVertices) / 64);
  });

  test.each([
    ['worker', 0],
    ['cpu', 2],
  ] as const)('%s answers an abort at any stage within %i turns of the event loop', async (backend, most) => {
    const asset = multiField({ cells: [8, 32] });
    for (const wanted of ['partition', 'settle', 'polygons', 'refine']) {
      const { nTurns, reason } = await countTurnsToEnd((signal, abort) => {
        const onProgress = ({ stage }: DeriveProgress): void => {
          if (stage === wanted) abort(stage);
        };
        return deriveMesh(asset, { tolerance: 1e-3, backend, onProgress, signal });
      });
      expect(reason).toBe(wanted);
      expect(nTurns, wanted).toBeLessThanOrEqual(most);
    }
  });

  test('disposing ends what runs; the next job starts anew', async () => {
    const run = deriveMesh(multiField(), { tolerance: 1e-3, onProgress: disposeWorkers });
    await expect(run).rejects.toBeInstanceOf(NsdfLoadError);
    expect((await deriveMesh(blobMlp(1))).stats.backend).toBe('worker');
  });
});
