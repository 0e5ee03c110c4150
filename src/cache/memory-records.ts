/** Records in memory, the least recently used dropped beyond a number of bytes. */
export class MemoryRecords {
  readonly maxBytes: number;
  /** In order of use: a Map keeps the order in which keys were set. */
  readonly #records = new Map<string, Uint8Array>();
  #nBytes = 0;
  #nEvicted = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get nBytes(): number {
    return this.#nBytes;
  }

  get nRecords(): number {
    return this.#records.size;
  }

  /** Records dropped so far to make room. */
  get nEvicted(): number {
    return this.#nEvicted;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this.#records.get(key);
    if (bytes === undefined) return undefined;
    this.#records.delete(key);
    this.#records.set(key, bytes);
    return bytes;
  }

  /** Keeps a record; one that alone exceeds the bound is not kept. */
  set(key: string, bytes: Uint8Array): void {
    this.delete(key);
    if (bytes.byteLength > this.maxBytes) return;
    this.#records.set(key, bytes);
    this.#nBytes += bytes.byteLength;
    for (const oldest of this.#records.keys()) {
      if (this.#nBytes <= this.maxBytes) return;
      this.delete(oldest);
      this.#nEvicted++;
    }
  }

  delete(key: string): void {
    this.#nBytes -= this.#records.get(key)?.byteLength ?? 0;
    this.#records.delete(key);
  }

  clear(): void {
    this.#records.clear();
    this.#nBytes = 0;
  }
}
