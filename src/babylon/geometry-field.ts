import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { linkedController } from '../plugin/abort.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { FieldSampler } from '../plugin/field-sampler.ts';
import { withDevice } from './detect-support.ts';
import type { FieldLod } from './field-lod.ts';
import { deriveSurface, type OutputSettings } from './fill-derived.ts';
import { exchangeGeometry } from './geometry.ts';
import type { NSDFLodOptions } from './lod-options.ts';
import { abortWith } from './scene-end.ts';

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
  readonly sampler: FieldSampler;
  /** Its levels of detail, where there are several. */
  lod: FieldLod | null = null;
  private readonly _scene: Scene;
  private readonly _geometries = new Set<Geometry>();
  private readonly _output: OutputSettings['output'];
  private _pending: AbortController | null = null;

  /** @param output where later derivations are to be, too. */
  constructor(scene: Scene, asset: FieldAsset, { output }: OutputSettings = {}) {
    this.sampler = new FieldSampler(asset);
    this._scene = scene;
    this._output = output;
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
    this._endLod();
    if (lod === false) return;
    const { FieldLod: Levels } = await import('./field-lod.ts');
    this._pending?.abort(new DOMException('the field has levels of detail now', 'AbortError'));
    this._endLod();
    this.lod = new Levels(this, this._scene, {
      name,
      lod: lod === true ? {} : lod,
      derive: withDevice(derive, this._scene.getEngine()),
    });
  }

  /** See `NSDFObject.derive`. */
  async derive(options: DeriveOptions & OutputSettings): Promise<DeriveStats> {
    this._pending?.abort(new DOMException('a newer derive() was called on this field', 'AbortError'));
    const { controller, release } = linkedController([options.signal]);
    this._pending = controller;
    const forget = this._abortWhenGone(controller);
    try {
      const { signal } = controller;
      signal.throwIfAborted();
      const own = { ...(this._output && { output: this._output }), ...options, signal };
      const derived = await deriveSurface(this.sampler.asset, own, this._scene.getEngine());
      if (signal.aborted) derived.discard();
      signal.throwIfAborted();
      this._endLod();
      const geometry = this._gatherMeshes();
      derived.fill(geometry);
      this.bind(geometry, derived);
      return derived.stats;
    } finally {
      forget();
      release();
      if (this._pending === controller) this._pending = null;
    }
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
