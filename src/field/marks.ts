import type { FieldAsset } from '../format/asset.ts';

/** Planes closer than this fraction of the extent are one: stored scales of coinciding levels differ by float32. */
const MERGE_DISTANCE = 2e-6;

/**
 * Sorted coordinates (local units) of all levels' grid planes across one axis, the domain's ends included.
 * Of planes closer than MERGE_DISTANCE of the extent the lowest stays, but an end always wins.
 * @see Kim 2024 (marks)
 */
export function axisMarks(asset: FieldAsset, axis: 0 | 1 | 2): Float64Array {
  const lo = asset.domain.min[axis];
  const hi = asset.domain.max[axis];
  const units = asset.encoding.kind === 'hash-grid' ? asset.encoding.levels.flatMap(levelPlanes) : [];
  const merged: number[] = [lo];
  let last = 0;
  for (const unit of units.sort((a, b) => a - b)) {
    if (unit - last < MERGE_DISTANCE || 1 - unit < MERGE_DISTANCE) continue;
    merged.push(lo + unit * (hi - lo));
    last = unit;
  }
  merged.push(hi);
  return Float64Array.from(merged);
}

/** u in (0, 1) with u * scale + offset an integer. */
function levelPlanes({ scale, offset }: { readonly scale: number; readonly offset: number }): number[] {
  const planes: number[] = [];
  if (!(scale > 0)) return planes;
  for (let k = Math.floor(offset) + 1; k < scale + offset; k++) planes.push((k - offset) / scale);
  return planes;
}
