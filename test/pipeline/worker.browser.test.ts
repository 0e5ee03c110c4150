import { afterEach, describe, expect, test } from 'vitest';
import { NsdfFormatError } from '../../src/errors.ts';
import type { DeriveOptions, DeriveProgress } from '../../src/options.ts';
import { createCpuBackend } from '../../src/pipeline/backend.ts';
import { createWorkerBackend } from '../../src/pipeline/backend-worker.ts';
import { deriveWith } from '../../src/pipeline/derive-with.ts';
import { countGivenWay, countTurnsToEnd } from './event-turns.ts';
import { makeToyAsset, TOY_JOB } from './toy-job.ts';

const startToyWorker = () => new Worker(new URL('./toy.worker.ts', import.meta.url), { type: 'module' });
const worker = createWorkerBackend({ createWorker: startToyWorker });
const backends = [worker, createCpuBackend(async () => TOY_JOB)];
const derive = (asset = makeToyAsset(), options: DeriveOptions = {}) => deriveWith(backends, asset, options);

/** Aborts at the first report of a job that would take seconds. */
const abortToy = (options: DeriveOptions, asset = makeToyAsset()) =>
  countTurnsToEnd((signal, abort) =>
    derive(asset, { resolution: 1000, ...options, signal, onProgress: () => abort('enough') }),
  );

afterEach(() => worker.dispose());

describe('a real worker', () => {
  test('gives the same bytes as the cpu backend', async () => {
    const asset = makeToyAsset('works', 3000);
    const [there, here] = [await derive(asset), await derive(asset, { backend: 'cpu' })];
    expect(there.stats.backend).toBe('worker');
    expect(here.stats.backend).toBe('cpu');
    expect(there.mesh).toEqual(here.mesh);
    expect(there.mesh.positions.constructor).toBe(Float32Array);
  });

  test('reports rising progress', async () => {
    const progress: DeriveProgress[] = [];
    await derive(makeToyAsset(), { resolution: 50, onProgress: (step) => progress.push(step) });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(progress.length).toBeGreaterThan(3);
  });

  test('leaves the asset whole and can use it again', async () => {
    const asset = makeToyAsset('aliases');
    const before = asset.layers[0]?.weights.slice();
    for (const _ of [1, 2]) expect((await derive(asset)).mesh.positions).toEqual(before);
    expect(asset.layers[0]?.weights).toEqual(before);
  });

  test('rejects with the typed error of the job', async () => {
    const run = derive(makeToyAsset('throws'));
    await expect(run).rejects.toBeInstanceOf(NsdfFormatError);
    await expect(run).rejects.toMatchObject({ byteOffset: 12, field: '/toy' });
  });

  test('answers an abort at once, also while the worker is deaf', async () => {
    for (const behaviour of ['works', 'blocks'] as const) {
      expect(await abortToy({}, makeToyAsset(behaviour))).toEqual({ nTurns: 0, reason: 'enough' });
    }
    expect((await derive()).stats.backend).toBe('worker');
  });

  test('does not hold up the page: its own thread has no step to give way for', async () => {
    const { n, value } = await countGivenWay(9, () => derive(makeToyAsset(), { resolution: 50 }));
    expect([n, value.stats.backend]).toEqual([0, 'worker']);
  });
});

describe('the cpu backend', () => {
  test('gives way after every step that ends a slice', async () => {
    const options = { resolution: 50, backend: 'cpu' } as const;
    const { n } = await countGivenWay(9, () => derive(makeToyAsset(), options));
    expect(n).toBeGreaterThanOrEqual(50);
  });

  test('answers an abort after the slice at hand', async () => {
    const { nTurns, reason } = await abortToy({ backend: 'cpu' });
    expect(reason).toBe('enough');
    expect(nTurns).toBeLessThanOrEqual(2);
  });
});

describe('a worker that cannot start', () => {
  const deriveWithWorker = (createWorker: () => Worker) =>
    deriveWith(
      [createWorkerBackend({ createWorker }), createCpuBackend(async () => TOY_JOB)],
      makeToyAsset(),
      {},
    );

  test('falls back to cpu when the file is missing', async () => {
    const { stats } = await deriveWithWorker(() => new Worker('/no-such-file.js', { type: 'module' }));
    expect(stats.backend).toBe('cpu');
    expect(stats.backendReason).toMatch(/^fallback to cpu \(worker: The worker failed: /);
  });

  test('falls back to cpu when the page may not start it', async () => {
    const { stats } = await deriveWithWorker(() => new Worker('https://elsewhere.invalid/worker.js'));
    expect(stats.backend).toBe('cpu');
    expect(stats.backendReason).toMatch(/^fallback to cpu \(worker: No worker can be started: /);
  });
});
