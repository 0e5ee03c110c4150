import { type Loader, LoaderUtils, type LoadingManager } from 'three';
import { inlineBuffers, listExternalBuffers } from '../index.ts';
import { isForeignOrigin } from '../plugin/foreign-origin.ts';
import { download } from './download.ts';

/** How to fetch what lies beside a file. */
export interface BesideFile {
  readonly resourcePath: string;
  readonly manager: LoadingManager;
  /** The loader whose request settings the downloads get. */
  readonly template: Loader;
  readonly signal: AbortSignal;
}

/**
 * A file with the buffers in it that lay beside it, as the tiles of one large field have them; most files have none.
 * @throws {NsdfLoadError} if one cannot be downloaded, {NsdfFormatError} if it is too short; the signal's reason.
 */
export async function withExternalBuffers(file: Uint8Array, beside: BesideFile): Promise<Uint8Array> {
  const uris = listExternalBuffers(file);
  if (uris.length === 0) return file;
  const buffers = uris.map(async (uri) => [uri, await downloadItem(uri, beside)] as const);
  return inlineBuffers(file, new Map(await Promise.all(buffers)));
}

/**
 * Downloads one buffer as an item of the manager, as three's own loaders do. Other origins than the file's get neither
 * the loader's headers nor credentials.
 */
async function downloadItem(uri: string, beside: BesideFile): Promise<Uint8Array> {
  const { manager, template, resourcePath, signal } = beside;
  const url = LoaderUtils.resolveURL(uri, resourcePath);
  const isForeign = isForeignOrigin(url, resourcePath);
  const credentials = template.withCredentials ? 'include' : 'same-origin';
  manager.itemStart(url);
  try {
    const bytes = await download(manager.resolveURL(url), {
      headers: isForeign ? {} : template.requestHeader,
      credentials: isForeign ? 'omit' : credentials,
      priority: template.priority ?? 'auto',
      cache: template.cache ?? 'default',
      signal,
    });
    return new Uint8Array(bytes);
  } catch (error) {
    manager.itemError(url);
    throw error;
  } finally {
    manager.itemEnd(url);
  }
}
