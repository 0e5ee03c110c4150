import {
  type BufferGeometry,
  type Camera,
  type Intersection,
  LOD,
  type Material,
  Matrix4,
  type Raycaster,
} from 'three';
import type { DeriveOptions, DeriveProgress, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { NsdfArgumentError } from '../index.ts';
import type { Level } from '../lod/index.ts';
import { NewestDerivation } from '../plugin/abort.ts';
import { FieldSampler, type FieldSamples, type SampleTarget } from '../plugin/field-sampler.ts';
import { copyWeights } from '../plugin/networks.ts';
import type { DeriveSettings, FieldSettings, LodSettings, WorkerShare } from '../plugin/settings.ts';
import { lodOf, workerShareOf } from '../plugin/settings.ts';
import { type DerivedGeometry, deriveGeometry, geometryOf, type OutputSettings } from './geometry.ts';
import type { LevelGeometry, NSDFLevels, NSDFLevelsOptions, NSDFObjectEventMap } from './levels.ts';
import { createDefaultMaterial, type NSDFMesh, ShownMesh } from './shown-mesh.ts';

/** What an object with levels is made of; see `NSDFObject.withLevels`. */
export interface LevelsOptions {
  readonly settings?: FieldSettings & OutputSettings;
  readonly material?: Material;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DeriveProgress) => void;
}

/**
 * One neural field in a scene: one mesh derived from the field, its only child, and the field itself: `sample` for
 * physics and picking, `derive` for another detail. With `setLod` (or `lod` in the loader's settings) it has levels of
 * detail, made when they are needed and chosen by their error on screen; the mesh stays and its geometry is exchanged, so
 * that what is set on it stays, too. It is a `LOD` for three's hook alone, which asks for every camera. Clones share
 * geometry, material, levels and field, and show what their source shows.
 *
 * @example
 * const scene = await new NSDFLoader().loadAsync('bunny.nsdf');
 * const [bunny] = scene.fields;
 * const { distances } = bunny.sample([0, 0.5, 0]);
 * await bunny.derive({ tolerance: 2e-3 });
 */
export class NSDFObject extends LOD<NSDFObjectEventMap> {
  readonly isNSDFObject = true;
  private _sampler: FieldSampler | null = null;
  private readonly _newest = new NewestDerivation();
  private _shown: ShownMesh | null = null;
  private _levels: NSDFLevels | null = null;
  /** Until there is a mesh that has it. */
  private _material: Material | Material[] | null = null;
  /** What later derivations have of the load's settings, where they say nothing else. */
  private _kept: OutputSettings & WorkerShare = {};

  /** The field that the levels are derived from; null only in an object made without one. */
  get asset(): FieldAsset | null {
    return this._sampler?.asset ?? null;
  }

  /**
   * The mesh, or null before there is something to show. It is the same one for as long as the object lives; its geometry
   * changes with the level.
   */
  get mesh(): NSDFMesh | null {
    return this._shown?.mesh ?? null;
  }

  get geometry(): BufferGeometry | undefined {
    return this.mesh?.geometry;
  }

  /** The mesh's own. */
  get material(): Material | Material[] | undefined {
    return this.mesh?.material ?? this._material ?? undefined;
  }

  set material(material: Material | Material[]) {
    if (this.mesh) this.mesh.material = material;
    else this._material = material;
  }

  /** Counts and times of what is shown. */
  get stats(): DeriveStats | null {
    return this._shown?.derived.stats ?? null;
  }

  /** True where the field has no zero set: a mesh without triangles. */
  get isEmpty(): boolean {
    return this._shown?.derived.isEmpty ?? true;
  }

  /** The settings of the levels of detail, or null where there is a single mesh. */
  get lod(): LodSettings | null {
    return this._levels?.settings ?? null;
  }

  /** The ladder, coarse to fine, and what is known of its levels; empty without levels of detail. */
  get ladder(): readonly Level<LevelGeometry>[] {
    return this._levels?.store.levels ?? [];
  }

  /** The level that is shown, the preview among them; null without levels of detail, or before there is one. */
  get level(): Level<LevelGeometry> | null {
    return this._levels?.shown ?? null;
  }

  /** The level that the last frame asked for; null without levels of detail. */
  get wantedLevel(): Level<LevelGeometry> | null {
    return this._levels?.wanted ?? null;
  }

  /** True while a level is being dissolved in: an application that draws on demand draws on. */
  get isFading(): boolean {
    return this._levels?.isFading ?? false;
  }

