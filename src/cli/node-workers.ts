import { Worker } from 'node:worker_threads';
import type { WorkerLike } from '../pipeline/worker-host.ts';

/** Starts a training worker in a thread of Node. */
export function startNodeTrainWorker(): WorkerLike {
  return pageWorker(new Worker(new URL('./node-train-worker.ts', import.meta.url)));
}

/** Starts a worker that derives in a thread of Node. */
export function startNodeWorker(): WorkerLike {
  return pageWorker(new Worker(new URL('./node-worker.ts', import.meta.url)));
}

/** A thread of Node with the interface of a page's worker. */
export function pageWorker(worker: Worker): WorkerLike {
  const listen = (type: string, listener: (event: never) => void): void => {
    if (type === 'message') worker.on('message', (data) => listener({ data } as never));
    if (type === 'messageerror') worker.on('messageerror', () => listener({} as never));
    if (type === 'error') {
      const fail = (message: string) => listener({ message, preventDefault: () => {} } as never);
      worker.on('error', ({ message }) => fail(message));
      worker.on('exit', (status) => fail(`it ended with status ${status}`));
    }
  };
  return {
    postMessage: (message: unknown, transfer?: unknown) =>
      worker.postMessage(message, transfer as ArrayBuffer[]),
    terminate: () => void worker.terminate(),
    addEventListener: listen as WorkerLike['addEventListener'],
  };
}
