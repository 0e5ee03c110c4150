import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import type { DeriveOptions, DeriveStats, FieldAsset } from '../index.ts';
import { NsdfArgumentError, originOf } from '../index.ts';
import type { Level } from '../lod/index.ts';
import type { FieldSamples, SampleTarget } from '../plugin/field-sampler.ts';
import type { DeriveSettings } from '../plugin/settings.ts';
import type { OutputSettings } from './geometry.ts';
import { fieldOf, type GeometryField, surfaceOf } from './geometry-field.ts';
import type { NSDFLodOptions } from './options.ts';

/** The field behind a mesh: `sample` for physics and picking, `derive` for another detail. Made by `nsdfOf`. */
export class NSDFObject {
  /** Where the field stands in the scene. */
  readonly mesh: AbstractMesh;
  private readonly _field: GeometryField;

  /** @throws {NsdfArgumentError} if the mesh was not derived from a field. */
  constructor(mesh: AbstractMesh) {
    const field = fieldOf(mesh.geometry);
    if (!field) {
      throw new NsdfArgumentError('mesh', `the mesh "${mesh.name}" was not derived from a neural field`);
    }
    this.mesh = mesh;
    this._field = field;
  }

  /** The network itself. */
  get asset(): FieldAsset {
    return this._field.sampler.asset;
  }

  /** Counts and times of the surface that the mesh has: with levels of detail, of the one that is shown. */
  get stats(): DeriveStats {
    return this._surface.stats;
  }

  /** True where the field has no zero set, so that there is nothing to draw. */
  get isEmpty(): boolean {
    return this._surface.isEmpty;
  }

  /** The levels of detail, coarse to fine; empty without. */
  get ladder(): readonly Level<unknown>[] {
    return this._field.lod?.store.levels ?? [];
  }

  /** The level that is shown, the preview among them; null without levels of detail, and before the first one is ready. */
  get level(): Level<unknown> | null {
    return this._field.lod?.shownBy(this.mesh) ?? null;
  }

  /** The level that the mesh's size on screen asks for; null before it was drawn, and without levels of detail. */
  get wantedLevel(): Level<unknown> | null {
    return this._field.lod?.wantedBy(this.mesh) ?? null;
  }

  /**
   * Turns levels of detail on, makes others, or turns them off (false): then the surface that the mesh has stays. What is
   * shown stays until the first level is ready, too.
   * @param derive how levels are derived; a tolerance, a resolution or `exact` asks for the finest one.
   * @throws {NsdfArgumentError} if the levels asked for make no ladder
   */
  setLod(lod: NSDFLodOptions | boolean, derive: DeriveSettings = {}): Promise<void> {
    return this._field.setLod(this.mesh.name, lod, derive);
  }

  /**
   * Makes a level whether or not it is on screen, before all others, and waits for it.
   * @param which the `first` picture, the `coarse` level, the `finest`, or an index in `ladder`
   * @throws {NsdfArgumentError} without levels of detail; the level's error; the signal's reason
   */
  loadLevel(which: NonNullable<NSDFLodOptions['waitFor']>, signal?: AbortSignal): Promise<Level<unknown>> {
    const { lod } = this._field;
    if (lod) return lod.load(which, signal);
    throw new NsdfArgumentError('which', `"${this.mesh.name}" has no levels of detail: call setLod() before`);
  }

  /**
   * Derives the surface again, with other options, and puts it in place; clones and instances follow. Levels of detail end
   * with it. A call that is overtaken by a newer one rejects with an AbortError and changes nothing; where it overtakes
   * `updateWeights`, it derives those weights.
   * @throws what `deriveMesh` throws, and `options.signal`'s reason.
   */
  derive(options: DeriveOptions & OutputSettings = {}): Promise<DeriveStats> {
    return this._field.derive(options);
  }

  /**
   * Puts another field in this one's place: other weights of the same network, as a training has them, or a network of
   * another shape. The surface that is shown, `asset` and `sample` stay as they are until the new surface is there, and are
   * then exchanged at once, for clones and instances, too; material, transform, children, and levels of detail with their
   * settings stay for good.
   *
   * Newer calls, also of `derive`, overtake older ones, which end, reject with an AbortError and change nothing: where
   * weights come faster than surfaces, wait for one before you give the next. What is derived goes to the cache under the
   * new weights' hash; `cache: false` keeps weights that nobody will ask for again out of it.
   *
   * @param asset copied: its arrays may be trained on while this derives.
   * @param options as `derive` takes them; with levels of detail, what differs from how the levels were asked for.
   * @returns counts and times of the surface that is now shown: with levels of detail, of the first.
   * @throws what `deriveMesh` throws, and `options.signal`'s reason; the surface is as it was then.
   */
  updateWeights(asset: FieldAsset, options: DeriveOptions & OutputSettings = {}): Promise<DeriveStats> {
    return this._field.updateWeights(asset, options);
  }

  /** Of the geometry that the mesh has now. @throws {NsdfArgumentError} if that is another one than a field's. */
  private get _surface(): NonNullable<ReturnType<typeof surfaceOf>> {
    const surface = surfaceOf(this.mesh.geometry);
    if (surface) return surface;
    throw new NsdfArgumentError(
      'mesh',
      `the mesh "${this.mesh.name}" has lost its field: it was disposed of`,
    );
  }

  /**
   * Evaluates the field at points of the file's own, right-handed space: what the mesh's vertices are given in, or, of a
   * field far from zero, their sums with `originOf(asset)`.
   * @param points xyz per point, n*3 numbers.
   * @returns signed distances (f < 0 inside) and gradients, in `out`'s arrays where given.
   * @throws {NsdfArgumentError} if a length does not fit.
   */
  sample(points: ArrayLike<number>, out: SampleTarget = {}): FieldSamples {
    return this._field.sampler.sample(points, out);
  }

  /**
   * Evaluates the field at points of the world, under the mesh's world matrix (brought up to date here). Distances are
   * exact under rotation, translation, mirroring and uniform scale; where axes are scaled differently they are
   * multiplied by the smallest stretch, which never oversteps. Gradients are those of what is returned.
   */
  sampleWorld(points: ArrayLike<number>, out: SampleTarget = {}): FieldSamples {
    const toWorld = this.mesh.computeWorldMatrix(true);
    const toLocal = toWorld.clone().invert().asArray();
    const { sampler } = this._field;
    const origin = originOf(sampler.asset);
    return sampler.sampleWorld(points, { toWorld: toWorld.asArray(), toLocal, origin }, out);
  }
}

/**
 * The field that a mesh was derived from, or null for ordinary meshes. Works for clones and instances too.
 * @example
 * const { meshes } = await ImportMeshAsync('bunny.nsdf', scene);
 * const [bunny] = meshes.map(nsdfOf).filter((field) => field !== null);
 * const { distances } = bunny.sampleWorld([0, 0.5, 0]);
 */
export function nsdfOf(mesh: AbstractMesh): NSDFObject | null {
  return fieldOf(mesh.geometry) && new NSDFObject(mesh);
}
