import { createWorkerBackend, type WorkerConfig } from './backend-worker.ts';

/** The page's workers, shared by everything on it that derives or decodes: nothing is started before the first job. */
export const workerBackend = createWorkerBackend();

/** Terminates the shared workers; running jobs reject with an NsdfLoadError, the next job starts new workers. */
export function disposeWorkers(): void {
  workerBackend.dispose();
}

/**
 * Says how workers are started, for pages whose bundler does not find the package's worker.js; ends the running ones.
 * @example
 * configureWorkers({ createWorker: () => new Worker('/static/nsdf-worker.js', { type: 'module' }) });
 */
export function configureWorkers(config: WorkerConfig): void {
  workerBackend.configure(config);
}
