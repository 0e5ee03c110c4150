import {
  type BufferGeometry,
  type Camera,
  type Intersection,
  LOD,
  type Material,
  Matrix4,
  type Object3D,
  type Raycaster,
} from 'three';
import type { DeriveOptions, DeriveProgress, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { NsdfArgumentError } from '../index.ts';
import type { Level } from '../lod/index.ts';
import { linkedController } from '../plugin/abort.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { FieldSampler, type FieldSamples, type SampleTarget } from '../plugin/field-sampler.ts';
import { type FieldSettings, type LodSettings, lodOf } from '../plugin/lod-settings.ts';
import type { LevelGeometry } from './create-levels.ts';
import { createDefaultMaterial } from './default-material.ts';
import { type DerivedGeometry, deriveGeometry, geometryOf, type OutputSettings } from './derived-geometry.ts';
import type { NSDFLevels, NSDFObjectEventMap } from './nsdf-levels.ts';
import { NSDFMesh } from './nsdf-mesh.ts';

/** What an object with levels is made of; see `NSDFObject.withLevels`. */
export interface LevelsOptions {
  readonly settings?: FieldSettings & OutputSettings;
  readonly material?: Material;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DeriveProgress) => void;
}

/**
 * One neural field in a scene. It is a `LOD` whose levels are meshes derived from the field, and the field itself:
 * `sample` for physics and picking, `derive` for another detail. It has one level, or with `setLod` (or `lod` in the
 * loader's settings) as many as its ladder has, made when they are needed and chosen by their error on screen. Clones
 * share geometry, material, levels and field.
 *
 * @example
 * const scene = await new NSDFLoader().loadAsync('bunny.nsdf');
 * const [bunny] = scene.fields;
 * const { distances } = bunny.sample([0, 0.5, 0]);
 * await bunny.derive({ tolerance: 2e-3 });
 */
export class NSDFObject extends LOD<NSDFObjectEventMap> {
  readonly isNSDFObject = true;
  #sampler: FieldSampler | null = null;
  #pending: AbortController | null = null;
  #levels: NSDFLevels | null = null;
  #output: OutputSettings = {};

  /** The field that the levels are derived from; null only in an object made without one. */
  get asset(): FieldAsset | null {
    return this.#sampler?.asset ?? null;
  }

