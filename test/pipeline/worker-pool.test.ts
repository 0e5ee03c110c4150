import { describe, expect, test, vi } from 'vitest';
import { NsdfFormatError, NsdfLoadError } from '../../src/errors.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { BackendUnavailableError } from '../../src/pipeline/backend.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import type { HostedJob } from '../../src/pipeline/worker-host.ts';
import { WorkerPool, type WorkerPoolOptions } from '../../src/pipeline/worker-pool.ts';
import { createEvent } from './event-turns.ts';
import { createInProcessWorker, type InProcessWorker } from './in-process-worker.ts';
import { makeToyAsset, TOY_JOB } from './toy-job.ts';

function makePool(options: Partial<WorkerPoolOptions> = {}, job: typeof TOY_JOB | null = TOY_JOB) {
  const workers: InProcessWorker[] = [];
  const createWorker = () => {
    const worker = createInProcessWorker(job);
    workers.push(worker);
    return worker;
  };
  return { workers, pool: new WorkerPool({ createWorker, maxWorkers: 2, ...options }) };
}

const toJob = (
  asset: FieldAsset,
  options: JobOptions = { resolution: 2 },
  signal?: AbortSignal,
  assetId = 1,
): HostedJob => ({ assetId, asset, options, signal, onProgress: undefined });

const countReceived = (worker: InProcessWorker | undefined, kind: string): number =>
  worker?.received.filter((message) => message.kind === kind).length ?? 0;

