import { expect } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { runJob } from '../../src/pipeline/drive.ts';
import { JOB } from '../../src/pipeline/job.ts';
import type { DerivedSurface, JobOptions } from '../../src/pipeline/steps.ts';
import { checkMesh, type MeshReport } from '../../src/surface/check.ts';

/** Derives a field's surface in place, without progress. */
export function derive(asset: FieldAsset, options: JobOptions = {}): Promise<DerivedSurface> {
  return runJob(JOB, asset, options, { throwIfCancelled: () => {}, onProgress: () => {} });
}

/** The three ways of asking for a mesh. */
export const WAYS: readonly { readonly name: string; readonly options: JobOptions }[] = [
  { name: 'by tolerance', options: {} },
  { name: 'at resolution 12', options: { resolution: 12 } },
  { name: 'exact', options: { exact: true } },
];

/** Points sampled for each of the two distances. */
export const SAMPLES = 3000;

/** What no mesh may have, however it was asked for. */
export const SOUND = {
  nDuplicateVertices: 0,
  nUnusedVertices: 0,
  nNonFiniteVertices: 0,
  nBadNormals: 0,
  nDuplicateTriangles: 0,
  nDegenerateTriangles: 0,
  nOpenEdges: 0,
  nNonManifoldEdges: 0,
  nNonManifoldVertices: 0,
  nMisorientedEdges: 0,
  isOutwardOriented: true,
};

export interface Derived {
  readonly surface: DerivedSurface;
  readonly report: MeshReport;
}

/** Derives a field's surface and checks it against the field. */
export async function deriveAndCheck(
  asset: FieldAsset,
  options: JobOptions,
  samples = SAMPLES,
): Promise<Derived> {
  const surface = await derive(asset, options);
  const { domain } = asset;
  const report = await checkMesh(surface.mesh, { field: createCpuField(asset), domain, samples });
  return { surface, report };
}

/** Residuals: the project's figures. */
export function expectOnZeroSet({ residual }: MeshReport): void {
  expect(residual?.max).toBeLessThan(1e-5);
  expect(residual?.p999).toBeLessThan(1e-6);
  expect(residual?.mean).toBeLessThan(1e-7);
}

/** No sampled point of either is farther from the other. */
export function expectWithin(tolerance: number, { meshToZeroSet, zeroSetToMesh }: MeshReport): void {
  expect(meshToZeroSet?.max).toBeLessThanOrEqual(tolerance);
  expect(zeroSetToMesh?.max).toBeLessThanOrEqual(tolerance);
}
