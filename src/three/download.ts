import { Cache, LoadingManager } from 'three';
import { NsdfLoadError } from '../index.ts';
import { fetchBytes } from '../plugin/fetch-bytes.ts';

/** How to ask for a file: the request settings of a three loader. */
export interface DownloadRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: RequestCredentials;
  readonly priority: RequestPriority;
  readonly cache: RequestCache;
  readonly signal: AbortSignal;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** The first bytes, whenever more have come; see `fetchBytes`. */
  readonly onPrefix?: ((received: Uint8Array) => void) | undefined;
}

/**
 * Downloads a file whole, through `THREE.Cache` where that is enabled. FileLoader itself won't do: it merges equal
 * requests, so that aborting one loader would fail another's.
 * @throws {NsdfLoadError} if the server cannot be reached or answers with a failure; the signal's reason on abort.
 */
export async function download(url: string, request: DownloadRequest): Promise<ArrayBuffer> {
  request.signal.throwIfAborted();
  const cached: unknown = Cache.get(`file:${url}`);
  if (cached instanceof ArrayBuffer) return cached;
  try {
    const { headers, credentials, priority, cache, signal, onProgress, onPrefix } = request;
    const bytes = await fetchBytes(url, {
      request: { credentials, priority, cache },
      headers,
      signal,
      onProgress: (loaded, total) => onProgress?.(progressEvent(loaded, total)),
      onPrefix,
    });
    Cache.add(`file:${url}`, bytes);
    return bytes;
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof NsdfLoadError) throw error;
    throw new NsdfLoadError(`could not download ${url}: ${(error as Error).message}`, { cause: error });
  }
}

/** Node has no ProgressEvent; a plain Event with the same fields serves there. */
function progressEvent(loaded: number, total: number): ProgressEvent {
  const init = { lengthComputable: total > 0, loaded, total };
  if (typeof ProgressEvent === 'function') return new ProgressEvent('progress', init);
  return Object.assign(new Event('progress'), init) as unknown as ProgressEvent;
}

/**
 * The application's manager as one job sees it: items, URL modifier and handlers are the application's, the abort
 * signal is the job's own, so that loaders made inside the job (textures, external buffers) end with it.
 */
export class JobManager extends LoadingManager {
  constructor(application: LoadingManager, controller: AbortController) {
    super();
    this.itemStart = (url) => application.itemStart(url);
    this.itemEnd = (url) => application.itemEnd(url);
    this.itemError = (url) => application.itemError(url);
    this.resolveURL = (url) => application.resolveURL(url);
    this.getHandler = (file) => application.getHandler(file);
    // An own property: three declares an accessor on the prototype and types it as a property.
    Object.defineProperty(this, 'abortController', { value: controller });
  }
}
