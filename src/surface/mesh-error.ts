import { type CheckField, spreadOf } from './check-field.ts';
import { createRandom } from './check-random.ts';
import type { CheckableMesh } from './check-topology.ts';
import { sampleMesh } from './distance-samples.ts';

/** Points of the mesh that are asked: 3 ms on bunny-S, less than a hundredth of any derivation. */
const N_SAMPLES = 2048;
/** A slope below this share of the usual one is taken for it: at a kink's foot |f| / |∇f| says nothing. */
const LEAST_SLOPE = 0.25;

/**
 * The measured error of a mesh that keeps a tolerance, 0 for none: a tolerance is certified, and what a kink makes of the
 * first-order measure above it is no error.
 */
export function measureErrorWithin(mesh: CheckableMesh, field: CheckField, toleranceLocal: number): number {
  const measured = measureMeshError(mesh, field);
  return toleranceLocal > 0 ? Math.min(measured, toleranceLocal) : measured;
}

/**
 * How far a mesh stands off the zero set, to first order: the largest |f| / |∇f| at points that are uniform on it, in
 * local units. Cheap, and one way only: what the mesh lacks it does not see. `checkMesh` measures both ways.
 */
export function measureMeshError(mesh: CheckableMesh, field: CheckField): number {
  const points = sampleMesh(mesh, N_SAMPLES, createRandom(1));
  const n = points.length / 3;
  if (n === 0) return 0;
  const values = new Float64Array(n);
  const gradients = new Float64Array(n * 3);
  field.evaluateWithGradient(points, values, gradients);
  const slopes = values.map((_, i) =>
    Math.sqrt(gradients[i * 3] ** 2 + gradients[i * 3 + 1] ** 2 + gradients[i * 3 + 2] ** 2),
  );
  const usual = slopes.slice().sort()[n >> 1];
  const errors = values.map(
    (f, i) => Math.abs(f) / Math.max(slopes[i], LEAST_SLOPE * usual, Number.MIN_VALUE),
  );
  return spreadOf(errors).max;
}
