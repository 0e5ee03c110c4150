import { Cache } from 'three';
import { NsdfLoadError } from '../index.ts';

/** How to ask for a file: the request settings of a three loader. */
export interface DownloadRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly withCredentials: boolean;
  readonly priority: RequestPriority;
  readonly cache: RequestCache;
  readonly signal: AbortSignal;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
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
    const bytes = await readBody(await fetchOk(url, request), request.onProgress);
    Cache.add(`file:${url}`, bytes);
    return bytes;
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof NsdfLoadError) throw error;
    throw new NsdfLoadError(`could not download ${url}: ${(error as Error).message}`, { cause: error });
  }
}

async function fetchOk(url: string, request: DownloadRequest): Promise<Response> {
  const response = await fetch(url, {
    headers: { ...request.headers },
    credentials: request.withCredentials ? 'include' : 'same-origin',
    priority: request.priority,
    cache: request.cache,
    signal: request.signal,
  });
  // Schemes other than http answer with status 0.
  if (response.ok || response.status === 0) return response;
  await response.body?.cancel();
  throw new NsdfLoadError(`the server answered ${response.status} ${response.statusText} for ${url}`.trim());
}

async function readBody(response: Response, onProgress: DownloadRequest['onProgress']): Promise<ArrayBuffer> {
  if (!response.body || !onProgress) return response.arrayBuffer();
  const total =
    Number(response.headers.get('X-File-Size') ?? response.headers.get('Content-Length') ?? 0) || 0;
  const chunks: Uint8Array[] = [];
  const reader = response.body.getReader();
  let loaded = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    chunks.push(step.value);
    loaded += step.value.byteLength;
    onProgress(progressEvent(loaded, total));
  }
  return joinChunks(chunks, loaded);
}

/** Node has no ProgressEvent; a plain Event with the same fields serves there. */
function progressEvent(loaded: number, total: number): ProgressEvent {
  const init = { lengthComputable: total > 0, loaded, total };
  if (typeof ProgressEvent === 'function') return new ProgressEvent('progress', init);
  return Object.assign(new Event('progress'), init) as unknown as ProgressEvent;
}

function joinChunks(chunks: readonly Uint8Array[], nBytes: number): ArrayBuffer {
  const bytes = new Uint8Array(nBytes);
  let byteOffset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, byteOffset);
    byteOffset += chunk.byteLength;
  }
  return bytes.buffer;
}
