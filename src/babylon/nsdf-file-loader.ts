import type { AssetContainer } from '@babylonjs/core/assetContainer.js';
import type {
  ISceneLoaderAsyncResult,
  ISceneLoaderPluginAsync,
  ISceneLoaderProgressEvent,
} from '@babylonjs/core/Loading/sceneLoader.js';
import type { IFileRequest } from '@babylonjs/core/Misc/fileRequest.js';
import type { LoadFileError } from '@babylonjs/core/Misc/fileTools.js';
import { Observable } from '@babylonjs/core/Misc/observable.js';
import type { WebRequest } from '@babylonjs/core/Misc/webRequest.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { NsdfArgumentError, TableStore } from '../index.ts';
import { linkedController } from '../plugin/abort.ts';
import { nameSource } from '../plugin/fetch-bytes.ts';
import { LazyPreview, type PrefixWatcher, warmUpFor } from '../plugin/lazy-preview.ts';
import { refuseUnknownSettings } from '../plugin/settings.ts';
import { isStreamable, streamFile } from './download.ts';
import { loadContainer } from './load-container.ts';
import { NSDFFileLoaderMetadata } from './metadata.ts';
import type { NSDFPluginOptions } from './options.ts';
import { abortWith, withDevice } from './scene.ts';

type MeshNames = string | readonly string[] | null | undefined;

/**
 * Babylon's scene loader plugin for `.nsdf` files. Babylon makes one for each load; applications use
 * `ImportMeshAsync`, `AppendSceneAsync`, `LoadAssetContainerAsync` and `LoadSceneAsync`.
 *
 * Whatever fails, or is aborted, leaves the scene as it was. Babylon wraps errors in its own `RuntimeError`: ours, or
 * the abort's reason, is its `innerError`.
 */
export class NSDFFileLoader implements ISceneLoaderPluginAsync {
  readonly name = NSDFFileLoaderMetadata.name;
  readonly extensions = NSDFFileLoaderMetadata.extensions;
  /** Babylon listens here and ends the download. */
  readonly onDisposeObservable = new Observable<void>();
  private readonly _options: NSDFPluginOptions;
  /** Ends everything this loader does: the options' signal does, and so does `dispose`. */
  private readonly _job: ReturnType<typeof linkedController>;
  private _forgetScene: (() => void) | null = null;
  private _responseUrl: string | undefined;
  private _watchers: readonly PrefixWatcher[] = [];
  /** Of the one file that this loads. */
  private readonly _tables = new TableStore({ isPatient: true });

  /** @throws {NsdfArgumentError} if there is an option of a name that is none */
  constructor(options: NSDFPluginOptions = {}) {
    refuseUnknownSettings('pluginOptions.nsdf', options, { onPreview: true, gltf: true });
    this._options = options;
    this._job = linkedController([options.signal]);
  }

  /** Ends download and derivation. */
  dispose(): void {
    this._job.controller.abort(new DOMException('the loader was disposed', 'AbortError'));
    this._release();
    this.onDisposeObservable.notifyObservers();
    this.onDisposeObservable.clear();
  }

  /** Called by Babylon to get a file's bytes: of a URL, a File, or a view that is passed on as it is. */
  loadFile(
    scene: Scene,
    source: File | string | ArrayBufferView,
    _rootUrl: string,
    onSuccess: (data: unknown, responseUrl?: string) => void,
    onProgress?: (event: ISceneLoaderProgressEvent) => void,
    _useArrayBuffer?: boolean,
    onError?: (request?: WebRequest, error?: LoadFileError) => void,
  ): IFileRequest | null {
    this._watchScene(scene);
    if (ArrayBuffer.isView(source)) {
      onSuccess(source);
      return null;
    }
    const { signal } = this._job.controller;
    const onAbort = (): void => {
      request.abort();
      // Babylon types what it wraps and shows as an error of its own.
      onError?.(undefined, signal.reason as LoadFileError);
    };
    const onData = (data: unknown, responseUrl?: string): void => {
      signal.removeEventListener('abort', onAbort);
      this._responseUrl = responseUrl;
      onSuccess(data, responseUrl);
    };
    const report = (event: ISceneLoaderProgressEvent): void => {
      onProgress?.(event);
      if (!event.lengthComputable) return;
      this._options.onProgress?.({ phase: 'download', fraction: Math.min(1, event.loaded / event.total) });
    };
    signal.throwIfAborted();
    if (isStreamable(source)) {
      const watchers = this._watchersOf(scene);
      if (watchers.length > 0) return this._stream(source, watchers, { onSuccess, report, onError });
    }
    const request = scene._loadFile(source, onData, report, true, true, onError);
    signal.addEventListener('abort', onAbort, { once: true });
    return request;
  }

