import type { FilePreview } from './file-preview.ts';

/** A preview whose code is loaded while the file is. */
export class LazyPreview {
  #preview: FilePreview | undefined;
  #received: Uint8Array | undefined;
  #isEnded = false;

  /** @param load fetches the preview's code and makes it */
  constructor(load: () => Promise<FilePreview>) {
    load().then(
      (preview) => {
        if (this.#isEnded) return preview.end();
        this.#preview = preview;
        if (this.#received) preview.update(this.#received);
      },
      () => {}, // without its code there is no preview; the load does not need one
    );
  }

  /** See `FilePreview.update`. */
  update(received: Uint8Array): void {
    this.#received = received;
    this.#preview?.update(received);
  }

  /** See `FilePreview.end`. */
  end(): void {
    this.#isEnded = true;
    this.#preview?.end();
  }
}
