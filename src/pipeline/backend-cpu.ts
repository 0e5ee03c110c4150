import type { DeriveBackend } from './backend.ts';
import type { Job } from './steps.ts';

/**
 * Runs jobs in place, in slices of about 8 ms between which the event loop is served.
 * @param loadJob loads the code of the work when it is first needed: a page whose workers start never needs it
 */
export function createCpuBackend(loadJob: () => Promise<Job>): DeriveBackend {
  return {
    kind: 'cpu',
    merit: 'it runs everywhere',
    unavailable: () => undefined,
    async derive(asset, options, { signal, onProgress }) {
      const [{ runJob }, job] = await Promise.all([import('./drive.ts'), loadJob()]);
      signal?.throwIfAborted();
      return runJob(job, asset, options, {
        throwIfCancelled: () => signal?.throwIfAborted(),
        onProgress: (progress) => onProgress?.(progress),
      });
    },
  };
}
