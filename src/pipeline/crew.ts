import { collectBuffers } from './buffers.ts';
import { type Helpers, runQuietly } from './drive.ts';
import { fromWire, toWire, type WireError } from './error-wire.ts';
import type { PartResult, PartTask } from './parts.ts';
import type { TaskRunner } from './steps.ts';
import type { TaskQueue } from './task-queue.ts';

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
  /** The part that it has, and whose it is. */
  taken: { readonly queue: TaskQueue; readonly id: number } | undefined;
}

/** A job that takes longer than this asks for helpers: below it they would come too late. */
const ALONE_MS = 40;

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
    const isWorthwhile = queue.nWaiting > 1 && performance.now() - this.#sinceMs > ALONE_MS;
    if (this.#isAsked || !isWorthwhile) return;
    this.#isAsked = true;
    this.#ask();
  }

  /** Takes a helper in. */
  join(helperId: number, port: CrewPort): void {
    const helper: Helper = { port, taken: undefined };
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
    helper.taken?.queue.putBack(helper.taken.id);
  }

  dispose(): void {
    for (const { port } of this.#helpers.values()) port.close();
    this.#helpers.clear();
  }

  #hand(helper: Helper): void {
    const queue = this.#queue;
    if (helper.taken !== undefined || queue === undefined) return;
    const next = queue.take();
    if (next === undefined) return;
    helper.taken = { queue, id: next.id };
    // Copied, not handed over: the part is done here if the helper is lost.
    helper.port.postMessage(next satisfies ToHelper);
  }

  #receive(helperId: number, helper: Helper, message: FromHelper): void {
    if (message.kind === 'leave') {
      this.leave(helperId);
      return;
    }
    const { taken } = helper;
    if (taken?.id !== message.id) return;
    helper.taken = undefined;
    if (message.kind === 'failed') taken.queue.fail(fromWire(message.error));
    else taken.queue.give(message.id, message.result);
    this.#hand(helper);
  }
}

/**
 * Does the parts that come in at a port, one at a time.
 * @param throwIfCancelled called between slices; throws to leave what is being done.
 * @returns call it to leave when what is being done has ended; resolves then.
 */
export function serveCrew(
  port: CrewPort,
  createRunner: () => TaskRunner,
  throwIfCancelled: () => void,
): () => Promise<void> {
  let runner: TaskRunner | undefined;
  let working: Promise<void> | undefined;
  let isLeaving = false;
  const send = (message: FromHelper, transfer: Transferable[] = []): void =>
    port.postMessage(message, transfer);
  const work = async ({ id, task }: ToHelper): Promise<void> => {
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
    if (!isLeaving) working = work(data as ToHelper);
  };
  return async () => {
    isLeaving = true;
    await working;
    send({ kind: 'leave' });
    port.close();
  };
}
