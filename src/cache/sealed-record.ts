/** Layout of a sealed record: magic, version, SHA-256 of the bytes, the bytes. */
const MAGIC = 0x4344534e; // "NSDC"
const SEAL_VERSION = 1;
const HASH_OFFSET = 8;
const HEADER_BYTES = 40;

/** What opening a sealed record came to. */
export type OpenedRecord =
  | { readonly bytes: Uint8Array }
  /** `stale`: sealed by another version of this package. */
  | { readonly problem: 'damaged' | 'stale' };

/** Puts a record's checksum before it. Needs `crypto.subtle` (a secure context in browsers). */
export async function sealRecord(bytes: Uint8Array): Promise<Uint8Array> {
  const sealed = new Uint8Array(HEADER_BYTES + bytes.byteLength);
  const view = new DataView(sealed.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, SEAL_VERSION, true);
  sealed.set(bytes, HEADER_BYTES);
  sealed.set(await sha256(sealed.subarray(HEADER_BYTES)), HASH_OFFSET);
  return sealed;
}

/** Checks a sealed record and gives the bytes in it, as a view. */
export async function openRecord(sealed: unknown): Promise<OpenedRecord> {
  if (!(sealed instanceof Uint8Array) || sealed.byteLength < HEADER_BYTES) return { problem: 'damaged' };
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return { problem: 'damaged' };
  if (view.getUint32(4, true) !== SEAL_VERSION) return { problem: 'stale' };
  const bytes = sealed.subarray(HEADER_BYTES);
  const hash = await sha256(bytes);
  const isWhole = hash.every((byte, i) => byte === sealed[HASH_OFFSET + i]);
  return isWhole ? { bytes } : { problem: 'damaged' };
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}
