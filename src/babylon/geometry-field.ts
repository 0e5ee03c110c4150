import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { linkedController } from '../plugin/abort.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { FieldSampler } from '../plugin/field-sampler.ts';
import { withDevice } from './detect-support.ts';
import { deriveSurface, type OutputSettings } from './fill-derived.ts';
import type { GeometryLod } from './geometry-lod.ts';
import type { NSDFLodOptions } from './lod-options.ts';

// Clones, instances and `instantiateModelsToScene` make new meshes that share the geometry, and hand on nothing
// else of ours: only the geometry itself leads back to its field.
const FIELDS = new WeakMap<Geometry, GeometryField>();

/** The field behind a geometry, or null. */
export function fieldOf(geometry: Geometry | null): GeometryField | null {
  return (geometry && FIELDS.get(geometry)) ?? null;
}

/** A geometry, the field that it was derived from, and how that went. */
export class GeometryField {
  readonly sampler: FieldSampler;
  /** Of what the geometry shows; null before it shows anything. */
  stats: DeriveStats | null = null;
  isEmpty = true;
  /** Its levels of detail, where there are several. */
  lod: GeometryLod | null = null;
  readonly #geometry: Geometry;
  readonly #output: OutputSettings['output'];
  #pending: AbortController | null = null;

  /**
   * Binds the field to the geometry, so that `fieldOf` finds it.
   * @param output where later derivations are to be, too.
   */
  constructor(
    geometry: Geometry,
    asset: FieldAsset,
    shown?: Pick<DeriveResult, 'stats' | 'isEmpty'>,
    { output }: OutputSettings = {},
  ) {
    this.sampler = new FieldSampler(asset);
    this.#geometry = geometry;
    this.#output = output;
    if (shown) this.show(shown);
    FIELDS.set(geometry, this);
  }

  /** Notes what the geometry shows. */
  show({ stats, isEmpty }: Pick<DeriveResult, 'stats' | 'isEmpty'>): void {
    this.stats = stats;
    this.isEmpty = isEmpty;
  }

  /** See `NSDFObject.setLod`. */
  async setLod(lod: NSDFLodOptions | boolean, derive: DeriveSettings = {}): Promise<void> {
    this.#endLod();
    if (lod === false) return;
    const { GeometryLod: Levels } = await import('./geometry-lod.ts');
    this.#pending?.abort(new DOMException('the field has levels of detail now', 'AbortError'));
    this.#endLod();
    this.lod = new Levels(this.#geometry, this.sampler.asset, {
      lod: lod === true ? {} : lod,
      derive: withDevice(derive, this.#geometry.getEngine()),
      onBase: (result) => this.show(result),
    });
  }

  /** See `NSDFObject.derive`. */
  async derive(options: DeriveOptions & OutputSettings): Promise<DeriveStats> {
    this.#pending?.abort(new DOMException('a newer derive() was called on this field', 'AbortError'));
    const { controller, release } = linkedController([options.signal]);
    this.#pending = controller;
    try {
      const { signal } = controller;
      const own = { ...(this.#output && { output: this.#output }), ...options, signal };
      const derived = await deriveSurface(this.sampler.asset, own, this.#geometry.getEngine());
      const isGone = this.#geometry.isDisposed();
      if (signal.aborted || isGone) derived.discard();
      signal.throwIfAborted();
      if (isGone) throw new DOMException('the mesh was disposed', 'AbortError');
      this.#endLod();
      derived.fill(this.#geometry);
      this.show(derived);
      return derived.stats;
    } finally {
      release();
      if (this.#pending === controller) this.#pending = null;
    }
  }

  #endLod(): void {
    this.lod?.dispose();
    this.lod = null;
  }
}
