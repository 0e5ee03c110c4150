import { collectBuffers } from './buffers.ts';
import { type Helpers, runQuietly, type TaskQueue } from './drive.ts';
import { fromWire, toWire, type WireError } from './error-wire.ts';
import type { PartResult, PartTask } from './parts.ts';
import type { TaskRunner } from './steps.ts';

/** The end of a channel between two workers, as far as it is used here. */
export type CrewPort = Pick<MessagePort, 'postMessage' | 'close'> & {
  onmessage: ((event: MessageEvent) => void) | null;
};

/** What the worker with the job says to a helper. */
type ToHelper = { readonly id: number; readonly task: PartTask };

/** What a helper answers: exactly one of these a part, and `leave` when it takes no more. */
type FromHelper =
  | { readonly kind: 'result'; readonly id: number; readonly result: PartResult }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'leave' };

interface Helper {
  readonly port: CrewPort;
  /** The parts that it has, and whose they are. */
  taken: readonly { readonly queue: TaskQueue; readonly id: number }[];
}

/** A job that takes longer than this, or will by what its first parts took, asks for helpers: below it they would come too late. */
const ALONE_MS = 40;
/** Parts that a helper has at most: it need not wait for the next one until the worker with the job has a moment. */
const MOST_TAKEN = 2;

/** The helpers of one job, on the side of the worker that has the job. */
export class Crew implements Helpers {
  readonly #helpers = new Map<number, Helper>();
  readonly #ask: () => void;
  readonly #sinceMs = performance.now();
  #isAsked = false;
  #queue: TaskQueue | undefined;

  /** @param ask called at most once, when the job turns out to be worth sharing */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  offer(queue: TaskQueue): void {
    this.#queue = queue;
    for (const helper of this.#helpers.values()) this.#hand(helper);
    if (this.#isAsked || queue.nWaiting < 2) return;
    const elapsedMs = performance.now() - this.#sinceMs;
    const leftMs = queue.nDone === 0 ? 0 : (elapsedMs * queue.nWaiting) / queue.nDone;
    if (Math.max(elapsedMs, leftMs) <= ALONE_MS) return;
    this.#isAsked = true;
    this.#ask();
  }

  /** Takes a helper in. */
  join(helperId: number, port: CrewPort): void {
    const helper: Helper = { port, taken: [] };
    this.#helpers.set(helperId, helper);
    port.onmessage = ({ data }) => this.#receive(helperId, helper, data as FromHelper);
    this.#hand(helper);
  }

  /** A helper is gone; somebody else does what it had. */
  leave(helperId: number): void {
    const helper = this.#helpers.get(helperId);
    if (helper === undefined) return;
    this.#helpers.delete(helperId);
    helper.port.close();
    for (const { queue, id } of [...helper.taken].reverse()) queue.putBack(id);
  }

  dispose(): void {
    for (const { port } of this.#helpers.values()) port.close();
    this.#helpers.clear();
  }

  #hand(helper: Helper): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    while (helper.taken.length < MOST_TAKEN) {
      // One in advance, as long as there is one for everybody.
      if (helper.taken.length > 0 && queue.nWaiting <= this.#helpers.size + 1) return;
      const next = queue.take();
      if (next === undefined) return;
      helper.taken = [...helper.taken, { queue, id: next.id }];
      // Copied, not handed over: the part is done here if the helper is lost.
      helper.port.postMessage(next satisfies ToHelper);
    }
  }

  #receive(helperId: number, helper: Helper, message: FromHelper): void {
    if (message.kind === 'leave') {
      this.leave(helperId);
      return;
    }
    const done = helper.taken.find(({ id }) => id === message.id);
    if (done === undefined) return;
    helper.taken = helper.taken.filter((part) => part !== done);
    if (message.kind === 'failed') done.queue.fail(fromWire(message.error));
    else done.queue.give(message.id, message.result);
    this.#hand(helper);
  }
}

/**
 * Does the parts that come in at a port, one after the other.
 * @param throwIfCancelled called between slices; throws to leave what is being done.
 * @returns call it to leave when what is being done has ended; resolves then.
 */
export function serveCrew(
  port: CrewPort,
  createRunner: () => TaskRunner,
  throwIfCancelled: () => void,
): () => Promise<void> {
  let runner: TaskRunner | undefined;
  let working = Promise.resolve();
  let isLeaving = false;
  const send = (message: FromHelper, transfer: Transferable[] = []): void =>
    port.postMessage(message, transfer);
  const work = async ({ id, task }: ToHelper): Promise<void> => {
    if (isLeaving) return;
    try {
      runner ??= createRunner();
      const result = await runQuietly(runner.run(task), throwIfCancelled);
      send({ kind: 'result', id, result }, [...collectBuffers(result)]);
    } catch (error) {
      // Of a job that nobody wants any more nobody hears this.
      send({ kind: 'failed', id, error: toWire(error) });
    }
  };
  port.onmessage = ({ data }) => {
    working = working.then(() => work(data as ToHelper));
  };
  return async () => {
    isLeaving = true;
    await working;
    send({ kind: 'leave' });
    port.close();
  };
}
