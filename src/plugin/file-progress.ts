import type { DeriveProgress } from '../index.ts';
import type { NSDFProgress } from './derive-settings.ts';

/** Adds up the derivations of one file, whose fields finish in any order. */
export class FileProgress {
  readonly #nFields: number;
  readonly #listener: ((progress: NSDFProgress) => void) | undefined;
  /** Finished fraction of each field's derivation, by its key. */
  readonly #fractions = new Map<string, number>();

  constructor(nFields: number, listener: ((progress: NSDFProgress) => void) | undefined) {
    this.#nFields = nFields;
    this.#listener = listener;
  }

  /** The `onProgress` of one field's derivation; undefined where nobody listens. */
  of(key: string, fieldName: string): ((progress: DeriveProgress) => void) | undefined {
    if (!this.#listener) return undefined;
    return ({ stage, fraction }) => {
      this.#fractions.set(key, fraction);
      const done = [...this.#fractions.values()].reduce((sum, part) => sum + part, 0);
      this.#listener?.({ phase: 'derive', fraction: Math.min(1, done / this.#nFields), stage, fieldName });
    };
  }
}
