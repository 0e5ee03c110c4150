import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { cleanMesh } from '../surface/clean.ts';
import { finishMesh, type RawMesh } from '../surface/finish.ts';
import { type MarchedMesh, marchCubes } from '../surface/marching-cubes.ts';
import { measureMeshError } from '../surface/mesh-error.ts';
import { NO_STOPS } from './figures.ts';
import type { DeriveProgress } from './options.ts';
import { frameOf } from './plan.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';

/**
 * A quick picture of a field: marching cubes on a plain lattice, every lattice point evaluated, vertices on the true
 * zero set, cleaned as every mesh is. It is closed and a manifold, but nothing bounds what lies between lattice points:
 * components and gaps smaller than a box may be missing.
 *
 * Certified culling first was measured (2026-11-24): bounding 512 blocks takes 5 ms on bunny-S and 12 ms on bunny-L,
 * evaluating all 35,937 points 8 and 22 ms, and most blocks are kept.
 */
export function* previewSteps(
  asset: FieldAsset,
  options: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const startMs = performance.now();
  const { preview: resolution = 0 } = options;
  const field = createCpuField(asset);
  const frame = frameOf(asset, options);
  const { bounds } = frame;
  const extents = bounds.max.map((high, axis) => high - bounds.min[axis]);
  const longest = Math.max(...asset.domain.max.map((high, axis) => high - asset.domain.min[axis]));
  // The spacing is the whole domain's, in a region too, as with the other ways to ask for a mesh.
  const nBoxes = Math.max(1, Math.round((resolution * Math.max(...extents)) / longest));
  let marched: MarchedMesh | undefined;
  for (const steps = marchCubes(field, bounds, nBoxes); marched === undefined; ) {
    const step = steps.next();
    if (step.done) marched = step.value;
    else yield { stage: 'partition', fraction: step.value };
  }
  const raw = toRaw(marched, field);
  for (const fraction of cleanMesh(raw, frame)) yield { stage: 'refine', fraction: 0.8 + 0.2 * fraction };
  const mesh = finishMesh(raw);
  return {
    mesh,
    isEmpty: mesh.indices.length === 0,
    stats: {
      nVertices: mesh.positions.length / 3,
      nTriangles: mesh.indices.length / 3,
      nBoxes: marched.nCells,
      nBoxesTested: marched.nCells,
      nBoxesSurviving: marched.nCells,
      nBoxesUnsettled: 0,
      toleranceLocal: longest / resolution,
      errorLocal: measureMeshError(mesh, field, asset.domain),
      isComplete: false,
      stops: NO_STOPS,
      timeMs: { partition: performance.now() - startMs },
    },
  };
}

/** Normals are the field's gradients at the vertices. */
function toRaw({ positions, indices }: MarchedMesh, field: ReturnType<typeof createCpuField>): RawMesh {
  const nVertices = positions.length / 3;
  const normals = new Float64Array(positions.length);
  field.evaluateWithGradient(positions, new Float64Array(nVertices), normals);
  return {
    positions,
    normals,
    slopes: new Float64Array(nVertices * 2),
    nVertices,
    indices: Int32Array.from(indices),
    nTriangles: indices.length / 3,
  };
}
