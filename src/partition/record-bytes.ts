import { NsdfFormatError } from '../errors.ts';

/** Writes a compact record: variable-length integers (7 bits a byte, low bits first) and raw little-endian floats. */
export class RecordWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  /** A whole number from 0 to 2^53. */
  unsigned(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 128;
    this.#bytes[this.#length++] = rest;
  }

  /** A whole number of up to 52 bits, small magnitudes in few bytes. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  float(value: number): void {
    this.raw(Float64Array.of(value));
  }

  /** The bytes of typed arrays as they lie in memory. */
  raw({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#reserve(byteLength);
    this.#bytes.set(new Uint8Array(buffer, byteOffset, byteLength), this.#length);
    this.#length += byteLength;
  }

  /** What was written, in a buffer of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(nBytes: number): void {
    if (this.#length + nBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + nBytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/**
 * Reads what {@link RecordWriter} wrote. Trusts nothing: every read is checked against the end.
 * @throws {NsdfFormatError} from every method, where the bytes end too early or a number is out of range.
 */
export class RecordReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get nLeft(): number {
    return this.#bytes.length - this.#offset;
  }

  unsigned(limit = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.#offset >= this.#bytes.length || scale > 2 ** 49) this.fail('a number has no end');
      const byte = this.#bytes[this.#offset++];
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    if (value > limit) this.fail(`found ${value}, expected at most ${limit}`);
    return value;
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float(): number {
    const { buffer } = this.raw(8);
    return new Float64Array(buffer)[0];
  }

  floats32(n: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.raw(4 * n).buffer);
  }

  floats64(n: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.raw(8 * n).buffer);
  }

  /** A copy of the next bytes, in a buffer of its own. */
  raw(nBytes: number): Uint8Array<ArrayBuffer> {
    if (!(nBytes <= this.nLeft)) this.fail(`expected ${nBytes} bytes more, found ${this.nLeft}`);
    // Not `slice`: where the bytes are Node's Buffer, that would be a view.
    const copy = new Uint8Array(nBytes);
    copy.set(this.#bytes.subarray(this.#offset, this.#offset + nBytes));
    this.#offset += nBytes;
    return copy;
  }

  end(): void {
    if (this.nLeft > 0) this.fail(`${this.nLeft} bytes too many`);
  }

  fail(what: string): never {
    throw new NsdfFormatError(`a damaged record: ${what}`, { byteOffset: this.#offset });
  }
}
