import { NsdfFormatError } from '../errors.ts';

/** What a record says about itself, before its payload. */
export interface RecordHeader {
  readonly kind: string;
  /** SHA-256 of the field that the record is of. */
  readonly contentHash: string;
  readonly [key: string]: unknown;
}

/** A record taken apart. */
export interface OpenedEnvelope {
  readonly header: RecordHeader;
  readonly payload: Uint8Array;
}

const MAGIC = 0x5044534e; // "NSDP"
/** Raised when the layout of the envelope or of a payload changes. */
const RECORD_VERSION = 2;
/** Magic, version, length of the header, CRC-32 of the payload. */
const PREFIX_BYTES = 16;
const MAX_HEADER_BYTES = 65_536;

/**
 * Puts header and payload together: magic, version, length of the JSON, CRC-32 of the payload, JSON, payload. Spaces after
 * the JSON make the whole a multiple of four bytes, as bufferViews like to be.
 */
export function packRecord(header: RecordHeader, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const json = new Uint8Array(text.length + (-(text.length + payload.length) & 3)).fill(0x20);
  json.set(text);
  const bytes = new Uint8Array(PREFIX_BYTES + json.length + payload.length);
  const words = [MAGIC, RECORD_VERSION, json.length, crc32(payload)];
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  bytes.set(json, PREFIX_BYTES);
  bytes.set(payload, PREFIX_BYTES + json.length);
  return bytes;
}

/**
 * Takes a record apart and checks that it is whole, of this version, and what it is asked for.
 * @throws {NsdfFormatError} where it is not.
 */
export function unpackRecord(
  bytes: Uint8Array,
  expected: Pick<RecordHeader, 'kind' | 'contentHash'>,
): OpenedEnvelope {
  const opened = openEnvelope(bytes);
  const { header } = opened;
  for (const key of ['kind', 'contentHash'] as const) {
    if (header[key] === expected[key]) continue;
    throw new NsdfFormatError(
      `a record of another ${key}: ${String(header[key])}, expected ${expected[key]}`,
    );
  }
  return opened;
}

/** As {@link unpackRecord}, of whatever kind and field. */
export function openEnvelope(bytes: Uint8Array): OpenedEnvelope {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new NsdfFormatError('not a partition record', { byteOffset: 0 });
  }
  const version = view.getUint32(4, true);
  if (version !== RECORD_VERSION) {
    throw new NsdfFormatError(`a record of version ${version}, expected ${RECORD_VERSION}`, {
      byteOffset: 4,
    });
  }
  const nHeaderBytes = view.getUint32(8, true);
  if (nHeaderBytes > MAX_HEADER_BYTES || PREFIX_BYTES + nHeaderBytes > bytes.length) {
    throw new NsdfFormatError(`a record header of ${nHeaderBytes} bytes`, { byteOffset: 8 });
  }
  const payload = bytes.subarray(PREFIX_BYTES + nHeaderBytes);
  if (crc32(payload) !== view.getUint32(12, true)) {
    throw new NsdfFormatError('a damaged record: its checksum is wrong', { byteOffset: 12 });
  }
  return { header: parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + nHeaderBytes)), payload };
}

function parseHeader(bytes: Uint8Array): RecordHeader {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const { kind, contentHash } = header as RecordHeader;
    if (typeof kind === 'string' && typeof contentHash === 'string') return header as RecordHeader;
  } catch (cause) {
    throw new NsdfFormatError('a record whose header is no JSON', { byteOffset: PREFIX_BYTES, cause });
  }
  throw new NsdfFormatError('a record whose header lacks kind or contentHash', { byteOffset: PREFIX_BYTES });
}

/** CRC-32 as in zip and PNG, eight bits a step. */
function crc32(bytes: Uint8Array): number {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let word = i;
    for (let k = 0; k < 8; k++) word = word & 1 ? (word >>> 1) ^ 0xedb88320 : word >>> 1;
    table[i] = word;
  }
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}
