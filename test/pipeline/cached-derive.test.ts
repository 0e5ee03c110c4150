import { afterEach, describe, expect, test, vi } from 'vitest';
import { PartitionCache } from '../../src/cache/partition-cache.ts';
import { sealRecord } from '../../src/cache/record-cache.ts';
import type { CacheStore } from '../../src/cache/store.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { decodeRegions, encodeRegions } from '../../src/partition/regions-record.ts';
import { setDefaultCache } from '../../src/pipeline/default-cache.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { openEnvelope, packRecord } from '../../src/pipeline/record-envelope.ts';
import { checkMesh } from '../../src/surface/check.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { decodeSurface, encodeSurface } from '../../src/surface/surface-record.ts';
import { FIELD_CASES, multiField, octahedronMlp, sphereField } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';

/** A store whose records tests can reach. */
class OpenStore implements CacheStore {
  readonly records = new Map<string, Uint8Array>();
  get = async (key: string) => this.records.get(key);
  set = async (key: string, bytes: Uint8Array) => void this.records.set(key, bytes);
  delete = async (key: string) => void this.records.delete(key);
  clear = async () => this.records.clear();

  keyOf(kind: string): string {
    return [...this.records.keys()].find((key) => key.includes(`/${kind}/`)) as string;
  }

  /** Changes a record and seals it again, so that its checksum is right. */
  async tamper(kind: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
    const key = this.keyOf(kind);
    this.records.set(key, await sealRecord(change((this.records.get(key) as Uint8Array).slice(40))));
  }
}

type Change = (bytes: Uint8Array) => Uint8Array;

/** Changes the payload of a record, its own checksum made right. */
const inPayload =
  (change: (payload: Uint8Array) => void): Change =>
  (bytes) => {
    const { header, payload } = openEnvelope(bytes);
    const changed = payload.slice();
    change(changed);
    return packRecord(header, changed);
  };

/** Changes the mesh in a record. */
const inMesh =
  (change: (mesh: SurfaceMesh) => void): Change =>
  (bytes) => {
    const { header, payload } = openEnvelope(bytes);
    const mesh = runSteps(decodeSurface(payload));
    change(mesh);
    return packRecord(header, runSteps(encodeSurface(mesh)));
  };

/** Takes a box out of recorded regions, with all that was settled in it. */
function dropBox(bytes: Uint8Array): Uint8Array {
  const { header, payload } = openEnvelope(bytes);
  const { lattice } = makePlan(createCpuField(multiField()), {});
  const { cull } = runSteps(decodeRegions(payload, lattice));
  const middle = 3 * Math.floor(cull.nBoxes / 2);
  const boxes = Int32Array.from([...cull.boxes.subarray(0, middle), ...cull.boxes.subarray(middle + 3)]);
  const regions = { cull: { ...cull, boxes, nBoxes: cull.nBoxes - 1 }, forest: undefined };
  return packRecord(header, runSteps(encodeRegions(lattice, regions)));
}

const withHeader =
  (parts: object): Change =>
  (bytes) => {
    const { header, payload } = openEnvelope(bytes);
    return packRecord({ ...header, ...parts }, payload);
  };

const derive = (cache: PartitionCache, options: DeriveOptions = {}, asset = multiField()) =>
  deriveMesh(asset, { tolerance: 5e-3, ...options, cache });

/** Fills a store, and gives a new cache over it as a relaunch would. */
async function relaunch(options: DeriveOptions = {}, asset = multiField()) {
  const store = new OpenStore();
  const before = new PartitionCache({ store });
  const cold = await derive(before, options, asset);
  await before.settled();
  return { store, cold, cache: new PartitionCache({ store }) };
}

let filled: ReturnType<typeof relaunch> | undefined;
/** The same of `multi` without options, which is derived once for all tests: each has records of its own to change. */
async function relaunchMulti() {
  filled ??= relaunch();
  const { store: first, cold } = await filled;
  const store = new OpenStore();
  for (const [key, bytes] of first.records) store.records.set(key, bytes.slice());
  return { store, cold, cache: new PartitionCache({ store }) };
}

afterEach(() => vi.restoreAllMocks());

// One that is settled by bisection, one without a grid, one that leaves the domain, one without surface.
const CASES = FIELD_CASES.filter(({ name }) =>
  ['multi', 'slab', 'leaving', 'blob mlp', 'empty', 'sphere, oblong domain'].includes(name),
);

