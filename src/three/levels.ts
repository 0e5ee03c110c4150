/** What an object loads when it first has levels of detail, or a view to follow. */
import type { ArrayCamera, BufferGeometry, Camera, Material, Object3D, Object3DEventMap } from 'three';
import { Mesh, Vector3 } from 'three';
import type { DeriveStats, FieldAsset, Vec3 } from '../index.ts';
import type { Eye, Level, LevelLimits, LevelStore, LocalBounds } from '../lod/index.ts';
import { LEVEL_LIMITS_DEFAULTS, LevelSelector } from '../lod/index.ts';
import { awaitedLevel, createFieldLevels, type LevelShape } from '../plugin/field-levels.ts';
import type { DeriveSettings, LodSettings } from '../plugin/settings.ts';
import { createGeometry } from './geometry.ts';
import type { NSDFObject } from './nsdf-object.ts';
import { hitNothing, type NSDFMesh, type ShownMesh, viewportHeightOf } from './shown-mesh.ts';

export { ViewFollower } from '../lod/index.ts';

/** What an `NSDFObject` tells of its levels. */
export interface NSDFObjectEventMap extends Object3DEventMap {
  /** A level can be shown from the next frame on; one that draws on demand draws now. */
  levelready: { readonly level: Level<LevelGeometry> };
  /** A level was dropped; its geometry is disposed of. */
  levelevicted: { readonly level: Level<LevelGeometry> };
  /** A level could not be made. */
  error: { readonly level: Level<LevelGeometry>; readonly error: unknown };
}

/** What the levels of an object are made of. */
export interface NSDFLevelsOptions {
  readonly asset: FieldAsset;
  readonly store: LevelStore<LevelGeometry>;
  readonly derive: DeriveSettings;
  readonly lod: LodSettings;
  /** Puts a level's geometry in the object's mesh, which it makes where there is none yet. @returns the one before. */
  readonly show: (level: LevelGeometry) => BufferGeometry | undefined;
  /** What the object shows; null while there is nothing. */
  readonly shown: () => ShownMesh | null;
}

/**
 * The levels of one `NSDFObject`: has its one mesh show the level that is chosen when three asks, which it does for every
 * camera just before it draws. Loaded when an object first has levels.
 */
export class NSDFLevels {
  readonly store: LevelStore<LevelGeometry>;
  readonly derive: DeriveSettings;
  private readonly _object: NSDFObject;
  private readonly _options: NSDFLevelsOptions;
  private readonly _selector: LevelSelector<LevelGeometry>;
  private readonly _fade = new LevelFade();
  private readonly _eye: { -readonly [K in keyof Eye]: Eye[K] };
  private _settings: LodSettings;
  private _bounds: LocalBounds;
  /** What the mesh shows, or is to show once the fade is over; null while that is no level. */
  private _target: LevelGeometry | null = null;
  /** The scheduler's frame in which that was chosen. */
  private _targetFrame = -1;

  /** @param from levels of an object that this one is a clone of: it goes on with what that shows. */
  constructor(object: NSDFObject, options: NSDFLevelsOptions, from?: NSDFLevels) {
    const { asset, store, derive, lod } = options;
    this._object = object;
    this._options = options;
    this.store = store;
    this.derive = derive;
    this._settings = lod;
    const { domain, region = domain } = asset;
    this._bounds = [...region.min, ...region.max];
    this._eye = { viewMatrix: [], projectionMatrix: [], near: 0, viewportHeight: 0 };
    this._selector = new LevelSelector(
      store,
      {
        levelReady: (level) => this._onReady(level),
        levelEvicted: (level) => this._onEvicted(level),
        levelFailed: (level, error) => object.dispatchEvent({ type: 'error', level, error }),
      },
      limitsOf(lod),
    );
    if (from) this._selector.startFrom(from._selector);
    this._sync();
  }

  get settings(): LodSettings {
    return this._settings;
  }

  /** Takes effect with the next frame; the ladder stays as it is. */
  set settings(settings: LodSettings) {
    this._settings = settings;
    this._selector.limits = limitsOf(settings);
  }

  get shown(): Level<LevelGeometry> | null {
    return this._selector.shown;
  }

  get wanted(): Level<LevelGeometry> {
    return this._selector.wanted;
  }

  get isFading(): boolean {
    return this._fade.isActive;
  }

  /** Geometries of levels that no other object shows. */
  get ownGeometries(): readonly BufferGeometry[] {
    return this.store.selectors.some((other) => other !== this._selector) ? [] : geometriesOf(this.store);
  }

  /** Whether a child of the object is there for a fade alone. */
  isTemporary(child: Object3D): boolean {
    return this._fade.owns(child);
  }

