import { NsdfLoadError } from '../errors.ts';
import type { CacheStore, StoreUsage } from './store.ts';

export interface IndexedDbOptions {
  readonly databaseName: string;
  /** Bytes of all records together; the least recently used are dropped beyond them. */
  readonly maxBytes: number;
}

/** Raised when the layout of the database changes; the old records are dropped then. */
const DATABASE_VERSION = 1;
/** Records by key. */
const RECORDS = 'records';
/** Size and last use by key, apart from the records so that eviction reads none of them. */
const USES = 'uses';

interface Use {
  readonly key: string;
  readonly nBytes: number;
  readonly usedAt: number;
}

/** Records in IndexedDB: shared by the tabs of an origin, kept over relaunches, bounded in size. */
export class IndexedDbStore implements CacheStore {
  private readonly _options: IndexedDbOptions;
  private _database: Promise<IDBDatabase> | undefined;

  constructor(options: IndexedDbOptions) {
    this._options = options;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this._use(async (database) => {
      const found: unknown = await result(database.transaction(RECORDS).objectStore(RECORDS).get(key));
      if (found === undefined) return undefined;
      void this._touch(database, key);
      // Something else than bytes is for the checksum to refuse.
      return found as Uint8Array;
    });
  }

  /** @throws a DOMException named QuotaExceededError where the browser gives no more room. */
  async set(key: string, bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength > this._options.maxBytes) return;
    try {
      await this._use((database) => this._put(database, key, bytes, this._options.maxBytes));
    } catch (error) {
      if (!isQuotaError(error)) throw error;
      // The browser gives less than we were allowed: half of what is there makes room, or nothing does.
      const { nBytes } = await this.usage();
      await this._use((database) => this._put(database, key, bytes, Math.floor(nBytes / 2)));
    }
  }

  async delete(key: string): Promise<void> {
    await this._use((database) => {
      const transaction = database.transaction([RECORDS, USES], 'readwrite');
      transaction.objectStore(RECORDS).delete(key);
      transaction.objectStore(USES).delete(key);
      return done(transaction);
    });
  }

  async clear(): Promise<void> {
    await this._use((database) => {
      const transaction = database.transaction([RECORDS, USES], 'readwrite');
      transaction.objectStore(RECORDS).clear();
      transaction.objectStore(USES).clear();
      return done(transaction);
    });
  }

  async usage(): Promise<StoreUsage> {
    const uses: Use[] = await this._use((database) =>
      result(database.transaction(USES).objectStore(USES).getAll()),
    );
    return { nRecords: uses.length, nBytes: uses.reduce((sum, { nBytes }) => sum + nBytes, 0) };
  }

  /** Also lets go of one that is still being opened, or hangs: the next call opens another one. */
  close(): void {
    this._database?.then(
      (database) => database.close(),
      () => {}, // there is nothing to close
    );
    this._database = undefined;
  }

  /**
   * Does something with the connection. One that was open before may have been killed meanwhile, which nobody need have
   * told us of: then it is done once more with a new one.
   */
  private async _use<T>(action: (database: IDBDatabase) => Promise<T>): Promise<T> {
    const known = this._database;
    const database = await this._open();
    try {
      return await action(database);
    } catch (error) {
      if (isQuotaError(error)) throw error;
      if (this._database === known) this.close();
      if (known === undefined) throw error;
      return action(await this._open());
    }
  }

  /** Keeps a record and drops the least recently used until all are within `maxBytes`, in one transaction. */
  private async _put(database: IDBDatabase, key: string, bytes: Uint8Array, maxBytes: number): Promise<void> {
    const transaction = database.transaction([RECORDS, USES], 'readwrite', { durability: 'relaxed' });
    const finished = done(transaction);
    try {
      const records = transaction.objectStore(RECORDS);
      const uses = transaction.objectStore(USES);
      const others = ((await result(uses.getAll())) as Use[]).filter((use) => use.key !== key);
      let nBytes = others.reduce((sum, use) => sum + use.nBytes, bytes.byteLength);
      for (const use of others.sort((a, b) => a.usedAt - b.usedAt)) {
        if (nBytes <= maxBytes) break;
        records.delete(use.key);
        uses.delete(use.key);
        nBytes -= use.nBytes;
      }
      records.put(bytes, key);
      uses.put({ key, nBytes: bytes.byteLength, usedAt: Date.now() } satisfies Use);
      transaction.commit();
    } catch (error) {
      // What was dropped to make room comes back.
      if (transaction.error === null) transaction.abort();
      await finished.catch(() => {});
      throw transaction.error ?? error;
    }
    await finished;
  }

  /** Notes a use; a failure costs nothing but a worse order of eviction. */
  private async _touch(database: IDBDatabase, key: string): Promise<void> {
    try {
      const uses = database.transaction(USES, 'readwrite', { durability: 'relaxed' }).objectStore(USES);
      const use: Use | undefined = await result(uses.get(key));
      // Another tab may have dropped the record since.
      if (use) uses.put({ ...use, usedAt: Date.now() });
    } catch {
      // Closed under us: the next call notices.
    }
  }

  /** A connection that could not be opened is forgotten. */
  private _open(): Promise<IDBDatabase> {
    if (this._database) return this._database;
    const opening = this._connect();
    this._database = opening;
    opening.catch(() => {
      if (this._database === opening) this._database = undefined;
    });
    return opening;
  }

  /** @throws {NsdfLoadError} where IndexedDB is absent or refused, as in some private modes. */
  private async _connect(): Promise<IDBDatabase> {
    try {
      const request = indexedDB.open(this._options.databaseName, DATABASE_VERSION);
      request.onupgradeneeded = () => createTables(request.result);
      const database = await result(request);
      const forget = (): void => {
        void this._database?.then((current) => {
          if (current === database) this._database = undefined;
        });
      };
      database.onversionchange = () => {
        database.close(); // a newer version of this package in another tab waits for it
        forget();
      };
      database.onclose = forget;
      return database;
    } catch (cause) {
      const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new NsdfLoadError(`IndexedDB cannot be used here (${reason})`, { cause });
    }
  }
}

function createTables(database: IDBDatabase): void {
  for (const name of [...database.objectStoreNames]) database.deleteObjectStore(name);
  database.createObjectStore(RECORDS);
  database.createObjectStore(USES, { keyPath: 'key' });
}

export function isQuotaError(error: unknown): boolean {
  return (error as Error | null)?.name === 'QuotaExceededError';
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException('aborted', 'AbortError'));
  });
}
