import { Worker } from 'node:worker_threads';
import type { WorkerLike } from '../pipeline/worker-host.ts';

/** Starts a training worker in a thread of Node, with the interface of a page's worker. */
export function startNodeTrainWorker(): WorkerLike {
  const worker = new Worker(new URL('./node-train-worker.ts', import.meta.url));
  const listen = (type: string, listener: (event: never) => void): void => {
    if (type === 'message') worker.on('message', (data) => listener({ data } as never));
    if (type === 'messageerror') worker.on('messageerror', () => listener({} as never));
    if (type === 'error') {
      worker.on('error', ({ message }) => listener({ message } as never));
      worker.on('exit', (status) => listener({ message: `it ended with status ${status}` } as never));
    }
  };
  return {
    postMessage: (message: unknown, transfer?: unknown) =>
      worker.postMessage(message, transfer as ArrayBuffer[]),
    terminate: () => void worker.terminate(),
    addEventListener: listen as WorkerLike['addEventListener'],
  };
}
