import { createAttribute } from '../field/attribute-field.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { toSrgb } from '../format/srgb.ts';
import { COLOR_STRIDE } from './color-source.ts';

/** Slopes below this are taken for it: |f| / |∇f| says nothing on a plateau. */
const LEAST_SLOPE = 0.3;

/** Sum of |f| / |∇f|: to first order the distances of the zero set from the points. */
export function sumOfDistances(field: CpuField, points: Float64Array): number {
  const values = new Float64Array(points.length / 3);
  const gradients = new Float64Array(points.length);
  field.evaluateWithGradient(points, values, gradients);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const slope = Math.hypot(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
    sum += Math.abs(values[i]) / Math.max(slope, LEAST_SLOPE);
  }
  return sum;
}

/**
 * Mean difference of sRGB channels.
 * @param samples f64[n * COLOR_STRIDE], in the cube.
 */
export function colorError(
  asset: FieldAsset,
  samples: Float64Array,
  toLocal: (x: number, axis: number) => number,
): number {
  const n = samples.length / COLOR_STRIDE;
  const points = new Float64Array(n * 3);
  for (let i = 0; i < points.length; i++) {
    const axis = i % 3;
    points[i] = toLocal(samples[((i - axis) / 3) * COLOR_STRIDE + axis], axis);
  }
  const found = new Float64Array(n * 3);
  createAttribute(asset, 'COLOR_0').evaluate(points, found);
  let sum = 0;
  for (let i = 0; i < found.length; i++) {
    const channel = i % 3;
    const expected = samples[((i - channel) / 3) * COLOR_STRIDE + 3 + channel];
    sum += Math.abs(toSrgb(found[i]) - toSrgb(Math.min(1, expected)));
  }
  return n > 0 ? sum / found.length : 0;
}
