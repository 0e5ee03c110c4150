import type { FieldAsset } from '../format/asset.ts';
import type { JobOptions } from './steps.ts';

/** Default tolerance: domain diagonal / this, which is 1e-3 in [-1, 1]³. */
const DEFAULT_TOLERANCE_DIVISOR = 3464.1016;
/** The tolerance of a lattice: its spacing / this. */
const LATTICE_TOLERANCE_DIVISOR = 8;

/** The tolerance that a job's options come to, in local units; 0 for the whole complex. */
export function toleranceOf({ domain }: FieldAsset, { exact, tolerance, resolution }: JobOptions): number {
  if (exact) return 0;
  if (tolerance !== undefined) return tolerance;
  const extent = [0, 1, 2].map((k) => domain.max[k] - domain.min[k]);
  if (resolution === undefined) return Math.hypot(...extent) / DEFAULT_TOLERANCE_DIVISOR;
  return Math.max(...extent) / resolution / LATTICE_TOLERANCE_DIVISOR;
}
