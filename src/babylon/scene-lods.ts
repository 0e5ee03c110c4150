import { Camera } from '@babylonjs/core/Cameras/camera.js';
import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { GeometryLod, View } from './geometry-lod.ts';

// One observer a scene, however many fields are in it; it goes with the last of them.
const SCENES = new WeakMap<Scene, SceneLods>();

/** Lets a geometry's levels know what is drawn of it, and how large. @returns what ends that. */
export function observeLod(geometry: Geometry, lod: GeometryLod): () => void {
  const scene = geometry.getScene();
  const lods = SCENES.get(scene) ?? new SceneLods(scene);
  SCENES.set(scene, lods);
  lods.add(geometry, lod);
  return () => lods.remove(geometry);
}

/** The fields with levels of detail of one scene. */
class SceneLods {
  readonly #scene: Scene;
  readonly #lods = new Map<Geometry, GeometryLod>();
  #observer: ReturnType<Scene['onAfterActiveMeshesEvaluationObservable']['add']> | null = null;

  constructor(scene: Scene) {
    this.#scene = scene;
    scene.onDisposeObservable.addOnce(() => {
      for (const lod of [...this.#lods.values()]) lod.dispose();
    });
  }

  add(geometry: Geometry, lod: GeometryLod): void {
    this.#lods.set(geometry, lod);
    this.#observer ??= this.#scene.onAfterActiveMeshesEvaluationObservable.add(() => this.#look());
  }

  remove(geometry: Geometry): void {
    this.#lods.delete(geometry);
    if (this.#lods.size > 0 || !this.#observer) return;
    this.#scene.onAfterActiveMeshesEvaluationObservable.remove(this.#observer);
    this.#observer = null;
  }

  /** Once a frame and camera, of what is in view. */
  #look(): void {
    const camera = this.#scene.activeCamera;
    if (!camera) return;
    const view = viewOf(camera);
    const { data, length } = this.#scene.getActiveMeshes();
    for (let i = 0; i < length; i++) {
      const { geometry } = data[i];
      if (geometry) this.#lods.get(geometry)?.look(data[i], view);
    }
  }
}

function viewOf(camera: Camera): View {
  const engine = camera.getEngine();
  const viewportHeight = engine.getRenderHeight() * camera.viewport.height;
  const width = engine.getRenderWidth() * camera.viewport.width;
  const projection = camera.getProjectionMatrix().asArray();
  const isParallel = camera.mode === Camera.ORTHOGRAPHIC_CAMERA;
  return {
    viewMatrix: camera.getViewMatrix().asArray(),
    projectionMatrix: projection,
    near: camera.minZ,
    viewportHeight,
    focalPixels: isParallel ? Number.POSITIVE_INFINITY : (Math.abs(projection[5]) * viewportHeight) / 2,
    viewPixels: width * viewportHeight,
  };
}
