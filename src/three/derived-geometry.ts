import type { BufferGeometry } from 'three';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset, Vec3 } from '../index.ts';
import { deriveMesh } from '../index.ts';
import { createGeometry } from './geometry.ts';

/** A derived surface as three draws it. */
export interface DerivedGeometry {
  readonly geometry: BufferGeometry;
  readonly stats: DeriveStats;
  readonly isEmpty: boolean;
  /** Where the geometry lies in the object's space; see `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

/** Where a derived surface is to be. */
export interface OutputSettings {
  /** See `FieldSettings.output`. */
  readonly output?: 'cpu' | 'gpu';
  /** The renderer that draws what stays on the GPU: a `WebGPURenderer`. */
  readonly renderer?: object;
}

/**
 * Derives a surface as it is asked for beside levels of detail, and makes the geometry where it is asked for.
 * @throws what `deriveMesh` throws
 */
export async function deriveGeometry(
  asset: FieldAsset,
  { output, renderer, lod: _lod, ...options }: DeriveOptions & OutputSettings & { readonly lod?: unknown },
): Promise<DerivedGeometry> {
  if (output !== 'gpu') return geometryOf(await deriveMesh(asset, options), asset.name);
  const { deriveGpuGeometry } = await import('./gpu-geometry.ts');
  return deriveGpuGeometry(asset, options, renderer);
}

export function geometryOf({ mesh, stats, isEmpty }: DeriveResult, name: string): DerivedGeometry {
  return { geometry: createGeometry(mesh, name), stats, isEmpty, origin: mesh.origin };
}
