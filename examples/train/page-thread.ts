import { NsdfError, NsdfFormatError } from '../../src/index.ts';
import type { FromPageWorker, PageCall, PageCalls, ToPageWorker } from './page-worker.ts';

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (reason: unknown) => void;
}

/** The page's worker, from the page. */
export class PageThread {
  readonly #worker = new Worker(new URL('./page-worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #nCalls = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromPageWorker>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('failure' in data) waiting?.reject(errorOf(data.failure));
      else waiting?.resolve(data.answer as never);
    });
    this.#worker.addEventListener('error', ({ message }) => {
      const reason = new NsdfError(
        'load',
        `The page's worker failed: ${message || 'it could not be loaded'}`,
      );
      for (const { reject } of this.#waiting.values()) reject(reason);
      this.#waiting.clear();
    });
  }

  /** @param transfer what the page does not need any more. */
  call<N extends PageCall>(
    name: N,
    argument: PageCalls[N]['argument'],
    transfer: Transferable[] = [],
  ): Promise<PageCalls[N]['answer']> {
    const id = this.#nCalls++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, argument: argument as never } satisfies ToPageWorker, transfer);
    });
  }
}

function errorOf({ name, message }: { readonly name: string; readonly message: string }): Error {
  return name === 'NsdfFormatError' ? new NsdfFormatError(message) : new NsdfError('load', message);
}
