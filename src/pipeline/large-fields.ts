import type { FieldAsset } from '../format/asset.ts';

/**
 * Boxes from which on `auto` considers the GPU. A worker derives 0.24 million in 1.1 s, 2 million in 3 s; a device and its
 * first pipelines take up to three.
 */
const MIN_BOXES = 1e6;

/** Whether a field is so large that its meshes may come from the GPU though nobody asked for that. */
export function isLarge({ encoding }: FieldAsset): boolean {
  if (encoding.kind !== 'hash-grid') return false;
  // At least as many as its lattice has along an axis.
  const nBoxes = 1 + encoding.levels.reduce((sum, { scale }) => sum + Math.ceil(scale), 0);
  return nBoxes ** 3 >= MIN_BOXES;
}