describe('WorkerPool', () => {
  test('sends an asset once, tight, and leaves the original whole', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1 });
    const asset = makeToyAsset();
    const first = await pool.run(toJob(asset));
    const second = await pool.run(toJob(asset));
    expect(second.mesh.positions).toEqual(first.mesh.positions);
    expect(workers).toHaveLength(1);
    expect(countReceived(workers[0], 'asset')).toBe(1);
    const sent = workers[0]?.received[0] as { asset: FieldAsset };
    expect(sent.asset.layers[0]?.weights.buffer.byteLength).toBe(24);
    expect(asset.layers[0]?.weights).toHaveLength(6);
    pool.dispose();
  });

  test('forgets the assets used longest ago when there are too many bytes', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1, maxAssetBytes: 60 }); // two of 24 bytes each
    const assets = [1, 2, 3].map((id) => ({ id, asset: makeToyAsset() }));
    for (const { id, asset } of assets) await pool.run(toJob(asset, { resolution: 1 }, undefined, id));
    const forgotten = workers[0]?.received.filter((message) => message.kind === 'forget');
    expect(forgotten).toEqual([{ kind: 'forget', assetId: 1 }]);
    await pool.run(toJob(assets[0]?.asset as FieldAsset, { resolution: 1 }, undefined, 1));
    expect(countReceived(workers[0], 'asset')).toBe(4);
    pool.dispose();
  });

  test('does not hand over a result that lives in the cached asset', async () => {
    const { pool } = makePool({ maxWorkers: 1 });
    const asset = makeToyAsset('aliases');
    const first = await pool.run(toJob(asset));
    const second = await pool.run(toJob(asset));
    expect(second.mesh.positions).toEqual(asset.layers[0]?.weights);
    expect(first.mesh.positions).toEqual(second.mesh.positions);
    pool.dispose();
  });

  test('runs as many jobs at once as it has workers, the others in order', async () => {
    const { pool, workers } = makePool();
    const order: number[] = [];
    const jobs = [0, 1, 2, 3, 4].map((i) =>
      pool.run(toJob(makeToyAsset(), { resolution: 3 }, undefined, i)).then(() => order.push(i)),
    );
    await Promise.all(jobs);
    expect(workers).toHaveLength(2);
    expect(order.indexOf(4)).toBe(4);
    pool.dispose();
  });

  test('rebuilds errors in their class', async () => {
    const { pool } = makePool();
    const run = pool.run(toJob(makeToyAsset('throws')));
    await expect(run).rejects.toBeInstanceOf(NsdfFormatError);
    await expect(run).rejects.toMatchObject({ byteOffset: 12, cause: expect.any(RangeError) });
    await expect(pool.run(toJob(makeToyAsset(), undefined, undefined, 2))).resolves.toBeDefined();
    pool.dispose();
  });

  test('an abort rejects with the reason, stops the work and frees the worker', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1 });
    const controller = new AbortController();
    const running = toJob(makeToyAsset(), { resolution: 500 }, controller.signal);
    const onProgress = () => controller.abort(new Error('enough'));
    const run = pool.run({ ...running, onProgress });
    const waiting = pool.run(toJob(makeToyAsset(), { resolution: 1 }, undefined, 2));
    await expect(run).rejects.toThrow('enough');
    await waiting;
    expect(workers).toHaveLength(1);
    expect(workers[0]?.isTerminated()).toBe(false);
    pool.dispose();
  });

  test('aborts before the start, while starting and while waiting', async () => {
    const { pool } = makePool({ maxWorkers: 1 });
    const aborted = AbortSignal.abort(new Error('before'));
    await expect(pool.run(toJob(makeToyAsset(), {}, aborted))).rejects.toThrow('before');
    const starting = new AbortController();
    const first = pool.run(toJob(makeToyAsset(), { resolution: 500 }, starting.signal));
    const waiting = new AbortController();
    const second = pool.run(toJob(makeToyAsset(), {}, waiting.signal, 2));
    waiting.abort(new Error('while waiting'));
    starting.abort(new Error('while starting'));
    await expect(second).rejects.toThrow('while waiting');
    await expect(first).rejects.toThrow('while starting');
    await expect(pool.run(toJob(makeToyAsset(), undefined, undefined, 3))).resolves.toBeDefined();
    pool.dispose();
  });

  test('replaces a worker that does not stop', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1, cancelGraceMs: 20 });
    const deaf = toJob(makeToyAsset(), { resolution: 200 });
    const controller = new AbortController();
    const working = createEvent();
    const run = pool.run({ ...deaf, signal: controller.signal, onProgress: working.happen });
    await working.happened;
    const worker = workers[0] as InProcessWorker;
    worker.postMessage = () => {}; // the cancel never arrives
    controller.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await expect(pool.run(toJob(makeToyAsset()))).resolves.toBeDefined();
    expect(worker.isTerminated()).toBe(true);
    expect(workers).toHaveLength(2);
    pool.dispose();
  });

  test('a callback that throws ends its job with that error', async () => {
    const { pool } = makePool({ maxWorkers: 1 });
    const onProgress = () => {
      throw new Error('from the callback');
    };
    const run = pool.run({ ...toJob(makeToyAsset(), { resolution: 200 }), onProgress });
    await expect(run).rejects.toThrow('from the callback');
    await expect(pool.run(toJob(makeToyAsset()))).resolves.toBeDefined();
    pool.dispose();
  });

  test('a worker that dies rejects its job only', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1 });
    await pool.run(toJob(makeToyAsset()));
    const run = pool.run(toJob(makeToyAsset(), { resolution: 100 }));
    const next = pool.run(toJob(makeToyAsset(), { resolution: 1 }));
    workers[0]?.fail('out of memory');
    await expect(run).rejects.toThrow(NsdfLoadError);
    await expect(run).rejects.toThrow('out of memory');
    await expect(run).rejects.not.toThrow(BackendUnavailableError);
    await expect(next).resolves.toBeDefined();
    pool.dispose();
  });

  test('says that workers cannot be started, and stops trying', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1 }, null);
    for (const attempt of [1, 2]) {
      const run = pool.run(toJob(makeToyAsset()));
      workers[attempt - 1]?.fail('blocked by the policy');
      await expect(run).rejects.toThrow(BackendUnavailableError);
    }
    expect(pool.refusal).toBe('workers failed to start 2 times in a row');
    await expect(pool.run(toJob(makeToyAsset()))).rejects.toThrow(BackendUnavailableError);
    expect(workers).toHaveLength(2);
    expect(pool.nWorkers).toBe(0);
  });

  test('gives up on a worker that never starts, or that may not be made', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { pool, workers } = makePool({}, null);
      const run = expect(pool.run(toJob(makeToyAsset()))).rejects.toThrow('did not start within 10000 ms');
      await vi.advanceTimersByTimeAsync(9_999);
      expect(workers[0].isTerminated()).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await run;
    } finally {
      vi.useRealTimers();
    }
    const forbidden = makePool({
      createWorker: () => {
        throw new Error('SecurityError');
      },
    });
    await expect(forbidden.pool.run(toJob(makeToyAsset()))).rejects.toThrow(BackendUnavailableError);
  });

  test('disposing rejects what runs and what waits', async () => {
    const { pool, workers } = makePool({ maxWorkers: 1 });
    const runs = [1, 2].map((id) => pool.run(toJob(makeToyAsset(), { resolution: 200 }, undefined, id)));
    pool.dispose();
    for (const run of runs) await expect(run).rejects.toThrow(NsdfLoadError);
    expect(workers[0]?.isTerminated()).toBe(true);
    await expect(pool.run(toJob(makeToyAsset()))).rejects.toThrow('disposed');
  });
});
