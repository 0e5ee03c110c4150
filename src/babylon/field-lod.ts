import type { Camera } from '@babylonjs/core/Cameras/camera.js';
import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { InstancedMesh } from '@babylonjs/core/Meshes/instancedMesh.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { type DeriveProgress, type DeriveResult, type FieldAsset, originOf } from '../index.ts';
import {
  type Eye,
  type Level,
  type LevelListener,
  LevelSelector,
  type LevelStore,
  type LocalBounds,
} from '../lod/index.ts';
import { awaitedLevel, createFieldLevels } from '../plugin/field-levels.ts';
import type { DeriveSettings } from '../plugin/settings.ts';
import { createGeometry, exchangeGeometry } from './geometry.ts';
import { fieldOf, type GeometryField } from './geometry-field.ts';
import type { NSDFLodOptions } from './options.ts';

/** How the levels of one field are made. */
export interface FieldLodOptions {
  readonly name: string;
  readonly asset: FieldAsset;
  readonly lod: NSDFLodOptions;
  readonly derive: DeriveSettings;
  readonly onProgress?: ((progress: DeriveProgress) => void) | undefined;
}

/**
 * Levels of detail of one field. A mesh that shows it stays as it is, and its geometry is exchanged for that of the level
 * which its error on screen asks for, just before Babylon looks for what is in view. Clones choose for themselves; a mesh
 * and its instances are drawn as one, the finest choice of them.
 */
export class FieldLod {
  readonly store: LevelStore<DeriveResult>;
  readonly options: FieldLodOptions;
  private readonly _field: GeometryField;
  private readonly _scene: Scene;
  private readonly _bounds: LocalBounds;
  private readonly _selectors = new Map<Mesh, LevelSelector<DeriveResult>>();
  /** Of the levels that have been shown. */
  private readonly _geometries = new Map<Level<DeriveResult>, Geometry>();
  private readonly _stopObserving: () => void;
  /** Those that the camera at hand sees, or would if they stood in its way. */
  private readonly _looked = new Set<Mesh>();

  constructor(field: GeometryField, scene: Scene, options: FieldLodOptions) {
    const { asset, lod, derive, onProgress } = options;
    this.store = createFieldLevels<DeriveResult>(asset, derive, lod, {
      build: (result) => result,
      free: () => {},
      ...(onProgress && { onProgress }),
    });
    const { domain, region = domain } = asset;
    const origin = originOf(asset) ?? [0, 0, 0];
    const seen = [region.min, region.max].flatMap((point) => point.map((x, k) => x - origin[k]));
    this._bounds = seen as unknown as LocalBounds;
    this._field = field;
    this._scene = scene;
    this.options = options;
    this._stopObserving = observeLod(scene, this);
  }

  /** Makes the level that a load waits for. */
  async load(which: NSDFLodOptions['waitFor'], signal?: AbortSignal): Promise<Level<DeriveResult>> {
    const waiting = this._createSelector(null);
    this.store.attach(waiting);
    try {
      return await this.store.demand(awaitedLevel(this.store, which), signal);
    } finally {
      waiting.dispose();
    }
  }

  /** The geometry of a level that is ready. */
  geometryOf(level: Level<DeriveResult>): Geometry {
    let geometry = this._geometries.get(level);
    if (!geometry) {
      const result = level.value as DeriveResult;
      geometry = createGeometry(this.options.name, this._scene, result.mesh);
      this._geometries.set(level, geometry);
      this._field.bind(geometry, result);
    }
    return geometry;
  }

  /** Has all meshes of the field show a level that is ready, until they are drawn and choose. */
  showEverywhere(level: Level<DeriveResult>): void {
    const geometry = this.geometryOf(level);
    for (const mesh of this._field.meshes) {
      const before = mesh.geometry as Geometry;
      exchangeGeometry(mesh, geometry);
      if (before !== geometry) this._field.freeUnshown(before);
    }
  }

  /** The level that a mesh has now; null while that is none of them. */
  shownBy(mesh: AbstractMesh): Level<unknown> | null {
    for (const [level, geometry] of this._geometries) if (geometry === mesh.geometry) return level;
    return null;
  }

