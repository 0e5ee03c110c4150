import { NsdfArgumentError } from '../errors.ts';
import type { Box3, Vec3 } from '../format/asset.ts';
import type { ToleranceBlocks } from '../surface/detail-map.ts';
import { type Eye, measureOnScreen, type ScreenScale } from './screen-scale.ts';

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

export interface ViewBlocksOptions {
  /** Blocks along x, y, z of the domain. */
  readonly counts?: Vec3;
  /** Largest error on screen of what is in view, in physical pixels. */
  readonly screenError?: number;
  /** The tolerances to choose from, local units, any order: few, so that a moving camera seldom changes a block's. */
  readonly tolerances: readonly number[];
}

export const VIEW_BLOCKS_DEFAULTS = { counts: [4, 4, 4] as Vec3, screenError: 1 } as const;

/**
 * Detail by view inside one large field: gives each block of the domain the coarsest of the tolerances whose error stays
 * below `screenError` pixels for every eye, and the coarsest of all where no eye sees the block. For the option `blocks` of
 * `deriveMesh`, whose blocks meet without a crack.
 * @param worldMatrix local to world: 16 numbers, column-major.
 * @throws {NsdfArgumentError} if there is no tolerance to choose from
 * @example
 * const blocks = viewBlocks(asset.domain, [eye], worldMatrix, { tolerances: [0.016, 0.004, 0.001] });
 * if (!sameBlocks(blocks, shown)) await object.derive({ blocks });
 */
export function viewBlocks(
  domain: Box3,
  eyes: readonly Eye[],
  worldMatrix: ArrayLike<number>,
  options: ViewBlocksOptions,
): ToleranceBlocks {
  const { counts, screenError, tolerances } = { ...VIEW_BLOCKS_DEFAULTS, ...options };
  if (tolerances.length === 0) {
    throw new NsdfArgumentError(
      'tolerances',
      'tolerances is empty; expected at least one distance in local units',
    );
  }
  const coarseFirst = [...tolerances].sort((a, b) => b - a);
  const chosen = new Float64Array(counts[0] * counts[1] * counts[2]);
  const scale: ScreenScale = { pixelsPerUnit: 0, diameter: 0, isInView: false };
  for (let i = 0; i < chosen.length; i++) {
    const bounds = blockBounds(domain, counts, i);
    let pixelsPerUnit = 0;
    for (const eye of eyes) {
      measureOnScreen(eye, worldMatrix, bounds, scale);
      if (scale.isInView) pixelsPerUnit = Math.max(pixelsPerUnit, scale.pixelsPerUnit);
    }
    const enough = coarseFirst.find((tolerance) => tolerance * pixelsPerUnit <= screenError);
    chosen[i] = enough ?? coarseFirst[coarseFirst.length - 1];
  }
  return { counts, tolerances: chosen };
}

function blockBounds(
  { min, max }: Box3,
  counts: Vec3,
  block: number,
): readonly [number, number, number, number, number, number] {
  const place = [
    block % counts[0],
    Math.floor(block / counts[0]) % counts[1],
    Math.floor(block / counts[0] / counts[1]),
  ];
  const at = (k: number, i: number): number => min[k] + ((max[k] - min[k]) * i) / counts[k];
  return [
    at(0, place[0]),
    at(1, place[1]),
    at(2, place[2]),
    at(0, place[0] + 1),
    at(1, place[1] + 1),
    at(2, place[2] + 1),
  ];
}

/** Whether two choices ask for the same mesh. */
export function sameBlocks(a: ToleranceBlocks | null, b: ToleranceBlocks | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.tolerances.length !== b.tolerances.length || a.counts.some((n, k) => n !== b.counts[k])) return false;
  for (let i = 0; i < a.tolerances.length; i++) if (a.tolerances[i] !== b.tolerances[i]) return false;
  return true;
}
