/** A range that is written to. */
export interface Range {
  lo: number;
  hi: number;
}

/**
 * Extremes of a neuron over the corners of a region, into `out`: the innermost loop of all, so unrolled.
 * @param values the corner table's. @param offsets its rows, one a corner. @param nCorners 2, 4 or 8.
 */
export function cornerRange(
  values: Float64Array,
  offsets: Int32Array,
  neuron: number,
  nCorners: number,
  out: Range,
): void {
  const a = values[offsets[0] + neuron];
  const b = values[offsets[1] + neuron];
  let lo = a < b ? a : b;
  let hi = a < b ? b : a;
  if (nCorners > 2) {
    const c = values[offsets[2] + neuron];
    const d = values[offsets[3] + neuron];
    const lo1 = c < d ? c : d;
    const hi1 = c < d ? d : c;
    if (lo1 < lo) lo = lo1;
    if (hi1 > hi) hi = hi1;
  }
  if (nCorners > 4) {
    const e = values[offsets[4] + neuron];
    const f = values[offsets[5] + neuron];
    const g = values[offsets[6] + neuron];
    const h = values[offsets[7] + neuron];
    const lo2 = e < f ? e : f;
    const hi2 = e < f ? f : e;
    const lo3 = g < h ? g : h;
    const hi3 = g < h ? h : g;
    if (lo2 < lo) lo = lo2;
    if (hi2 > hi) hi = hi2;
    if (lo3 < lo) lo = lo3;
    if (hi3 > hi) hi = hi3;
  }
  out.lo = lo;
  out.hi = hi;
}
