import { clampTo } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3 } from '../format/asset.ts';

/**
 * Why a field has no surface: its sign is the same everywhere. `unsigned`: it comes to zero all the same, as |f| and
 * relu(f) do, whose zeros no mesh can enclose.
 */
export type EmptyReason = 'positive' | 'negative' | 'unsigned';

/** Points an axis that are looked at. */
const N_POINTS = 12;
/** The nearest to zero of them are followed downhill. */
const N_FOLLOWED = 32;
const N_STEPS = 12;
/** |f| below this share of the usual one is zero: double precision leaves far less, a minimum above zero far more. */
const ZERO_SHARE = 1e-6;

/** Tells fields that come to zero without changing their sign from those that never do: by points, not by bounds. */
export function explainEmpty(field: CpuField, bounds: Box3): EmptyReason {
  const points = new Float64Array(N_POINTS ** 3 * 3);
  for (let i = 0; i < points.length; i++) {
    const axis = i % 3;
    const step = Math.floor(Math.floor(i / 3) / N_POINTS ** axis) % N_POINTS;
    points[i] = bounds.min[axis] + ((bounds.max[axis] - bounds.min[axis]) * (step + 0.5)) / N_POINTS;
  }
  const values = new Float64Array(N_POINTS ** 3);
  field.evaluate(points, values);
  const usual = Math.sqrt(values.reduce((sum, f) => sum + f * f, 0) / values.length);
  const byValue = Array.from(values.keys()).sort((a, b) => Math.abs(values[a]) - Math.abs(values[b]));
  const lowest = byValue.slice(0, N_FOLLOWED);
  const start = Float64Array.from(lowest.flatMap((i) => Array.from(points.subarray(i * 3, i * 3 + 3))));
  if (!(leastAlong(field, start, bounds) > ZERO_SHARE * usual)) return 'unsigned';
  return values[lowest[0]] > 0 ? 'positive' : 'negative';
}

/** The least |f| on the way of Newton steps from some points. @param points f64[3n], moved. */
function leastAlong(field: CpuField, points: Float64Array, bounds: Box3): number {
  const n = points.length / 3;
  const values = new Float64Array(n);
  const gradients = new Float64Array(n * 3);
  let least = Number.POSITIVE_INFINITY;
  for (let step = 0; step < N_STEPS; step++) {
    field.evaluateWithGradient(points, values, gradients);
    for (let i = 0; i < n; i++) {
      least = Math.min(least, Math.abs(values[i]));
      const square = gradients[i * 3] ** 2 + gradients[i * 3 + 1] ** 2 + gradients[i * 3 + 2] ** 2;
      if (square === 0) continue;
      for (let k = 0; k < 3; k++) {
        const moved = points[i * 3 + k] - (values[i] * gradients[i * 3 + k]) / square;
        points[i * 3 + k] = clampTo(bounds, k, moved);
      }
    }
  }
  return least;
}
