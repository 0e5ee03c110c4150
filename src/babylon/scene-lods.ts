import type { Camera } from '@babylonjs/core/Cameras/camera.js';
import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { Eye } from '../lod/index.ts';
import type { FieldLod } from './field-lod.ts';
import { fieldOf } from './geometry-field.ts';

// One observer a scene, however many fields are in it; it goes with the last of them.
const SCENES = new WeakMap<Scene, SceneLods>();

/** Lets a field's levels know what may be drawn of it, and how large. @returns what ends that. */
export function observeLod(scene: Scene, lod: FieldLod): () => void {
  const lods = SCENES.get(scene) ?? new SceneLods(scene);
  SCENES.set(scene, lods);
  lods.add(lod);
  return () => lods.remove(lod);
}

/** The fields with levels of detail of one scene. */
class SceneLods {
  private readonly _scene: Scene;
  private readonly _lods = new Set<FieldLod>();
  private _observer: ReturnType<Scene['onBeforeActiveMeshesEvaluationObservable']['add']> | null = null;

  constructor(scene: Scene) {
    this._scene = scene;
    scene.onDisposeObservable.addOnce(() => {
      for (const lod of [...this._lods]) lod.dispose();
    });
  }

  add(lod: FieldLod): void {
    this._lods.add(lod);
    this._observer ??= this._scene.onBeforeActiveMeshesEvaluationObservable.add(() => this._look());
  }

  remove(lod: FieldLod): void {
    this._lods.delete(lod);
    if (this._lods.size > 0 || !this._observer) return;
    this._scene.onBeforeActiveMeshesEvaluationObservable.remove(this._observer);
    this._observer = null;
  }

  /**
   * Once a frame and camera, before Babylon gathers what is in view: once it has, what it will draw holds on to the geometry.
   */
  private _look(): void {
    const camera = this._scene.activeCamera;
    if (!camera) return;
    const eye = eyeOf(camera);
    for (const mesh of this._scene.meshes) {
      const lod = mesh.geometry && fieldOf(mesh.geometry)?.lod;
      if (lod && this._lods.has(lod) && isDrawnBy(mesh, camera)) lod.look(mesh, eye);
    }
    for (const lod of this._lods) lod.choose();
  }
}

/** Whether a camera draws a mesh where it is in view: as Babylon itself decides. */
function isDrawnBy(mesh: AbstractMesh, camera: Camera): boolean {
  return (
    mesh.isEnabled() &&
    mesh.isVisible &&
    mesh.visibility > 0 &&
    !mesh.isBlocked &&
    (mesh.layerMask & camera.layerMask) !== 0
  );
}

function eyeOf(camera: Camera): Eye {
  return {
    viewMatrix: camera.getViewMatrix().asArray(),
    projectionMatrix: camera.getProjectionMatrix().asArray(),
    near: camera.minZ,
    viewportHeight: camera.getEngine().getRenderHeight() * camera.viewport.height,
    viewportWidth: camera.getEngine().getRenderWidth() * camera.viewport.width,
  };
}
