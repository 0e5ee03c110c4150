import { type Group, LoaderUtils } from 'three';
import { NsdfError, TableStore } from '../index.ts';
import { refuseUnknownOptions } from '../options.ts';
import { type LinkedController, linkedController } from '../plugin/abort.ts';
import { nameSource } from '../plugin/fetch-bytes.ts';
import { LazyPreview, warmUpFor } from '../plugin/lazy-preview.ts';
import type { NSDFProgress } from '../plugin/settings.ts';
import { describeSupport, type NSDFSupport } from '../plugin/support.ts';
import { ConfiguredLoader, type LoaderSettings } from './configured-loader.ts';
import { download, JobManager } from './download.ts';
import type { NSDFGroup } from './nsdf-group.ts';
import type { NSDFObject } from './nsdf-object.ts';
import { parseScene } from './parse-scene.ts';

/** Settings of one call, beside the loader's own. */
export interface NSDFLoadOptions {
  readonly signal?: AbortSignal;
}

/** The settings of one job. */
interface JobConfig {
  readonly settings: LoaderSettings;
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
export class NSDFLoader extends ConfiguredLoader<NSDFGroup> {
  private readonly _pending = new Set<AbortController>();
  /** Loaded fields for which levels may be at work; they are not kept alive. */
  private _leveled: WeakRef<NSDFObject>[] = [];
  private _signal: AbortSignal | null = null;
  private _onProgress: ((progress: NSDFProgress) => void) | null = null;
  private _onPreview: ((preview: Group) => void) | null = null;

  /** Reports download and derivation; three's own `onProgress` sees the download alone. */
  setProgress(onProgress: ((progress: NSDFProgress) => void) | null): this {
    this._onProgress = onProgress;
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
    this._onPreview = onPreview;
    return this;
  }

  /** A signal that ends every job started after this call; null for none. */
  setSignal(signal: AbortSignal | null): this {
    this._signal = signal;
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
    void this._loadItem(url, onProgress, {}, onLoad, (reason) => this._fail(reason, onError));
  }

  /** As `load`; rejects with the reason of an abort, else with an Error. */
  override loadAsync(
    url: string,
    onProgress?: (event: ProgressEvent) => void,
    options: NSDFLoadOptions = {},
  ): Promise<NSDFGroup> {
    return new Promise((resolve, reject) => {
      void this._loadItem(url, onProgress, options, resolve, reject);
    });
  }

  /** Makes a scene of a file's bytes; see `parseAsync`. */
  parse(
    data: ArrayBuffer | ArrayBufferView,
    onLoad?: (scene: NSDFGroup) => void,
    onError?: (error: Error) => void,
  ): void {
    void this.parseAsync(data).then(onLoad, (reason) => this._fail(reason, onError));
  }

  /**
   * Makes a scene of a file's bytes. Textures and buffers beside the file are looked for at `resourcePath`, else `path`.
   * @throws {NsdfFormatError} and other NsdfErrors as promise rejections; an abort's reason.
   */
  async parseAsync(data: ArrayBuffer | ArrayBufferView, options: NSDFLoadOptions = {}): Promise<NSDFGroup> {
    const config = this._config;
    return this._job(options, (job) => this._parse(data, this.resourcePath || this.path, job, config));
  }

  /** Ends all pending downloads and derivations; they reject with an AbortError. */
  override abort(): this {
    const reason = new DOMException('the load was aborted by NSDFLoader.abort()', 'AbortError');
    for (const controller of [...this._pending]) controller.abort(reason);
    return this;
  }

  /**
   * Ends what this loader started: what is pending, and the levels that are being made for what it loaded. Scenes already
   * loaded stay as they are, and go on where they are drawn again: their own `dispose` frees them.
   */
  dispose(): void {
    this.abort();
    for (const field of this._leveled) field.deref()?.stop();
    this._leveled = [];
  }

  /** What a job takes with it when it starts: setters that are called while it downloads are for later jobs. */
  private get _config(): JobConfig {
    return { settings: this.settings, onProgress: this._onProgress, onPreview: this._onPreview };
  }

