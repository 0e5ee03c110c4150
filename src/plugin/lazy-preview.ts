import type { GpuSettings } from './gpu-warm-up.ts';

/** Something that looks at a file's first bytes. */
export interface PrefixWatcher {
  /** Looks at the first bytes, where more have come. */
  update(received: Uint8Array): void;
  /** The file is there, or never will be. */
  end(): void;
}

/** A preview, or another watcher, whose code is loaded while the file is. */
export class LazyPreview {
  private _preview: PrefixWatcher | undefined;
  private _received: Uint8Array | undefined;
  private _isEnded = false;

  /** @param load fetches its code and makes it */
  constructor(load: () => Promise<PrefixWatcher>) {
    load().then(
      (preview) => {
        if (this._isEnded) return preview.end();
        this._preview = preview;
        if (this._received) preview.update(this._received);
      },
      () => {}, // without its code there is no preview; the load does not need one
    );
  }

  /** See `PrefixWatcher.update`. */
  update(received: Uint8Array): void {
    this._received = received;
    this._preview?.update(received);
  }

  /** See `PrefixWatcher.end`. */
  end(): void {
    this._isEnded = true;
    this._preview?.end();
  }
}

/** What compiles the GPU's kernels while a file arrives, where its fields may be derived there. */
export function warmUpFor(settings: GpuSettings): PrefixWatcher[] {
  const { backend = 'auto', output, device } = settings;
  const hasGpu = device !== undefined || (typeof navigator === 'object' && 'gpu' in navigator);
  if (!hasGpu || (output !== 'gpu' && backend !== 'gpu' && backend !== 'auto')) return [];
  return [new LazyPreview(async () => new (await import('./gpu-warm-up.ts')).GpuWarmUp(settings))];
}
