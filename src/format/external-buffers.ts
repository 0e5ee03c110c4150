import { NsdfFormatError } from '../errors.ts';
import { align4, packGlb, parseGlb } from './glb.ts';
import { IssueList } from './issues.ts';
import { pointer } from './json-object.ts';

/** A buffer of a glTF, as far as we look at it. */
interface BufferJson {
  readonly uri?: unknown;
  readonly byteLength?: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * URIs of the buffers that lie beside a file, as it writes them; none for what is no well-formed GLB, which the readers
 * name. `readNsdf` reads self-contained files: fetch these and hand them to `inlineBuffers` first.
 */
export function listExternalBuffers(file: Uint8Array): string[] {
  const uris = buffersOf(parseGlb(file, new IssueList())?.json).map(({ uri }) => uri);
  return [...new Set(uris.filter((uri): uri is string => typeof uri === 'string'))];
}

/**
 * Makes a self-contained file of one that refers to buffers beside it.
 * @param buffers their bytes, by URI.
 * @throws {NsdfFormatError} if one is missing or shorter than the file says.
 * @example
 * const uris = listExternalBuffers(tile);
 * const buffers = await Promise.all(uris.map(async (uri) => [uri, await fetchBytes(uri)] as const));
 * const scene = readNsdf(inlineBuffers(tile, new Map(buffers)));
 */
export function inlineBuffers(file: Uint8Array, buffers: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const issues = new IssueList();
  const glb = parseGlb(file, issues);
  issues.throwFirstError();
  const json = glb?.json as Json;
  const parts = buffersOf(json).map((buffer, index) => bytesOf(buffer, index, glb?.bin, buffers));
  const starts: number[] = [];
  let byteLength = 0;
  for (const part of parts) {
    starts.push(byteLength);
    byteLength += align4(part.length);
  }
  const bin = new Uint8Array(byteLength);
  parts.forEach((part, index) => {
    bin.set(part, starts[index]);
  });
  return packGlb({ ...json, buffers: [{ byteLength }], bufferViews: moveViews(json, starts) }, bin);
}

function buffersOf(json: unknown): readonly BufferJson[] {
  const buffers: unknown = (json as Json | null | undefined)?.buffers;
  return Array.isArray(buffers) ? buffers.map((buffer: unknown) => (buffer ?? {}) as BufferJson) : [];
}

function bytesOf(
  { uri, byteLength }: BufferJson,
  index: number,
  bin: Uint8Array | undefined,
  buffers: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const bytes = typeof uri === 'string' ? buffers.get(uri) : bin;
  const nBytes = Number(byteLength);
  const field = pointer('/buffers', index);
  if (bytes === undefined) throw new NsdfFormatError(`the bytes of ${uri} were not given`, { field });
  if (nBytes <= bytes.length) return bytes.subarray(0, nBytes);
  const found = `${typeof uri === 'string' ? uri : 'the BIN chunk'} has ${bytes.length} bytes`;
  throw new NsdfFormatError(`${found}, expected ${describeLength(byteLength)}`, { field });
}

function describeLength(byteLength: unknown): string {
  return typeof byteLength === 'number' ? `at least ${byteLength}` : 'a byteLength';
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