  private async _loadItem(
    url: string,
    onProgress: ((event: ProgressEvent) => void) | undefined,
    options: NSDFLoadOptions,
    onLoad: ((scene: NSDFGroup) => void) | undefined,
    onError: (reason: unknown) => void,
  ): Promise<void> {
    const { manager } = this;
    const config = this._config;
    manager.itemStart(url);
    let scene: NSDFGroup;
    try {
      scene = await this._job(options, (job) => this._downloadAndParse(url, onProgress, job, config));
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

  private async _downloadAndParse(
    url: string,
    onProgress: ((event: ProgressEvent) => void) | undefined,
    { controller }: LinkedController,
    config: JobConfig,
  ): Promise<NSDFGroup> {
    const base = LoaderUtils.extractUrlBase(url);
    const resourcePath = this.resourcePath || (this.path ? LoaderUtils.resolveURL(base, this.path) : base);
    const { onPreview, settings } = config;
    const { signal } = controller;
    const tables = new TableStore({ isPatient: true });
    const makePreview = async (show: (preview: Group) => void) => {
      const { createFilePreview } = await import('./file-preview.ts');
      return createFilePreview({ onPreview: show, settings, tables, controller });
    };
    const watchers = [
      ...(onPreview ? [new LazyPreview(() => makePreview(onPreview))] : []),
      ...warmUpFor(withDeviceOf(settings)),
    ];
    try {
      const bytes = await download(this.manager.resolveURL(this.path + url), {
        headers: this.requestHeader,
        credentials: this.withCredentials ? 'include' : 'same-origin',
        priority: this.priority ?? 'auto',
        cache: this.cache ?? 'default',
        signal,
        onProgress: (event) => {
          onProgress?.(event);
          if (event.lengthComputable) {
            config.onProgress?.({ phase: 'download', fraction: Math.min(1, event.loaded / event.total) });
          }
        },
        ...(watchers.length > 0 && {
          onPrefix: (received: Uint8Array) => {
            for (const watcher of watchers) watcher.update(received);
          },
        }),
      });
      return await this._parse(bytes, resourcePath, { controller }, config, tables);
    } catch (error) {
      throw nameSource(error, this.path + url);
    } finally {
      for (const watcher of watchers) watcher.end();
    }
  }

  private async _parse(
    data: ArrayBuffer | ArrayBufferView,
    resourcePath: string,
    { controller }: Pick<LinkedController, 'controller'>,
    { settings, onProgress }: JobConfig,
    tables?: TableStore,
  ): Promise<NSDFGroup> {
    const scene = await parseScene(data, {
      settings,
      signal: controller.signal,
      resourcePath,
      manager: new JobManager(this.manager, controller),
      template: this,
      ...(tables && { tables }),
      ...(onProgress && { onProgress }),
    });
    const leveled = scene.fields.filter(({ lod }) => lod !== null).map((field) => new WeakRef(field));
    this._leveled = [...this._leveled.filter((field) => field.deref()), ...leveled];
    return scene;
  }

  /** Runs one job under the signals that may end it: the loader's, the manager's, the call's. */
  private async _job<T>(options: NSDFLoadOptions, run: (job: LinkedController) => Promise<T>): Promise<T> {
    refuseUnknownOptions('a load', options, { signal: true });
    const job = linkedController([options.signal, this._signal, this.manager.abortController?.signal]);
    this._pending.add(job.controller);
    try {
      job.controller.signal.throwIfAborted();
      return await run(job);
    } finally {
      this._pending.delete(job.controller);
      job.release();
    }
  }

  private _fail(reason: unknown, onError: ((error: Error) => void) | undefined): void {
    const error = reason instanceof Error ? reason : new NsdfError('load', String(reason), { cause: reason });
    if (onError) onError(error);
    else if (error.name !== 'AbortError' && typeof reportError === 'function') reportError(error);
  }
}

/** Settings with the device that the derivation will be on. */
function withDeviceOf({ renderer, ...settings }: LoaderSettings): LoaderSettings {
  const device = settings.output === 'gpu' ? detectSupport(renderer).device : null;
  return device ? { ...settings, device } : settings;
}

/**
 * Reports what is there to derive meshes with; asks for nothing and changes nothing. Safe in Node.
 * @param renderer a `WebGPURenderer` or `WebGLRenderer`; its device is found only once `renderer.init()` is done.
 */
export function detectSupport(renderer?: object): NSDFSupport {
  return describeSupport(deviceOf(renderer));
}

/** `backend.device` is not in three's types, and a WebGPURenderer that fell back to WebGL 2 has none. */
function deviceOf(renderer: object | undefined): GPUDevice | null {
  const backend = (
    renderer as { backend?: { isWebGPUBackend?: boolean; device?: GPUDevice | null } } | undefined
  )?.backend;
  return (backend?.isWebGPUBackend && backend.device) || null;
}