  /** Three's hook: chooses for this camera, and has the chosen level drawn. */
  update(camera: Camera): void {
    const selector = this._selector;
    if (!selector.isAttached) this._sync();
    selector.begin();
    const { cameras } = camera as Partial<ArrayCamera>;
    if (cameras?.length) {
      for (const part of cameras) this._look(part, part.viewport?.w ?? viewportHeightOf(camera));
    } else this._look(camera, this._settings.viewportHeight ?? viewportHeightOf(camera));
    selector.choose();
    this._showChosen();
    if (!this._fade.isActive) return;
    const isOver = this._fade.update(this.store.scheduler.nowMs(), this._settings.fadeMs ?? 0);
    if (isOver) this._endFade();
  }

  /** Makes a level and waits for it. */
  demand(waitFor: LodSettings['waitFor'], signal?: AbortSignal): Promise<Level<LevelGeometry>> {
    this.store.attach(this._selector);
    return this.store.demand(awaitedLevel(this.store, waitFor), signal);
  }

  /** Ends all work for this object; drawn again, it goes on. */
  dispose(): void {
    this._endFade();
    this._fade.dispose();
    this._selector.dispose();
  }

  /** Leaves the object with the geometry that it shows, and frees the others. */
  release(): void {
    this.dispose();
    const kept = this._options.shown()?.derived.geometry;
    for (const geometry of this.ownGeometries) if (geometry !== kept) geometry.dispose();
  }

  /** The same levels for a clone, whose mesh shows the same. */
  copyTo(clone: NSDFObject, handles: Pick<NSDFLevelsOptions, 'show' | 'shown'>): NSDFLevels {
    const { store, derive } = this;
    const { asset } = this._options;
    return new NSDFLevels(clone, { asset, store, derive, lod: this._settings, ...handles }, this);
  }

  /** Takes in what came and went while nobody told: before the first frame, and after `dispose`. */
  private _sync(): void {
    for (const level of this.store.levels) this._takeBounds(level);
    this._selector.choose();
    this._showChosen(true);
  }

  private _look(camera: Camera, viewportHeight: number): void {
    const eye = this._eye;
    eye.viewMatrix = camera.matrixWorldInverse.elements;
    eye.projectionMatrix = camera.projectionMatrix.elements;
    eye.near = (camera as Camera & { near?: number }).near ?? 0;
    eye.viewportHeight = viewportHeight;
    this._selector.look(eye, this._object.matrixWorld.elements, this._bounds);
  }

  private _onReady(level: Level<LevelGeometry>): void {
    this._takeBounds(level);
    this._showChosen();
    this._object.dispatchEvent({ type: 'levelready', level });
  }

  private _onEvicted(level: Level<LevelGeometry>): void {
    this._showChosen();
    this._object.dispatchEvent({ type: 'levelevicted', level });
  }

  /** A preview may lack what sticks out of it. */
  private _takeBounds({ value, isPreview }: Level<LevelGeometry>): void {
    const box = value?.geometry.boundingBox;
    if (!box || isPreview) return;
    const { min, max } = box.clone().translate(new Vector3(...(value.origin ?? [0, 0, 0])));
    this._bounds = [...min.toArray(), ...max.toArray()];
  }

  private _showChosen(atOnce = false): void {
    const chosen = this._selector.shown?.value;
    if (!chosen || chosen === this._target) return;
    this._endFade();
    const { frame } = this.store.scheduler;
    // Cameras of one frame that want different levels get them at once, or each would see the other's dissolve.
    const isFirstInFrame = frame !== this._targetFrame;
    const mesh = this._options.shown()?.mesh;
    const fades = !atOnce && isFirstInFrame && this._target && mesh && (this._settings.fadeMs ?? 0) > 0;
    this._target = chosen;
    this._targetFrame = frame;
    if (fades) this._fade.start(mesh, chosen.geometry, this.store.scheduler.nowMs());
    else this._showTarget();
  }

  private _endFade(): void {
    if (!this._fade.isActive) return;
    this._fade.finish();
    this._showTarget();
  }

  /** What was shown before is freed where it is no level, or no longer: drawn since it was evicted, it is on the GPU again. */
  private _showTarget(): void {
    const target = this._target as LevelGeometry;
    const before = this._options.show(target);
    if (!before || before === target.geometry || geometriesOf(this.store).includes(before)) return;
    before.dispose();
  }
}

/** Of the levels that are ready. */
function geometriesOf({ preview, levels }: LevelStore<LevelGeometry>): BufferGeometry[] {
  return [preview, ...levels].flatMap((level) => level?.value?.geometry ?? []);
}

function limitsOf(settings: LodSettings): LevelLimits {
  const { screenError, hysteresis, maxLevel, maxBytes, maxTriangles } = {
    ...LEVEL_LIMITS_DEFAULTS,
    ...settings,
  };
  return { screenError, hysteresis, maxLevel, maxBytes, maxTriangles };
}

