import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { hasPlanes, resolutionsOf } from '../format/encodings.ts';
import type { DeriveOptions } from '../options.ts';
import { latticeSpacing } from '../pipeline/lattice-rule.ts';

/** How one level is asked for: exactly one of the ways in which `deriveMesh` is asked for a mesh. */
export type LevelDetail = Pick<DeriveOptions, 'tolerance' | 'resolution' | 'exact' | 'preview'>;

/** One rung, before anything is derived. */
export interface LadderLevel {
  /** 0 is the coarsest; the preview, which comes before it, has `PREVIEW_INDEX`. */
  readonly index: number;
  /** For people: 'preview', 'resolution 32', 'tolerance 0.001', 'exact'. */
  readonly name: string;
  readonly detail: LevelDetail;
  /** What the error is taken for until the level is made and measured, in local units: its tolerance; see `createLadder`. */
  readonly toleranceLocal: number;
  readonly isPreview: boolean;
}

/** A field's levels of detail, coarse to fine, and the first picture that comes before them. */
export interface Ladder {
  /**
   * A coarse picture within milliseconds: a lattice level that is not thinned. It may lack what is smaller than the lattice's
   * boxes, so it is shown only until the first level is there.
   */
  readonly preview: LadderLevel | null;
  /** At least one. */
  readonly levels: readonly LadderLevel[];
}

/** What a ladder is made of; everything else comes from the asset. */
export interface LadderOptions {
  /** Lattice resolutions, coarse to fine, instead of the file's hints or its grid's own; `exact` follows them. */
  readonly resolutions?: readonly number[];
  /** The whole ladder, coarse to fine, instead of resolutions. */
  readonly levels?: readonly LevelDetail[];
  /** The last level: what is not clearly coarser is left out. Default: the asset's own tolerance, else `exact`. */
  readonly finest?: LevelDetail;
  /** Boxes along the longest axis of the preview; false for none. Default: 32. */
  readonly preview?: boolean | number;
}

/** The preview's place before level 0. */
export const PREVIEW_INDEX = -1;

/** Boxes of the preview: 8 ms on bunny-S and 22 ms on bunny-L for the lattice's values, ears and feet are there. */
const PREVIEW_RESOLUTION = 32;
/** Coarser lattices than this show no shape. */
const MIN_RESOLUTION = 4;
/** Neighbouring levels nearer than this look alike and cost a derivation each. */
const MIN_RATIO = 1.4;
/** Where the ladder of a field without a grid begins. */
const PLAIN_COARSEST = 8;
/**
 * The finest tolerance before `exact`: the domain's diagonal divided by this, a quarter of `deriveMesh`'s default, for
 * views from close by. bunny-S: 85,000 triangles in five times the default's time.
 */
const FINEST_DIVISOR = 4 * 3464.1016;
/** The tolerance of a lattice: its spacing divided by this, as in `deriveMesh`. */
const LATTICE_DIVISOR = 8;

/**
 * The ladder of a field: the levels named in `options`, else the file's hints, else its grid's resolutions, doubled on
 * until a quarter of the default tolerance (fields without a grid: from 8 on), then `exact`.
 *
 * `exact` has every crease, but flat faces: without a grid that is the zero set itself, and its error is taken for 0. A
 * grid's zero set is curved inside its boxes; there the error of `exact` is taken for the finest lattice's tolerance
 * (bunny-S: 7.8e-3 taken, 9.8e-3 measured, where `resolution 256` has 7.5e-4), so that finer levels are not passed over.
 * @throws {NsdfArgumentError} if resolutions or levels are not increasing, or a level asks for none or two things
 */
export function createLadder(asset: FieldAsset, options: LadderOptions = {}): Ladder {
  const extents = asset.domain.max.map((high, axis) => high - asset.domain.min[axis]);
  const longest = Math.max(...extents);
  const finestTolerance = Math.hypot(...extents) / FINEST_DIVISOR;
  const toleranceOf = (detail: LevelDetail): number => {
    if (detail.exact) return exactError(asset, longest);
    if (detail.resolution !== undefined) return longest / detail.resolution / LATTICE_DIVISOR;
    return detail.tolerance ?? Number.NaN;
  };
  const rungs =
    options.levels?.map((detail) => ({ detail, name: nameOf(detail) })) ??
    rungsOf(asset, options, longest, finestTolerance);
  const finest = options.finest ?? hintedFinest(asset, options);
  const levels = cutAt(rungs, finest, toleranceOf).map(({ detail, name }, index) => {
    return { index, name, detail, toleranceLocal: toleranceOf(detail), isPreview: false };
  });
  checkLevels(levels);
  return { preview: makePreview(options.preview, longest), levels };
}

