import { afterEach, expect, test, vi } from 'vitest';
import { WorkerPool } from '../../src/pipeline/worker-pool.ts';
import type { FromWorker, ToWorker } from '../../src/pipeline/worker-protocol.ts';
import { makeToyAsset } from '../pipeline/toy-job.ts';

afterEach(() => vi.useRealTimers());

// Each report that threw cancelled its job anew, and only the last of those cancels was taken back when the job ended: the
// timer of an earlier one ended the worker under the next job, which rejected with the error of the other's callback.
test('a callback that throws at every report costs its own job alone', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let say: (message: FromWorker) => void = () => {};
  const terminate = vi.fn();
  const sent: ToWorker[] = [];
  const createWorker = () => ({
    postMessage: (message: ToWorker) => void sent.push(message),
    terminate,
    addEventListener: (type: string, listener: unknown) => {
      if (type === 'message') say = (data) => (listener as (event: object) => void)({ data });
    },
  });
  const pool = new WorkerPool({ createWorker, maxWorkers: 1 });
  const job = { assetId: 1, asset: makeToyAsset(), options: {}, signal: undefined };
  const onProgress = () => {
    throw new Error('from the callback');
  };
  const first = pool.run({ ...job, onProgress });
  say({ kind: 'ready' });
  const { jobId } = sent.find((message) => message.kind === 'derive')!;
  const progress = { stage: 'edges', fraction: 0.5 } as const;
  for (const _ of [1, 2]) say({ kind: 'progress', jobId, progress });
  expect(sent.filter(({ kind }) => kind === 'cancel')).toHaveLength(1);
  say({ kind: 'cancelled', jobId });
  await expect(first).rejects.toThrow('from the callback');
  void pool.run({ ...job, onProgress: undefined }).catch(() => {});
  await vi.advanceTimersByTimeAsync(10_000);
  expect(terminate).not.toHaveBeenCalled();
  pool.dispose();
});