  /**
   * Makes the object of a field and of what was derived from it.
   * @param settings where later derivations are to be, and how many workers they may have, too.
   */
  static of(
    asset: FieldAsset,
    derived: DeriveResult | DerivedGeometry,
    material?: Material,
    settings: OutputSettings & WorkerShare = {},
  ): NSDFObject {
    const { output, renderer } = settings;
    const object = new NSDFObject();
    object._sampler = new FieldSampler(asset);
    object._kept = {
      ...(output && { output }),
      ...(renderer && { renderer }),
      ...workerShareOf(settings),
    };
    object.name = asset.name;
    const shown = 'geometry' in derived ? derived : geometryOf(derived, asset.name);
    object._material = material ?? null;
    object._show(shown);
    return object;
  }

  /**
   * Makes the object of a field with levels of detail, as soon as the level that `lod.waitFor` names is there.
   * @throws what `deriveMesh` throws, and the signal's reason; nothing is left at work then.
   */
  static async withLevels(asset: FieldAsset, options: LevelsOptions = {}): Promise<NSDFObject> {
    const isColored = asset.attributes?.COLOR_0 !== undefined;
    const { settings = {}, material = createDefaultMaterial(isColored), signal, onProgress } = options;
    const lod = lodOf(settings) ?? {};
    const { lod: _lod, output: _output, renderer: _renderer, ...derive } = settings;
    const object = new NSDFObject();
    object._sampler = new FieldSampler(asset);
    object._kept = workerShareOf(settings);
    object.name = asset.name;
    const { createLevels, NSDFLevels } = await import('./levels.ts');
    const store = createLevels(asset, derive, lod, onProgress);
    object._material = material;
    object._levels = new NSDFLevels(object, { asset, store, derive, lod, ...object._handles() });
    try {
      await object._levels.demand(lod.waitFor, signal);
      return object;
    } catch (error) {
      object.dispose();
      throw error;
    }
  }

  /**
   * Turns levels of detail on, changes their settings, or turns them off (false): then the mesh that is shown stays.
   * Limits, fading and viewport height change at once; another ladder or scheduler starts anew, and what is shown stays
   * until its first level is ready.
   * @param derive how levels are derived, as before where left out; a tolerance, a resolution or `exact` asks for the
   * finest one.
   * @throws {NsdfArgumentError} if the levels asked for make no ladder
   */
  async setLod(lod: LodSettings | boolean, derive?: DeriveSettings): Promise<this> {
    if (lod === false) return this._endLevels();
    const asset = this._newestAsset();
    const { canKeepLevels, createLevels, NSDFLevels } = await import('./levels.ts');
    const wanted = lod === true ? {} : lod;
    const settings = derive
      ? { ...workerShareOf(this._kept), ...derive }
      : (this._levels?.derive ?? workerShareOf(this._kept));
    if (this._levels && canKeepLevels(this._levels, wanted, settings)) {
      this._levels.settings = wanted;
      return this;
    }
    const store = createLevels(asset, settings, wanted);
    this._endLevels();
    this._newest.abort('the object has levels of detail now');
    const handles = this._handles(() => this._takeField(asset));
    this._levels = new NSDFLevels(this, { asset, store, derive: settings, lod: wanted, ...handles });
    return this;
  }

  /**
   * Makes a level whether or not it is on screen, before all others, and waits for it.
   * @param which the `first` picture, the `coarse` level, the `finest`, or an index in `ladder`
   * @throws {NsdfArgumentError} without levels of detail; the level's error; the signal's reason; an AbortError when the
   * object is disposed
   */
  async loadLevel(
    which: NonNullable<LodSettings['waitFor']>,
    signal?: AbortSignal,
  ): Promise<Level<LevelGeometry>> {
    if (this._levels) return this._levels.demand(which, signal);
    throw new NsdfArgumentError('which', 'this NSDFObject has no levels of detail; turn them on with setLod');
  }

  /** Three's hook, called for every camera just before it draws. */
  override update(camera: Camera): void {
    if (this._levels) this._levels.update(camera);
    else super.update(camera);
  }

  /**
   * Derives the surface again, with other options, and puts it in place of what is shown; the material stays, levels of
   * detail end. `output` and `workerLimit` are the load's where left out. A call that is overtaken by a newer one, or by `dispose`, rejects with an AbortError and changes nothing;
   * where it overtakes `updateWeights`, it derives those weights.
   * @throws what `deriveMesh` throws, and `options.signal`'s reason.
   */
  async derive(options: DeriveOptions & OutputSettings = {}): Promise<DeriveStats> {
    const asset = this._newestAsset();
    return this._begin('derive', asset, options, (signal) => this._deriveOnce(asset, options, signal));
  }

