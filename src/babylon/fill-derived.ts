import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { DeriveOptions, DeriveStats, FieldAsset } from '../index.ts';
import { deriveMesh } from '../index.ts';
import { withDevice } from './detect-support.ts';
import { fillGeometry } from './geometry.ts';

/** Where a derived surface is to be: see `FieldSettings.output`. */
export type OutputSettings = { readonly output?: 'cpu' | 'gpu' };

/** A surface that was derived. */
export interface DerivedSurface {
  readonly stats: DeriveStats;
  readonly isEmpty: boolean;
  /** Puts it in a geometry of that engine. */
  readonly fill: (geometry: Geometry) => void;
  /** Frees it, where it is not wanted any more. */
  readonly discard: () => void;
}

/**
 * Derives a surface, on the engine's device where it has one.
 * @throws what `deriveMesh` throws
 */
export async function deriveSurface(
  asset: FieldAsset,
  { output, ...options }: DeriveOptions & OutputSettings,
  engine: AbstractEngine,
): Promise<DerivedSurface> {
  const own = withDevice(options, engine);
  if (output === 'gpu') {
    const { deriveGpuSurface } = await import('./gpu-geometry.ts');
    return deriveGpuSurface(asset, own, engine);
  }
  const { mesh, stats, isEmpty } = await deriveMesh(asset, own);
  return { stats, isEmpty, fill: (target) => fillGeometry(target, mesh), discard: () => {} };
}
