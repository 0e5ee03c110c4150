import { diagonalOf } from '../box.ts';
import type { Box3, FieldAsset, Vec3 } from './asset.ts';

/** A domain that reaches no farther from zero than so many of its diagonals is derived where it lies. */
const NEAR_DIAGONALS = 4;
/** The same for a region of a domain, seen from the domain's origin: neighbouring tiles keep one frame where they can. */
const NEAR_REGION_DIAGONALS = 256;
/** Half an ulp of single precision, relative to the number. */
const HALF_ULP = 2 ** -24;

/**
 * Where the positions of a field's meshes are relative to, in local units; undefined where they are the local coordinates
 * themselves.
 *
 * Single precision rounds a coordinate x by up to 2^-24 |x|: map coordinates of 5 million metres by 0.3 m. So a domain
 * that lies farther from zero than four of its diagonals is derived relative to its middle, which costs at most what
 * rounding costs there: 1e-7 of the diagonal. Nearer ones, where rounding is below 4e-7 of the diagonal, stay as they are.
 * A region (`asset.region`) farther from that origin than 256 of its own diagonals has its own middle for one. The rule looks
 * at the asset alone, so that all meshes of a field, whatever their detail, share a frame.
 *
 * The middle is rounded to a power of two below a quarter of the diagonal, so that it is short in decimals and exact in
 * single precision, too, as far as that reaches.
 */
export function originOf(asset: Pick<FieldAsset, 'domain' | 'region'>): Vec3 | undefined {
  const { domain } = asset;
  const isFar = reachOf(domain) > NEAR_DIAGONALS * diagonalOf(domain) && diagonalOf(domain) > 0;
  const origin = isFar ? middleOf(domain) : undefined;
  const shown = shownBox(asset);
  if (asset.region === undefined || !(diagonalOf(shown) > 0)) return origin;
  const isNear = reachOf(shown, origin) <= NEAR_REGION_DIAGONALS * diagonalOf(shown);
  return isNear ? origin : middleOf(shown);
}

/** By how much single precision can move a point of a box, whose coordinates are relative to `origin`. */
export function roundingOf(box: Box3, origin?: Vec3): number {
  return HALF_ULP * Math.hypot(...farthest(box, origin));
}

function reachOf(box: Box3, origin?: Vec3): number {
  return Math.max(...farthest(box, origin));
}

/** Per axis, how far from the origin the box reaches. */
function farthest({ min, max }: Box3, origin: Vec3 = [0, 0, 0]): number[] {
  return origin.map((at, k) => Math.max(Math.abs(min[k] - at), Math.abs(max[k] - at)));
}

function middleOf(box: Box3): Vec3 {
  const step = 2 ** Math.floor(Math.log2(diagonalOf(box) / 4));
  const at = (k: number): number => step * Math.round((box.min[k] / 2 + box.max[k] / 2) / step);
  return [at(0), at(1), at(2)];
}

/** A box seen from another origin, in double precision. @param sign -1 for seen from it, 1 for back. */
export function moveBox({ min, max }: Box3, origin: Vec3, sign: 1 | -1): Box3 {
  const move = ([x, y, z]: Vec3): Vec3 => [x + sign * origin[0], y + sign * origin[1], z + sign * origin[2]];
  return { min: move(min), max: move(max) };
}

/** Where a field's surface can be, in local units: the domain, or the region's part of it. */
export function shownBox({ domain, region }: Pick<FieldAsset, 'domain' | 'region'>): Box3 {
  if (region === undefined) return domain;
  const clamp = (point: Vec3): Vec3 => {
    const [x, y, z] = point.map((value, k) => Math.min(domain.max[k], Math.max(domain.min[k], value)));
    return [x, y, z];
  };
  return { min: clamp(region.min), max: clamp(region.max) };
}