interface Rung {
  readonly detail: LevelDetail;
  readonly name: string;
}

/**
 * A resolution is asked for as one where that gives a lattice level. Where it is derived, by its tolerance: a field without a grid
 * would be derived on that lattice itself.
 */
function rungsOf(
  asset: FieldAsset,
  { resolutions }: LadderOptions,
  longest: number,
  finestTolerance: number,
): Rung[] {
  const toTolerance = (resolution: number): number => longest / resolution / LATTICE_DIVISOR;
  const chosen = resolutions ?? asset.lodResolutions ?? ownResolutions(asset, toTolerance, finestTolerance);
  const rungs = chosen.map((resolution) => ({
    detail: isLatticeLevel(asset, resolution) ? { resolution } : { tolerance: toTolerance(resolution) },
    name: `resolution ${resolution}`,
  }));
  return [...rungs, { detail: { exact: true }, name: 'exact' }];
}

function isLatticeLevel(asset: FieldAsset, resolution: number): boolean {
  return latticeSpacing(asset, { resolution }) !== undefined;
}

/** The grid's own resolutions, thinned where they are close, and doubled on from the finest to the default tolerance. */
function ownResolutions(
  { encoding }: FieldAsset,
  toTolerance: (resolution: number) => number,
  finestTolerance: number,
): number[] {
  const own = resolutionsOf(encoding);
  const kept: number[] = [];
  for (const resolution of own.length > 0 ? own : [PLAIN_COARSEST]) {
    if (resolution < MIN_RESOLUTION || resolution < (kept.at(-1) ?? 0) * MIN_RATIO) continue;
    if (toTolerance(resolution) < finestTolerance / MIN_RATIO) break;
    kept.push(resolution);
  }
  if (kept.length === 0) kept.push(MIN_RESOLUTION);
  while (toTolerance(kept[kept.length - 1]) > finestTolerance * MIN_RATIO) {
    kept.push(kept[kept.length - 1] * 2);
  }
  return kept;
}

/** A file that names a tolerance has no use for finer levels; levels that the caller lists are the caller's. */
function hintedFinest({ tolerance }: FieldAsset, { levels }: LadderOptions): LevelDetail | undefined {
  return tolerance === undefined || levels ? undefined : { tolerance };
}

function exactError({ encoding }: FieldAsset, longest: number): number {
  if (!hasPlanes(encoding)) return 0;
  return longest / Math.max(...resolutionsOf(encoding)) / LATTICE_DIVISOR;
}

/** Ends the ladder with `finest`; levels that are not clearly coarser than it are left out. */
function cutAt(
  rungs: readonly Rung[],
  finest: LevelDetail | undefined,
  toleranceOf: (detail: LevelDetail) => number,
): readonly Rung[] {
  if (finest === undefined) return rungs;
  const end = toleranceOf(finest);
  const isCoarser = ({ detail }: Rung): boolean =>
    !detail.exact && toleranceOf(detail) >= Math.max(end * MIN_RATIO, Number.MIN_VALUE);
  return [...rungs.filter(isCoarser), { detail: finest, name: nameOf(finest) }];
}

/** The tolerance of a preview is a guess, its lattice's spacing: nothing holds it to that. */
function makePreview(preview: boolean | number | undefined, longest: number): LadderLevel | null {
  if (preview === false) return null;
  const resolution = typeof preview === 'number' ? preview : PREVIEW_RESOLUTION;
  return {
    index: PREVIEW_INDEX,
    name: 'preview',
    detail: { preview: resolution },
    toleranceLocal: longest / resolution,
    isPreview: true,
  };
}

function nameOf({ resolution, tolerance, exact }: LevelDetail): string {
  if (exact) return 'exact';
  return resolution === undefined ? `tolerance ${tolerance}` : `resolution ${resolution}`;
}

function checkLevels(levels: readonly LadderLevel[]): void {
  if (levels.length === 0) throw new NsdfArgumentError('levels', 'levels is empty; expected at least one');
  levels.forEach(({ detail, toleranceLocal }, i) => {
    const nWays = Object.values(detail).filter((value) => value !== undefined && value !== false).length;
    if (nWays !== 1 || detail.preview !== undefined || !(toleranceLocal >= 0)) {
      throw new NsdfArgumentError(
        'levels',
        `level ${i} is ${JSON.stringify(detail)}; expected exactly one of tolerance, resolution and exact`,
      );
    }
    if (i > 0 && !detail.exact && !(toleranceLocal < levels[i - 1].toleranceLocal)) {
      throw new NsdfArgumentError(
        'levels',
        `level ${i} (${nameOf(detail)}) is not finer than the one before it; expected levels from coarse to fine`,
      );
    }
  });
}
