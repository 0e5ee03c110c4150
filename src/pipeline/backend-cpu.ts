import type { DeriveBackend } from './backend.ts';
import { runJob } from './drive.ts';
import type { Job } from './steps.ts';

/** Runs jobs in place, in slices of at most 8 ms between which the event loop is served. */
export function createCpuBackend(job: Job): DeriveBackend {
  return {
    kind: 'cpu',
    merit: 'it runs everywhere',
    unavailable: () => undefined,
    derive: (asset, options, { signal, onProgress }) =>
      runJob(job, asset, options, {
        throwIfCancelled: () => signal?.throwIfAborted(),
        onProgress: (progress) => onProgress?.(progress),
      }),
  };
}
