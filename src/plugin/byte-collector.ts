import { glbByteLength } from '../index.ts';

/** A length that a file claims is believed at once up to this; beyond it memory grows with what has come. */
const MAX_CLAIM = 64 * 2 ** 20;

/** Joins the chunks of a download in one buffer, of the length that a GLB's header names. */
export class ByteCollector {
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
