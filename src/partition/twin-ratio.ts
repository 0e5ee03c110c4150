import { MAX_UNITS } from './region-evaluate.ts';

/** Relative difference up to which two units are multiples of each other. */
const TWIN = 1e-10;

/** Units of a `RegionNetwork`. */
export interface Units {
  readonly unitA: Float64Array;
  readonly unitB: Float64Array;
  readonly nCorners: number;
}

/** k where v_u = k v_w up to rounding, else 0. */
export function twinRatio({ unitA, unitB, nCorners }: Units, u: number, w: number): number {
  // Nearly all pairs differ at the first two corners already.
  const [p, q] = [u * 8, w * 8];
  const cross = unitA[p] * unitA[q + 1] - unitA[p + 1] * unitA[q];
  const scale = Math.abs(unitA[p] * unitA[q + 1]) + Math.abs(unitA[p + 1] * unitA[q]);
  if (Math.abs(cross) > 1e-6 * scale) return 0;
  let most = 0;
  let at = 0;
  for (let c = 0; c < nCorners; c++) {
    const size = Math.abs(unitA[q + c]);
    if (size <= most) continue;
    most = size;
    at = c;
  }
  const k = most > 0 ? unitA[p + at] / unitA[q + at] : 0;
  const margin = TWIN * Math.abs(k) * most;
  for (let c = 0; c < nCorners; c++) if (Math.abs(unitA[p + c] - k * unitA[q + c]) > margin) return 0;
  for (let i = 0; i < u; i++) {
    const b = i < w ? k * unitB[w * MAX_UNITS + i] : 0;
    if (Math.abs(unitB[u * MAX_UNITS + i] - b) > TWIN * (Math.abs(b) + Math.abs(k))) return 0;
  }
  return k;
}
