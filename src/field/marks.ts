import { checkBudget } from '../budgets.ts';
import type { FieldAsset } from '../format/asset.ts';

/** Planes closer than this fraction of the extent are one: stored scales of coinciding levels differ by float32. */
const MERGE_DISTANCE = 2e-6;

/**
 * Sorted coordinates (local units) of all levels' grid planes across one axis, the domain's ends included.
 * Of planes closer than MERGE_DISTANCE of the extent the lowest stays, but an end always wins.
 * @throws {NsdfBudgetError} if the levels have more planes than can be searched.
 * @see Kim 2024 (marks)
 */
export function axisMarks(asset: FieldAsset, axis: 0 | 1 | 2): Float64Array {
  const lo = asset.domain.min[axis];
  const hi = asset.domain.max[axis];
  const merged: number[] = [lo];
  let last = 0;
  for (const unit of planesOf(asset.encoding).sort()) {
    if (unit - last < MERGE_DISTANCE || 1 - unit < MERGE_DISTANCE) continue;
    merged.push(lo + unit * (hi - lo));
    last = unit;
  }
  merged.push(hi);
  return Float64Array.from(merged);
}

/** Planes across each axis, u in (0, 1), between which an encoder's inputs are trilinear: of a grid u * scale + offset is an integer. */
function planesOf(encoding: FieldAsset['encoding']): Float64Array {
  const levels = encoding.kind === 'none' ? [] : encoding.levels.filter(({ scale }) => scale > 0);
  const most = levels.reduce((sum, { scale }) => sum + Math.ceil(scale) + 1, 0);
  checkBudget('nGridPlanes', most, 'planes across an axis of the grid', 'it is finer than can be meshed');
  const planes = new Float64Array(most);
  let n = 0;
  for (const { scale, offset } of levels) {
    for (let k = Math.floor(offset) + 1; k < scale + offset; k++) planes[n++] = (k - offset) / scale;
  }
  return planes.subarray(0, n);
}
