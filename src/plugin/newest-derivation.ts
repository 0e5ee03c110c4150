import type { FieldAsset } from '../index.ts';
import { linkedController } from './abort.ts';

/** What a derivation is run with. */
export interface NewestCall {
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
