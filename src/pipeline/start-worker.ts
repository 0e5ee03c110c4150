/**
 * Starts the package's worker: a module file of its own, so that no page needs `blob:`, `unsafe-eval` or special
 * headers. Bundlers recognise exactly this form; the build names the file worker.js.
 */
export function startWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'nsdf' });
}
