import { type Group, Loader, LoaderUtils, type LoadingManager } from 'three';
import type { Backend, PartitionCache } from '../index.ts';
import { NsdfError } from '../index.ts';
import { type LinkedController, linkedController } from '../plugin/abort.ts';
import { type NSDFProgress, withDetail, withSetting } from '../plugin/derive-settings.ts';
import { LazyPreview } from '../plugin/lazy-preview.ts';
import { type FieldSettings, type LodSettings, lodOf } from '../plugin/lod-settings.ts';
import { download } from './download.ts';
import { JobManager } from './job-manager.ts';
import type { NSDFGroup } from './nsdf-group.ts';
import { parseScene } from './parse-scene.ts';

/** Settings of one call, beside the loader's own. */
export interface NSDFLoadOptions {
  readonly signal?: AbortSignal;
}

/** The settings of one job. */
interface JobConfig {
  readonly settings: FieldSettings;
  readonly onProgress: ((progress: NSDFProgress) => void) | null;
  readonly onPreview: ((preview: Group) => void) | null;
}

/**
 * Loads `.nsdf` files: downloads, derives every field's mesh and gives the file's scene graph, ready for `scene.add`.
 *
 * Can be made without arguments and configured by chained setters. One loader may load many files at once; `abort`
 * and `dispose` end what is pending, after which the loader can be used again.
 *
 * @example
 * const loader = new NSDFLoader().setTolerance(1e-3);
 * const bunny = await loader.loadAsync('bunny.nsdf');
 * scene.add(bunny);
 */
export class NSDFLoader extends Loader<NSDFGroup> {
  readonly #pending = new Set<AbortController>();
  #settings: FieldSettings;
  #signal: AbortSignal | null = null;
  #onProgress: ((progress: NSDFProgress) => void) | null = null;
  #onPreview: ((preview: Group) => void) | null = null;

  constructor(manager?: LoadingManager, settings: FieldSettings = {}) {
    super(manager);
    this.#settings = { ...settings };
  }

  /** How meshes are derived at present. */
  get settings(): FieldSettings {
    return this.#settings;
  }

  /** Largest distance between mesh and zero set, in the file's local units; replaces resolution and exact. */
  setTolerance(tolerance: number | null): this {
    this.#settings = withDetail(this.#settings, tolerance === null ? {} : { tolerance });
    return this;
  }

  /** Uniform lattice of that many boxes along the longest axis; replaces tolerance and exact. */
  setResolution(resolution: number | null): this {
    this.#settings = withDetail(this.#settings, resolution === null ? {} : { resolution });
    return this;
  }

  /** The whole polyhedral complex, every crease of every neuron; replaces tolerance and resolution. */
  setExact(exact = true): this {
    this.#settings = withDetail(this.#settings, exact ? { exact } : {});
    return this;
  }

  /** Simplifies to at most this many vertices; null for no limit. */
  setMaxVertices(maxVertices: number | null): this {
    this.#settings = withSetting(this.#settings, 'maxVertices', maxVertices);
    return this;
  }

  /** Splits normals at edges sharper than this many degrees; null for never. */
  setCreaseAngle(degrees: number | null): this {
    this.#settings = withSetting(this.#settings, 'creaseAngle', degrees);
    return this;
  }

  /** Where derivations run; 'auto' takes the best there is. */
  setBackend(backend: Backend | 'auto'): this {
    this.#settings = withSetting(this.#settings, 'backend', backend);
    return this;
  }

  /** The GPU device that the backend `gpu` shares; null for one of its own. See `detectSupport`. */
  setDevice(device: GPUDevice | null): this {
    this.#settings = withSetting(this.#settings, 'device', device);
    return this;
  }

  /**
   * Where earlier results are looked for and new ones kept; false for nowhere, null for the page's own cache. (three's own
   * `setCache` is about the request.)
   */
  setPartitionCache(cache: PartitionCache | false | null): this {
    this.#settings = withSetting(this.#settings, 'cache', cache);
    return this;
  }

