import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';

/** Whatever bytes come as: a buffer, or a view of one (Node's Buffer is a view, often at an odd offset). */
export type BytesSource = ArrayBufferLike | ArrayBufferView;

/** What typed arrays of weights want their offsets to be a multiple of. */
const ALIGNMENT = 4;

/**
 * The same bytes as a plain Uint8Array, not copied: `slice` of Node's Buffer is a view, where a Uint8Array's is a copy.
 * Only bytes that other threads can write to are copied, for no decoder takes those.
 * @throws {NsdfArgumentError} for what is no buffer and no view of one.
 */
export function plainBytes(source: BytesSource): Uint8Array<ArrayBuffer> {
  const bytes = viewBytes(source);
  if (bytes === null) {
    const found = source === null ? 'null' : typeof source;
    throw new NsdfArgumentError(
      'bytes',
      `found ${found}, expected an ArrayBuffer, a typed array or a Buffer`,
    );
  }
  return isUnshared(bytes) ? bytes : new Uint8Array(bytes);
}

/**
 * As {@link plainBytes}, for bytes that hold f32 values in place: a view at an offset that is no multiple of four is
 * copied once.
 */
export function alignedBytes(source: BytesSource): Uint8Array<ArrayBuffer> {
  const bytes = plainBytes(source);
  return bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice();
}

/** Whether something holds bytes at all. */
export function holdsBytes(source: unknown): source is BytesSource {
  return viewBytes(source as BytesSource) !== null;
}

/** Null for what holds no bytes. */
function viewBytes(source: BytesSource): Uint8Array | null {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  // Not `instanceof`: buffers of other realms (frames, Node's vm) are of other classes.
  const tag = Object.prototype.toString.call(source);
  const isBuffer = tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]';
  return isBuffer ? new Uint8Array(source) : null;
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return Object.prototype.toString.call(bytes.buffer) === '[object ArrayBuffer]';
}

/** Deeper JSON is refused: whatever walks it recurses, engines' own loaders included. */
const MAX_DEPTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses UTF-8 bytes as JSON.
 * @param byteOffset of the bytes in their file, for messages.
 * @throws {NsdfFormatError} for what is no UTF-8, no JSON, or nested more than 512 deep.
 */
export function parseJsonText(bytes: Uint8Array, byteOffset: number): unknown {
  if (isTooDeep(bytes)) {
    throw new NsdfFormatError(`nested more than ${MAX_DEPTH} deep`, { byteOffset });
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 120) : 'unreadable';
    throw new NsdfFormatError(`not JSON: ${reason}`, { byteOffset, cause });
  }
}

/** Counts brackets outside of strings; right for every text that is JSON. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

/** What a file is that is not what was expected, and what to do about it, in words for whoever loads it. */
interface ForeignFile {
  readonly what: string;
  readonly advice: string;
}

/** What `nameForeignBytes` calls them. */
export const SAFETENSORS = 'a safetensors file of weights';

const SERVER_ADVICE = 'check the URL: does the server answer with a page where the file is missing?';
const UNPACK_ADVICE = 'unpack it first';
const CHECKPOINT_ADVICE =
  'save the weights as .safetensors (docs/format.md has the layout), then `nsdf convert` them';

/** Files by their first bytes; `text` is compared after leading blanks, without regard to case. */
const SIGNATURES: readonly (ForeignFile & { readonly bytes?: readonly number[]; readonly text?: RegExp })[] =
  [
    {
      text: /^version https:\/\/git-lfs/,
      what: 'a Git LFS pointer, not the file itself',
      advice: 'fetch the file with `git lfs pull`',
    },
    { text: /^<(!doctype html|html|head|body|!--)/, what: 'an HTML page', advice: SERVER_ADVICE },
    {
      text: /^<(\?xml|error)/,
      what: 'an XML document, as storage servers answer with errors',
      advice: SERVER_ADVICE,
    },
    {
      bytes: [0x1f, 0x8b],
      what: 'compressed by gzip',
      advice: `${UNPACK_ADVICE}, or have the server say Content-Encoding: gzip`,
    },
    { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'compressed by zstd', advice: UNPACK_ADVICE },
    {
      bytes: [0x80, 0x02, 0x8a, 0x0a],
      what: 'a PyTorch checkpoint of the old kind (.pt)',
      advice: CHECKPOINT_ADVICE,
    },
    { bytes: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], what: 'a NumPy array (.npy)', advice: CHECKPOINT_ADVICE },
    { bytes: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG picture', advice: 'check the path' },
    { bytes: [0xff, 0xd8, 0xff], what: 'a JPEG picture', advice: 'check the path' },
    {
      bytes: [0x70, 0x6c, 0x79, 0x0a],
      what: 'a PLY mesh',
      advice: 'a mesh is no field: load it as what it is',
    },
    {
      bytes: [0x70, 0x6c, 0x79, 0x0d],
      what: 'a PLY mesh',
      advice: 'a mesh is no field: load it as what it is',
    },
  ];

