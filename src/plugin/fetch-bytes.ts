import { glbByteLength, NsdfFormatError, NsdfLoadError, NsdfUnsupportedError } from '../index.ts';

/** How to ask for a file, and who is told of it. */
export interface FetchBytesOptions {
  readonly request: Omit<RequestInit, 'signal' | 'headers'>;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Bytes so far and in all; 0 in all where that is not known. */
  readonly onProgress?: ((loaded: number, total: number) => void) | undefined;
  /** The first bytes, whenever more have come; a view that is valid until the next call. */
  readonly onPrefix?: ((received: Uint8Array) => void) | undefined;
  /** Whether bodies can be read while they arrive. Default: found out. */
  readonly hasStreams?: boolean;
}

/** A connection that breaks is taken up again this often, where the server can continue. */
const MAX_RESUMES = 2;
/** Asked for first where bodies cannot be read while they arrive: enough for a small field's coarse levels. */
const FIRST_RANGE_BYTES = 65_536;

/**
 * Downloads a file whole, telling of its first bytes as they come: by streaming, or where the platform has no streams by
 * asking for ranges. Works with servers that know no ranges, tell no length, or compress; a connection that breaks is
 * resumed where the server can prove that the file is the same.
 * @throws {NsdfLoadError} if the server refuses; what `fetch` throws if it cannot be reached; the signal's reason.
 */
export async function fetchBytes(url: string, options: FetchBytesOptions): Promise<ArrayBuffer> {
  const { hasStreams = 'body' in Response.prototype, onPrefix } = options;
  if (!hasStreams)
    return onPrefix ? fetchByRanges(url, options) : (await fetchOk(url, options)).arrayBuffer();
  const collector = new ByteCollector();
  let response = await fetchOk(url, options);
  for (let nResumes = 0; ; nResumes++) {
    try {
      if (response.body === null) return await response.arrayBuffer();
      await readStream(response.body, toldLength(response), collector, options);
      return collector.finish();
    } catch (error) {
      options.signal.throwIfAborted();
      const condition = resumeCondition(response);
      if (condition === null || collector.length === 0 || nResumes === MAX_RESUMES) throw error;
      const range = { Range: `bytes=${collector.length}-`, 'If-Range': condition };
      response = await fetchOk(url, options, range);
      // The file has changed, or the server thought better of it: from the start.
      if (!continuesAt(response, collector.length)) collector.clear();
    }
  }
}

async function readStream(
  body: ReadableStream<Uint8Array>,
  told: number,
  collector: ByteCollector,
  { onProgress, onPrefix }: FetchBytesOptions,
): Promise<void> {
  const reader = body.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    collector.add(step.value);
    // The file's own header is right whatever the server says of its compressed body.
    const total = glbByteLength(collector.bytes()) ?? told;
    onProgress?.(collector.length, Math.max(total, total && collector.length));
    onPrefix?.(collector.bytes());
  }
}

/** First the beginning, then the rest; servers that know no ranges give the whole file at once. */
async function fetchByRanges(url: string, options: FetchBytesOptions): Promise<ArrayBuffer> {
  const { onProgress, onPrefix } = options;
  const first = await fetchOk(url, options, { Range: `bytes=0-${FIRST_RANGE_BYTES - 1}` });
  const collector = new ByteCollector();
  const isPart = continuesAt(first, 0);
  collector.add(new Uint8Array(await first.arrayBuffer()));
  const total = (isPart && rangeTotal(first)) || collector.length;
  onProgress?.(collector.length, total);
  if (total > collector.length) onPrefix?.(collector.bytes());
  if (total <= collector.length) return collector.finish();
  const condition = resumeCondition(first);
  const range = { Range: `bytes=${collector.length}-`, ...(condition && { 'If-Range': condition }) };
  const rest = await fetchOk(url, options, range);
  if (!continuesAt(rest, collector.length)) collector.clear();
  collector.add(new Uint8Array(await rest.arrayBuffer()));
  onProgress?.(collector.length, collector.length);
  return collector.finish();
}

