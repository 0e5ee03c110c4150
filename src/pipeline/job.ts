import { createCpuField } from '../field/cpu-field.ts';
import { measureMeshError } from '../surface/mesh-error.ts';
import { conclude } from './figures.ts';
import { frameOf } from './plan.ts';
import { keepSurface } from './records.ts';
import { splitSurface } from './split-surface.ts';
import { deriveSteps } from './stages.ts';
import type { Job, Simplify } from './steps.ts';

/** The derivation, as every backend runs it. The simplifier is loaded when a job first needs it. */
export const JOB: Job = { steps: deriveSteps, loadSimplify, splitNormals: splitSurface, keepSurface };

async function loadSimplify(): Promise<Simplify> {
  const { simplifyMesh } = await import('../surface/simplify.ts');
  return async (asset, surface, options) => {
    const startMs = performance.now();
    const { maxVertices = Number.POSITIVE_INFINITY } = options;
    const field = createCpuField(asset);
    const mesh = await simplifyMesh(surface.mesh, field, maxVertices, frameOf(asset, options));
    const stats = conclude({
      ...surface.stats,
      nVertices: mesh.positions.length / 3,
      nTriangles: mesh.indices.length / 3,
      errorLocal: measureMeshError(mesh, field, asset.domain),
      timeMs: { ...surface.stats.timeMs, simplify: performance.now() - startMs },
    });
    return { ...surface, mesh, stats };
  };
}
