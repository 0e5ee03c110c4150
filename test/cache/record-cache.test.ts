import { describe, expect, test, vi } from 'vitest';
import { openRecord, RecordCache, sealRecord } from '../../src/cache/record-cache.ts';
import { type CacheStore, recordKey } from '../../src/cache/store.ts';
import { NsdfLoadError } from '../../src/errors.ts';

const bytesOf = (n: number, length = 100) => new Uint8Array(length).fill(n);

/** A store over a Map, whose methods can be replaced. */
function mapStore(parts: Partial<CacheStore> = {}): CacheStore & { records: Map<string, Uint8Array> } {
  const records = new Map<string, Uint8Array>();
  return {
    records,
    get: async (key) => records.get(key),
    set: async (key, bytes) => void records.set(key, bytes),
    delete: async (key) => void records.delete(key),
    clear: async () => records.clear(),
    ...parts,
  };
}

describe('recordKey', () => {
  const identity = {
    contentHash: 'ab',
    algorithm: '1',
    kind: 'surface',
    options: { tolerance: 1, exact: true },
  };

  test('is the same for equal identities and differs in every part', () => {
    const key = recordKey(identity);
    const reordered = { exact: true, tolerance: 1, resolution: undefined };
    expect(recordKey({ ...identity, options: reordered })).toBe(key);
    const others = [
      { ...identity, contentHash: 'ac' },
      { ...identity, algorithm: '2' },
      { ...identity, kind: 'regions' },
      { ...identity, options: { tolerance: 1 } },
      { ...identity, options: { tolerance: 2, exact: true } },
      { ...identity, options: { tolerance: '1', exact: true } },
    ];
    expect(new Set([key, ...others.map(recordKey)]).size).toBe(others.length + 1);
  });
});

describe('sealed records', () => {
  test('open to the bytes that went in', async () => {
    expect(await openRecord(await sealRecord(bytesOf(7)))).toEqual({ bytes: bytesOf(7) });
    expect(await openRecord(await sealRecord(new Uint8Array(0)))).toEqual({ bytes: new Uint8Array(0) });
  });

  test('are refused where any byte is wrong, missing or too many', async () => {
    const sealed = await sealRecord(bytesOf(7));
    for (let i = 0; i < sealed.length; i++) {
      const broken = sealed.slice();
      broken[i] ^= 1;
      expect(await openRecord(broken), `byte ${i}`).toHaveProperty('problem');
    }
    expect(await openRecord(sealed.subarray(0, 99))).toEqual({ problem: 'damaged' });
    expect(await openRecord(new Uint8Array(3))).toEqual({ problem: 'damaged' });
    expect(await openRecord('text')).toEqual({ problem: 'damaged' });
  });

  test('say where another version sealed them', async () => {
    const sealed = await sealRecord(bytesOf(7));
    sealed[4]++;
    expect(await openRecord(sealed)).toEqual({ problem: 'stale' });
  });
});

