import type { CacheOptions, CacheStatistics, RecordCache } from './record-cache.ts';
import type { StoreUsage } from './store.ts';

const NOTHING_YET: CacheStatistics = {
  nMemoryHits: 0,
  nStoreHits: 0,
  nMisses: 0,
  nKept: 0,
  nEvictedFromMemory: 0,
  nDamaged: 0,
  nStale: 0,
  nOversized: 0,
  memoryBytes: 0,
  store: 'ready',
  storeProblem: '',
};

/**
 * Keeps what derivations found, so that nothing is computed twice: in memory, and in IndexedDB or a store of your own.
 * Bounded in bytes, the least recently used dropped first. Shared by all tabs of an origin. A record that is damaged,
 * or of another version, is dropped and made again; where nothing can be stored (private mode, no more room) the cache
 * goes on in memory, and `statistics` says why.
 *
 * Making one opens and loads nothing yet.
 *
 * @example
 * const cache = new PartitionCache({ maxStoreBytes: 64 * 2 ** 20 });
 * const { stats } = await deriveMesh(asset, { cache });
 * const isDerivedAnew = stats.cache.use === 'miss';
 */
export class PartitionCache {
  private readonly _options: CacheOptions;
  private _records: RecordCache | undefined;

  constructor(options: CacheOptions = {}) {
    this._options = { ...options };
  }

  /** Counts since this cache was made. */
  get statistics(): CacheStatistics {
    return this._records?.statistics ?? NOTHING_YET;
  }

  /**
   * Drops everything that this cache and its store keep, for all tabs.
   * @throws {NsdfLoadError} if the store could not be cleared.
   */
  async clear(): Promise<void> {
    await (await this.open()).clear();
  }

  /** What the store keeps, over all tabs and earlier pages; null where there is none or it can't tell. */
  async usage(): Promise<StoreUsage | null> {
    return (await this.open()).usage();
  }

  /** Resolves when everything kept so far has reached the store. */
  async settled(): Promise<void> {
    await this._records?.settled();
  }

  /** Lets go of the store's connections; a later use opens them again. */
  close(): void {
    this._records?.close();
  }

  /** The records themselves; their code is loaded when they are first needed. @internal */
  async open(): Promise<RecordCache> {
    const { RecordCache } = await import('./record-cache.ts');
    this._records ??= new RecordCache(this._options);
    return this._records;
  }
}
