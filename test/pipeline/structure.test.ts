import { expect, test } from 'vitest';
import { createCpuBackend } from '../../src/pipeline/backend.ts';
import { createWorkerBackend } from '../../src/pipeline/backend-worker.ts';
import { deriveWith } from '../../src/pipeline/derive-with.ts';
import { JOB } from '../../src/pipeline/job.ts';
import { blobMlp } from '../fixtures/fields.ts';
import { createInProcessWorker } from './in-process-worker.ts';

test('the structure comes through the worker whole, and leaves the asset there for the next job', async () => {
  const cpu = createCpuBackend(async () => JOB);
  const worker = createWorkerBackend({ createWorker: () => createInProcessWorker(JOB) });
  const asset = blobMlp(3, [6]);
  const options = { exact: true, structure: true, creaseAngle: 20 };
  for (let i = 0; i < 2; i++) {
    const there = await deriveWith([worker, cpu], asset, options);
    const here = await deriveWith([cpu], asset, options);
    expect(there.stats.backend).toBe('worker');
    expect(there.structure?.vertices.length).toBeGreaterThan(0);
    expect(there.structure).toEqual(here.structure);
    expect(there.mesh).toEqual(here.mesh);
  }
  worker.dispose();
});
