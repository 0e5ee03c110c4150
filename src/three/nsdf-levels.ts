import type { ArrayCamera, Camera, Material, Object3DEventMap } from 'three';
import type { FieldAsset } from '../index.ts';
import {
  type Eye,
  LEVEL_LIMITS_DEFAULTS,
  type Level,
  type LevelLimits,
  LevelSelector,
  type LevelStore,
  type LocalBounds,
} from '../lod/index.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { awaitedLevel } from '../plugin/field-levels.ts';
import type { LodSettings } from '../plugin/lod-settings.ts';
import type { LevelGeometry } from './create-levels.ts';
import { LevelFade } from './level-fade.ts';
import { NSDFMesh } from './nsdf-mesh.ts';
import type { NSDFObject } from './nsdf-object.ts';
import { viewportHeightOf } from './viewport-heights.ts';

/** What an `NSDFObject` tells of its levels. */
export interface NSDFObjectEventMap extends Object3DEventMap {
  /** A level can be shown from the next frame on; one that draws on demand draws now. */
  levelready: { readonly level: Level<LevelGeometry> };
  /** A level was dropped; its geometry is disposed of. */
  levelevicted: { readonly level: Level<LevelGeometry> };
  /** A level could not be made. */
  error: { readonly level: Level<LevelGeometry>; readonly error: unknown };
}

/** The distances that a plain LOD goes by, once it was saved: the picture's height and the field of view they are for. */
const NOMINAL_FOCAL = 540 / Math.tan((25 * Math.PI) / 180);

/** What the levels of an object are made of. */
export interface NSDFLevelsOptions {
  readonly store: LevelStore<LevelGeometry>;
  readonly derive: DeriveSettings;
  readonly lod: LodSettings;
  readonly material: Material | Material[];
  /** The mesh that is shown until the first level is ready. */
  readonly standIn: NSDFMesh | null;
}

/**
 * The levels of one `NSDFObject`: keeps a mesh for every level that is ready, and has the one drawn that is chosen when
 * three asks, which it does for every camera just before it draws. Loaded when an object first has levels.
 */
export class NSDFLevels {
  readonly store: LevelStore<LevelGeometry>;
  readonly derive: DeriveSettings;
  readonly #object: NSDFObject;
  readonly #selector: LevelSelector<LevelGeometry>;
  readonly #meshes = new Map<Level<LevelGeometry>, NSDFMesh>();
  readonly #fade = new LevelFade();
  readonly #eye: { -readonly [K in keyof Eye]: Eye[K] };
  #settings: LodSettings;
  #material: Material | Material[];
  #bounds: LocalBounds;
  #shown: NSDFMesh | null = null;
  /** A level that was evicted while the next one is dissolved in over it. */
  #leaving: NSDFMesh | null = null;

