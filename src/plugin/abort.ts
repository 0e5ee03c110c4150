import type { FieldAsset } from '../index.ts';

/** What a derivation is run with. */
interface NewestCall {
  /** What the caller called, and on what, for the error of the call before it. */
  readonly name: string;
  readonly on: string;
  /** The field that it derives. */
  readonly asset: FieldAsset;
  readonly signal: AbortSignal | undefined;
  /** Aborts the controller when nobody is left to get the surface; gives what ends its looking. */
  readonly watch?: (controller: AbortController) => () => void;
}

/** The derivations of one object, of which the newest counts: a call ends the one before it, which rejects with an AbortError. */
export class NewestDerivation {
  private _pending: { readonly controller: AbortController; readonly asset: FieldAsset } | null = null;

  /** The field that is being derived; null where none is. */
  get asset(): FieldAsset | null {
    return this._pending && !this._pending.controller.signal.aborted ? this._pending.asset : null;
  }

  /** Ends the one that runs. */
  abort(why: string): void {
    this._pending?.controller.abort(new DOMException(why, 'AbortError'));
  }

  /** Runs one in the place of the one that runs. @throws what the task throws, and the signal's reason. */
  async run<T>(call: NewestCall, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.abort(`a newer ${call.name}() was called on this ${call.on}`);
    const { controller, release } = linkedController([call.signal]);
    const pending = { controller, asset: call.asset };
    this._pending = pending;
    const forget = call.watch?.(controller);
    try {
      controller.signal.throwIfAborted();
      return await task(controller.signal);
    } finally {
      forget?.();
      release();
      if (this._pending === pending) this._pending = null;
    }
  }
}

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