  /**
   * Levels of detail, chosen by their error on screen: a load then resolves with the first picture (see `waitFor`).
   * Tolerance, resolution or exact, where set, ask for the finest level. True keeps what was set; false: a single mesh.
   */
  setLod(lod: LodSettings | boolean = true): this {
    this.#settings = { ...this.#settings, lod: lod === true ? (lodOf(this.#settings) ?? true) : lod };
    return this;
  }

  /** Largest error on screen in physical pixels, with levels of detail. Turns them on, as the next three do; null: 1. */
  setScreenError(pixels: number | null): this {
    return this.#setLodEntry('screenError', pixels);
  }

  /** Index of the finest level that may be shown; null for no limit. */
  setMaxLevel(index: number | null): this {
    return this.#setLodEntry('maxLevel', index);
  }

  /** Bytes that a level may have; null for no limit. The budget of the whole page is the scheduler's. */
  setMaxBytes(nBytes: number | null): this {
    return this.#setLodEntry('maxBytes', nBytes);
  }

  /** Triangles that a level may have; null for no limit. */
  setMaxTriangles(nTriangles: number | null): this {
    return this.#setLodEntry('maxTriangles', nTriangles);
  }

  /** Reports download and derivation; three's own `onProgress` sees the download alone. */
  setProgress(onProgress: ((progress: NSDFProgress) => void) | null): this {
    this.#onProgress = onProgress;
    return this;
  }

  /**
   * Shows something before a download has ended: called once per load with a group that holds a rough picture of the
   * file, made of its first bytes (the fallback mesh where it has one, else its coarse levels), which gets better as more
   * arrive. It is not the field's surface and carries `userData.nsdf.isPreview`. The loader takes it out of the scene
   * again just before it gives the loaded file, or fails.
   * @example
   * loader.setPreview((preview) => scene.add(preview));
   * scene.add(await loader.loadAsync('bunny.nsdf'));
   */
  setPreview(onPreview: ((preview: Group) => void) | null): this {
    this.#onPreview = onPreview;
    return this;
  }

  /** A signal that ends every job started after this call; null for none. */
  setSignal(signal: AbortSignal | null): this {
    this.#signal = signal;
    return this;
  }

  /**
   * Loads a file. The manager counts one item, from the first byte to the last triangle; `onError` always gets an
   * Error, and without one a failure goes to the page's error handler.
   */
  override load(
    url: string,
    onLoad?: (scene: NSDFGroup) => void,
    onProgress?: (event: ProgressEvent) => void,
    onError?: (error: Error) => void,
  ): void {
    void this.#loadItem(url, onProgress, {}, onLoad, (reason) => this.#fail(reason, onError));
  }

  /** As `load`; rejects with the reason of an abort, else with an Error. */
  override loadAsync(
    url: string,
    onProgress?: (event: ProgressEvent) => void,
    options: NSDFLoadOptions = {},
  ): Promise<NSDFGroup> {
    return new Promise((resolve, reject) => {
      void this.#loadItem(url, onProgress, options, resolve, reject);
    });
  }

