import { vi } from 'vitest';

/** Lets turns of the event loop go by: in each, the timers that are due, messages, and a slice of whatever works here. */
export async function passTurns(n = 1): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setTimeout(resolve));
}

/** Lets turns go by until something holds, however many that takes. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await passTurns();
}

/** A promise, and what settles it. */
export function createEvent(): { readonly happened: Promise<void>; readonly happen: () => void } {
  let happen = (): void => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}

/**
 * Counts the turns of the page's event loop from an abort to the rejection of what it ends: 0 where the caller is answered
 * at once, more where the work has to see the abort first.
 * @param start starts the work; calls `abort` when it is to end.
 * @returns the turns, and what the work rejected with.
 */
export async function countTurnsToEnd(
  start: (signal: AbortSignal, abort: (reason: unknown) => void) => Promise<unknown>,
): Promise<{ nTurns: number; reason: unknown }> {
  const { port1, port2 } = new MessageChannel();
  const controller = new AbortController();
  let nTurns = 0;
  port1.onmessage = () => {
    nTurns++;
    port2.postMessage(null);
  };
  const abort = (reason: unknown): void => {
    if (controller.signal.aborted) return;
    controller.abort(reason);
    port2.postMessage(null);
  };
  try {
    await start(controller.signal, abort);
  } catch (reason) {
    return { nTurns, reason };
  } finally {
    port1.close();
  }
  throw new Error('the work came to its end');
}

/**
 * Runs work under a clock that goes on by `passMs` at every look, and counts how often the work gave way to the page (by a
 * message channel, see `createEventYield`). With a clock that stands it never has to; with one on which every slice is
 * over at once, it does after each of its steps.
 */
export async function countGivenWay<T>(
  passMs: number,
  work: () => Promise<T>,
): Promise<{ n: number; value: T }> {
  let nowMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    nowMs += passMs;
    return nowMs;
  });
  const post = vi.spyOn(MessagePort.prototype, 'postMessage');
  try {
    const value = await work();
    return { n: post.mock.calls.filter(([message]) => message === null).length, value };
  } finally {
    clock.mockRestore();
    post.mockRestore();
  }
}
