import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { NewestDerivation } from '../plugin/abort.ts';
import { FieldSampler } from '../plugin/field-sampler.ts';
import { copyWeights } from '../plugin/networks.ts';
import { type DeriveSettings, type WorkerShare, workerShareOf } from '../plugin/settings.ts';
import type { FieldLod } from './field-lod.ts';
import { deriveSurface, exchangeGeometry, type OutputSettings } from './geometry.ts';
import type { NSDFLodOptions } from './options.ts';
import { abortWith, withDevice } from './scene.ts';

// Clones, instances and `instantiateModelsToScene` make new meshes that share the geometry, and hand on nothing
// else of ours: only the geometry itself leads back to its field.
const FIELD = Symbol('nsdf field');

/** A geometry's field, and what it shows of it. */
interface FieldSurface extends Pick<DeriveResult, 'stats' | 'isEmpty'> {
  readonly field: GeometryField;
}

/** What a geometry shows of its field, or null for other geometries. */
export function surfaceOf(geometry: Geometry | null): FieldSurface | null {
  return (geometry as { [FIELD]?: FieldSurface } | null)?.[FIELD] ?? null;
}

/** The field behind a geometry, or null. */
export function fieldOf(geometry: Geometry | null): GeometryField | null {
  return surfaceOf(geometry)?.field ?? null;
}

/** A field in a scene, and the geometries that were derived from it: one, or with levels of detail one a level. */
export class GeometryField {
  sampler: FieldSampler;
  /** Its levels of detail, where there are several. */
  lod: FieldLod | null = null;
  private readonly _scene: Scene;
  private readonly _geometries = new Set<Geometry>();
  /** What later derivations have of the load's settings, where they say nothing else. */
  private readonly _kept: OutputSettings & WorkerShare;
  private readonly _newest = new NewestDerivation();

  /** @param settings where later derivations are to be, and how many workers they may have, too. */
  constructor(scene: Scene, asset: FieldAsset, settings: OutputSettings & WorkerShare = {}) {
    this.sampler = new FieldSampler(asset);
    this._scene = scene;
    const { output } = settings;
    this._kept = { ...(output && { output }), ...workerShareOf(settings) };
  }

  /** The meshes that show this field; their instances are not among them. */
  get meshes(): readonly Mesh[] {
    return [...this._geometries].flatMap(({ meshes }) => meshes);
  }

  /** Notes what a geometry shows, so that `fieldOf` finds the field. */
  bind(geometry: Geometry, { stats, isEmpty }: Pick<DeriveResult, 'stats' | 'isEmpty'>): void {
    this._geometries.add(geometry);
    (geometry as { [FIELD]?: FieldSurface })[FIELD] = { field: this, stats, isEmpty };
  }

  /** Frees a geometry that no mesh has. */
  freeUnshown(geometry: Geometry): void {
    if (geometry.meshes.length > 0) return;
    this._geometries.delete(geometry);
    geometry.dispose();
  }

  /** See `NSDFObject.setLod`. */
  async setLod(name: string, lod: NSDFLodOptions | boolean, derive: DeriveSettings = {}): Promise<void> {
    const asset = this._newestAsset();
    this._endLod();
    if (lod === false) return;
    const { FieldLod: Levels } = await import('./field-lod.ts');
    this._newest.abort('the field has levels of detail now');
    this._endLod();
    this._takeField(asset);
    this.lod = new Levels(this, this._scene, {
      name,
      asset,
      lod: lod === true ? {} : lod,
      derive: withDevice({ ...workerShareOf(this._kept), ...derive }, this._scene.getEngine()),
    });
  }

  /** See `NSDFObject.derive`. */
  derive(options: DeriveOptions & OutputSettings): Promise<DeriveStats> {
    const asset = this._newestAsset();
    return this._begin('derive', asset, options, (signal) => this._deriveOnce(asset, options, signal));
  }

  /** See `NSDFObject.updateWeights`. */
  async updateWeights(asset: FieldAsset, options: DeriveOptions & OutputSettings): Promise<DeriveStats> {
    const own = copyWeights(asset);
    return this._begin('updateWeights', own, options, (signal) =>
      this.lod ? this._deriveLevels(own, options, signal) : this._deriveOnce(own, options, signal),
    );
  }

  /** Runs a derivation that ends the one before it. */
  private _begin(
    name: string,
    asset: FieldAsset,
    { signal }: DeriveOptions,
    task: (signal: AbortSignal) => Promise<DeriveStats>,
  ): Promise<DeriveStats> {
    const watch = (controller: AbortController) => this._abortWhenGone(controller);
    return this._newest.run({ name, on: 'field', asset, signal, watch }, task);
  }

  /** The field that is being derived, else the one that is shown. */
  private _newestAsset(): FieldAsset {
    return this._newest.asset ?? this.sampler.asset;
  }

  private async _deriveOnce(
    asset: FieldAsset,
    options: DeriveOptions & OutputSettings,
    signal: AbortSignal,
  ): Promise<DeriveStats> {
    const own = { ...this._kept, ...options, signal };
    const derived = await deriveSurface(asset, own, this._scene.getEngine());
    if (signal.aborted) derived.discard();
    signal.throwIfAborted();
    this._endLod();
    const geometry = this._gatherMeshes();
    derived.fill(geometry);
    this._takeField(asset);
    this.bind(geometry, derived);
    return derived.stats;
  }

  /** Makes the first level of another field, which then takes the place of the levels that there are. */
  private async _deriveLevels(
    asset: FieldAsset,
    options: DeriveOptions & OutputSettings,
    signal: AbortSignal,
  ): Promise<DeriveStats> {
    const before = this.lod as FieldLod;
    const { signal: _signal, onProgress, output: _output, ...others } = options;
    const { FieldLod: Levels } = await import('./field-lod.ts');
    signal.throwIfAborted();
    const derive = withDevice({ ...before.options.derive, ...others }, this._scene.getEngine());
    const levels = new Levels(this, this._scene, { ...before.options, asset, derive, onProgress });
    try {
      const level = await levels.load(before.options.lod.waitFor, signal);
      signal.throwIfAborted();
      this._takeField(asset);
      levels.showEverywhere(level);
      if (this.lod === before) {
        this._endLod();
        this.lod = levels;
      }
      return (level.value as DeriveResult).stats;
    } finally {
      // Failed, overtaken, or levels were turned off meanwhile.
      if (this.lod !== levels) levels.dispose();
    }
  }

  private _takeField(asset: FieldAsset): void {
    if (asset !== this.sampler.asset) this.sampler = new FieldSampler(asset);
  }

  /** Aborts once the scene, or the last mesh, is disposed of: nobody is left to get the surface. */
  private _abortWhenGone(controller: AbortController): () => void {
    const forgetScene = abortWith(this._scene, controller);
    const onDispose = (): void => {
      if (this.meshes.length > 0) return;
      controller.abort(new DOMException('the mesh was disposed', 'AbortError'));
    };
    onDispose();
    const observers = this.meshes.map(({ onDisposeObservable }) => onDisposeObservable.add(onDispose));
    return () => {
      forgetScene();
      for (const observer of observers) observer.remove();
    };
  }

  /** Has all meshes show one geometry, which is to be filled anew. */
  private _gatherMeshes(): Geometry {
    const [first, ...others] = [...this._geometries].filter(({ meshes }) => meshes.length > 0);
    for (const other of others) {
      for (const mesh of [...other.meshes]) exchangeGeometry(mesh, first);
      this.freeUnshown(other);
    }
    return first;
  }

  private _endLod(): void {
    this.lod?.dispose();
    this.lod = null;
  }
}
