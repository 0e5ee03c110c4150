import { NsdfArgumentError } from '../errors.ts';

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
