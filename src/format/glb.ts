import { NsdfFormatError } from '../errors.ts';
import { type BytesSource, nameForeignBytes, nameMangled, parseJsonText, plainBytes } from './bytes.ts';
import { IssueList } from './issues.ts';

/** The two chunks of a GLB. */
export interface GlbChunks {
  readonly json: unknown;
  readonly bin: Uint8Array;
  /** Offset of the first byte of `bin` in the file. */
  readonly binByteOffset: number;
  /** The file is still arriving: `bin` is what has come of it. */
  readonly isPrefix?: boolean;
}

const MAGIC = 0x46546c67;
const CHUNK_JSON = 0x4e4f534a;
const CHUNK_BIN = 0x004e4942;
const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** Where a GLB's JSON begins; its length stands eight bytes before. */
export const GLB_JSON_OFFSET = HEADER_BYTES + CHUNK_HEADER_BYTES;

/** One chunk; its end is cut to the file's. */
interface Chunk {
  readonly type: number;
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/**
 * Takes a GLB apart. Every length is checked against the file; unknown chunks are skipped. Null if no JSON was found.
 * @see glTF 2.0 specification, chapter 4.
 */
export function parseGlb(file: Uint8Array, issues: IssueList): GlbChunks | null {
  const length = checkHeader(file, issues);
  if (length === null) return null;
  const chunks = listChunks(file.subarray(0, length), issues);
  const [first] = chunks;
  if (first?.type !== CHUNK_JSON) {
    issues.error('container', 'the first chunk is not JSON', { byteOffset: HEADER_BYTES });
    return null;
  }
  const bin = chunks.find(({ type }) => type === CHUNK_BIN);
  const json = parseJson(first, issues);
  if (json === undefined) return null;
  return { json, bin: bin?.bytes ?? new Uint8Array(0), binByteOffset: bin?.byteOffset ?? file.length };
}

/** Takes apart what has arrived of a GLB; null before its JSON is whole, or where it is none. */
export function parseGlbPrefix(received: Uint8Array): GlbChunks | null {
  if (received.length < GLB_JSON_OFFSET) return null;
  const view = viewOf(received);
  const isGlb = view.getUint32(0, true) === MAGIC && view.getUint32(4, true) === 2;
  const binHeader = GLB_JSON_OFFSET + view.getUint32(12, true);
  const binOffset = binHeader + CHUNK_HEADER_BYTES;
  if (!isGlb || view.getUint32(16, true) !== CHUNK_JSON || received.length < binOffset) return null;
  if (view.getUint32(binHeader + 4, true) !== CHUNK_BIN) return null;
  const issues = new IssueList();
  const json = parseJson(
    { type: CHUNK_JSON, byteOffset: GLB_JSON_OFFSET, bytes: received.subarray(GLB_JSON_OFFSET, binHeader) },
    issues,
  );
  if (json === undefined) return null;
  const bin = received.subarray(binOffset, binOffset + view.getUint32(binHeader, true));
  return { json, bin, binByteOffset: binOffset, isPrefix: true };
}

/** The length of the whole file that a GLB's first bytes name; null where they are none. */
export function glbByteLength(source: BytesSource): number | null {
  const received = plainBytes(source);
  if (received.length < HEADER_BYTES) return null;
  const view = viewOf(received);
  return view.getUint32(0, true) === MAGIC && view.getUint32(4, true) === 2 ? view.getUint32(8, true) : null;
}

/** The length that the header names, cut to the file's; null if this is no GLB 2.0. */
function checkHeader(file: Uint8Array, issues: IssueList): number | null {
  const view = viewOf(file);
  if (file.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    issues.error('container', describeForeign(file), { byteOffset: 0 });
    return null;
  }
  const version = view.getUint32(4, true);
  if (version !== 2) {
    issues.unsupported(`GLB version ${version}`, `GLB version ${version}, expected 2`, { byteOffset: 4 });
    return null;
  }
  const length = view.getUint32(8, true);
  const mangled = length === file.length ? null : nameMangled(file);
  if (mangled) {
    issues.error('container', `the file is ${mangled.what}: ${mangled.advice}`, { byteOffset: 8 });
    return null;
  }
  if (length > file.length) {
    const found = `the header says ${length} bytes, the file has ${file.length}`;
    const message = `truncated: ${found}: download or copy it again`;
    issues.error('container', message, { byteOffset: 8 });
  } else if (length < file.length) {
    const message = `${file.length - length} bytes after the end that the header names, ignored`;
    issues.note('warning', 'container', message, { byteOffset: length });
  }
  return Math.min(length, file.length);
}

/** What bytes are that start no GLB. */
function describeForeign(file: Uint8Array): string {
  const foreign = nameForeignBytes(file);
  if (foreign) return `not a .nsdf: the file is ${foreign.what}; ${foreign.advice}`;
  const found =
    file.length < HEADER_BYTES ? `${file.length} bytes` : `it starts with ${hex(file.subarray(0, 4))}`;
  return `not a GLB: ${found}, expected a header of ${HEADER_BYTES} bytes that starts with "glTF"`;
}

function listChunks(file: Uint8Array, issues: IssueList): Chunk[] {
  const view = viewOf(file);
  const chunks: Chunk[] = [];
  let offset = HEADER_BYTES;
  while (offset < file.length) {
    if (offset + CHUNK_HEADER_BYTES > file.length) {
      issues.error('container', 'the file ends within a chunk header', { byteOffset: offset });
      break;
    }
    const length = view.getUint32(offset, true);
    const type = view.getUint32(offset + 4, true);
    const byteOffset = offset + CHUNK_HEADER_BYTES;
    if (length % 4 !== 0) {
      issues.error('container', `chunk length ${length} is not a multiple of 4`, { byteOffset: offset });
    }
    if (byteOffset + length > file.length) {
      const message = `a chunk of ${length} bytes, but only ${file.length - byteOffset} follow`;
      issues.error('container', message, { byteOffset: offset });
    }
    chunks.push({ type, byteOffset, bytes: file.subarray(byteOffset, byteOffset + length) });
    offset = byteOffset + length;
  }
  return chunks;
}

/** Undefined if the chunk is no JSON. */
function parseJson({ bytes, byteOffset }: Chunk, issues: IssueList): unknown {
  try {
    return parseJsonText(bytes, byteOffset);
  } catch (error) {
    if (!(error instanceof NsdfFormatError)) throw error;
    issues.error('json', `the JSON chunk is ${error.message}`, { byteOffset });
    return undefined;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Packs JSON and bytes to a GLB; the BIN chunk is left out where there are no bytes. */
export function packGlb(json: unknown, bin: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const jsonLength = align4(text.length);
  const binLength = align4(bin.length);
  const binChunk = bin.length === 0 ? 0 : CHUNK_HEADER_BYTES + binLength;
  const length = GLB_JSON_OFFSET + jsonLength + binChunk;
  const file = new Uint8Array(length);
  const view = viewOf(file);
  [MAGIC, 2, length, jsonLength, CHUNK_JSON].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  file.fill(0x20, GLB_JSON_OFFSET, GLB_JSON_OFFSET + jsonLength);
  file.set(text, GLB_JSON_OFFSET);
  if (binChunk === 0) return file;
  view.setUint32(GLB_JSON_OFFSET + jsonLength, binLength, true);
  view.setUint32(GLB_JSON_OFFSET + jsonLength + 4, CHUNK_BIN, true);
  file.set(bin, GLB_JSON_OFFSET + jsonLength + CHUNK_HEADER_BYTES);
  return file;
}

/** The next multiple of 4: what glTF pads chunks and we pad bufferViews to. */
export function align4(n: number): number {
  return Math.ceil(n / 4) * 4;
}
