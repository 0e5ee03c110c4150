import {
  type BufferGeometry,
  type Intersection,
  LOD,
  type Material,
  Matrix4,
  type Object3D,
  type Raycaster,
} from 'three';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset } from '../index.ts';
import { deriveMesh, NsdfArgumentError } from '../index.ts';
import { linkedController } from '../plugin/abort.ts';
import { FieldSampler, type FieldSamples, type SampleTarget } from '../plugin/field-sampler.ts';
import { createDefaultMaterial } from './default-material.ts';
import { createGeometry } from './geometry.ts';
import { NSDFMesh } from './nsdf-mesh.ts';

/**
 * One neural field in a scene. It is a `LOD` whose levels are meshes derived from the field (one, so far), and the
 * field itself: `sample` for physics and picking, `derive` for another detail. Clones share geometry, material and
 * field.
 *
 * @example
 * const scene = await new NSDFLoader().loadAsync('bunny.nsdf');
 * const [bunny] = scene.fields;
 * const { distances } = bunny.sample([0, 0.5, 0]);
 * await bunny.derive({ tolerance: 2e-3 });
 */
export class NSDFObject extends LOD {
  readonly isNSDFObject = true;
  #sampler: FieldSampler | null = null;
  #pending: AbortController | null = null;

  /** The field that the levels are derived from; null only in an object made without one. */
  get asset(): FieldAsset | null {
    return this.#sampler?.asset ?? null;
  }

  /** The level that is shown, or null before there is one. */
  get mesh(): NSDFMesh | null {
    return (this.levels[this.getCurrentLevel()]?.object as NSDFMesh | undefined) ?? null;
  }

  get geometry(): BufferGeometry | undefined {
    return this.mesh?.geometry;
  }

  /** Of the level shown; setting it sets it on every level. */
  get material(): Material | Material[] | undefined {
    return this.mesh?.material;
  }

  set material(material: Material | Material[]) {
    for (const { object } of this.levels) (object as NSDFMesh).material = material;
  }

  /** Counts and times of the level that is shown. */
  get stats(): DeriveStats | null {
    return this.mesh?.stats ?? null;
  }

  /** True where the field has no zero set: a level without triangles. */
  get isEmpty(): boolean {
    return this.mesh?.isEmpty ?? true;
  }

  /** Makes the object of a field and of the mesh that was derived from it. */
  static of(asset: FieldAsset, result: DeriveResult, material?: Material): NSDFObject {
    const object = new NSDFObject();
    object.#sampler = new FieldSampler(asset);
    object.name = asset.name;
    object.#show(result, material ?? createDefaultMaterial());
    return object;
  }

  /**
   * Derives the surface again, with other options, and puts it in place of the level shown; the material stays. A
   * call that is overtaken by a newer one, or by `dispose`, rejects with an AbortError and changes nothing.
   * @throws what `deriveMesh` throws, and `options.signal`'s reason.
   */
  async derive(options: DeriveOptions = {}): Promise<DeriveStats> {
    const asset = this.#requireSampler().asset;
    this.#pending?.abort(new DOMException('a newer derive() was called on this object', 'AbortError'));
    const { controller, release } = linkedController([options.signal]);
    this.#pending = controller;
    try {
      const result = await deriveMesh(asset, { ...options, signal: controller.signal });
      controller.signal.throwIfAborted();
      this.#show(result, this.material ?? createDefaultMaterial());
      return result.stats;
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

  /** Frees the levels' buffers and materials on the GPU and stops a pending `derive`; drawn again, they come back. */
  override dispose(): void {
    this.#pending?.abort(new DOMException('the object was disposed', 'AbortError'));
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
    this.autoUpdate = source.autoUpdate;
    for (const child of source.children) {
      const level = source.levels.find(({ object }) => object === child);
      if (level) this.#adopt(child.clone(), level.distance, level.hysteresis);
      else if (recursive) this.add(child.clone());
    }
    return this;
  }

  #adopt(object: Object3D, distance: number, hysteresis: number): void {
    this.addLevel(object, distance, hysteresis);
  }

  #show(result: DeriveResult, material: Material | Material[]): void {
    const geometry = createGeometry(result.mesh, this.name);
    const mesh = this.mesh ?? new NSDFMesh(geometry, material);
    if (mesh.geometry !== geometry) mesh.geometry.dispose();
    mesh.geometry = geometry;
    mesh.stats = result.stats;
    mesh.isEmpty = result.isEmpty;
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