/** Bytes of a file that are looked at for its first words. */
const N_TEXT_BYTES = 512;

/**
 * Tells by their first bytes what bytes are that could not be read. Null for what it does not know.
 */
export function nameForeignBytes(source: Uint8Array): ForeignFile | null {
  const bytes = plainBytes(source);
  if (bytes.length === 0)
    return { what: 'empty (0 bytes)', advice: 'was it written, or downloaded, to its end?' };
  const text = new TextDecoder('latin1')
    .decode(bytes.subarray(0, N_TEXT_BYTES))
    .replace(/^(ï»¿)?\s+|^ï»¿/, '');
  const known = SIGNATURES.find((signature) =>
    signature.bytes
      ? signature.bytes.every((byte, i) => bytes[i] === byte)
      : signature.text?.test(text.toLowerCase()),
  );
  if (known) return { what: known.what, advice: known.advice };
  return nameZip(bytes, text) ?? nameSafetensors(bytes) ?? nameJson(text);
}

/** `.pt` and `.npz` are zips; the first entry's name tells. */
function nameZip(bytes: Uint8Array, text: string): ForeignFile | null {
  if (!text.startsWith('PK\u0003\u0004')) return null;
  const nNameBytes = bytes[26] + 256 * bytes[27];
  const name = text.slice(30, 30 + nNameBytes);
  if (/(^|\/)(data\.pkl|byteorder|version|\.format_version)$/.test(name)) {
    return { what: 'a PyTorch checkpoint (.pt)', advice: CHECKPOINT_ADVICE };
  }
  if (name.endsWith('.npy')) return { what: 'NumPy arrays (.npz)', advice: CHECKPOINT_ADVICE };
  return { what: `a zip archive (of ${JSON.stringify(name)} and more)`, advice: UNPACK_ADVICE };
}

/**
 * A binary file that was read as text: it is UTF-8 from end to end, which no binary one is, and longer than it was, its
 * first chunk moved, or full of the sign for what could not be read (EF BF BD).
 */
export function nameMangled(bytes: Uint8Array): ForeignFile | null {
  if (!isGlb(bytes) || bytes.every((byte) => byte < 0x80) || !isUtf8(bytes)) return null;
  const told = bytes.length < 12 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  const hasChunk = [0x4a, 0x53, 0x4f, 0x4e].every((byte, i) => bytes[16 + i] === byte);
  if (hasChunk && countReplaced(bytes) < 2 && bytes.length <= told) return null;
  const advice = 'load it as bytes (`response.arrayBuffer()`, no encoding), or send it as binary';
  return { what: 'a GLB that was read as text and written again, which cannot be undone', advice };
}

function countReplaced(bytes: Uint8Array): number {
  let n = 0;
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] === 0xef && bytes[i + 1] === 0xbf && bytes[i + 2] === 0xbd) n++;
  }
  return n;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Whether bytes begin as a GLB does. */
export function isGlb(bytes: Uint8Array): boolean {
  return [0x67, 0x6c, 0x54, 0x46].every((byte, i) => bytes[i] === byte);
}

function nameSafetensors(bytes: Uint8Array): ForeignFile | null {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return null;
  const nHeaderBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (nHeaderBytes < 2 || nHeaderBytes > 2 ** 32) return null;
  const advice = 'convert it first: `nsdf convert`, or importSafetensors';
  return { what: SAFETENSORS, advice };
}

function nameJson(text: string): ForeignFile | null {
  if (!/^[[{]/.test(text)) return null;
  if (/^\{[\s\S]*"(asset|meshes|buffers)"\s*:/.test(text)) {
    return { what: 'a glTF in JSON (.gltf)', advice: 'a .nsdf is binary: pack it as .glb, with its buffers' };
  }
  return { what: 'JSON', advice: SERVER_ADVICE };
}
