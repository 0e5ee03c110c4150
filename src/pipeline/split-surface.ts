import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { splitNormalsSteps } from '../surface/split-normals.ts';
import type { DeriveProgress } from './options.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';

/** Splits the normals of a finished surface along creases sharper than `options.creaseAngle`; see `splitNormals`. */
export function* splitSurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  { creaseAngle = 180 }: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const startMs = performance.now();
  const steps = splitNormalsSteps(surface.mesh, createCpuField(asset), creaseAngle);
  for (;;) {
    const step = steps.next();
    if (!step.done) {
      yield { stage: 'normals', fraction: step.value };
      continue;
    }
    const mesh = step.value;
    const { timeMs } = surface.stats;
    const normals = (timeMs.normals ?? 0) + performance.now() - startMs;
    const stats = {
      ...surface.stats,
      nVertices: mesh.positions.length / 3,
      timeMs: { ...timeMs, normals },
    };
    return { ...surface, mesh, stats };
  }
}
