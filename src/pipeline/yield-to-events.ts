/** Lets the event loop serve what waits: timers, messages, input. */
export interface EventYield {
  /** Resolves in a new task, after the events that already wait. */
  readonly giveWay: () => Promise<void>;
  /** Ends what it took; who waits goes on, then and from then on at once. */
  readonly close: () => void;
}

/**
 * Uses `setImmediate` where there is one (Node), else a message channel, because `setTimeout` is clamped to 4 ms.
 * Rejected 2026-11-23: `scheduler.yield`; its continuations go before timers, so that in Chromium 156 a `setTimeout`
 * of 20 ms did not fire within 1 s of slices (25 ms with the channel), and 5 frames were drawn instead of 60.
 */
export function createEventYield(): EventYield {
  if (typeof setImmediate === 'function') {
    return { giveWay: () => new Promise((resolve) => setImmediate(resolve)), close: () => {} };
  }
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  let isOpen = true;
  port1.onmessage = () => waiting.shift()?.();
  return {
    giveWay: () =>
      new Promise((resolve) => {
        if (!isOpen) return resolve();
        waiting.push(resolve);
        port2.postMessage(null);
      }),
    close: () => {
      isOpen = false;
      port1.close();
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
