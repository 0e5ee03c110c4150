import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { simplifyMesh } from '../surface/simplify.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';

/** Reduces a derived surface to at most `options.maxVertices` vertices; see `simplifyMesh`. */
export async function simplifySurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
): Promise<DerivedSurface> {
  const { maxVertices } = options;
  if (maxVertices === undefined || surface.stats.nVertices <= maxVertices) return surface;
  const since = performance.now();
  const mesh = await simplifyMesh(surface.mesh, createCpuField(asset), maxVertices);
  const stats = {
    ...surface.stats,
    nVertices: mesh.positions.length / 3,
    nTriangles: mesh.indices.length / 3,
    timeMs: { ...surface.stats.timeMs, simplify: performance.now() - since },
  };
  return { ...surface, mesh, stats };
}
