import { NsdfLoadError } from '../errors.ts';
import { IndexedDbStore, isQuotaError } from './indexed-db.ts';
import type { CacheStore, StoreUsage } from './store.ts';

/** How a cache is bounded and where it keeps what shall outlive the page. */
export interface CacheOptions {
  /** Bytes of records in memory. Default: 64 MiB. */
  readonly maxMemoryBytes?: number;
  /** Bytes of records in IndexedDB. Default: 256 MiB. */
  readonly maxStoreBytes?: number;
  /** A larger record is not kept at all. Default: 32 MiB. */
  readonly maxRecordBytes?: number;
  /** Another store than IndexedDB; null for memory alone. */
  readonly store?: CacheStore | null;
  /** Name of the IndexedDB database. Default: `nsdf-cache`. */
  readonly databaseName?: string;
  /** The clock by which a store that failed is tried again, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

export const CACHE_DEFAULTS = {
  maxMemoryBytes: 64 * 2 ** 20,
  maxStoreBytes: 256 * 2 ** 20,
  maxRecordBytes: 32 * 2 ** 20,
  databaseName: 'nsdf-cache',
} as const;

/** Counts since the cache was made. */
export interface CacheStatistics {
  readonly nMemoryHits: number;
  readonly nStoreHits: number;
  readonly nMisses: number;
  /** Records given to the cache to keep. */
  readonly nKept: number;
  /** Records dropped from memory to make room; they may still be in the store. */
  readonly nEvictedFromMemory: number;
  /** Records that were found but not trusted: wrong checksum, or refused by who decoded them. */
  readonly nDamaged: number;
  /** Records of another version. */
  readonly nStale: number;
  /** Records not kept because they exceed `maxRecordBytes`. */
  readonly nOversized: number;
  readonly memoryBytes: number;
  /**
   * `ready` while it is used; `off` where there is none, or while it is left aside after it failed, for the reason given:
   * it is tried again later.
   */
  readonly store: 'ready' | 'off';
  /** What the store failed with last, or why there is none; empty while all is well. */
  readonly storeProblem: string;
}

/** A record that was found. */
export interface CacheHit {
  readonly bytes: Uint8Array;
  readonly source: 'memory' | 'store';
}

/**
 * A store that does not answer within this time is left aside: what is asked for can be made again meanwhile. A browser
 * that had just started on a busy machine took 1.1 s to open its database.
 */
const STORE_TIMEOUT_MS = 4000;
/** Failures in a row, other than for want of room, after which a store is left aside: the first may be its connection's. */
const MAX_STORE_FAILURES = 2;
/** How long it is left aside; then it is tried once, and longer where it fails again. */
const STORE_RETRY_MS = [15_000, 60_000, 300_000];

/**
 * Records of opaque bytes by key: in memory, and in a store that outlives the page. Nothing in it is trusted: a record
 * whose checksum is wrong is dropped. Nothing in it can fail a caller: without a store, in private mode or over quota,
 * it goes on in memory and `statistics` says why.
 */
export class RecordCache {
  private readonly _memory: MemoryRecords;
  private readonly _maxRecordBytes: number;
  private readonly _writes = new Set<Promise<void>>();
  private readonly _store: CacheStore | null;
  private readonly _now: () => number;
  /** The store is left aside until then. */
  private _retryAtMs = Number.NEGATIVE_INFINITY;
  /** How often it was, since it last answered. */
  private _nTimesAside = 0;
  /** Counts the connections that were given up: calls of an earlier one that fail later tell nothing new. */
  private _nForgotten = 0;
  private _storeProblem = '';
  private _nStoreFailures = 0;
  private _counts = {
    nMemoryHits: 0,
    nStoreHits: 0,
    nMisses: 0,
    nKept: 0,
    nDamaged: 0,
    nStale: 0,
    nOversized: 0,
  };

  constructor(options: CacheOptions = {}) {
    const { maxMemoryBytes, maxStoreBytes, maxRecordBytes, databaseName } = { ...CACHE_DEFAULTS, ...options };
    this._memory = new MemoryRecords(maxMemoryBytes);
    this._maxRecordBytes = maxRecordBytes;
    this._store =
      options.store === undefined
        ? new IndexedDbStore({ databaseName, maxBytes: maxStoreBytes })
        : options.store;
    this._now = options.now ?? (() => performance.now());
    if (this._store === null) this._storeProblem = 'no store was asked for';
  }

  get statistics(): CacheStatistics {
    return {
      ...this._counts,
      nEvictedFromMemory: this._memory.nEvicted,
      memoryBytes: this._memory.nBytes,
      store: this._usable === null ? 'off' : 'ready',
      storeProblem: this._storeProblem,
    };
  }

  /** The record of a key; never rejects. */
  async get(key: string): Promise<CacheHit | undefined> {
    const known = this._memory.get(key);
    if (known !== undefined) {
      this._counts.nMemoryHits++;
      return { bytes: known, source: 'memory' };
    }
    const bytes = await this._readStore(key);
    if (bytes === undefined) {
      this._counts.nMisses++;
      return undefined;
    }
    this._counts.nStoreHits++;
    this._memory.set(key, bytes);
    return { bytes, source: 'store' };
  }

