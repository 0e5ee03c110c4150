import type { FilePreview, FilePreviewOptions } from './file-preview.ts';

/** A preview whose code is loaded while the file is. */
export class LazyPreview {
  #preview: FilePreview | undefined;
  #received: Uint8Array | undefined;
  #isEnded = false;

  constructor(options: FilePreviewOptions) {
    import('./file-preview.ts').then(
      ({ FilePreview }) => {
        if (this.#isEnded) return;
        this.#preview = new FilePreview(options);
        if (this.#received) this.#preview.update(this.#received);
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
