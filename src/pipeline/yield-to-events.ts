/** Lets the event loop serve what waits: timers, messages, input. */
export interface EventYield {
  /** Resolves in a new task, after the events that already wait. */
  readonly giveWay: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Uses `setImmediate` where there is one (Node), else a message channel, because `setTimeout` is clamped to 4 ms.
 */
export function createEventYield(): EventYield {
  if (typeof setImmediate === 'function') {
    return { giveWay: () => new Promise((resolve) => setImmediate(resolve)), close: () => {} };
  }
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return {
    giveWay: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        port2.postMessage(null);
      }),
    close: () => port1.close(),
  };
}
