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
  /** `ready` until it fails; `off` where there is none, or after it failed, for the reason given. */
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
/** Failures in a row, other than for want of room, after which a store is left aside. */
const MAX_STORE_FAILURES = 3;

/**
 * Records of opaque bytes by key: in memory, and in a store that outlives the page. Nothing in it is trusted: a record
 * whose checksum is wrong is dropped. Nothing in it can fail a caller: without a store, in private mode or over quota,
 * it goes on in memory and `statistics` says why.
 */
export class RecordCache {
  readonly #memory: MemoryRecords;
  readonly #maxRecordBytes: number;
  readonly #writes = new Set<Promise<void>>();
  #store: CacheStore | null;
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
    if (this.#store === null) this.#storeProblem = 'no store was asked for';
  }

  get statistics(): CacheStatistics {
    return {
      ...this.#counts,
      nEvictedFromMemory: this.#memory.nEvicted,
      memoryBytes: this.#memory.nBytes,
      store: this.#store === null ? 'off' : 'ready',
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
      await this.#store?.clear();
    } catch (cause) {
      throw new NsdfLoadError(`the cache's store could not be cleared (${messageOf(cause)})`, { cause });
    }
  }

  /** What the store keeps, over all pages; null where there is no store or it can't tell. */
  async usage(): Promise<StoreUsage | null> {
    await this.settled();
    try {
      return (await this.#store?.usage?.()) ?? null;
    } catch (error) {
      this.#noteFailure(error);
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

  async #readStore(key: string): Promise<Uint8Array | undefined> {
    const store = this.#store;
    if (store === null) return undefined;
    try {
      const sealed = await withTimeout(store.get(key));
      this.#nStoreFailures = 0;
      return sealed === undefined ? undefined : await this.#open(key, sealed);
    } catch (error) {
      this.#noteFailure(error);
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
    const store = this.#store;
    if (store === null) return;
    const writing = withTimeout(action(store))
      .catch((error: unknown) => this.#noteFailure(error))
      .finally(() => this.#writes.delete(writing));
    this.#writes.add(writing);
  }

  /** A store that is full can still be read; one that fails otherwise is left aside sooner or later. */
  #noteFailure(error: unknown): void {
    this.#storeProblem = messageOf(error);
    if (isQuotaError(error)) return;
    this.#nStoreFailures++;
    const isHopeless = error instanceof NsdfLoadError || this.#nStoreFailures >= MAX_STORE_FAILURES;
    if (!isHopeless) return;
    this.#store?.close?.();
    this.#store = null;
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
