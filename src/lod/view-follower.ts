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
  private readonly _domain: Box3;
  private readonly _maker: ViewMaker;
  private readonly _options: ViewBlocksOptions;
  private _abort: AbortController | null = null;
  private _wanted: ToleranceBlocks | null = null;
  private _tried: ToleranceBlocks | null = null;
  private _shown: ToleranceBlocks | null = null;
  private _isDisposed = false;

  /** @param domain the field's, which the blocks divide. */
  constructor(domain: Box3, maker: ViewMaker, options: ViewBlocksOptions) {
    this._domain = domain;
    this._maker = maker;
    this._options = options;
  }

  /** The tolerances of the mesh that is shown; null before the first one. */
  get shown(): ToleranceBlocks | null {
    return this._shown;
  }

  /** True while a mesh is on its way. */
  get isBusy(): boolean {
    return this._abort !== null;
  }

  /** To be called once a frame, or when the view changed. @param worldMatrix local to world, 16 numbers. */
  update(eyes: readonly Eye[], worldMatrix: ArrayLike<number>): void {
    if (this._isDisposed) return;
    const blocks = viewBlocks(this._domain, eyes, worldMatrix, this._options);
    if (sameBlocks(blocks, this._wanted)) return;
    this._wanted = blocks;
    if (this._abort === null) void this._work();
  }

  /** Ends the work at hand; the mesh that is shown stays. */
  dispose(): void {
    this._isDisposed = true;
    this._abort?.abort(new DOMException('the view is not followed any more', 'AbortError'));
  }

  private async _work(): Promise<void> {
    while (!this._isDisposed && !sameBlocks(this._wanted, this._tried)) {
      const blocks = this._wanted as ToleranceBlocks;
      this._tried = blocks;
      this._abort = new AbortController();
      try {
        await this._maker.derive(blocks, this._abort.signal);
        this._shown = blocks;
      } catch (error) {
        if (!this._isDisposed) this._maker.failed(error);
      }
    }
    this._abort = null;
  }
}
