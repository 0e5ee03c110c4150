import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { deriveMesh } from '../index.ts';
import { linkedController } from '../plugin/abort.ts';
import { FieldSampler } from '../plugin/field-sampler.ts';
import { fillGeometry } from './geometry.ts';

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
  stats: DeriveStats;
  isEmpty: boolean;
  readonly #geometry: Geometry;
  #pending: AbortController | null = null;

  /** Binds the field to the geometry, so that `fieldOf` finds it. */
  constructor(geometry: Geometry, asset: FieldAsset, { stats, isEmpty }: DeriveResult) {
    this.sampler = new FieldSampler(asset);
    this.stats = stats;
    this.isEmpty = isEmpty;
    this.#geometry = geometry;
    FIELDS.set(geometry, this);
  }

  /** See `NSDFObject.derive`. */
  async derive(options: DeriveOptions): Promise<DeriveStats> {
    this.#pending?.abort(new DOMException('a newer derive() was called on this field', 'AbortError'));
    const { controller, release } = linkedController([options.signal]);
    this.#pending = controller;
    try {
      const result = await deriveMesh(this.sampler.asset, { ...options, signal: controller.signal });
      controller.signal.throwIfAborted();
      if (this.#geometry.isDisposed()) throw new DOMException('the mesh was disposed', 'AbortError');
      fillGeometry(this.#geometry, result.mesh);
      this.stats = result.stats;
      this.isEmpty = result.isEmpty;
      return result.stats;
    } finally {
      release();
      if (this.#pending === controller) this.#pending = null;
    }
  }
}
