/** A controller that several signals can trip; `release` takes its listeners off them again. */
export interface LinkedController {
  readonly controller: AbortController;
  readonly release: () => void;
}

/** Makes a controller that aborts, with the same reason, as soon as any of the signals does. */
export function linkedController(signals: readonly (AbortSignal | null | undefined)[]): LinkedController {
  const controller = new AbortController();
  const undo: (() => void)[] = [];
  const release = (): void => {
    for (const step of undo.splice(0)) step();
  };
  for (const signal of signals) {
    if (!signal) continue;
    if (signal.aborted) controller.abort(signal.reason);
    const onAbort = (): void => controller.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    undo.push(() => signal.removeEventListener('abort', onAbort));
  }
  return { controller, release };
}

/**
 * Settles as `promise` does, unless the signal aborts first: then rejects with its reason, and what `promise` may
 * still yield goes to `discard`.
 */
export function raceAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  discard: (late: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise
      .then((value) => (signal.aborted ? discard(value) : resolve(value)), reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