  /** Keeps a record, in memory at once and in the store in its own time; the bytes must not change afterwards. */
  set(key: string, bytes: Uint8Array): void {
    if (bytes.byteLength > this._maxRecordBytes) {
      this._counts.nOversized++;
      return;
    }
    this._counts.nKept++;
    this._memory.set(key, bytes);
    this._write((store) => sealRecord(bytes).then((sealed) => store.set(key, sealed)));
  }

  /** Drops a record that turned out to be wrong. */
  reject(key: string): void {
    this._counts.nDamaged++;
    this._drop(key);
  }

  /**
   * Drops everything, in memory and in the store.
   * @throws {NsdfLoadError} if the store could not be cleared.
   */
  async clear(): Promise<void> {
    await this.settled();
    this._memory.clear();
    try {
      if (this._store) await withTimeout(this._store.clear());
    } catch (cause) {
      throw new NsdfLoadError(`the cache's store could not be cleared (${messageOf(cause)})`, { cause });
    }
  }

  /** What the store keeps, over all pages; null where there is no store or it can't tell. */
  async usage(): Promise<StoreUsage | null> {
    await this.settled();
    const since = this._nForgotten;
    try {
      const usage = this._usable?.usage?.();
      return usage ? await withTimeout(usage) : null;
    } catch (error) {
      this._noteFailure(error, since);
      return null;
    }
  }

  /** Resolves when the writes under way have ended. */
  async settled(): Promise<void> {
    while (this._writes.size > 0) await Promise.all(this._writes);
  }

  /** Lets go of the store's connections. Records in memory stay; a later use opens the store again. */
  close(): void {
    this._store?.close?.();
  }

  /** The store, unless it is left aside now. */
  private get _usable(): CacheStore | null {
    return this._now() < this._retryAtMs ? null : this._store;
  }

  private async _readStore(key: string): Promise<Uint8Array | undefined> {
    const store = this._usable;
    if (store === null) return undefined;
    const since = this._nForgotten;
    try {
      const sealed = await withTimeout(store.get(key));
      this._noteAnswer();
      return sealed === undefined ? undefined : await this._open(key, sealed);
    } catch (error) {
      this._noteFailure(error, since);
      return undefined;
    }
  }

  private async _open(key: string, sealed: Uint8Array): Promise<Uint8Array | undefined> {
    const opened = await openRecord(sealed);
    if ('bytes' in opened) {
      if (opened.bytes.byteLength <= this._maxRecordBytes) return opened.bytes;
      this._counts.nOversized++;
    } else if (opened.problem === 'stale') this._counts.nStale++;
    else this._counts.nDamaged++;
    this._drop(key);
    return undefined;
  }

  private _drop(key: string): void {
    this._memory.delete(key);
    this._write((store) => store.delete(key));
  }

  /** Has the store do something without anybody waiting for it. */
  private _write(action: (store: CacheStore) => Promise<void>): void {
    const store = this._usable;
    if (store === null) return;
    const since = this._nForgotten;
    const writing = withTimeout(action(store))
      .catch((error: unknown) => this._noteFailure(error, since))
      .finally(() => this._writes.delete(writing));
    this._writes.add(writing);
  }

  private _noteAnswer(): void {
    this._nStoreFailures = this._nTimesAside = 0;
    // What it was left aside for is over; that it is full is not.
    if (this._retryAtMs !== Number.NEGATIVE_INFINITY) this._storeProblem = '';
    this._retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * A store that is full can still be read. One that fails otherwise is told to forget its connection, which may have hung,
   * and tried anew with the next call; where that fails, too, it is left aside for a while, then tried once.
   * @param since what `#nForgotten` was when the call began.
   */
  private _noteFailure(error: unknown, since: number): void {
    this._storeProblem = messageOf(error);
    if (isQuotaError(error) || since !== this._nForgotten) return;
    this._nForgotten++;
    this._store?.close?.();
    this._nStoreFailures++;
    const isRetry = this._nTimesAside > 0;
    if (!isRetry && this._nStoreFailures < MAX_STORE_FAILURES) return;
    const waitMs = STORE_RETRY_MS[Math.min(STORE_RETRY_MS.length - 1, this._nTimesAside)];
    this._retryAtMs = this._now() + waitMs;
    this._nTimesAside++;
    this._nStoreFailures = 0;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof NsdfLoadError ? error.message : `${error.name}: ${error.message}`;
}

/** @throws {NsdfLoadError} if the promise has not settled in time. */
function withTimeout<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new NsdfLoadError(`the store did not answer within ${STORE_TIMEOUT_MS} ms`);
    timer = setTimeout(() => reject(error), STORE_TIMEOUT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Records in memory, the least recently used dropped beyond a number of bytes. */
class MemoryRecords {
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

/** Layout of a sealed record: magic, version, SHA-256 of the bytes, the bytes. */
const MAGIC = 0x4344534e; // "NSDC"
const SEAL_VERSION = 1;
const HASH_OFFSET = 8;
const HEADER_BYTES = 40;

/** What opening a sealed record came to. */
type OpenedRecord =
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