/** What a level is in three: shared by the meshes of an object and its clones. */
export interface LevelGeometry {
  readonly geometry: BufferGeometry;
  readonly stats: DeriveStats;
  readonly isEmpty: boolean;
  /** Where the geometry lies in the object's space; see `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

/** Makes the levels of a field; `NSDFObject`s and their clones share them. */
export function createLevels(
  asset: FieldAsset,
  settings: DeriveSettings,
  lod: LodSettings,
  onProgress?: LevelShape<LevelGeometry>['onProgress'],
): LevelStore<LevelGeometry> {
  return createFieldLevels<LevelGeometry>(asset, settings, lod, {
    build: ({ mesh, stats, isEmpty }) => {
      return { geometry: createGeometry(mesh, asset.name), stats, isEmpty, origin: mesh.origin };
    },
    free: ({ geometry }) => geometry.dispose(),
    ...(onProgress && { onProgress }),
  });
}

/** Whether other settings ask for the levels that are there. */
export function canKeepLevels(
  levels: {
    readonly store: LevelStore<LevelGeometry>;
    readonly settings: LodSettings;
    readonly derive: DeriveSettings;
  },
  lod: LodSettings,
  derive: DeriveSettings,
): boolean {
  const ladderOf = ({ resolutions, levels: details, preview }: LodSettings): string =>
    JSON.stringify([resolutions, details, preview]);
  const { scheduler = levels.store.scheduler } = lod;
  if (scheduler !== levels.store.scheduler || ladderOf(lod) !== ladderOf(levels.settings)) return false;
  const keys = new Set([...Object.keys(derive), ...Object.keys(levels.derive)]) as Set<keyof DeriveSettings>;
  return [...keys].every((key) => derive[key] === levels.derive[key]);
}

/**
 * Dissolves a new level in over the one that an object's mesh shows: that stays as it is, and opaque, until the new one is
 * whole, so that nothing shows through. The new one is drawn by a mesh of its own, for as long as it takes, with a copy of
 * the material, `alphaHash` on, which needs no sorting.
 */
class LevelFade {
  private _under: NSDFMesh | null = null;
  private _over: NSDFMesh | null = null;
  private _copied: Material | Material[] | null = null;
  private _copies: Material[] = [];
  private _startMs = 0;

  get isActive(): boolean {
    return this._over !== null;
  }

  /** Whether that is the mesh of a fade. */
  owns(object: Object3D): boolean {
    return this._over === object;
  }

  /** @param under shows the level before, in the scene. */
  start(under: NSDFMesh, geometry: BufferGeometry, nowMs: number): void {
    const over: NSDFMesh = new Mesh(geometry, under.material);
    over.name = under.name;
    over.raycast = hitNothing;
    over.matrixWorld.copy(under.matrixWorld); // it may be drawn in this very frame
    this._under = under;
    this._over = over;
    this._startMs = nowMs;
    this._follow(0);
    under.parent?.add(over);
  }

  /** @returns whether the fade has come to its end; `finish` is to be called then. */
  update(nowMs: number, fadeMs: number): boolean {
    const share = Math.min(1, (nowMs - this._startMs) / fadeMs);
    this._follow(share);
    return share === 1;
  }

  /** Ends a fade at once: its mesh is taken away. */
  finish(): void {
    this._over?.removeFromParent();
    this._under = this._over = null;
  }

  dispose(): void {
    this.finish();
    this._freeCopies();
  }

  /** Draws the new level as the one before is drawn, whatever is set on that meanwhile. */
  private _follow(share: number): void {
    const [under, over] = [this._under as NSDFMesh, this._over as NSDFMesh];
    over.position.copy(under.position);
    over.quaternion.copy(under.quaternion);
    over.scale.copy(under.scale);
    over.layers.mask = under.layers.mask;
    const { visible, castShadow, receiveShadow, frustumCulled, renderOrder, userData } = under;
    Object.assign(over, { visible, castShadow, receiveShadow, frustumCulled, renderOrder, userData });
    const { customDepthMaterial, customDistanceMaterial, onBeforeRender, onAfterRender } = under;
    Object.assign(over, { customDepthMaterial, customDistanceMaterial, onBeforeRender, onAfterRender });
    const { onBeforeShadow, onAfterShadow } = under;
    Object.assign(over, { onBeforeShadow, onAfterShadow });
    this._copyMaterial(under.material);
    over.material = Array.isArray(under.material) ? this._copies : this._copies[0];
    const own = [under.material].flat();
    this._copies.forEach((copy, i) => {
      copy.opacity = share * own[i].opacity;
    });
  }

  private _copyMaterial(material: Material | Material[]): void {
    if (this._copied === material) return;
    this._freeCopies();
    this._copied = material;
    this._copies = [material].flat().map((one) => Object.assign(one.clone(), { alphaHash: true }));
  }

  private _freeCopies(): void {
    for (const copy of this._copies) copy.dispose();
    this._copied = null;
    this._copies = [];
  }
}