  /** Makes a scene of a file's bytes; see `parseAsync`. */
  parse(
    data: ArrayBuffer | ArrayBufferView,
    onLoad?: (scene: NSDFGroup) => void,
    onError?: (error: Error) => void,
  ): void {
    void this.parseAsync(data).then(onLoad, (reason) => this.#fail(reason, onError));
  }

  /**
   * Makes a scene of a file's bytes. Textures and buffers beside the file are looked for at `resourcePath`, else `path`.
   * @throws {NsdfFormatError} and other NsdfErrors as promise rejections; an abort's reason.
   */
  async parseAsync(data: ArrayBuffer | ArrayBufferView, options: NSDFLoadOptions = {}): Promise<NSDFGroup> {
    const config = this.#config;
    return this.#job(options, (job) => this.#parse(data, this.resourcePath || this.path, job, config));
  }

  /** Ends all pending downloads and derivations; they reject with an AbortError. */
  override abort(): this {
    const reason = new DOMException('the load was aborted by NSDFLoader.abort()', 'AbortError');
    for (const controller of [...this.#pending]) controller.abort(reason);
    return this;
  }

  /** Ends what is pending. Scenes already loaded stay as they are: their own `dispose` frees them. */
  dispose(): void {
    this.abort();
  }

  #setLodEntry<K extends keyof LodSettings>(key: K, value: LodSettings[K] | null): this {
    const { [key]: _old, ...others } = lodOf(this.#settings) ?? {};
    return this.setLod(value === null ? others : { ...others, [key]: value });
  }

  /** What a job takes with it when it starts: setters that are called while it downloads are for later jobs. */
  get #config(): JobConfig {
    return { settings: this.#settings, onProgress: this.#onProgress, onPreview: this.#onPreview };
  }

  async #loadItem(
    url: string,
    onProgress: ((event: ProgressEvent) => void) | undefined,
    options: NSDFLoadOptions,
    onLoad: ((scene: NSDFGroup) => void) | undefined,
    onError: (reason: unknown) => void,
  ): Promise<void> {
    const { manager } = this;
    const config = this.#config;
    manager.itemStart(url);
    let scene: NSDFGroup;
    try {
      scene = await this.#job(options, (job) => this.#downloadAndParse(url, onProgress, job, config));
    } catch (reason) {
      try {
        onError(reason);
      } finally {
        manager.itemError(url);
        manager.itemEnd(url);
      }
      return;
    }
    try {
      onLoad?.(scene);
    } finally {
      manager.itemEnd(url);
    }
  }

  async #downloadAndParse(
    url: string,
    onProgress: ((event: ProgressEvent) => void) | undefined,
    { controller }: LinkedController,
    config: JobConfig,
  ): Promise<NSDFGroup> {
    const base = LoaderUtils.extractUrlBase(url);
    const resourcePath = this.resourcePath || (this.path ? LoaderUtils.resolveURL(base, this.path) : base);
    const { onPreview, settings } = config;
    const { signal } = controller;
    const makePreview = async (show: (preview: Group) => void) => {
      const { createFilePreview } = await import('./file-preview.ts');
      return createFilePreview({ onPreview: show, settings, controller });
    };
    const preview = onPreview && new LazyPreview(() => makePreview(onPreview));
    try {
      const bytes = await download(this.manager.resolveURL(this.path + url), {
        headers: this.requestHeader,
        withCredentials: this.withCredentials,
        priority: this.priority ?? 'auto',
        cache: this.cache ?? 'default',
        signal,
        onProgress: (event) => {
          onProgress?.(event);
          if (event.lengthComputable) {
            config.onProgress?.({ phase: 'download', fraction: Math.min(1, event.loaded / event.total) });
          }
        },
        ...(preview && { onPrefix: (received) => preview.update(received) }),
      });
      return await this.#parse(bytes, resourcePath, { controller }, config);
    } finally {
      preview?.end();
    }
  }

  #parse(
    data: ArrayBuffer | ArrayBufferView,
    resourcePath: string,
    { controller }: Pick<LinkedController, 'controller'>,
    { settings, onProgress }: JobConfig,
  ): Promise<NSDFGroup> {
    return parseScene(data, {
      settings,
      signal: controller.signal,
      resourcePath,
      manager: new JobManager(this.manager, controller),
      template: this,
      ...(onProgress && { onProgress }),
    });
  }

  /** Runs one job under the signals that may end it: the loader's, the manager's, the call's. */
  async #job<T>(options: NSDFLoadOptions, run: (job: LinkedController) => Promise<T>): Promise<T> {
    const job = linkedController([options.signal, this.#signal, this.manager.abortController?.signal]);
    this.#pending.add(job.controller);
    try {
      job.controller.signal.throwIfAborted();
      return await run(job);
    } finally {
      this.#pending.delete(job.controller);
      job.release();
    }
  }

  #fail(reason: unknown, onError: ((error: Error) => void) | undefined): void {
    const error = reason instanceof Error ? reason : new NsdfError('load', String(reason), { cause: reason });
    if (onError) onError(error);
    else if (error.name !== 'AbortError' && typeof reportError === 'function') reportError(error);
  }
}
