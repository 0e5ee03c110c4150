/** Records in memory, the least recently used dropped beyond a number of bytes. */
export class MemoryRecords {
  readonly maxBytes: number;
  /** In order of use: a Map keeps the order in which keys were set. */
  private readonly _records = new Map<string, Uint8Array>();
  private _nBytes = 0;
  private _nEvicted = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get nBytes(): number {
    return this._nBytes;
  }

  get nRecords(): number {
    return this._records.size;
  }

  /** Records dropped so far to make room. */
  get nEvicted(): number {
    return this._nEvicted;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this._records.get(key);
    if (bytes === undefined) return undefined;
    this._records.delete(key);
    this._records.set(key, bytes);
    return bytes;
  }

  /** Keeps a record; one that alone exceeds the bound is not kept. */
  set(key: string, bytes: Uint8Array): void {
    this.delete(key);
    if (bytes.byteLength > this.maxBytes) return;
    this._records.set(key, bytes);
    this._nBytes += bytes.byteLength;
    for (const oldest of this._records.keys()) {
      if (this._nBytes <= this.maxBytes) return;
      this.delete(oldest);
      this._nEvicted++;
    }
  }

  delete(key: string): void {
    this._nBytes -= this._records.get(key)?.byteLength ?? 0;
    this._records.delete(key);
  }

  clear(): void {
    this._records.clear();
    this._nBytes = 0;
  }
}
