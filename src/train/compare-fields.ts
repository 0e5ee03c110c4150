import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { createRandom } from '../surface/check-random.ts';
import { sampleZeroSet } from '../surface/distance-samples.ts';
import { LEAST_SLOPE } from './choose-roundings.ts';

/** f64[3n] points of a field's zero set, about n; none where it has none. */
export function pointsOf(
  field: CpuField,
  { domain }: FieldAsset,
  n: number,
  seed: number,
): Float64Array<ArrayBuffer> {
  const points: number[] = [];
  for (const batch of sampleZeroSet(field, domain, n, createRandom(seed)))
    for (const x of batch) points.push(x);
  return Float64Array.from(points);
}

/** By how much a field differs from another at points of its zero set: on average, as distances to first order, and their mean. */
export function compare(
  asset: FieldAsset,
  original: CpuField,
  points: Float64Array,
): { mean: number; errors: Float64Array; error: number } {
  const n = points.length / 3;
  const values = new Float64Array(n);
  const gradients = new Float64Array(points.length);
  createCpuField(asset).evaluateWithGradient(points, values, gradients);
  const wanted = new Float64Array(n);
  original.evaluate(points, wanted);
  const errors = new Float64Array(n);
  let [mean, error] = [0, 0];
  for (let i = 0; i < n; i++) {
    const off = values[i] - wanted[i];
    const slope = Math.hypot(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
    errors[i] = off / Math.max(LEAST_SLOPE, slope);
    mean += off / n;
    error += Math.abs(errors[i]) / n;
  }
  return { mean, errors, error };
}

/** A field less a constant, by its last bias. */
export function shifted(asset: FieldAsset, mean: number): FieldAsset {
  const { layers, output, isNegativeInside, valueScale } = asset;
  const last = layers[layers.length - 1];
  const bias = last.bias?.slice() ?? new Float32Array(last.nOut);
  bias[output.plus] -= mean / (isNegativeInside ? valueScale : -valueScale);
  return { ...asset, layers: [...layers.slice(0, -1), { ...last, bias }] };
}
