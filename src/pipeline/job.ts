import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { measureMeshError } from '../surface/mesh-error.ts';
import { simplifyMesh } from '../surface/simplify.ts';
import { conclude } from './figures.ts';
import type { DeriveProgress } from './options.ts';
import { frameOf } from './plan.ts';
import { keepSurface } from './records.ts';
import { splitSurface } from './split-surface.ts';
import { deriveSteps } from './stages.ts';
import type { DerivedSurface, Job, JobOptions } from './steps.ts';

/** The derivation, as every backend runs it. */
export const JOB: Job = {
  steps: deriveSteps,
  simplify: simplifySurface,
  splitNormals: splitSurface,
  keepSurface,
};

/** Reduces a finished surface to at most `options.maxVertices`; see `simplifyMesh`. */
function* simplifySurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const startMs = performance.now();
  const { maxVertices = Number.POSITIVE_INFINITY } = options;
  const field = createCpuField(asset);
  const steps = simplifyMesh(surface.mesh, field, maxVertices, frameOf(asset, options));
  let step = steps.next();
  for (; !step.done; step = steps.next()) yield { stage: 'simplify', fraction: step.value };
  const mesh = step.value;
  const stats = conclude({
    ...surface.stats,
    nVertices: mesh.positions.length / 3,
    nTriangles: mesh.indices.length / 3,
    errorLocal: measureMeshError(mesh, field, asset.domain),
    timeMs: { ...surface.stats.timeMs, simplify: performance.now() - startMs },
  });
  return { ...surface, mesh, isEmpty: mesh.indices.length === 0, stats };
}
