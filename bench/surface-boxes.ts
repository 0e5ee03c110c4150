import type { CpuField } from '../src/field/cpu-field.ts';

/** Points along each side of a box at which the sign is looked at, ends included. */
const SAMPLES = 6;

/**
 * Boxes of the lattice of the field's own marks that contain surface: those in which f takes both signs at 6³ points.
 * Boxes that a certified bound excludes are never looked at. Too few rather than too many, so that a ratio of surviving
 * boxes to these is too large rather than too small.
 */
export function countSurfaceBoxes(field: CpuField): number {
  const marks = [field.marks(0), field.marks(1), field.marks(2)] as const;
  const points = new Float64Array(SAMPLES ** 3 * 3);
  const values = new Float64Array(SAMPLES ** 3);
  let n = 0;
  const stack = [[0, 0, 0, ...marks.map((m) => m.length - 1)]];
  while (stack.length > 0) {
    const range = stack.pop() as number[];
    const min = marks.map((m, axis) => m[range[axis]]);
    const max = marks.map((m, axis) => m[range[axis + 3]]);
    const { lo, hi } = field.bound(min, max);
    if (lo > 0 || hi < 0) continue;
    const longest = [0, 1, 2].reduce((a, b) => (range[b + 3] - range[b] > range[a + 3] - range[a] ? b : a));
    if (range[longest + 3] - range[longest] > 1) {
      const middle = (range[longest] + range[longest + 3]) >> 1;
      stack.push(range.with(longest + 3, middle), range.with(longest, middle));
    } else if (takesBothSigns(field, min, max, points, values)) n++;
  }
  return n;
}

function takesBothSigns(
  field: CpuField,
  min: readonly number[],
  max: readonly number[],
  points: Float64Array,
  values: Float64Array,
): boolean {
  for (let i = 0; i < values.length; i++) {
    const steps = [i % SAMPLES, Math.floor(i / SAMPLES) % SAMPLES, Math.floor(i / SAMPLES ** 2)];
    for (let axis = 0; axis < 3; axis++) {
      points[i * 3 + axis] = min[axis] + (steps[axis] / (SAMPLES - 1)) * (max[axis] - min[axis]);
    }
  }
  field.evaluate(points, values);
  return values.some((f) => f >= 0) && values.some((f) => f < 0);
}
