import type { CpuField } from '../field/cpu-field.ts';
import type { Lattice } from './corners.ts';
import type { Allowance } from './settle.ts';

/** Places on the surface that are looked at, and starts from which they are sought. */
const N_PLACES = 48;
const N_STARTS = 256;
const MAX_STEPS = 8;
/** |f| / |∇f| that counts as on the surface here, as a share of the bounds' diagonal. */
const ON_SURFACE = 1e-3;
/** Share of the blocks that have to be cells as they are: others cost several bounds, and their parts' faces are divided. */
const WORTH = 0.5;
/** Roots along the longest axis, at least: fewer have nothing to save, and leave no slabs for workers. */
const LEAST_ROOTS = 32;
/** Irrational shares that spread points evenly in a cube: powers of the root of x⁴ = x + 1. @see Roberts 2018 */
const SPREAD = [0.8191725133961644, 0.6710436067037892, 0.5497004779019702];

/**
 * How many times the base boxes are doubled to come to the search's roots, see `Lattice`: as often as most blocks on the surface
 * are still so nearly trilinear that they need not be divided. Depends on the field and the allowance alone. Yields the
 * fraction done.
 */
export function* chooseRootBits(
  field: CpuField,
  { planes }: Lattice,
  allowance: Allowance,
): Generator<number, number, void> {
  const counts = planes.map((p) => p.length - 1);
  const most = Math.max(...counts);
  if (counts.some((n) => n < 1) || most >> 1 < LEAST_ROOTS) return 0;
  const { points, slopes } = yield* placesOnSurface(field, planes);
  if (slopes.length === 0) return 0;
  let chosen = 0;
  for (let bits = 1; most >> bits >= LEAST_ROOTS; bits++) {
    let nCells = 0;
    for (const [i, slope] of slopes.entries()) {
      const [min, max] = blockAround(points.slice(i * 3, i * 3 + 3), planes, bits);
      for (const _ of field.prepareBound(min, max) ?? []) yield 0;
      const size = max.map((end, k) => end - min[k]);
      if (field.boundCell(min, max).deviation <= slope * allowance(min, size)) nCells++;
      yield 0;
    }
    if (nCells < WORTH * slopes.length) break;
    chosen = bits;
  }
  return chosen;
}

/** Points on the surface, three numbers each, and |∇f| there: Newton's method from points all over the bounds. */
function* placesOnSurface(
  field: CpuField,
  planes: Lattice['planes'],
): Generator<number, { readonly points: readonly number[]; readonly slopes: readonly number[] }, void> {
  const low = planes.map((p) => p[0]);
  const extent = planes.map((p) => p[p.length - 1] - p[0]);
  const enough = ON_SURFACE * Math.hypot(...extent);
  const at = Float64Array.from({ length: N_STARTS * 3 }, (_, i) => {
    const share = (0.5 + (Math.floor(i / 3) + 1) * SPREAD[i % 3]) % 1;
    return low[i % 3] + share * extent[i % 3];
  });
  const values = new Float64Array(N_STARTS);
  const gradients = new Float64Array(N_STARTS * 3);
  const perSlice = field.pointsPerSlice(N_STARTS);
  const slopeAt = (i: number): number => Math.hypot(...gradients.subarray(i * 3, i * 3 + 3));
  for (let step = 0; ; step++) {
    for (let from = 0; from < N_STARTS; from += perSlice) {
      const [first, end] = [from * 3, Math.min(N_STARTS, from + perSlice) * 3];
      const part = at.subarray(first, end);
      field.evaluateWithGradient(
        part,
        values.subarray(from),
        gradients.subarray(first, end),
        part.length / 3,
      );
      yield 0;
    }
    if (step === MAX_STEPS) break;
    for (let i = 0; i < N_STARTS * 3; i++) {
      const place = (i - (i % 3)) / 3;
      const moved = at[i] - (values[place] * gradients[i]) / Math.max(slopeAt(place) ** 2, Number.MIN_VALUE);
      at[i] = Math.min(low[i % 3] + extent[i % 3], Math.max(low[i % 3], moved));
    }
  }
  const points: number[] = [];
  const slopes: number[] = [];
  for (let i = 0; i < N_STARTS && slopes.length < N_PLACES; i++) {
    const slope = slopeAt(i);
    if (!(Math.abs(values[i]) <= enough * slope)) continue;
    points.push(...at.subarray(i * 3, i * 3 + 3));
    slopes.push(slope);
  }
  return { points, slopes };
}

/** The ends of the block of 2^bits base boxes an axis that a point lies in. */
function blockAround(
  point: readonly number[],
  planes: Lattice['planes'],
  bits: number,
): readonly [min: readonly number[], max: readonly number[]] {
  const first = planes.map((all, k) => {
    const above = all.findIndex((x) => x > point[k]);
    const box = Math.max(0, (above < 0 ? all.length : above) - 1);
    return (Math.min(box, all.length - 2) >> bits) << bits;
  });
  const min = planes.map((all, k) => all[first[k]]);
  const max = planes.map((all, k) => all[Math.min(first[k] + 2 ** bits, all.length - 1)]);
  return [min, max];
}
