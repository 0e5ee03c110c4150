import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { IndexedDbStore } from '../../src/cache/indexed-db.ts';
import { RecordCache, sealRecord } from '../../src/cache/record-cache.ts';

let databaseName = '';
let nDatabases = 0;
const opened: { close(): void }[] = [];
const bytesOf = (n: number, length = 100) => new Uint8Array(length).fill(n);

beforeEach(() => {
  databaseName = `test-${++nDatabases}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const one of opened.splice(0)) one.close();
  await new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(databaseName);
    request.onsuccess = request.onerror = request.onblocked = resolve;
  });
});

/** Two stores on one database stand for two tabs: each has its own connection. */
function openStore(maxBytes = 1e6): IndexedDbStore {
  const store = new IndexedDbStore({ databaseName, maxBytes });
  opened.push(store);
  return store;
}

function openCache(options = {}): RecordCache {
  const cache = new RecordCache({ databaseName, ...options });
  opened.push(cache);
  return cache;
}

describe('IndexedDbStore', () => {
  test('shares records between connections, keeps them over closing, and forgets them on demand', async () => {
    const [one, other] = [openStore(), openStore()];
    expect(await one.get('a')).toBeUndefined();
    await Promise.all([one.set('a', bytesOf(1)), other.set('b', bytesOf(2)), other.set('a', bytesOf(3))]);
    expect(await other.get('a')).toEqual(await one.get('a'));
    expect(await one.get('b')).toEqual(bytesOf(2));
    one.close();
    expect(await one.get('b')).toEqual(bytesOf(2));
    expect(await one.usage()).toEqual({ nRecords: 2, nBytes: 200 });
    await one.delete('a');
    expect(await other.get('a')).toBeUndefined();
    await one.clear();
    expect(await other.usage()).toEqual({ nRecords: 0, nBytes: 0 });
  });

  test('drops the least recently used beyond its bytes', async () => {
    const store = openStore(250);
    const clock = vi.spyOn(Date, 'now');
    const at = (ms: number) => clock.mockReturnValue(ms);
    at(1);
    await store.set('a', bytesOf(1));
    at(2);
    await store.set('b', bytesOf(2));
    at(3);
    expect(await store.get('a')).toEqual(bytesOf(1)); // used now: b is the oldest
    at(4);
    await store.set('c', bytesOf(3));
    expect(await store.get('b')).toBeUndefined();
    expect(await store.get('a')).toEqual(bytesOf(1));
    expect(await store.usage()).toEqual({ nRecords: 2, nBytes: 200 });
    await store.set('d', bytesOf(4, 300)); // alone too large
    expect(await store.usage()).toEqual({ nRecords: 2, nBytes: 200 });
  });

  test('makes room once where the browser gives less than it may take', async () => {
    const store = openStore();
    for (const key of ['a', 'b', 'c', 'd']) await store.set(key, bytesOf(1));
    const put = IDBObjectStore.prototype.put;
    const refuse = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(function (
      this: IDBObjectStore,
    ) {
      throw new DOMException('full', 'QuotaExceededError');
    });
    await store.set('e', bytesOf(5));
    refuse.mockImplementation(put);
    expect(await store.get('e')).toEqual(bytesOf(5));
    expect((await store.usage()).nBytes).toBeLessThanOrEqual(200);
  });

  test('lets another version of the database in, and opens again', async () => {
    const store = openStore();
    await store.set('a', bytesOf(1));
    const newer = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(databaseName, 99);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    newer.close();
    await expect(store.get('a')).rejects.toThrow(/IndexedDB cannot be used here \(VersionError/);
  });
});

describe('a connection that is lost', () => {
  /** Every connection that was opened in a test. */
  function spyOnOpen(): { readonly connections: IDBDatabase[]; hang(): void } {
    const connections: IDBDatabase[] = [];
    const open = indexedDB.open.bind(indexedDB);
    const spy = vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
      const request = open(...args);
      request.addEventListener('success', () => connections.push(request.result));
      return request;
    });
    // A request that never tells anything.
    const hang = () => void spy.mockImplementationOnce(() => new EventTarget() as IDBOpenDBRequest);
    return { connections, hang };
  }

  test('is replaced by another one, whatever is asked for next', async () => {
    const { connections } = spyOnOpen();
    const store = openStore();
    await store.set('a', bytesOf(1));
    const calls: (() => Promise<unknown>)[] = [
      () => store.get('a'),
      () => store.set('b', bytesOf(2)),
      () => store.usage(),
      () => store.delete('b'),
      () => store.clear(),
    ];
    for (const [i, call] of calls.entries()) {
      // As the browser kills it: without a word, for it was we who closed it.
      connections.at(-1)!.close();
      await call();
      expect(connections).toHaveLength(i + 2);
    }
  });

  test('counts for nothing where the next one works; one that hangs while it is opened likewise', async () => {
    const { connections, hang } = spyOnOpen();
    const kept = openStore();
    await kept.set('old', await sealRecord(bytesOf(9)));
    const nOpened = connections.length;
    const cache = openCache({ maxMemoryBytes: 0 });
    hang();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const late = cache.get('old');
      await vi.advanceTimersByTimeAsync(4001);
      expect(await late).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
    expect(connections).toHaveLength(nOpened);
    for (let i = 0; i < 5; i++) {
      expect(await cache.get('old')).toMatchObject({ source: 'store' });
      connections.at(-1)!.close();
    }
    expect(cache.statistics.store).toBe('ready');
    expect(connections).toHaveLength(nOpened + 5);
  });
});

describe('RecordCache over IndexedDB', () => {
  test('goes on in memory where IndexedDB is refused, as in private mode', async () => {
    vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    });
    const cache = openCache();
    expect(await cache.get('a')).toBeUndefined();
    cache.set('a', bytesOf(1));
    expect(await cache.get('a')).toMatchObject({ source: 'memory' });
    await cache.settled();
    expect(cache.statistics).toMatchObject({
      store: 'off',
      storeProblem: 'IndexedDB cannot be used here (SecurityError: The operation is insecure.)',
    });
    expect(await cache.usage()).toBeNull();
  });

  test('goes on reading where the quota is used up', async () => {
    const cache = openCache();
    cache.set('old', bytesOf(9));
    await cache.settled();
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    });
    const another = openCache();
    another.set('a', bytesOf(1));
    await another.settled();
    expect(another.statistics).toMatchObject({
      store: 'ready',
      storeProblem: expect.stringMatching(/quota/),
    });
    expect(await another.get('a')).toMatchObject({ source: 'memory' });
    expect(await another.get('old')).toMatchObject({ source: 'store' });
  });

  test('drops a corrupted record and one of an older version', async () => {
    const store = openStore();
    const damaged = await sealRecord(bytesOf(1));
    damaged[50] ^= 4;
    const stale = await sealRecord(bytesOf(1));
    stale[4]--;
    await store.set('damaged', damaged);
    await store.set('stale', stale);
    const cache = openCache();
    expect(await cache.get('damaged')).toBeUndefined();
    expect(await cache.get('stale')).toBeUndefined();
    expect(await cache.usage()).toEqual({ nRecords: 0, nBytes: 0 });
    expect(cache.statistics).toMatchObject({ nDamaged: 1, nStale: 1 });
  });
});