  /**
   * Puts another field in this one's place: other weights of the same network, as a training has them, or a network of
   * another shape. The mesh that is shown, `asset` and `sample` stay as they are until the new surface is there, and are
   * then exchanged at once; material, transform, children, and levels of detail with their settings stay for good. Clones
   * go on showing what they show.
   *
   * Newer calls, also of `derive` and `dispose`, overtake older ones, which end, reject with an AbortError and change
   * nothing: where weights come faster than surfaces, wait for one before you give the next. What is derived goes to the
   * cache under the new weights' hash; `cache: false` keeps weights that nobody will ask for again out of it.
   *
   * @param asset copied: its arrays may be trained on while this derives.
   * @param options as `derive` takes them; with levels of detail, what differs from how the levels were asked for.
   * @returns counts and times of the surface that is now shown: with levels of detail, of the first.
   * @throws what `deriveMesh` throws, and `options.signal`'s reason; the object is as it was then.
   * @example
   * await trainField(mesh, {
   *   onProgress: async ({ step, field }) => {
   *     if (step % 50 === 0) await object.updateWeights(await field(), { preview: 64, cache: false });
   *   },
   * });
   */
  async updateWeights(asset: FieldAsset, options: DeriveOptions & OutputSettings = {}): Promise<DeriveStats> {
    const own = copyWeights(asset);
    return this._begin('updateWeights', own, options, (signal) =>
      this._levels ? this._deriveLevels(own, options, signal) : this._deriveOnce(own, options, signal),
    );
  }

  /**
   * Evaluates the field at points of this object's local space.
   * @param points xyz per point, n*3 numbers.
   * @returns signed distances (f < 0 inside) and gradients, in `out`'s arrays where given.
   * @throws {NsdfArgumentError} if a length does not fit.
   */
  sample(points: ArrayLike<number>, out: SampleTarget = {}): FieldSamples {
    return this._requireSampler().sample(points, out);
  }

  /**
   * Evaluates the field at points of the world, under this object's world matrix (brought up to date here).
   * Distances are exact under rotation, translation and uniform scale; where axes are scaled differently they are
   * multiplied by the smallest stretch, which never oversteps. Gradients are those of what is returned.
   */
  sampleWorld(points: ArrayLike<number>, out: SampleTarget = {}): FieldSamples {
    this.updateWorldMatrix(true, false);
    const toLocal = new Matrix4().copy(this.matrixWorld).invert().elements;
    return this._requireSampler().sampleWorld(points, { toWorld: this.matrixWorld.elements, toLocal }, out);
  }

  /**
   * The mesh answers, and stands in the hit's `object`; whatever else hangs below answers as well. Three asks the children
   * no more then: asked for itself and by three for its parent, the mesh would give every hit twice, unless it had a
   * `raycast` of its own, which helpers that speed up rays pass over.
   */
  override raycast(raycaster: Raycaster, intersects: Intersection[]): false {
    const current = this.levels[this.getCurrentLevel()]?.object;
    for (const child of this.children) {
      const isHidden = child !== current && this.levels.some(({ object }) => object === child);
      if (!isHidden && !this._levels?.isTemporary(child)) raycaster.intersectObject(child, true, intersects);
    }
    return false;
  }

  /** Ends all work for this object: a derivation at hand, and levels that are being made. Drawn again, it goes on. */
  stop(): void {
    this._newest.abort('the object was stopped');
    this._levels?.dispose();
  }

  /**
   * Frees the buffers and materials on the GPU, of all levels, and ends all work. Drawn again, it comes back, but for a
   * surface that was on the GPU alone: that takes another `derive`.
   */
  override dispose(): void {
    this._newest.abort('the object was disposed');
    this._levels?.dispose();
    const shown = this._shown?.derived.geometry;
    for (const geometry of new Set([...(shown ? [shown] : []), ...(this._levels?.ownGeometries ?? [])])) {
      geometry.dispose();
    }
    for (const material of [this.mesh?.material ?? []].flat()) material.dispose();
    this.dispatchEvent({ type: 'dispose' });
  }

