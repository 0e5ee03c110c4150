import { afterEach, describe, expect, test, vi } from 'vitest';
import { deriveMesh, PartitionCache, readField } from '../../src/index.ts';
import { multiField } from '../fixtures/fields.ts';
import { countGivenWay } from './event-turns.ts';

const databaseName = 'test-cached-derive';
const made: PartitionCache[] = [];
const OPTIONS = { tolerance: 2e-3 };

/** A cache over the one database, as each tab and each visit has its own. */
function openCache(): PartitionCache {
  const cache = new PartitionCache({ databaseName });
  made.push(cache);
  return cache;
}

afterEach(async () => {
  vi.restoreAllMocks();
  await openCache().clear();
  for (const cache of made.splice(0)) cache.close();
});

describe('the cache in the browser', () => {
  test.each(['worker', 'cpu'] as const)('keeps over visits what the %s backend made', async (backend) => {
    const before = openCache();
    const cold = await deriveMesh(multiField(), { ...OPTIONS, backend, cache: before });
    expect(cold.stats).toMatchObject({ backend, cache: { use: 'miss', reason: '' } });
    await before.settled();
    const after = openCache();
    const warm = await deriveMesh(multiField(), { ...OPTIONS, cache: after });
    expect(warm.stats).toMatchObject({ backend: 'cache', cache: { use: 'store' } });
    expect(warm.mesh).toEqual(cold.mesh);
    const fine = await deriveMesh(multiField(), { tolerance: 1e-3, backend, cache: after });
    expect(fine.stats).toMatchObject({ backend, cache: { use: 'regions', reason: '' } });
    expect(fine.mesh).toEqual((await deriveMesh(multiField(), { tolerance: 1e-3 })).mesh);
    expect(await after.usage()).toMatchObject({ nRecords: 3 });
  });

  test('two tabs that derive the same at once agree, and keep it once', async () => {
    const caches = [openCache(), openCache()];
    const results = await Promise.all(caches.map((cache) => deriveMesh(multiField(), { ...OPTIONS, cache })));
    await Promise.all(caches.map((cache) => cache.settled()));
    expect(results[1].mesh).toEqual(results[0].mesh);
    expect(await caches[0].usage()).toMatchObject({ nRecords: 2 });
    const third = await deriveMesh(multiField(), { ...OPTIONS, cache: openCache() });
    expect(third.stats.cache.use).toBe('store');
    expect(third.mesh).toEqual(results[0].mesh);
  });

  test('reads in small steps, and gives way wherever a slice is over', async () => {
    const file = new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url);
    const asset = readField(await (await fetch(file)).arrayBuffer());
    const options = { tolerance: 1e-3 };
    await deriveMesh(asset, { ...options, cache: openCache() });
    await made.at(-1)?.settled();
    const count = async (passMs: number) => {
      const find = () => deriveMesh(asset, { ...options, cache: openCache() });
      const { n, value } = await countGivenWay(passMs, find);
      expect(value.stats.cache.use).toBe('store');
      expect(value.stats.nVertices).toBeGreaterThan(8000);
      return n;
    };
    const [standing, running] = [await count(0), await count(9)];
    expect(running - standing).toBeGreaterThan(4);
  });

  test('derives all the same where IndexedDB is refused, and says why nothing outlives the page', async () => {
    vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException(
        'A mutation operation was attempted on a database that did not allow mutations.',
        'InvalidStateError',
      );
    });
    const cache = openCache();
    expect((await deriveMesh(multiField(), { ...OPTIONS, cache })).stats.cache.use).toBe('miss');
    expect((await deriveMesh(multiField(), { ...OPTIONS, cache })).stats.cache.use).toBe('memory');
    expect(cache.statistics).toMatchObject({
      store: 'off',
      storeProblem: expect.stringMatching(/IndexedDB cannot/),
    });
    made.length = 0;
  });
});
