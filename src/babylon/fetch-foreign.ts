import { fetchBytes } from '../plugin/fetch-bytes.ts';

/**
 * Downloads from another origin than the file's that names the address: without Babylon's request headers, which are
 * meant for the application's own servers, and without credentials.
 * @throws as `fetchBytes`; the signal's reason.
 */
export async function fetchForeign(url: string, signal: AbortSignal): Promise<Uint8Array> {
  return new Uint8Array(await fetchBytes(url, { request: { credentials: 'omit' }, headers: {}, signal }));
}
