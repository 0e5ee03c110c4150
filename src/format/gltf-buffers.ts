import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';
import { type BytesSource, plainBytes } from './bytes.ts';
import { align4, type GlbChunks, packGlb, parseGlb } from './glb.ts';
import { IssueList } from './issues.ts';
import { describe, JsonObject, pointer } from './json-object.ts';
import type { TableStore } from './table-store.ts';
import { createWeightSource, type WeightSource } from './weights.ts';

/** A checked bufferView: its bytes, and the stride of interleaved attributes. */
export interface BufferView {
  readonly bytes: Uint8Array;
  /** Offset in the file. */
  readonly fileByteOffset: number;
  readonly byteStride: number | null;
}

/** Checks all buffers and bufferViews. A bufferView that is wrong, or outside this file, comes as null. */
export function readBufferViews(root: JsonObject, glb: GlbChunks): readonly (BufferView | null)[] {
  const bufferBytes = root
    .optionalObjects('buffers')
    .map((buffer, i) => buffer && readBuffer(buffer, i, glb));
  return root.optionalObjects('bufferViews').map((json) => json && readBufferView(json, bufferBytes, glb));
}

/** The weights of a file: all together may be as long as its BIN chunk. */
export function fileWeightSource(
  views: readonly (BufferView | null)[],
  glb: GlbChunks,
  tables: TableStore,
): WeightSource {
  const source = {
    getBytes: (index: number) => views[index]?.bytes ?? null,
    getByteOffset: (index: number) => views[index]?.fileByteOffset,
    ...(glb.isPrefix && { isMissing: (index: number) => views[index] === null }),
  };
  return createWeightSource(source, glb.bin.length, tables);
}

/** The BIN chunk's bytes for buffer 0; buffers beside the file are not followed. */
function readBuffer(json: JsonObject, index: number, glb: GlbChunks): Uint8Array | null {
  const byteLength = json.index('byteLength');
  if (index > 0 || json.has('uri')) {
    const message = 'a buffer outside the BIN chunk, ignored: inlineBuffers makes the file self-contained';
    json.issues.note('warning', 'reference', message, { path: json.path });
    return null;
  }
  if (byteLength === null) return null;
  if (byteLength > glb.bin.length && !glb.isPrefix) {
    const message = `${byteLength} bytes, but the BIN chunk has ${glb.bin.length}`;
    json.issues.error('length', message, json.place('byteLength'));
    return null;
  }
  return glb.bin.subarray(0, byteLength);
}

function readBufferView(
  json: JsonObject,
  buffers: readonly (Uint8Array | null)[],
  glb: GlbChunks,
): BufferView | null {
  const buffer = json.index('buffer');
  const byteLength = json.index('byteLength');
  const byteOffset = json.has('byteOffset') ? json.index('byteOffset') : 0;
  const byteStride = json.has('byteStride') ? json.index('byteStride') : null;
  if (buffer === null || byteLength === null || byteOffset === null) return null;
  if (buffer >= buffers.length) {
    json.issues.error('reference', `there is no buffer ${buffer}`, json.place('buffer'));
    return null;
  }
  const bytes = buffers[buffer];
  if (bytes === null) return null;
  if (byteOffset + byteLength > bytes.length) {
    if (glb.isPrefix) return null; // it is still to come
    const message = `bytes ${byteOffset}..${byteOffset + byteLength} of a buffer of ${bytes.length}`;
    json.issues.error('length', message, { path: json.path, byteOffset: glb.binByteOffset });
    return null;
  }
  return {
    bytes: bytes.subarray(byteOffset, byteOffset + byteLength),
    fileByteOffset: glb.binByteOffset + byteOffset,
    byteStride,
  };
}

type Json = Readonly<Record<string, unknown>>;

/**
 * URIs of the buffers that lie beside a file, as it writes them; none for what is no well-formed GLB, which the readers
 * name. `readNsdf` reads self-contained files: fetch these and hand them to `inlineBuffers` first. A file may name any
 * address: fetch what {@link isBesideFile} says yes to.
 */
export function listExternalBuffers(file: BytesSource): string[] {
  const uris = buffersOf(parseGlb(plainBytes(file), new IssueList())?.json).map(({ uri }) => uri);
  return [...new Set(uris.filter((uri): uri is string => typeof uri === 'string'))];
}

/**
 * Whether a URI names something in the folder of a file, or below it, or holds its bytes itself (`data:`).
 * @param fileUrl where the file lies: an absolute URL, of any scheme.
 * @throws {NsdfArgumentError} if `fileUrl` is none.
 */
export function isBesideFile(uri: string, fileUrl: string): boolean {
  if (!URL.canParse(fileUrl)) throw new NsdfArgumentError('fileUrl', `${fileUrl} is no absolute URL`);
  if (!URL.canParse(uri, fileUrl)) return false;
  const url = new URL(uri, fileUrl);
  if (url.protocol === 'data:') return true;
  if (!URL.canParse('.', fileUrl)) return false; // `data:` and `blob:` have no folders
  const folder = new URL('.', fileUrl);
  const isSamePlace = url.protocol === folder.protocol && url.host === folder.host;
  // An escaped slash is a step between folders to whoever unescapes it.
  return isSamePlace && url.pathname.startsWith(folder.pathname) && !/%2f|%5c/i.test(url.pathname);
}

