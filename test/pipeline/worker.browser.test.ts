import { afterEach, describe, expect, test } from 'vitest';
import { NsdfFormatError } from '../../src/errors.ts';
import { createCpuBackend } from '../../src/pipeline/backend-cpu.ts';
import { createWorkerBackend } from '../../src/pipeline/backend-worker.ts';
import { deriveWith } from '../../src/pipeline/derive-with.ts';
import type { DeriveOptions, DeriveProgress } from '../../src/pipeline/options.ts';
import { leastOfThree, measureTasks } from './measure-tasks.ts';
import { makeToyAsset, TOY_JOB } from './toy-job.ts';

const startToyWorker = () => new Worker(new URL('./toy.worker.ts', import.meta.url), { type: 'module' });
const worker = createWorkerBackend({ createWorker: startToyWorker });
const backends = [worker, createCpuBackend(async () => TOY_JOB)];
const derive = (asset = makeToyAsset(), options: DeriveOptions = {}) => deriveWith(backends, asset, options);

/** Aborts 60 ms into the job; gives the time from the abort to the rejection. */
async function measureAbort(options: DeriveOptions, asset = makeToyAsset()): Promise<number> {
  const controller = new AbortController();
  const reason = new Error('enough');
  let abortedAtMs = 0;
  setTimeout(() => {
    abortedAtMs = performance.now();
    controller.abort(reason);
  }, 60);
  await expect(derive(asset, { ...options, signal: controller.signal })).rejects.toBe(reason);
  return performance.now() - abortedAtMs;
}

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

  test('reports rising progress, at most one message an interval and stage', async () => {
    const progress: DeriveProgress[] = [];
    await derive(makeToyAsset(), { resolution: 50, onProgress: (step) => progress.push(step) });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(progress.length).toBeGreaterThan(3);
    expect(progress.length).toBeLessThan(15); // 200 ms of work in intervals of 30 ms, three stages
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

  test('honours an abort within 50 ms, also while the worker is deaf', async () => {
    await derive(); // a running worker, so that the abort meets the work and not the start
    expect(await leastOfThree(() => measureAbort({ resolution: 1000 }))).toBeLessThan(50);
    expect(await leastOfThree(() => measureAbort({ resolution: 1000 }, makeToyAsset('blocks')))).toBeLessThan(
      50,
    );
    expect((await derive()).stats.backend).toBe('worker');
  });

  test('does not hold up the page', async () => {
    await derive();
    const measure = () => measureTasks(() => derive(makeToyAsset(), { resolution: 50 }));
    expect(await leastOfThree(async () => (await measure()).longestMs)).toBe(0);
  });
});

test('the measure of tasks sees a long one', async () => {
  const block = async () => {
    const endMs = performance.now() + 80;
    while (performance.now() < endMs);
  };
  const soon = () => new Promise<void>((resolve) => setTimeout(() => resolve(block())));
  expect((await measureTasks(soon)).longestMs).toBeGreaterThanOrEqual(80);
});

describe('the cpu backend', () => {
  test('never blocks the page for a long task', async () => {
    const measure = () => measureTasks(() => derive(makeToyAsset(), { resolution: 50, backend: 'cpu' }));
    expect((await measure()).totalMs).toBeGreaterThan(200);
    expect(await leastOfThree(async () => (await measure()).longestMs)).toBe(0);
  });

  test('honours an abort within 50 ms', async () => {
    expect(await leastOfThree(() => measureAbort({ resolution: 1000, backend: 'cpu' }))).toBeLessThan(50);
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
