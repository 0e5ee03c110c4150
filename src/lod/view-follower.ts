import type { Box3 } from '../format/asset.ts';
import type { ToleranceBlocks } from '../surface/detail-map.ts';
import type { Eye } from './screen-scale.ts';
import { sameBlocks, type ViewBlocksOptions, viewBlocks } from './view-blocks.ts';

/** What an engine does for a {@link ViewFollower}. */
export interface ViewMaker {
  /** Derives the field's mesh with these tolerances and puts it in place of the one shown. */
  derive(blocks: ToleranceBlocks, signal: AbortSignal): Promise<unknown>;
  /** A mesh could not be made; the one shown stays, and the next change of the view tries again. */
  failed(error: unknown): void;
}

/**
 * Keeps one large field fine where it is looked at: tells its maker to derive another mesh when the blocks' tolerances
 * change with the view. One derivation runs at a time and is finished, so that a camera which never rests still gets
 * meshes; what was wanted meanwhile comes next.
 */
export class ViewFollower {
  readonly #domain: Box3;
  readonly #maker: ViewMaker;
  readonly #options: ViewBlocksOptions;
  #abort: AbortController | null = null;
  #wanted: ToleranceBlocks | null = null;
  #tried: ToleranceBlocks | null = null;
  #shown: ToleranceBlocks | null = null;
  #isDisposed = false;

  /** @param domain the field's, which the blocks divide. */
  constructor(domain: Box3, maker: ViewMaker, options: ViewBlocksOptions) {
    this.#domain = domain;
    this.#maker = maker;
    this.#options = options;
  }

  /** The tolerances of the mesh that is shown; null before the first one. */
  get shown(): ToleranceBlocks | null {
    return this.#shown;
  }

  /** True while a mesh is on its way. */
  get isBusy(): boolean {
    return this.#abort !== null;
  }

  /** To be called once a frame, or when the view changed. @param worldMatrix local to world, 16 numbers. */
  update(eyes: readonly Eye[], worldMatrix: ArrayLike<number>): void {
    if (this.#isDisposed) return;
    const blocks = viewBlocks(this.#domain, eyes, worldMatrix, this.#options);
    if (sameBlocks(blocks, this.#wanted)) return;
    this.#wanted = blocks;
    if (this.#abort === null) void this.#work();
  }

  /** Ends the work at hand; the mesh that is shown stays. */
  dispose(): void {
    this.#isDisposed = true;
    this.#abort?.abort(new DOMException('the view is not followed any more', 'AbortError'));
  }

  async #work(): Promise<void> {
    while (!this.#isDisposed && !sameBlocks(this.#wanted, this.#tried)) {
      const blocks = this.#wanted as ToleranceBlocks;
      this.#tried = blocks;
      this.#abort = new AbortController();
      try {
        await this.#maker.derive(blocks, this.#abort.signal);
        this.#shown = blocks;
      } catch (error) {
        if (!this.#isDisposed) this.#maker.failed(error);
      }
    }
    this.#abort = null;
  }
}
