import { NsdfLoadError } from '../errors.ts';
import { IndexedDbStore, isQuotaError } from './indexed-db.ts';
import { MemoryRecords } from './memory-records.ts';
import { openRecord, sealRecord } from './sealed-record.ts';
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
  readonly #memory: MemoryRecords;
  readonly #maxRecordBytes: number;
  readonly #writes = new Set<Promise<void>>();
  readonly #store: CacheStore | null;
  readonly #now: () => number;
  /** The store is left aside until then. */
  #retryAtMs = Number.NEGATIVE_INFINITY;
  /** How often it was, since it last answered. */
  #nTimesAside = 0;
  /** Counts the connections that were given up: calls of an earlier one that fail later tell nothing new. */
  #nForgotten = 0;
  #storeProblem = '';
  #nStoreFailures = 0;
  #counts = { nMemoryHits: 0, nStoreHits: 0, nMisses: 0, nKept: 0, nDamaged: 0, nStale: 0, nOversized: 0 };

  constructor(options: CacheOptions = {}) {
    const { maxMemoryBytes, maxStoreBytes, maxRecordBytes, databaseName } = { ...CACHE_DEFAULTS, ...options };
    this.#memory = new MemoryRecords(maxMemoryBytes);
    this.#maxRecordBytes = maxRecordBytes;
    this.#store =
      options.store === undefined
        ? new IndexedDbStore({ databaseName, maxBytes: maxStoreBytes })
        : options.store;
    this.#now = options.now ?? (() => performance.now());
    if (this.#store === null) this.#storeProblem = 'no store was asked for';
  }

  get statistics(): CacheStatistics {
    return {
      ...this.#counts,
      nEvictedFromMemory: this.#memory.nEvicted,
      memoryBytes: this.#memory.nBytes,
      store: this.#usable === null ? 'off' : 'ready',
      storeProblem: this.#storeProblem,
    };
  }

  /** The record of a key; never rejects. */
  async get(key: string): Promise<CacheHit | undefined> {
    const known = this.#memory.get(key);
    if (known !== undefined) {
      this.#counts.nMemoryHits++;
      return { bytes: known, source: 'memory' };
    }
    const bytes = await this.#readStore(key);
    if (bytes === undefined) {
      this.#counts.nMisses++;
      return undefined;
    }
    this.#counts.nStoreHits++;
    this.#memory.set(key, bytes);
    return { bytes, source: 'store' };
  }

  /** Keeps a record, in memory at once and in the store in its own time; the bytes must not change afterwards. */
  set(key: string, bytes: Uint8Array): void {
    if (bytes.byteLength > this.#maxRecordBytes) {
      this.#counts.nOversized++;
      return;
    }
    this.#counts.nKept++;
    this.#memory.set(key, bytes);
    this.#write((store) => sealRecord(bytes).then((sealed) => store.set(key, sealed)));
  }

  /** Drops a record that turned out to be wrong. */
  reject(key: string): void {
    this.#counts.nDamaged++;
    this.#drop(key);
  }

  /**
   * Drops everything, in memory and in the store.
   * @throws {NsdfLoadError} if the store could not be cleared.
   */
  async clear(): Promise<void> {
    await this.settled();
    this.#memory.clear();
    try {
      if (this.#store) await withTimeout(this.#store.clear());
    } catch (cause) {
      throw new NsdfLoadError(`the cache's store could not be cleared (${messageOf(cause)})`, { cause });
    }
  }

  /** What the store keeps, over all pages; null where there is no store or it can't tell. */
  async usage(): Promise<StoreUsage | null> {
    await this.settled();
    const since = this.#nForgotten;
    try {
      const usage = this.#usable?.usage?.();
      return usage ? await withTimeout(usage) : null;
    } catch (error) {
      this.#noteFailure(error, since);
      return null;
    }
  }

  /** Resolves when the writes under way have ended. */
  async settled(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }

  /** Lets go of the store's connections. Records in memory stay; a later use opens the store again. */
  close(): void {
    this.#store?.close?.();
  }

  /** The store, unless it is left aside now. */
  get #usable(): CacheStore | null {
    return this.#now() < this.#retryAtMs ? null : this.#store;
  }

  async #readStore(key: string): Promise<Uint8Array | undefined> {
    const store = this.#usable;
    if (store === null) return undefined;
    const since = this.#nForgotten;
    try {
      const sealed = await withTimeout(store.get(key));
      this.#noteAnswer();
      return sealed === undefined ? undefined : await this.#open(key, sealed);
    } catch (error) {
      this.#noteFailure(error, since);
      return undefined;
    }
  }

  async #open(key: string, sealed: Uint8Array): Promise<Uint8Array | undefined> {
    const opened = await openRecord(sealed);
    if ('bytes' in opened) {
      if (opened.bytes.byteLength <= this.#maxRecordBytes) return opened.bytes;
      this.#counts.nOversized++;
    } else if (opened.problem === 'stale') this.#counts.nStale++;
    else this.#counts.nDamaged++;
    this.#drop(key);
    return undefined;
  }

  #drop(key: string): void {
    this.#memory.delete(key);
    this.#write((store) => store.delete(key));
  }

  /** Has the store do something without anybody waiting for it. */
  #write(action: (store: CacheStore) => Promise<void>): void {
    const store = this.#usable;
    if (store === null) return;
    const since = this.#nForgotten;
    const writing = withTimeout(action(store))
      .catch((error: unknown) => this.#noteFailure(error, since))
      .finally(() => this.#writes.delete(writing));
    this.#writes.add(writing);
  }

  #noteAnswer(): void {
    this.#nStoreFailures = this.#nTimesAside = 0;
    // What it was left aside for is over; that it is full is not.
    if (this.#retryAtMs !== Number.NEGATIVE_INFINITY) this.#storeProblem = '';
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * A store that is full can still be read. One that fails otherwise is told to forget its connection, which may have hung,
   * and tried anew with the next call; where that fails, too, it is left aside for a while, then tried once.
   * @param since what `#nForgotten` was when the call began.
   */
  #noteFailure(error: unknown, since: number): void {
    this.#storeProblem = messageOf(error);
    if (isQuotaError(error) || since !== this.#nForgotten) return;
    this.#nForgotten++;
    this.#store?.close?.();
    this.#nStoreFailures++;
    const isRetry = this.#nTimesAside > 0;
    if (!isRetry && this.#nStoreFailures < MAX_STORE_FAILURES) return;
    const waitMs = STORE_RETRY_MS[Math.min(STORE_RETRY_MS.length - 1, this.#nTimesAside)];
    this.#retryAtMs = this.#now() + waitMs;
    this.#nTimesAside++;
    this.#nStoreFailures = 0;
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
