import { Loader, type LoadingManager } from 'three';
import type { Backend, PartitionCache } from '../index.ts';
import type { FieldSettings, LodSettings } from '../plugin/settings.ts';
import {
  lodOf,
  refuseUnknownLodSettings,
  refuseUnknownSettings,
  withDetail,
  withSetting,
} from '../plugin/settings.ts';
import type { OutputSettings } from './geometry.ts';

/** What a loader is set to. */
export type LoaderSettings = FieldSettings & OutputSettings;

/** The settings half of {@link NSDFLoader}: how meshes are derived, by chained setters. */
export abstract class ConfiguredLoader<T> extends Loader<T> {
  private _settings: LoaderSettings;

  /** @throws {NsdfArgumentError} if there is a setting of a name that is none */
  constructor(manager?: LoadingManager, settings: LoaderSettings = {}) {
    super(manager);
    refuseUnknownSettings('NSDFLoader', settings, { renderer: true });
    this._settings = { ...settings };
  }

  /** How meshes are derived at present. */
  get settings(): LoaderSettings {
    return this._settings;
  }

  /** Largest distance between mesh and zero set, in the file's local units; replaces resolution and exact. */
  setTolerance(tolerance: number | null): this {
    this._settings = withDetail(this._settings, tolerance === null ? {} : { tolerance });
    return this;
  }

  /** Uniform lattice of that many boxes along the longest axis; replaces tolerance and exact. */
  setResolution(resolution: number | null): this {
    this._settings = withDetail(this._settings, resolution === null ? {} : { resolution });
    return this;
  }

  /** The whole polyhedral complex, every crease of every neuron; replaces tolerance and resolution. */
  setExact(exact = true): this {
    this._settings = withDetail(this._settings, exact ? { exact } : {});
    return this;
  }

  /** Closes a surface that leaves its domain by the domain's faces; null for open, as by default. */
  setCap(cap: boolean | null = true): this {
    this._settings = withSetting(this._settings, 'cap', cap);
    return this;
  }

  /** Simplifies to at most this many vertices; null for no limit. */
  setMaxVertices(maxVertices: number | null): this {
    this._settings = withSetting(this._settings, 'maxVertices', maxVertices);
    return this;
  }

  /** Splits normals at edges sharper than this many degrees; null for never. */
  setCreaseAngle(degrees: number | null): this {
    this._settings = withSetting(this._settings, 'creaseAngle', degrees);
    return this;
  }

  /** Where derivations run; 'auto' takes the best there is. */
  setBackend(backend: Backend | 'auto'): this {
    this._settings = withSetting(this._settings, 'backend', backend);
    return this;
  }

  /**
   * Workers of the page that may be at work at once for what is loaded from now on, its levels of detail included; null
   * for all there are.
   */
  setWorkerLimit(maxWorkers: number | null): this {
    this._settings = withSetting(this._settings, 'workerLimit', maxWorkers === null ? null : { maxWorkers });
    return this;
  }

  /** The GPU device that the backend `gpu` shares; null for one of its own. See `detectSupport`. */
  setDevice(device: GPUDevice | null): this {
    this._settings = withSetting(this._settings, 'device', device);
    return this;
  }

  /**
   * Where surfaces are kept: on this side, or on the device of a WebGPURenderer alone (see `FieldSettings.output`).
   * @param renderer the one that draws them; needed for `gpu`.
   */
  setOutput(output: 'cpu' | 'gpu', renderer?: object): this {
    const { output: _output, renderer: _renderer, ...others } = this._settings;
    this._settings = { ...others, output, ...(renderer && { renderer }) };
    return this;
  }

  /**
   * Where earlier results are looked for and new ones kept; false for nowhere, null for the page's own cache. (three's own
   * `setCache` is about the request.)
   */
  setPartitionCache(cache: PartitionCache | false | null): this {
    this._settings = withSetting(this._settings, 'cache', cache);
    return this;
  }

  /**
   * Levels of detail, chosen by their error on screen: a load then resolves with the first picture (see `waitFor`).
   * Tolerance, resolution or exact, where set, ask for the finest level. True keeps what was set; false: a single mesh.
   */
  setLod(lod: LodSettings | boolean = true): this {
    if (typeof lod === 'object') refuseUnknownLodSettings(lod);
    this._settings = { ...this._settings, lod: lod === true ? (lodOf(this._settings) ?? true) : lod };
    return this;
  }

  /** Largest error on screen in physical pixels, with levels of detail. Turns them on, as the next three do; null: 1. */
  setScreenError(pixels: number | null): this {
    return this._setLodEntry('screenError', pixels);
  }

  /** Index of the finest level that may be shown; null for no limit. */
  setMaxLevel(index: number | null): this {
    return this._setLodEntry('maxLevel', index);
  }

  /** Bytes that a level may have; null for no limit. The budget of the whole page is the scheduler's. */
  setMaxBytes(nBytes: number | null): this {
    return this._setLodEntry('maxBytes', nBytes);
  }

  /** Triangles that a level may have; null for no limit. */
  setMaxTriangles(nTriangles: number | null): this {
    return this._setLodEntry('maxTriangles', nTriangles);
  }

  private _setLodEntry<K extends keyof LodSettings>(key: K, value: LodSettings[K] | null): this {
    const { [key]: _old, ...others } = lodOf(this._settings) ?? {};
    return this.setLod(value === null ? others : { ...others, [key]: value });
  }
}
