import { describe, expect, test } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { JOB } from '../../src/pipeline/job.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import type { HostedJob } from '../../src/pipeline/worker-host.ts';
import { WorkerPool } from '../../src/pipeline/worker-pool.ts';
import { sphereField } from '../fixtures/fields.ts';
import { until } from './event-turns.ts';
import { createInProcessWorker, type InProcessWorker } from './in-process-worker.ts';
import { runHere } from './run-here.ts';

const LARGE = sphereField({ cells: [8, 32] });
const SMALL = sphereField({ cells: [2] });
const OPTIONS: JobOptions = { tolerance: 2e-3 };

function makePool(maxWorkers: number) {
  const workers: InProcessWorker[] = [];
  const createWorker = () => {
    const worker = createInProcessWorker(JOB);
    workers.push(worker);
    return worker;
  };
  return { workers, pool: new WorkerPool({ createWorker, maxWorkers }) };
}

const toJob = (assetId: number, asset: FieldAsset, more: Partial<HostedJob> = {}): HostedJob => ({
  assetId,
  asset,
  options: OPTIONS,
  signal: undefined,
  onProgress: undefined,
  ...more,
});

const countReceived = (worker: InProcessWorker | undefined, kind: string): number =>
  worker?.received.filter((message) => message.kind === kind).length ?? 0;

/** Resolves when a worker was sent such a message. */
async function receives(workers: readonly InProcessWorker[], id: number, kind: string): Promise<void> {
  await until(() => countReceived(workers[id], kind) > 0);
}

describe('workers without a job', () => {
  test('help with a long one, and are free when it ends', async () => {
    const { pool, workers } = makePool(3);
    const surface = await pool.run(toJob(1, LARGE));
    expect(workers).toHaveLength(3);
    expect(workers.map((worker) => countReceived(worker, 'help'))).toEqual([0, 1, 1]);
    expect(surface.mesh).toEqual((await runHere(LARGE, OPTIONS)).mesh);
    const all = [2, 3, 4].map((id) => pool.run(toJob(id, SMALL)));
    await Promise.all(all);
    expect(workers).toHaveLength(3);
    expect(workers.map((worker) => countReceived(worker, 'derive'))).toEqual([2, 1, 1]);
    pool.dispose();
  });

  test('leave it for a job that waits', async () => {
    const { pool, workers } = makePool(2);
    const order: string[] = [];
    const long = pool.run(toJob(1, LARGE)).then(() => order.push('long'));
    await receives(workers, 1, 'help');
    const short = pool.run(toJob(2, SMALL)).then(() => order.push('short'));
    await Promise.all([long, short]);
    expect(order).toEqual(['short', 'long']);
    expect(workers).toHaveLength(2);
    pool.dispose();
  });

  test('do not help beyond the limit that the job counts against', async () => {
    const { pool, workers } = makePool(3);
    await pool.run(toJob(1, LARGE, { workerLimit: { maxWorkers: 1 } }));
    expect(workers).toHaveLength(1);
    pool.dispose();
  });

  test('stop when nobody wants the job any more', async () => {
    const { pool, workers } = makePool(2);
    const controller = new AbortController();
    const run = pool.run(toJob(1, LARGE, { signal: controller.signal }));
    await receives(workers, 1, 'help');
    controller.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await Promise.all([2, 3].map((id) => pool.run(toJob(id, SMALL))));
    expect(workers.map((worker) => worker.isTerminated())).toEqual([false, false]);
    expect(workers).toHaveLength(2);
    pool.dispose();
  });

  test('may die: what they had is done without them', async () => {
    const { pool, workers } = makePool(2);
    const run = pool.run(toJob(1, LARGE));
    await receives(workers, 1, 'help');
    workers[1].fail('it was killed');
    expect((await run).mesh).toEqual((await runHere(LARGE, OPTIONS)).mesh);
    pool.dispose();
  });
});
