import { NsdfArgumentError } from '../errors.ts';
import type { Box3, Vec3 } from '../format/asset.ts';
import type { ToleranceBlocks } from '../surface/detail-map.ts';
import { type Eye, measureOnScreen, type ScreenScale } from './screen-scale.ts';

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