describe('RecordCache', () => {
  test('finds in memory, then in the store, what it was given', async () => {
    const store = mapStore();
    const cache = new RecordCache({ store });
    expect(await cache.get('a')).toBeUndefined();
    cache.set('a', bytesOf(1));
    expect(await cache.get('a')).toEqual({ bytes: bytesOf(1), source: 'memory' });
    await cache.settled();
    const another = new RecordCache({ store });
    expect(await another.get('a')).toEqual({ bytes: bytesOf(1), source: 'store' });
    expect(await another.get('a')).toEqual({ bytes: bytesOf(1), source: 'memory' });
    expect(another.statistics).toMatchObject({ nStoreHits: 1, nMemoryHits: 1, nMisses: 0, memoryBytes: 100 });
    expect(cache.statistics).toMatchObject({ nKept: 1, nMisses: 1, store: 'ready', storeProblem: '' });
  });

  test('drops the least recently used beyond its bytes of memory', async () => {
    const cache = new RecordCache({ store: null, maxMemoryBytes: 250 });
    cache.set('a', bytesOf(1));
    cache.set('b', bytesOf(2));
    await cache.get('a');
    cache.set('c', bytesOf(3));
    expect((await cache.get('b'))?.source).toBeUndefined();
    expect(await cache.get('a')).toBeDefined();
    expect(await cache.get('c')).toBeDefined();
    expect(cache.statistics).toMatchObject({ nEvictedFromMemory: 1, memoryBytes: 200, store: 'off' });
    cache.set('a', bytesOf(4, 50));
    expect(cache.statistics.memoryBytes).toBe(150);
  });

  test('keeps no record above its bound, and trusts none that a store has', async () => {
    const store = mapStore();
    const cache = new RecordCache({ store, maxRecordBytes: 99 });
    cache.set('a', bytesOf(1));
    expect(await cache.get('a')).toBeUndefined();
    store.records.set('b', await sealRecord(bytesOf(1)));
    expect(await cache.get('b')).toBeUndefined();
    await cache.settled();
    expect(store.records.size).toBe(0);
    expect(cache.statistics.nOversized).toBe(2);
  });

  test('drops damaged and stale records from the store', async () => {
    const store = mapStore();
    const damaged = await sealRecord(bytesOf(1));
    damaged[60] ^= 1;
    const stale = await sealRecord(bytesOf(1));
    stale[4]++;
    store.records.set('damaged', damaged).set('stale', stale);
    const cache = new RecordCache({ store });
    expect(await cache.get('damaged')).toBeUndefined();
    expect(await cache.get('stale')).toBeUndefined();
    await cache.settled();
    expect(store.records.size).toBe(0);
    expect(cache.statistics).toMatchObject({ nDamaged: 1, nStale: 1, nMisses: 2, nStoreHits: 0 });
  });

  test('drops what its user rejects', async () => {
    const store = mapStore();
    const cache = new RecordCache({ store });
    cache.set('a', bytesOf(1));
    await cache.settled();
    cache.reject('a');
    expect(await cache.get('a')).toBeUndefined();
    await cache.settled();
    expect(store.records.size).toBe(0);
    expect(cache.statistics.nDamaged).toBe(1);
  });

  test('goes on in memory where the store fails, and says why', async () => {
    const fail = async () => {
      throw new DOMException('not in private mode', 'SecurityError');
    };
    const cache = new RecordCache({ store: mapStore({ get: fail, set: fail }) });
    for (const key of ['a', 'b', 'c']) {
      expect(await cache.get(key)).toBeUndefined();
      cache.set(key, bytesOf(1));
      await cache.settled();
    }
    expect(await cache.get('c')).toMatchObject({ source: 'memory' });
    expect(cache.statistics).toMatchObject({
      store: 'off',
      storeProblem: 'SecurityError: not in private mode',
    });
  });

  test('goes on reading a store that is full', async () => {
    const store = mapStore({
      set: async () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    });
    store.records.set('old', await sealRecord(bytesOf(9)));
    const cache = new RecordCache({ store });
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, bytesOf(1));
    await cache.settled();
    expect(await cache.get('old')).toMatchObject({ source: 'store' });
    expect(await cache.get('a')).toMatchObject({ source: 'memory' });
    expect(cache.statistics).toMatchObject({ store: 'ready', storeProblem: 'QuotaExceededError: full' });
  });

  test('does not wait for a store that does not answer, and tries it anew once, then later', async () => {
    const calls: string[] = [];
    let isHung = true;
    const clock = { ms: 0 };
    const store = mapStore({ close: () => void calls.push('close') });
    store.records.set('a', await sealRecord(bytesOf(1)));
    const { get } = store;
    const hanging: CacheStore = {
      ...store,
      get: (key) => {
        calls.push('get');
        return isHung ? new Promise(() => {}) : get(key);
      },
    };
    const cache = new RecordCache({ store: hanging, now: () => clock.ms, maxMemoryBytes: 0 });
    /** Reads several records at once, and waits until the cache has given up. */
    const read = async (...keys: string[]) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const pending = Promise.all(keys.map((key) => cache.get(key)));
        await vi.advanceTimersByTimeAsync(4001);
        return (await pending)[0];
      } finally {
        vi.useRealTimers();
      }
    };
    // However many calls wait for one connection, it counts once.
    expect(await read('a', 'b', 'c')).toBeUndefined();
    expect(calls).toEqual(['get', 'get', 'get', 'close']);
    expect(cache.statistics.store).toBe('ready');
    expect(cache.statistics.storeProblem).toMatch(/did not answer within/);
    await read('a');
    expect(cache.statistics.store).toBe('off');
    calls.length = 0;
    expect(await cache.get('a')).toBeUndefined();
    expect(calls).toEqual([]);
    // Later it is tried once, and left aside for longer.
    clock.ms += 15_001;
    expect(cache.statistics.store).toBe('ready');
    await read('a');
    expect(calls).toEqual(['get', 'close']);
    clock.ms += 15_001;
    expect(cache.statistics.store).toBe('off');
    isHung = false;
    clock.ms += 60_000;
    expect(await cache.get('a')).toMatchObject({ source: 'store' });
    expect(cache.statistics).toMatchObject({ store: 'ready', storeProblem: '' });
  });

  test('clears memory and store; a store that cannot is an error', async () => {
    const store = mapStore();
    const cache = new RecordCache({ store });
    cache.set('a', bytesOf(1));
    await cache.clear();
    expect(store.records.size).toBe(0);
    expect(await cache.get('a')).toBeUndefined();
    const clear = () => Promise.reject(new Error('locked'));
    const stuck = new RecordCache({ store: mapStore({ clear }) });
    await expect(stuck.clear()).rejects.toThrow(NsdfLoadError);
  });
});