  /** Keeps the order of children, and those that are no level, both of which `LOD.copy` loses. */
  override copy(source: this, recursive = true): this {
    // Object3D's own copy, without children: LOD's would add the levels alone.
    Object.getPrototypeOf(LOD.prototype).copy.call(this, source, false);
    this._sampler = source._sampler;
    this._kept = source._kept;
    this._material = source._material;
    this.autoUpdate = source.autoUpdate;
    for (const child of source.children) {
      const level = source.levels.find(({ object }) => object === child);
      if (source._levels?.isTemporary(child) || !(level || recursive)) continue;
      const copy = child.clone();
      if (level) this.addLevel(copy, level.distance, level.hysteresis);
      else this.add(copy);
      if (child === source.mesh && source._shown) {
        this._shown = new ShownMesh(source._shown.derived, copy as NSDFMesh);
      }
    }
    if (source._levels) this._levels = source._levels.copyTo(this, this._handles());
    return this;
  }

  /** Runs a derivation that ends the one before it. */
  private _begin(
    name: string,
    asset: FieldAsset,
    { signal }: DeriveOptions,
    task: (signal: AbortSignal) => Promise<DeriveStats>,
  ): Promise<DeriveStats> {
    return this._newest.run({ name, on: 'object', asset, signal }, task);
  }

  /** The field that is being derived, else the one that is shown. */
  private _newestAsset(): FieldAsset {
    return this._newest.asset ?? this._requireSampler().asset;
  }

  private async _deriveOnce(
    asset: FieldAsset,
    options: DeriveOptions & OutputSettings,
    signal: AbortSignal,
  ): Promise<DeriveStats> {
    const derived = await deriveGeometry(asset, { ...this._kept, ...options, signal });
    if (signal.aborted) derived.geometry.dispose();
    signal.throwIfAborted();
    this._endLevels();
    this._takeField(asset);
    this._show(derived)?.dispose();
    return derived.stats;
  }

  /** Makes the first level of another field, which then takes the place of the levels that there are. */
  private async _deriveLevels(
    asset: FieldAsset,
    options: DeriveOptions & OutputSettings,
    signal: AbortSignal,
  ): Promise<DeriveStats> {
    const before = this._levels as NSDFLevels;
    const { signal: _signal, onProgress, output: _output, renderer: _renderer, ...others } = options;
    const { createLevels, NSDFLevels } = await import('./levels.ts');
    signal.throwIfAborted();
    const [derive, lod] = [{ ...before.derive, ...others }, before.settings];
    const store = createLevels(asset, derive, lod, onProgress);
    const handles = this._handles(() => {
      this._takeField(asset);
      if (this._levels !== before) return;
      levels.settings = before.settings;
      this._endLevels();
      this._levels = levels;
    });
    const levels: NSDFLevels = new NSDFLevels(this, { asset, store, derive, lod, ...handles });
    try {
      const level = await levels.demand(lod.waitFor, signal);
      return (level.value as LevelGeometry).stats;
    } finally {
      // Failed, overtaken, or levels were turned off meanwhile.
      if (this._levels !== levels) levels.release();
    }
  }

  private _takeField(asset: FieldAsset): void {
    if (asset !== this.asset) this._sampler = new FieldSampler(asset);
  }

  /** Back to one level: what is shown. */
  private _endLevels(): this {
    this._levels?.release();
    this._levels = null;
    return this;
  }

  /** Puts a geometry in the mesh; the first one makes it. @returns the one that it had. */
  private _show(derived: DerivedGeometry): BufferGeometry | undefined {
    if (this._shown) {
      const before = this._shown.derived.geometry;
      this._shown.show(derived);
      return before;
    }
    const isColored = derived.geometry.hasAttribute('color');
    this._shown = ShownMesh.create(derived, this._material ?? createDefaultMaterial(isColored));
    this._material = null;
    const { mesh } = this._shown;
    mesh.matrixWorld.copy(this.matrixWorld); // it may be drawn in this very frame
    this.addLevel(mesh, 0);
    return undefined;
  }

  /**
   * What the levels may do with the mesh.
   * @param onShow called before a level is put in it.
   */
  private _handles(onShow: () => void = () => {}): Pick<NSDFLevelsOptions, 'show' | 'shown'> {
    const show = (level: LevelGeometry) => {
      onShow();
      return this._show(level);
    };
    return { show, shown: () => this._shown };
  }

  private _requireSampler(): FieldSampler {
    if (this._sampler) return this._sampler;
    throw new NsdfArgumentError(
      'asset',
      'this NSDFObject carries no field; make one with NSDFLoader or objectFromAsset',
    );
  }
}
