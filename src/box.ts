import type { Box3, Vec3 } from './format/asset.ts';

/** Lengths of a box's sides along x, y, z. */
export function extentOf({ min, max }: Box3): Vec3 {
  return [max[0] - min[0], max[1] - min[1], max[2] - min[2]];
}

/** Length of a box's diagonal. */
export function diagonalOf(box: Box3): number {
  return Math.hypot(...extentOf(box));
}

/** A coordinate along axis k, moved into the box. */
export function clampTo({ min, max }: Box3, k: number, x: number): number {
  return Math.min(max[k], Math.max(min[k], x));
}
