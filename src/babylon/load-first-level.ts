import { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { withDevice } from './detect-support.ts';
import { GeometryField } from './geometry-field.ts';
import { GeometryLod } from './geometry-lod.ts';
import type { GeometryRequest } from './load-geometry.ts';
import type { NSDFLodOptions } from './lod-options.ts';

/** Makes the geometry of a field with levels of detail: with the first picture in it, the others to come. */
export async function loadFirstLevel(
  scene: Scene,
  { name, asset, settings, signal, onProgress }: GeometryRequest,
  lod: NSDFLodOptions,
): Promise<Geometry> {
  const geometry = new Geometry(name, scene);
  const { tolerance, resolution, exact, preview: _preview, ...derive } = settings;
  const finest = {
    ...(tolerance !== undefined && { tolerance }),
    ...(resolution !== undefined && { resolution }),
    ...(exact && { exact }),
  };
  const field = new GeometryField(geometry, asset);
  const levels = new GeometryLod(geometry, asset, {
    lod,
    derive: withDevice(derive, scene.getEngine()),
    ...(Object.keys(finest).length > 0 && { finest }),
    onBase: (result) => field.show(result),
    ...(onProgress && { onProgress: (_level, progress) => onProgress(progress) }),
  });
  field.lod = levels;
  try {
    await levels.first(signal);
    signal.throwIfAborted();
    return geometry;
  } catch (error) {
    levels.dispose();
    throw error;
  }
}