  /** Who looks at what has come of a file. */
  private _watchersOf(scene: Scene): PrefixWatcher[] {
    const { onPreview, ...settings } = this._options;
    const isAsked = settings.backend === 'gpu' || settings.output === 'gpu';
    const warmUps = isAsked || onPreview ? warmUpFor(withDevice(settings, scene.getEngine())) : [];
    if (!onPreview) return warmUps;
    const { controller } = this._job;
    const preview = new LazyPreview(async () => {
      const { createFilePreview } = await import('./file-preview.ts');
      return createFilePreview({
        scene,
        onPreview,
        settings: this._options,
        tables: this._tables,
        controller,
      });
    });
    return [preview, ...warmUps];
  }

  /** Downloads, telling of what has come. */
  private _stream(
    url: string,
    watchers: readonly PrefixWatcher[],
    tell: {
      readonly onSuccess: (data: unknown) => void;
      readonly report: (event: ISceneLoaderProgressEvent) => void;
      readonly onError: ((request?: WebRequest, error?: LoadFileError) => void) | undefined;
    },
  ): IFileRequest {
    const { controller } = this._job;
    const request: IFileRequest = {
      onCompleteObservable: new Observable<IFileRequest>(),
      abort: () => controller.abort(new DOMException('the download was aborted', 'AbortError')),
    };
    this._watchers = watchers;
    streamFile(url, {
      signal: controller.signal,
      onProgress: tell.report,
      onPrefix: (received) => {
        for (const watcher of watchers) watcher.update(received);
      },
    })
      .then(tell.onSuccess, (error: unknown) => {
        this._endWatchers();
        // Babylon types what it wraps and shows as an error of its own.
        tell.onError?.(undefined, error as LoadFileError);
      })
      .finally(() => request.onCompleteObservable.notifyObservers(request));
    return request;
  }

  /** What is for a scene ends with it. */
  private _watchScene(scene: Scene): void {
    this._forgetScene ??= abortWith(scene, this._job.controller);
  }

  private _release(): void {
    this._forgetScene?.();
    this._job.release();
  }

  private _endWatchers(): void {
    for (const watcher of this._watchers) watcher.end();
  }

  /** Where a server redirects to is where what lies beside the file is looked for. */
  rewriteRootURL(rootUrl: string, responseUrl?: string): string {
    if (!responseUrl || !/^https?:/.test(responseUrl)) return rootUrl;
    const path = responseUrl.split(/[?#]/)[0];
    return path.slice(0, path.lastIndexOf('/') + 1);
  }

  /** Adds the file, or the nodes of those names, to the scene. */
  async importMeshAsync(
    meshNames: MeshNames,
    scene: Scene,
    data: unknown,
    rootUrl: string,
    _onProgress?: (event: ISceneLoaderProgressEvent) => void,
    fileName = '',
  ): Promise<ISceneLoaderAsyncResult> {
    const container = await this._load(scene, data, rootUrl, fileName, meshNames);
    container.addAllToScene();
    this._endWatchers();
    const { meshes, particleSystems, skeletons, animationGroups, transformNodes, geometries, lights } =
      container;
    return {
      meshes,
      particleSystems,
      skeletons,
      animationGroups,
      transformNodes,
      geometries,
      lights,
      spriteManagers: [],
    };
  }

  /** Adds the file to the scene. */
  async loadAsync(
    scene: Scene,
    data: unknown,
    rootUrl: string,
    _onProgress?: (event: ISceneLoaderProgressEvent) => void,
    fileName = '',
  ): Promise<void> {
    (await this._load(scene, data, rootUrl, fileName)).addAllToScene();
    this._endWatchers();
  }

  /** Loads the file beside the scene. */
  async loadAssetContainerAsync(
    scene: Scene,
    data: unknown,
    rootUrl: string,
    _onProgress?: (event: ISceneLoaderProgressEvent) => void,
    fileName = '',
  ): Promise<AssetContainer> {
    const container = await this._load(scene, data, rootUrl, fileName);
    this._endWatchers();
    return container;
  }

  private async _load(
    scene: Scene,
    data: unknown,
    rootUrl: string,
    fileName: string,
    meshNames?: MeshNames,
  ): Promise<AssetContainer> {
    this._watchScene(scene);
    const names = meshNames ? [meshNames].flat() : null;
    const source = {
      bytes: toBytes(data),
      rootUrl: this.rewriteRootURL(rootUrl, this._responseUrl),
      fileName,
      nodeNames: names,
    };
    try {
      const { signal } = this._job.controller;
      return await loadContainer(scene, source, { ...this._options, signal, tables: this._tables });
    } catch (error) {
      this._endWatchers();
      throw nameSource(error, fileName && source.rootUrl + fileName);
    } finally {
      this._release();
    }
  }
}

function toBytes(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new NsdfArgumentError('data', `found ${typeof data}, expected the bytes of a .nsdf file`);
}
