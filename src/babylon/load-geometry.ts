import { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { DeriveProgress, FieldAsset } from '../index.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { deriveSurface, type OutputSettings } from './fill-derived.ts';
import { GeometryField } from './geometry-field.ts';
import type { NSDFLodOptions } from './lod-options.ts';

/** How the geometry of a field is to be made. */
export interface GeometryRequest {
  readonly name: string;
  readonly asset: FieldAsset;
  readonly settings: DeriveSettings & OutputSettings;
  /** False for one level alone. */
  readonly lod: NSDFLodOptions | false;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: DeriveProgress) => void) | undefined;
}

/**
 * Makes the geometry of a field, bound to it: of the one level that is asked for, or of the first of many.
 * @throws what `deriveMesh` throws; the signal's reason.
 */
export async function loadGeometry(scene: Scene, request: GeometryRequest): Promise<Geometry> {
  if (!request.lod) return loadSingle(scene, request);
  const { loadFirstLevel } = await import('./load-first-level.ts');
  return loadFirstLevel(scene, request, request.lod);
}

async function loadSingle(
  scene: Scene,
  { name, asset, settings, signal, onProgress }: GeometryRequest,
): Promise<Geometry> {
  const options = { ...settings, signal, ...(onProgress && { onProgress }) };
  const derived = await deriveSurface(asset, options, scene.getEngine());
  if (signal.aborted) derived.discard();
  signal.throwIfAborted();
  const geometry = new Geometry(name, scene);
  derived.fill(geometry);
  new GeometryField(scene, asset, settings).bind(geometry, derived);
  return geometry;
}
