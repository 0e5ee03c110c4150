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
  const field = new GeometryField(geometry, asset);
  const { output: _output, ...derive } = settings; // levels are always read back
  const levels = new GeometryLod(geometry, asset, {
    lod,
    derive: withDevice(derive, scene.getEngine()),
    onBase: (result) => field.show(result),
    onProgress,
  });
  field.lod = levels;
  try {
    await levels.load(lod.waitFor, signal);
    signal.throwIfAborted();
    return geometry;
  } catch (error) {
    levels.dispose();
    throw error;
  }
}