async function fetchOk(
  url: string,
  { request, headers, signal }: FetchBytesOptions,
  extra: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const response = await fetch(url, { ...request, headers: { ...headers, ...extra }, signal });
  // Schemes other than http answer with status 0.
  if (response.ok || response.status === 0) return response;
  await response.body?.cancel();
  throw new NsdfLoadError(`the server answered ${response.status} ${response.statusText} for ${url}`.trim());
}

/** The whole file's length. Content-Length is that of the compressed body where there is a Content-Encoding. */
function toldLength(response: Response): number {
  const { headers, status } = response;
  if (status === 206) return rangeTotal(response);
  const isPlain = (headers.get('Content-Encoding') ?? 'identity') === 'identity';
  return Number(headers.get('X-File-Size') ?? (isPlain ? headers.get('Content-Length') : 0)) || 0;
}

/** What proves to the server that we mean the same file; null where it can't continue, or compresses. */
function resumeCondition({ headers }: Response): string | null {
  if (headers.get('Content-Encoding')) return null;
  const etag = headers.get('ETag');
  if (headers.get('Accept-Ranges') !== 'bytes' && !headers.get('Content-Range')) return null;
  return etag && !etag.startsWith('W/') ? etag : headers.get('Last-Modified');
}

function continuesAt({ status, headers }: Response, byteOffset: number): boolean {
  return status === 206 && (headers.get('Content-Range')?.startsWith(`bytes ${byteOffset}-`) ?? false);
}

function rangeTotal({ headers }: Response): number {
  return Number(headers.get('Content-Range')?.split('/')[1]) || 0;
}

/** A length that a file claims is believed at once up to this; beyond it memory grows with what has come. */
const MAX_CLAIM = 64 * 2 ** 20;

/** Joins the chunks of a download in one buffer, of the length that a GLB's header names. */
class ByteCollector {
  private _buffer = new Uint8Array(16_384);
  private _length = 0;

  get length(): number {
    return this._length;
  }

  /** What has come, as a view. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this._buffer.subarray(0, this._length);
  }

  add(chunk: Uint8Array): void {
    const needed = this._length + chunk.byteLength;
    if (needed > this._buffer.length) this._grow(needed);
    this._buffer.set(chunk, this._length);
    this._length = needed;
  }

  clear(): void {
    this._length = 0;
  }

  /** All bytes in a buffer of just that length; not copied where the file was as long as it claimed. */
  finish(): ArrayBuffer {
    return this._length === this._buffer.length ? this._buffer.buffer : this.bytes().slice().buffer;
  }

  private _grow(needed: number): void {
    const claim = Math.min(glbByteLength(this.bytes()) ?? 0, MAX_CLAIM);
    const larger = new Uint8Array(claim >= needed ? claim : Math.max(needed, 2 * this._buffer.length));
    larger.set(this.bytes());
    this._buffer = larger;
  }
}

/** Where the page is; undefined in Node. */
function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

/**
 * Whether a request would go to another origin than the file lies at that asks for it: a file may name any address, and
 * headers and credentials that were meant for its own server are not for others.
 * @param url what is asked for: absolute, or relative to the page.
 * @param fileUrl the file's own URL or its folder's, likewise; empty where it was given as bytes: the page's origin counts.
 */
export function isForeignOrigin(url: string, fileUrl: string): boolean {
  const page = pageUrl();
  if (!URL.canParse(url, page)) return false; // relative, without a page: nothing that could be asked for
  const asked = new URL(url, page);
  if (asked.protocol === 'data:' || asked.protocol === 'blob:') return false;
  if (!URL.canParse(fileUrl, page)) return true;
  const own = new URL(fileUrl, page);
  return asked.protocol !== own.protocol || asked.host !== own.host;
}

/** Puts a file's address before what is said of its bytes: whoever loads many has to know which one it was. */
export function nameSource(error: unknown, source: string): unknown {
  const isOfBytes = error instanceof NsdfFormatError || error instanceof NsdfUnsupportedError;
  if (isOfBytes && source !== '' && !error.message.startsWith(source)) {
    error.message = `${source}: ${error.message}`;
  }
  return error;
}
