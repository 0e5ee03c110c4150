import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { workerShareOf } from '../plugin/settings.ts';
import { FieldLod } from './field-lod.ts';
import { GeometryField } from './geometry-field.ts';
import type { GeometryRequest } from './gltf-nsdf-extension.ts';
import type { NSDFLodOptions } from './options.ts';
import { withDevice } from './scene.ts';

/** Makes the geometry of a field with levels of detail: the first picture's, the others to come. */
export async function loadFirstLevel(
  scene: Scene,
  { name, asset, settings, signal, onProgress }: GeometryRequest,
  lod: NSDFLodOptions,
): Promise<Geometry> {
  const field = new GeometryField(scene, asset, workerShareOf(settings));
  const { output: _output, ...others } = settings; // levels are always read back
  const derive = withDevice(others, scene.getEngine());
  const levels = new FieldLod(field, scene, { name, asset, lod, derive, onProgress });
  field.lod = levels;
  try {
    const level = await levels.load(lod.waitFor, signal);
    signal.throwIfAborted();
    return levels.geometryOf(level);
  } catch (error) {
    levels.dispose();
    throw error;
  }
}
