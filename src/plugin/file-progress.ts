import type { DeriveProgress } from '../index.ts';
import type { NSDFProgress } from './derive-settings.ts';

/** Adds up the derivations of one file, whose fields finish in any order. */
export class FileProgress {
  private readonly _nFields: number;
  private readonly _listener: ((progress: NSDFProgress) => void) | undefined;
  /** Finished fraction of each field's derivation, by its key. */
  private readonly _fractions = new Map<string, number>();

  constructor(nFields: number, listener: ((progress: NSDFProgress) => void) | undefined) {
    this._nFields = nFields;
    this._listener = listener;
  }

  /** The `onProgress` of one field's derivation; undefined where nobody listens. */
  of(key: string, fieldName: string): ((progress: DeriveProgress) => void) | undefined {
    if (!this._listener) return undefined;
    return ({ stage, fraction }) => {
      this._fractions.set(key, fraction);
      const done = [...this._fractions.values()].reduce((sum, part) => sum + part, 0);
      this._listener?.({ phase: 'derive', fraction: Math.min(1, done / this._nFields), stage, fieldName });
    };
  }
}
