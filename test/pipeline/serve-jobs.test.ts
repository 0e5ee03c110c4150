import { expect, test, vi } from 'vitest';
import { serveJobs } from '../../src/pipeline/serve-jobs.ts';
import type { Job } from '../../src/pipeline/steps.ts';
import type { FromWorker, ToWorker } from '../../src/pipeline/worker-protocol.ts';
import { makeToyAsset, TOY_JOB } from './toy-job.ts';

test('the page gets one report in 30 ms, and those that start a stage or end the job', async () => {
  let nowMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const [nSteps, stepMs] = [60, 5];
  const job: Job = {
    ...TOY_JOB,
    *steps(asset, options) {
      for (let i = 1; i <= nSteps; i++) {
        nowMs += stepMs;
        yield { stage: i <= nSteps / 2 ? 'partition' : 'edges', fraction: i / nSteps };
      }
      nowMs += 1;
      const toy = TOY_JOB.steps(asset, { ...options, resolution: 0 });
      for (;;) {
        const step = toy.next();
        if (step.done) return step.value;
      }
    },
  };
  const reports: { stage: string; fraction: number; timeMs: number }[] = [];
  let tell: (event: MessageEvent<ToWorker>) => void = () => {};
  const done = new Promise<FromWorker>((resolve) => {
    const scope = {
      postMessage: (message: FromWorker): void => {
        if (message.kind === 'progress') reports.push({ ...message.progress, timeMs: nowMs });
        else if (message.kind !== 'ready') resolve(message);
      },
      addEventListener: (_type: 'message', listener: typeof tell): void => {
        tell = listener;
      },
    };
    serveJobs(scope, job);
  });
  tell({ data: { kind: 'asset', assetId: 1, asset: makeToyAsset() } } as MessageEvent<ToWorker>);
  tell({ data: { kind: 'derive', jobId: 1, assetId: 1, options: {} } } as MessageEvent<ToWorker>);
  expect(await done).toMatchObject({ kind: 'done' });
  clock.mockRestore();
  expect(reports.at(-1)?.fraction).toBe(1);
  const within = reports
    .slice(1)
    .map((report, i) => ({ ...report, before: reports[i] }))
    .filter(({ stage, before, fraction }) => stage === before.stage && fraction < 1);
  for (const { timeMs, before } of within) expect(timeMs - before.timeMs).toBeGreaterThanOrEqual(30);
  expect(within.length).toBeGreaterThan(5);
  expect(reports.length).toBeLessThan((nSteps * stepMs) / 30 + 3);
});