  constructor(object: NSDFObject, { store, derive, lod, material, standIn }: NSDFLevelsOptions) {
    this.#object = object;
    this.store = store;
    this.derive = derive;
    this.#settings = lod;
    this.#material = material;
    this.#shown = standIn;
    const { domain, region = domain } = object.asset as FieldAsset;
    this.#bounds = [...region.min, ...region.max];
    this.#eye = { viewMatrix: [], projectionMatrix: [], near: 0, viewportHeight: 0 };
    this.#selector = new LevelSelector(
      store,
      {
        levelReady: (level) => this.#onReady(level),
        levelEvicted: (level) => this.#onEvicted(level),
        levelFailed: (level, error) => object.dispatchEvent({ type: 'error', level, error }),
      },
      limitsOf(lod),
    );
    this.#sync();
  }

  get settings(): LodSettings {
    return this.#settings;
  }

  /** Takes effect with the next frame; the ladder stays as it is. */
  set settings(settings: LodSettings) {
    this.#settings = settings;
    this.#selector.limits = limitsOf(settings);
  }

  get mesh(): NSDFMesh | null {
    return this.#shown;
  }

  get shown(): Level<LevelGeometry> | null {
    return this.#selector.shown;
  }

  get wanted(): Level<LevelGeometry> {
    return this.#selector.wanted;
  }

  get isFading(): boolean {
    return this.#fade.isActive;
  }

  get material(): Material | Material[] {
    return this.#material;
  }

  set material(material: Material | Material[]) {
    this.#endFade();
    this.#material = material;
    for (const mesh of this.#meshes.values()) mesh.material = material;
    this.#showChosen();
  }

  /** Three's hook: chooses for this camera, and has the chosen level drawn. */
  update(camera: Camera): void {
    const selector = this.#selector;
    if (!selector.isAttached) this.#sync();
    selector.begin();
    const { cameras } = camera as Partial<ArrayCamera>;
    if (cameras?.length) {
      for (const part of cameras) this.#look(part, part.viewport?.w ?? viewportHeightOf(camera));
    } else this.#look(camera, this.#settings.viewportHeight ?? viewportHeightOf(camera));
    selector.choose();
    this.#showChosen();
    if (this.#fade.isActive && this.#fade.update(this.store.scheduler.nowMs(), this.#settings.fadeMs ?? 0)) {
      this.#endFade();
      this.#showChosen();
    }
  }

  /** Makes a level and waits for it. */
  demand(waitFor: LodSettings['waitFor'], signal?: AbortSignal): Promise<Level<LevelGeometry>> {
    this.store.attach(this.#selector);
    return this.store.demand(awaitedLevel(this.store, waitFor), signal);
  }

  /** Ends all work for this object; drawn again, it goes on. */
  dispose(): void {
    this.#endFade();
    this.#fade.dispose();
    this.#showChosen();
    this.#selector.dispose();
  }

  /** Leaves the object with the one mesh that is shown, which is returned. */
  release(): NSDFMesh | null {
    this.dispose();
    for (const mesh of this.#meshes.values()) {
      if (mesh === this.#shown) continue;
      this.#object.remove(mesh);
      if (this.store.selectors.length === 0) mesh.geometry.dispose();
    }
    this.#object.levels.splice(0);
    return this.#shown;
  }

  /** The same levels for a clone, which was given a copy of the mesh that is shown. */
  copyTo(clone: NSDFObject, shown: NSDFMesh | null): NSDFLevels {
    const { store, derive } = this;
    return new NSDFLevels(clone, {
      store,
      derive,
      lod: this.#settings,
      material: this.#material,
      standIn: shown,
    });
  }

  /** Takes in what came and went while nobody told: before the first frame, and after `dispose`. */
  #sync(): void {
    for (const [level, mesh] of this.#meshes) {
      if (level.value?.geometry === mesh.geometry) continue;
      this.#meshes.delete(level);
      this.#object.remove(mesh);
    }
    for (const level of [this.store.preview, ...this.store.levels]) {
      if (level?.value && !this.#meshes.has(level)) this.#addMesh(level, level.value);
    }
    this.#sortLevels();
    this.#selector.choose();
    this.#showChosen();
  }

  #look(camera: Camera, viewportHeight: number): void {
    const eye = this.#eye;
    eye.viewMatrix = camera.matrixWorldInverse.elements;
    eye.projectionMatrix = camera.projectionMatrix.elements;
    eye.near = (camera as Camera & { near?: number }).near ?? 0;
    eye.viewportHeight = viewportHeight;
    this.#selector.look(eye, this.#object.matrixWorld.elements, this.#bounds);
  }

  #onReady(level: Level<LevelGeometry>): void {
    if (level.value) this.#addMesh(level, level.value);
    this.#showChosen();
    this.#object.dispatchEvent({ type: 'levelready', level });
  }

  #onEvicted(level: Level<LevelGeometry>): void {
    const mesh = this.#meshes.get(level);
    if (!mesh) return;
    this.#meshes.delete(level);
    if (this.#fade.holds(mesh)) this.#leaving = mesh;
    else {
      this.#showChosen();
      this.#object.remove(mesh);
    }
    this.#sortLevels();
    this.#object.dispatchEvent({ type: 'levelevicted', level });
  }

  /** A new level's mesh is like the one shown: shadows, layers and callbacks that were set on that stay. */
  #addMesh(level: Level<LevelGeometry>, { geometry, stats, isEmpty }: LevelGeometry): void {
    const shown = this.#shown;
    const isShown = shown !== null && shown.geometry === geometry;
    const mesh = isShown ? shown : (shown?.clone(false) ?? new NSDFMesh(geometry, this.#material));
    mesh.geometry = geometry;
    mesh.material = this.#material;
    mesh.stats = stats;
    mesh.isEmpty = isEmpty;
    if (!isShown) mesh.visible = false;
    this.#meshes.set(level, mesh);
    if (mesh.parent !== this.#object) this.#object.add(mesh);
    this.#sortLevels();
    const box = geometry.boundingBox;
    // A preview may lack what sticks out of it.
    if (box && !level.isPreview) this.#bounds = [...box.min.toArray(), ...box.max.toArray()];
  }

  /** Three's own list, fine to coarse: what a plain LOD makes of the object when it was saved and loaded again. */
  #sortLevels(): void {
    const { screenError } = this.#selector.limits;
    const entries = [...this.#meshes].sort(([a], [b]) => a.errorLocal - b.errorLocal);
    const levels = entries.map(([{ errorLocal }, object], i) => {
      return { distance: i === 0 ? 0 : (errorLocal * NOMINAL_FOCAL) / screenError, hysteresis: 0, object };
    });
    this.#object.levels.splice(0, this.#object.levels.length, ...levels);
  }

  #showChosen(): void {
    const level = this.#selector.shown;
    const chosen = level && this.#meshes.get(level);
    if (!chosen) return;
    const before = this.#shown;
    if (before === chosen && chosen.visible && !this.#fade.isActive) return;
    if (before !== chosen) {
      this.#endFade();
      this.#shown = chosen;
      const isStandIn = before && !this.#isLevel(before);
      if (isStandIn) this.#dropStandIn(before);
      else if (before && (this.#settings.fadeMs ?? 0) > 0) {
        this.#fade.start(before, chosen, this.store.scheduler.nowMs());
      }
    }
    for (const mesh of this.#meshes.values()) mesh.visible = mesh === chosen || this.#fade.holds(mesh);
  }

  #endFade(): void {
    this.#fade.finish();
    if (!this.#leaving) return;
    this.#object.remove(this.#leaving);
    this.#leaving.geometry.dispose(); // drawn since it was evicted, it is on the GPU again
    this.#leaving = null;
  }

  #isLevel(mesh: NSDFMesh): boolean {
    for (const other of this.#meshes.values()) if (other === mesh) return true;
    return false;
  }

  #dropStandIn(mesh: NSDFMesh): void {
    this.#object.remove(mesh);
    const isShared = [this.store.preview, ...this.store.levels].some(
      (level) => level?.value?.geometry === mesh.geometry,
    );
    if (!isShared) mesh.geometry.dispose();
  }
}

function limitsOf(settings: LodSettings): LevelLimits {
  const { screenError, hysteresis, maxLevel, maxBytes, maxTriangles } = {
    ...LEVEL_LIMITS_DEFAULTS,
    ...settings,
  };
  return { screenError, hysteresis, maxLevel, maxBytes, maxTriangles };
}