  /** The level that is shown, or null before there is one. */
  get mesh(): NSDFMesh | null {
    if (this.#levels) return this.#levels.mesh;
    return (this.levels[this.getCurrentLevel()]?.object as NSDFMesh | undefined) ?? null;
  }

  get geometry(): BufferGeometry | undefined {
    return this.mesh?.geometry;
  }

  /** Of the level shown; setting it sets it on every level. */
  get material(): Material | Material[] | undefined {
    return this.#levels?.material ?? this.mesh?.material;
  }

  set material(material: Material | Material[]) {
    if (this.#levels) this.#levels.material = material;
    else for (const { object } of this.levels) (object as NSDFMesh).material = material;
  }

  /** Counts and times of the level that is shown. */
  get stats(): DeriveStats | null {
    return this.mesh?.stats ?? null;
  }

  /** True where the field has no zero set: a level without triangles. */
  get isEmpty(): boolean {
    return this.mesh?.isEmpty ?? true;
  }

  /** The settings of the levels of detail, or null where there is a single mesh. */
  get lod(): LodSettings | null {
    return this.#levels?.settings ?? null;
  }

  /** The ladder, coarse to fine, and what is known of its levels; empty without levels of detail. */
  get ladder(): readonly Level<LevelGeometry>[] {
    return this.#levels?.store.levels ?? [];
  }

  /** The level that is shown, the preview among them; null without levels of detail, or before there is one. */
  get level(): Level<LevelGeometry> | null {
    return this.#levels?.shown ?? null;
  }

  /** The level that the last frame asked for; null without levels of detail. */
  get wantedLevel(): Level<LevelGeometry> | null {
    return this.#levels?.wanted ?? null;
  }

  /** True while a level is being dissolved in: an application that draws on demand draws on. */
  get isFading(): boolean {
    return this.#levels?.isFading ?? false;
  }

  /**
   * Makes the object of a field and of what was derived from it.
   * @param output where later derivations are to be, too.
   */
  static of(
    asset: FieldAsset,
    derived: DeriveResult | DerivedGeometry,
    material?: Material,
    { output, renderer }: OutputSettings = {},
  ): NSDFObject {
    const object = new NSDFObject();
    object.#sampler = new FieldSampler(asset);
    object.#output = { ...(output && { output }), ...(renderer && { renderer }) };
    object.name = asset.name;
    const shown = 'geometry' in derived ? derived : geometryOf(derived, asset.name);
    object.#show(shown, material ?? createDefaultMaterial());
    return object;
  }

  /**
   * Makes the object of a field with levels of detail, as soon as the level that `lod.waitFor` names is there.
   * @throws what `deriveMesh` throws, and the signal's reason; nothing is left at work then.
   */
  static async withLevels(asset: FieldAsset, options: LevelsOptions = {}): Promise<NSDFObject> {
    const { settings = {}, material = createDefaultMaterial(), signal, onProgress } = options;
    const lod = lodOf(settings) ?? {};
    const { lod: _lod, output: _output, renderer: _renderer, ...derive } = settings;
    const object = new NSDFObject();
    object.#sampler = new FieldSampler(asset);
    object.name = asset.name;
    const { createLevels, NSDFLevels } = await import('./levels.ts');
    const store = createLevels(asset, derive, lod, onProgress);
    object.#levels = new NSDFLevels(object, { store, derive, lod, material, standIn: null });
    try {
      await object.#levels.demand(lod.waitFor, signal);
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
    const { asset } = this.#requireSampler();
    if (lod === false) return this.#endLevels();
    const { canKeepLevels, createLevels, NSDFLevels } = await import('./levels.ts');
    const wanted = lod === true ? {} : lod;
    const settings = derive ?? this.#levels?.derive ?? {};
    if (this.#levels && canKeepLevels(this.#levels, wanted, settings)) {
      this.#levels.settings = wanted;
      return this;
    }
    const store = createLevels(asset, settings, wanted);
    this.#endLevels();
    this.#pending?.abort(new DOMException('the object has levels of detail now', 'AbortError'));
    const standIn = this.mesh;
    const material = standIn?.material ?? createDefaultMaterial();
    this.#levels = new NSDFLevels(this, { store, derive: settings, lod: wanted, material, standIn });
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
    if (this.#levels) return this.#levels.demand(which, signal);
    throw new NsdfArgumentError('which', 'this NSDFObject has no levels of detail; turn them on with setLod');
  }

  /** Three's hook, called for every camera just before it draws. */
  override update(camera: Camera): void {
    if (this.#levels) this.#levels.update(camera);
    else super.update(camera);
  }

  override getCurrentLevel(): number {
    if (!this.#levels) return super.getCurrentLevel();
    const { mesh } = this.#levels;
    const at = this.levels.findIndex(({ object }) => object === mesh);
    return Math.max(0, at);
  }

  /**
   * Derives the surface again, with other options, and puts it in place of the level shown; the material stays, levels
   * of detail end. A call that is overtaken by a newer one, or by `dispose`, rejects with an AbortError and changes nothing.
   * @throws what `deriveMesh` throws, and `options.signal`'s reason.
   */
  async derive(options: DeriveOptions & OutputSettings = {}): Promise<DeriveStats> {
    const asset = this.#requireSampler().asset;
    this.#pending?.abort(new DOMException('a newer derive() was called on this object', 'AbortError'));
    const { controller, release } = linkedController([options.signal]);
    this.#pending = controller;
    try {
      const { signal } = controller;
      const derived = await deriveGeometry(asset, { ...this.#output, ...options, signal });
      if (signal.aborted) derived.geometry.dispose();
      signal.throwIfAborted();
      this.#endLevels();
      this.#show(derived, this.material ?? createDefaultMaterial());
      return derived.stats;
    } finally {
      release();
      if (this.#pending === controller) this.#pending = null;
    }
  }

  /**
   * Evaluates the field at points of this object's local space.
   * @param points xyz per point, n*3 numbers.
   * @returns signed distances (f < 0 inside) and gradients, in `out`'s arrays where given.
   * @throws {NsdfArgumentError} if a length does not fit.
   */
  sample(points: ArrayLike<number>, out: SampleTarget = {}): FieldSamples {
    return this.#requireSampler().sample(points, out);
  }

  /**
   * Evaluates the field at points of the world, under this object's world matrix (brought up to date here).
   * Distances are exact under rotation, translation and uniform scale; where axes are scaled differently they are
   * multiplied by the smallest stretch, which never oversteps. Gradients are those of what is returned.
   */
  sampleWorld(points: ArrayLike<number>, out: SampleTarget = {}): FieldSamples {
    this.updateWorldMatrix(true, false);
    const toLocal = new Matrix4().copy(this.matrixWorld).invert().elements;
    return this.#requireSampler().sampleWorld(points, { toWorld: this.matrixWorld.elements, toLocal }, out);
  }

  /** The level shown answers; its mesh stands in the hit's `object`. */
  override raycast(raycaster: Raycaster, intersects: Intersection[]): void {
    const hits: Intersection[] = [];
    this.mesh?.raycast(raycaster, hits);
    intersects.push(...hits);
  }

  /**
   * Frees the levels' buffers and materials on the GPU and ends all work. Drawn again, it comes back, but for a surface that
   * was on the GPU alone: that takes another `derive`.
   */
  override dispose(): void {
    this.#pending?.abort(new DOMException('the object was disposed', 'AbortError'));
    this.#levels?.dispose();
    for (const { object } of this.levels) {
      const mesh = object as NSDFMesh;
      mesh.geometry.dispose();
      for (const material of [mesh.material].flat()) material.dispose();
    }
    this.dispatchEvent({ type: 'dispose' });
  }

  /** Keeps the order of children, and those that are no level, both of which `LOD.copy` loses. */
  override copy(source: this, recursive = true): this {
    // Object3D's own copy, without children: LOD's would add the levels alone.
    Object.getPrototypeOf(LOD.prototype).copy.call(this, source, false);
    this.#sampler = source.#sampler;
    this.#output = source.#output;
    this.autoUpdate = source.autoUpdate;
    const shown = source.mesh;
    for (const child of source.children) {
      const level = source.levels.find(({ object }) => object === child);
      const isOwn = level !== undefined || child === shown;
      if (isOwn && source.#levels && child !== shown) continue; // made below
      if (level) this.addLevel(child.clone(), level.distance, level.hysteresis);
      else if (recursive || isOwn) this.add(child.clone());
    }
    if (source.#levels) this.#levels = source.#levels.copyTo(this, this.children.find(isLevelMesh) ?? null);
    return this;
  }

  /** Back to one level: the mesh that is shown. */
  #endLevels(): this {
    const mesh = this.#levels?.release();
    this.#levels = null;
    if (mesh) this.levels.push({ object: mesh, distance: 0, hysteresis: 0 });
    return this;
  }

  #show({ geometry, stats, isEmpty }: DerivedGeometry, material: Material | Material[]): void {
    const mesh = this.mesh ?? new NSDFMesh(geometry, material);
    if (mesh.geometry !== geometry) mesh.geometry.dispose();
    mesh.geometry = geometry;
    mesh.stats = stats;
    mesh.isEmpty = isEmpty;
    if (mesh.parent === null) this.addLevel(mesh, 0);
  }

  #requireSampler(): FieldSampler {
    if (this.#sampler) return this.#sampler;
    throw new NsdfArgumentError(
      'asset',
      'this NSDFObject carries no field; make one with NSDFLoader or objectFromAsset',
    );
  }
}

function isLevelMesh(object: Object3D): object is NSDFMesh {
  return (object as Partial<NSDFMesh>).isNSDFMesh === true;
}