/**
 * Makes a self-contained file of one that refers to buffers beside it. Buffers of one URI are put in once.
 * @param buffers their bytes, by URI.
 * @throws {NsdfFormatError} if one is missing or shorter than the file says.
 * @example
 * const uris = listExternalBuffers(tile).filter((uri) => isBesideFile(uri, tileUrl));
 * const buffers = await Promise.all(uris.map(async (uri) => [uri, await fetchBytes(uri)] as const));
 * const scene = readNsdf(inlineBuffers(tile, new Map(buffers)));
 */
export function inlineBuffers(file: BytesSource, buffers: ReadonlyMap<string, BytesSource>): Uint8Array {
  const issues = new IssueList();
  const glb = parseGlb(plainBytes(file), issues);
  const root = glb && JsonObject.of(glb.json, '', issues);
  issues.throwFirstError();
  const json = (root as JsonObject).value;
  const parts = collectParts(buffersOf(json), glb?.bin, buffers);
  const bin = new Uint8Array(parts.byteLength);
  for (const { start, bytes } of parts.byUri.values()) bin.set(bytes, start);
  const buffer = { byteLength: parts.byteLength };
  return packGlb({ ...json, buffers: [buffer], bufferViews: moveViews(json, parts.starts) }, bin);
}

/** A buffer of a glTF, as far as we look at it. */
function buffersOf(json: unknown): readonly Json[] {
  const buffers: unknown = (json as Json | null | undefined)?.buffers;
  if (!Array.isArray(buffers)) return [];
  return buffers.map(
    (buffer: unknown) => (typeof buffer === 'object' && buffer !== null ? buffer : {}) as Json,
  );
}

/** Where the bytes of every buffer go; `null` is the URI of the BIN chunk. */
interface Parts {
  readonly byUri: ReadonlyMap<string | null, { readonly start: number; readonly bytes: Uint8Array }>;
  /** By buffer. */
  readonly starts: readonly number[];
  readonly byteLength: number;
}

function collectParts(
  listed: readonly Json[],
  bin: Uint8Array | undefined,
  buffers: ReadonlyMap<string, BytesSource>,
): Parts {
  const longest = new Map<string | null, Uint8Array>();
  const uris = listed.map((buffer, index) => {
    const bytes = bytesOf(buffer, index, bin, buffers);
    const uri = typeof buffer.uri === 'string' ? buffer.uri : null;
    const known = longest.get(uri);
    if (known === undefined || known.length < bytes.length) longest.set(uri, bytes);
    return uri;
  });
  const byUri = new Map<string | null, { start: number; bytes: Uint8Array }>();
  let byteLength = 0;
  for (const [uri, bytes] of longest) {
    byUri.set(uri, { start: byteLength, bytes });
    byteLength += align4(bytes.length);
  }
  return { byUri, starts: uris.map((uri) => byUri.get(uri)?.start ?? 0), byteLength };
}

function bytesOf(
  { uri, byteLength }: Json,
  index: number,
  bin: Uint8Array | undefined,
  buffers: ReadonlyMap<string, BytesSource>,
): Uint8Array {
  const given = typeof uri === 'string' ? buffers.get(uri) : bin;
  const name = typeof uri === 'string' ? uri.slice(0, 200) : 'the BIN chunk';
  const field = pointer('/buffers', index);
  if (given === undefined) throw new NsdfFormatError(`the bytes of ${name} were not given`, { field });
  const bytes = plainBytes(given);
  if (!Number.isSafeInteger(byteLength) || Number(byteLength) < 0) {
    throw new NsdfFormatError(`byteLength is ${describe(byteLength)}, expected a number of bytes`, { field });
  }
  if (Number(byteLength) <= bytes.length) return bytes.subarray(0, Number(byteLength));
  const found = `${name} has ${bytes.length} bytes`;
  throw new NsdfFormatError(`${found}, expected at least ${byteLength}`, { field });
}

/** The bufferViews in the one buffer that is left; those that are wrong stay so, for the reader to name. */
function moveViews(json: Json, starts: readonly number[]): unknown {
  if (!Array.isArray(json.bufferViews)) return json.bufferViews;
  return json.bufferViews.map((view: unknown) => {
    if (typeof view !== 'object' || view === null) return view;
    const { buffer, byteOffset = 0 } = view as { buffer?: unknown; byteOffset?: unknown };
    const start = typeof buffer === 'number' ? starts[buffer] : undefined;
    if (start === undefined || typeof byteOffset !== 'number') return view;
    return { ...view, buffer: 0, byteOffset: start + byteOffset };
  });
}