  /** The level that a mesh asked for last; null before it was drawn. */
  wantedBy(mesh: AbstractMesh): Level<unknown> | null {
    return this._selectors.get(sourceOf(mesh))?.wanted ?? null;
  }

  /** A mesh, or an instance of one, may be drawn by a camera; `choose` follows. */
  look(mesh: AbstractMesh, eye: Eye): void {
    const source = sourceOf(mesh);
    const selector = this._selectors.get(source) ?? this._addSelector(source);
    if (!this._looked.has(source)) selector.begin();
    this._looked.add(source);
    selector.look(eye, mesh.computeWorldMatrix().asArray(), this._bounds);
  }

  /** Has what was looked at show what it asks for, or the nearest that is there. */
  choose(): void {
    for (const mesh of this._looked) {
      this._selectors.get(mesh)?.choose();
      this._show(mesh);
    }
    this._looked.clear();
  }

  /** Ends what is being made; every mesh keeps the level that it has, the other levels are freed. */
  dispose(): void {
    this._stopObserving();
    for (const selector of this._selectors.values()) selector.dispose();
    this._selectors.clear();
    for (const geometry of this._geometries.values()) this._field.freeUnshown(geometry);
  }

  private _addSelector(mesh: Mesh): LevelSelector<DeriveResult> {
    const selector = this._createSelector(mesh);
    this._selectors.set(mesh, selector);
    mesh.onDisposeObservable.addOnce(() => {
      selector.dispose();
      this._selectors.delete(mesh);
      if (this._field.meshes.length === 0) this.dispose();
    });
    return selector;
  }

  /** Of a mesh; null for who only waits. The first that there is tells the application, too. */
  private _createSelector(mesh: Mesh | null): LevelSelector<DeriveResult> {
    const { onLevel } = this.options.lod;
    const tell: NonNullable<typeof onLevel> = (event) => {
      if (this.store.selectors[0] === selector) onLevel?.(event);
    };
    const listener: LevelListener<DeriveResult> = {
      levelReady: (level) => {
        if (mesh) this._show(mesh);
        tell({ level, what: 'ready' });
      },
      levelEvicted: (level) => {
        if (mesh) this._show(mesh);
        this._drop(level);
        tell({ level, what: 'evicted' });
      },
      levelFailed: (level, error) => tell({ level, what: 'failed', error }),
    };
    const selector: LevelSelector<DeriveResult> = new LevelSelector(this.store, listener, this.options.lod);
    return selector;
  }

  private _show(mesh: Mesh): void {
    const level = this._selectors.get(mesh)?.shown;
    if (!level) return;
    const before = mesh.geometry;
    exchangeGeometry(mesh, this.geometryOf(level));
    if (before && before !== mesh.geometry && !this._isLevel(before)) this._field.freeUnshown(before);
  }

  /** Frees a level that was evicted; what still has it gets the best that is there. */
  private _drop(level: Level<DeriveResult>): void {
    const geometry = this._geometries.get(level);
    const best = this._best();
    if (!geometry || !best) return;
    for (const mesh of [...geometry.meshes]) {
      exchangeGeometry(mesh, this.geometryOf(this._selectors.get(mesh)?.shown ?? best));
    }
    this._geometries.delete(level);
    this._field.freeUnshown(geometry);
  }

  private _best(): Level<DeriveResult> | null {
    const ready = this.store.levels.filter(({ status }) => status === 'ready');
    return ready.at(-1) ?? (this.store.preview?.status === 'ready' ? this.store.preview : null);
  }

  private _isLevel(geometry: Geometry): boolean {
    for (const other of this._geometries.values()) if (other === geometry) return true;
    return false;
  }
}

/** Instances are drawn with their source. */
function sourceOf(mesh: AbstractMesh): Mesh {
  return mesh.isAnInstance ? (mesh as InstancedMesh).sourceMesh : (mesh as Mesh);
}

// One observer a scene, however many fields are in it; it goes with the last of them.
const SCENES = new WeakMap<Scene, SceneLods>();

/** Lets a field's levels know what may be drawn of it, and how large. @returns what ends that. */
function observeLod(scene: Scene, lod: FieldLod): () => void {
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
