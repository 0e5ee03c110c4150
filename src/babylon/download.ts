/** How files are fetched, past Babylon's own requests. */
import type { ISceneLoaderProgressEvent } from '@babylonjs/core/Loading/sceneLoader.js';
import { FileToolsOptions } from '@babylonjs/core/Misc/fileTools.js';
import { WebRequest } from '@babylonjs/core/Misc/webRequest.js';
import { fetchBytes } from '../plugin/fetch-bytes.ts';

/** Who is told of a download. */
interface StreamOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (event: ISceneLoaderProgressEvent) => void;
  /** The first bytes, whenever more have come; see `fetchBytes`. */
  readonly onPrefix: (received: Uint8Array) => void;
}

/** Whether a file's bytes come over the network one after the other. */
export function isStreamable(source: File | string): source is string {
  return typeof source === 'string' && !/^(data|file):/.test(source);
}

/**
 * Downloads a file, telling of its first bytes as they come, which Babylon's own requests cannot. Babylon's rules for
 * URLs and its request headers hold here, too.
 * @throws as `fetchBytes`; the signal's reason.
 */
export function streamFile(url: string, options: StreamOptions): Promise<ArrayBuffer> {
  const { signal, onProgress, onPrefix } = options;
  const { BaseUrl, CleanUrl, PreprocessUrl } = FileToolsOptions;
  return fetchBytes(BaseUrl + PreprocessUrl(CleanUrl(url)), {
    request: { credentials: 'same-origin' },
    headers: { ...WebRequest.CustomRequestHeaders },
    signal,
    onProgress: (loaded, total) => onProgress({ lengthComputable: total > 0, loaded, total }),
    onPrefix,
  });
}

/**
 * Downloads from another origin than the file's that names the address: without Babylon's request headers, which are
 * meant for the application's own servers, and without credentials.
 * @throws as `fetchBytes`; the signal's reason.
 */
export async function fetchForeign(url: string, signal: AbortSignal): Promise<Uint8Array> {
  return new Uint8Array(await fetchBytes(url, { request: { credentials: 'omit' }, headers: {}, signal }));
}