describe.each(CASES)('$name', ({ make }) => {
  test.each<DeriveOptions>([
    { tolerance: 1e-2 },
    { resolution: 12 },
    { exact: true },
    { tolerance: 1e-2, maxVertices: 2000 },
    { tolerance: 1e-2, cap: true },
    { tolerance: 1e-2, creaseAngle: 30 },
    { tolerance: 1e-2, region: { min: [-1, -1, -1], max: [1, 0.25, 1] } },
  ])('comes out of the cache byte for byte: %o', async (options) => {
    const { cold, cache } = await relaunch({ tolerance: undefined as never, ...options }, make());
    const asset = make();
    const stored = await derive(cache, { tolerance: undefined as never, ...options }, asset);
    const again = await derive(cache, { tolerance: undefined as never, ...options }, asset);
    expect(cold.stats.cache).toEqual({ use: 'miss', reason: '' });
    expect(cold.stats).toMatchObject({ backend: 'cpu', searchedBy: 'cpu' });
    const found = { backend: 'cache', searchedBy: 'cache' };
    expect(stored.stats).toMatchObject({ ...found, cache: { use: 'store' } });
    expect(again.stats).toMatchObject({ ...found, cache: { use: 'memory' } });
    const plain = await deriveMesh(asset, options);
    for (const { mesh, isEmpty, stats } of [cold, stored, again]) {
      expect(mesh).toEqual(plain.mesh);
      expect(isEmpty).toBe(plain.isEmpty);
      expect(stats.nBoxesSurviving).toBe(plain.stats.nBoxesSurviving);
      expect(stats.toleranceLocal).toBe(plain.stats.toleranceLocal);
    }
  });

  test('a coarse level seeds the finer one, which comes out byte for byte', async () => {
    const { cache } = await relaunch({ tolerance: 2e-2 }, make());
    const asset = make();
    const fine = await derive(cache, { tolerance: 4e-3 }, asset);
    expect(fine.stats.cache).toEqual({ use: 'regions', reason: '' });
    const plain = await deriveMesh(asset, { tolerance: 4e-3 });
    expect(fine.mesh).toEqual(plain.mesh);
    expect(fine.stats.nBoxesTested).toBe(plain.stats.nBoxesTested);
  });
});

describe('a mesh from the cache', () => {
  test('passes checkMesh', async () => {
    const asset = multiField();
    const { cache } = await relaunchMulti();
    const { mesh, stats } = await derive(cache);
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 1000,
    });
    expect(stats.cache.use).toBe('store');
    expect(report).toMatchObject({
      isClosed: true,
      isManifold: true,
      isOutwardOriented: true,
      nComponents: 5,
    });
    expect(report.meshToZeroSet?.max).toBeLessThan(5e-3);
  });

  test('is the caller’s own: changing it changes no later one', async () => {
    const { cache, cold } = await relaunchMulti();
    const one = await derive(cache);
    one.mesh.positions.fill(7);
    one.mesh.indices.fill(0);
    expect((await derive(cache)).mesh).toEqual(cold.mesh);
  });

  test('belongs to one field, one detail and one algorithm', async () => {
    const { cache } = await relaunchMulti();
    for (const options of [{ tolerance: 6e-3 }, { maxVertices: 1000 }, { creaseAngle: 40 }]) {
      const { stats } = await derive(cache, options);
      expect(stats).toMatchObject({ backend: 'cpu', searchedBy: 'cache', cache: { use: 'regions' } });
    }
    expect((await derive(cache, {}, multiField({ cells: [8, 16] }))).stats.cache.use).toBe('miss');
    expect((await derive(cache, {}, { ...multiField(), name: 'renamed' })).stats.cache.use).toBe('store');
    const part = { ...multiField(), region: { min: [-1, -1, -1], max: [1, 0, 1] } as const };
    expect((await derive(cache, {}, part)).stats.cache.use).toBe('miss');
    expect((await derive(cache, { structure: true })).structure).toBeDefined();
  });

  test('is found however its tolerance was asked for', async () => {
    const cache = new PartitionCache({ store: null });
    const ask = async (options: DeriveOptions, asset = sphereField({ cells: [4] })) =>
      (await deriveMesh(asset, { ...options, cache })).stats;
    const { toleranceLocal, cache: first } = await ask({});
    expect(first.use).toBe('miss');
    expect((await ask({ tolerance: toleranceLocal })).cache.use).toBe('memory');
    const { toleranceLocal: ofLattice } = await ask({ resolution: 16 });
    expect((await ask({ tolerance: ofLattice })).cache.use).toBe('memory');
    // Without a grid the lattice itself is another one.
    const coarse = await ask({ resolution: 16 }, octahedronMlp());
    expect((await ask({ tolerance: coarse.toleranceLocal }, octahedronMlp())).cache.use).toBe('miss');
  });

  test('reports its progress as finished, and honours an abort', async () => {
    const { cache } = await relaunchMulti();
    const onProgress = vi.fn();
    await derive(cache, { onProgress });
    expect(onProgress.mock.calls).toEqual([[{ stage: 'normals', fraction: 1 }]]);
    const controller = new AbortController();
    const pending = derive(cache, { signal: controller.signal });
    controller.abort('enough');
    await expect(pending).rejects.toBe('enough');
  });

  test('gives an empty surface as such', async () => {
    const empty = FIELD_CASES.find(({ name }) => name === 'empty')!.make();
    const { cache } = await relaunch({}, empty);
    expect(await derive(cache, {}, empty)).toMatchObject({
      isEmpty: true,
      stats: { cache: { use: 'store' } },
    });
  });
});

