import { describe, expect, test, vi } from 'vitest';
import { NsdfArgumentError, NsdfFormatError } from '../../src/errors.ts';
import type { DeriveProgress } from '../../src/options.ts';
import { BackendUnavailableError, createCpuBackend, type DeriveBackend } from '../../src/pipeline/backend.ts';
import { createWorkerBackend } from '../../src/pipeline/backend-worker.ts';
import { deriveWith } from '../../src/pipeline/derive-with.ts';
import type { Job } from '../../src/pipeline/steps.ts';
import { createInProcessWorker } from './in-process-worker.ts';
import { makeToyAsset, TOY_JOB } from './toy-job.ts';

const cpu = createCpuBackend(async () => TOY_JOB);
const makeWorkerBackend = () => createWorkerBackend({ createWorker: () => createInProcessWorker(TOY_JOB) });

describe('deriveWith', () => {
  test('prefers the first backend and says why', async () => {
    const worker = makeWorkerBackend();
    const { stats, mesh } = await deriveWith([worker, cpu], makeToyAsset(), { resolution: 3 });
    expect(stats).toMatchObject({
      backend: 'worker',
      backendReason: 'auto: a module worker keeps this thread free',
    });
    expect(stats.totalTimeMs).toBeGreaterThan(0);
    const onCpu = await deriveWith([worker, cpu], makeToyAsset(), { resolution: 3, backend: 'cpu' });
    expect(onCpu.stats).toMatchObject({ backend: 'cpu', searchedBy: 'cpu', backendReason: 'asked for' });
    expect(onCpu.mesh).toEqual(mesh);
    worker.dispose();
  });

  test('names who made the mesh, and beside it who searched', async () => {
    const helped: DeriveBackend = {
      ...cpu,
      kind: 'gpu',
      derive: async (...job) => ({ ...(await cpu.derive(...job)), madeBy: 'worker', searchedBy: 'gpu' }),
    };
    const { stats } = await deriveWith([helped], makeToyAsset(), { resolution: 3 });
    expect(stats).toMatchObject({ backend: 'worker', searchedBy: 'gpu' });
    const { stats: alone } = await deriveWith([{ ...cpu, kind: 'gpu' }], makeToyAsset(), { resolution: 3 });
    expect(alone).toMatchObject({ backend: 'gpu', searchedBy: 'gpu' });
  });

  test('sends the network of many tiles to the worker once, and another one with the same weights again', async () => {
    const started = createInProcessWorker(TOY_JOB);
    const worker = createWorkerBackend({ createWorker: () => started, maxWorkers: 1 });
    const asset = makeToyAsset();
    const { min, max } = asset.domain;
    const region = { min, max: [0, max[1], max[2]] as const };
    await deriveWith([worker], { ...asset, region, tolerance: 0.1 }, { resolution: 3 });
    await deriveWith([worker], asset, { resolution: 3 });
    await deriveWith([worker], { ...asset, name: 'other', tolerance: 0.2 }, {});
    const nSent = () => started.received.filter(({ kind }) => kind === 'asset').length;
    expect(nSent()).toBe(1);
    await deriveWith([worker], { ...asset, isNegativeInside: !asset.isNegativeInside }, { resolution: 3 });
    expect(nSent()).toBe(2);
    worker.dispose();
  });

  test('falls back where there is no Worker, and says so', async () => {
    const worker = createWorkerBackend();
    for (const backend of ['auto', 'worker'] as const) {
      const { stats } = await deriveWith([worker, cpu], makeToyAsset(), { backend });
      expect(stats.backend).toBe('cpu');
      expect(stats.backendReason).toBe('fallback to cpu (worker: there is no Worker here)');
    }
  });

  test('falls back where the worker does not start, and says so', async () => {
    const worker = createWorkerBackend({
      createWorker: () => {
        const broken = createInProcessWorker(null);
        setTimeout(() => broken.fail('404'));
        return broken;
      },
    });
    for (const reason of [/404/, /404/, /failed to start 2 times/]) {
      const { stats } = await deriveWith([worker, cpu], makeToyAsset(), {});
      expect(stats.backend).toBe('cpu');
      expect(stats.backendReason).toMatch(reason);
    }
  });

  test('passes on the failure of a job: that is no reason to try elsewhere', async () => {
    const worker = makeWorkerBackend();
    const broken = { ...cpu, derive: () => Promise.reject(new Error('the cpu backend was tried')) };
    await expect(deriveWith([worker, broken], makeToyAsset('throws'), {})).rejects.toThrow(NsdfFormatError);
    worker.dispose();
  });

  test('a backend of another kind slots in before the others', async () => {
    const gpu = {
      kind: 'gpu',
      merit: '',
      unavailable: () => undefined,
      derive: async () => {
        throw new BackendUnavailableError('no adapter');
      },
    } as unknown as DeriveBackend;
    const { stats } = await deriveWith([gpu, cpu], makeToyAsset(), {});
    expect(stats.backendReason).toBe('fallback to cpu (gpu: no adapter)');
    await expect(deriveWith([gpu], makeToyAsset(), {})).rejects.toThrow(
      'No backend can run here (gpu: no adapter)',
    );
  });

  test('posts nothing that cannot be cloned', async () => {
    const worker = makeWorkerBackend();
    const progress: DeriveProgress[] = [];
    const options = {
      resolution: 2,
      tolerance: undefined as unknown as number,
      signal: new AbortController().signal,
      onProgress: (step: DeriveProgress) => void progress.push(step),
    };
    const { stats } = await deriveWith([worker, cpu], makeToyAsset(), options);
    expect(stats.backend).toBe('worker');
    expect(progress.at(-1)?.fraction).toBe(1);
    worker.dispose();
  });

  test.each(['cpu', 'worker'] as const)('%s ends with the slice that an abort meets', async (backend) => {
    let nSteps = 0;
    let nAtAbort = Number.NaN;
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    const job: Job = {
      ...TOY_JOB,
      *steps() {
        for (;;) {
          nSteps++;
          if (nSteps === 20) {
            nAtAbort = nSteps;
            setImmediate(() => controller.abort(reason)); // an event that waits while the slice runs
          }
          yield { stage: 'partition', fraction: 0 };
        }
      },
    };
    const own = createCpuBackend(async () => job);
    const worker = createWorkerBackend({ createWorker: () => createInProcessWorker(job) });
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nSteps * 3); // three steps a slice
    const run = deriveWith([worker, own], makeToyAsset(), { backend, signal });
    await expect(run).rejects.toBe(reason);
    clock.mockRestore();
    expect(nSteps - nAtAbort).toBeLessThan(10);
    worker.dispose();
  });

  test.each(['cpu', 'worker'] as const)(
    '%s does nothing for a signal that is aborted already',
    async (backend) => {
      const worker = makeWorkerBackend();
      const signal = AbortSignal.abort('never mind');
      await expect(deriveWith([worker, cpu], makeToyAsset(), { backend, signal })).rejects.toBe('never mind');
    },
  );

  test('rejects bad options before any work', async () => {
    await expect(deriveWith([], makeToyAsset(), { resolution: -1 })).rejects.toThrow(NsdfArgumentError);
  });
});

describe('a worker that was expected and did not come', () => {
  const noWorker = (warn?: boolean) =>
    createWorkerBackend({
      createWorker: () => {
        throw new Error('404');
      },
      ...(warn === undefined ? {} : { warn }),
    });

  test('is told to the console once, with what to do', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const worker = noWorker();
    for (const _ of [1, 2, 3]) {
      expect((await deriveWith([worker, cpu], makeToyAsset(), { resolution: 1 })).stats.backend).toBe('cpu');
    }
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/404.*configureWorkers.*bundlers\.md/)]]);
    warn.mockRestore();
  });

  test('is not, where that is switched off', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await deriveWith([noWorker(false), cpu], makeToyAsset(), { resolution: 1 });
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('configure refuses what it does not know', () => {
    const config = { createworker: () => {} } as object;
    expect(() => createWorkerBackend().configure(config)).toThrow('did you mean createWorker?');
  });
});
