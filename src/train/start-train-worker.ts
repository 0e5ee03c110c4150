/** Starts a training worker: a module file of its own, in the one form that bundlers recognise. */
export function startTrainWorker(): Worker {
  return new Worker(new URL('./train-worker.ts', import.meta.url), { type: 'module', name: 'nsdf-train' });
}