describe('a record that is wrong is dropped, and the mesh derived again', () => {
  test.each<[string, Change]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 5)],
    ['too long', (bytes) => Uint8Array.from([...bytes, 0])],
    ['of another version', (bytes) => bytes.fill(9, 4, 5)],
    ['of another field', withHeader({ contentHash: 'ff' })],
    ['of another kind', withHeader({ kind: 'regions' })],
    ['without statistics', withHeader({ stats: {} })],
    ['whose mesh ends early', inPayload((payload) => payload.fill(255, 0, 1))],
    [
      'with every vertex moved',
      inMesh(({ positions }) => positions.forEach((x, i) => void (positions[i] = x + 1e-3))),
    ],
    ['with a vertex far out', inMesh(({ positions }) => positions.fill(1e9, 4, 5))],
    ['with a coordinate that is no number', inMesh(({ positions }) => positions.fill(Number.NaN, 4, 5))],
    ['with a normal that is no direction', inMesh(({ normals }) => normals.fill(0, 3, 6))],
    ['with a hole', inMesh(({ indices }) => indices.copyWithin(0, 3, 6))],
    ['with a triangle turned', inMesh(({ indices }) => indices.subarray(0, 3).reverse())],
    ['with a triangle flat', inMesh(({ indices }) => indices.fill(indices[0], 0, 2))],
  ])('%s', async (_what, change) => {
    const { store, cache, cold } = await relaunchMulti();
    await store.tamper('surface', change);
    const { mesh, stats } = await derive(cache);
    expect(stats.cache.use).toBe('regions'); // those were right
    expect(mesh).toEqual(cold.mesh);
    expect(cache.statistics.nDamaged).toBe(1);
    await cache.settled();
    expect((await derive(new PartitionCache({ store }))).stats.cache.use).toBe('store');
  });

  test.each<[string, Change, string | RegExp]>([
    ['regions that lost a box', dropBox, /open edges/],
    ['regions that are none', inPayload((payload) => payload.fill(127, 10, 40)), /could not be used/],
    ['regions of another version', (bytes) => bytes.fill(9, 4, 5), /could not be used/],
  ])('%s', async (_what, change, reason) => {
    const { store, cache, cold } = await relaunchMulti();
    store.records.delete(store.keyOf('surface'));
    await store.tamper('regions', change);
    const { mesh, stats } = await derive(cache);
    expect(stats.cache).toEqual({ use: 'miss', reason: expect.stringMatching(reason) });
    expect(mesh).toEqual(cold.mesh);
    expect(cache.statistics.nDamaged).toBe(1);
  });
});

describe('options', () => {
  test('cache: false asks nothing and keeps nothing; Node has no default cache', async () => {
    expect((await deriveMesh(sphereField({ cells: [4] }))).stats.cache.use).toBe('off');
    expect((await deriveMesh(sphereField({ cells: [4] }), { cache: false })).stats.cache.use).toBe('off');
  });

  test('a default cache is used by whoever names none', async () => {
    const cache = new PartitionCache({ store: null });
    setDefaultCache(cache);
    try {
      const asset = sphereField({ cells: [4] });
      expect((await deriveMesh(asset)).stats.cache.use).toBe('miss');
      expect((await deriveMesh(asset)).stats.cache.use).toBe('memory');
      expect((await deriveMesh(asset, { cache: false })).stats.cache.use).toBe('off');
      expect(cache.statistics).toMatchObject({ nMemoryHits: 1, nMisses: 2, store: 'off' });
      await cache.clear();
      expect((await deriveMesh(asset)).stats.cache.use).toBe('miss');
    } finally {
      setDefaultCache(null);
    }
  });

  test('something else than a cache is refused', async () => {
    const cache = new Map() as never;
    await expect(deriveMesh(sphereField(), { cache })).rejects.toThrow(/PartitionCache, or false/);
  });

  test('without crypto.subtle nothing is cached, and the statistics say so', async () => {
    vi.stubGlobal('crypto', {});
    try {
      const { stats } = await deriveMesh(sphereField({ cells: [4] }), { cache: new PartitionCache() });
      expect(stats.cache).toEqual({ use: 'off', reason: expect.stringMatching(/HTTPS/) });
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
