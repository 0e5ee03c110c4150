import { PerspectiveCamera } from 'three';
import { beforeAll, expect, it } from 'vitest';
import { nsdfOf, registerNSDFLoader } from '../../src/babylon/index.ts';
import { NSDFFileLoader } from '../../src/babylon/pure.ts';
import { deriveMesh, PartitionCache, writeNsdf } from '../../src/index.ts';
import { createScheduler } from '../../src/lod/index.ts';
import { NSDFLoader, objectFromAsset } from '../../src/three/index.ts';
import { createScene, importInto, throughNsdf } from '../babylon/load.ts';
import { sphereField } from '../fixtures/fields.ts';

const BALL = sphereField({ cells: [3] });
const FILE = writeNsdf(BALL);
const SETTINGS = { tolerance: 0.1, backend: 'cpu' } as const;

beforeAll(registerNSDFLoader);

const plain = <T extends object>(target: T): T => new Proxy(target, {});

const wrapped = new WeakMap<object, object>();
/** As Vue's `reactive`: objects and arrays come out as proxies, however deep, and one object as one proxy. */
function reactive<T extends object>(target: T): T {
  const tag = Object.prototype.toString.call(target);
  if (tag !== '[object Object]' && tag !== '[object Array]') return target;
  const known = wrapped.get(target);
  if (known) return known as T;
  const proxy = new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver);
      const { writable = true, configurable = true } = Object.getOwnPropertyDescriptor(object, key) ?? {};
      if (typeof value !== 'object' || value === null || !(writable || configurable)) return value;
      return reactive(value);
    },
  });
  wrapped.set(target, proxy);
  wrapped.set(proxy, proxy);
  return proxy as T;
}

const WAYS = [
  ['a proxy', plain],
  ['deep, reactive proxies', reactive],
] as const;

it.each(WAYS)('a loader and what it loads work behind %s', async (_, wrap) => {
  const loader = wrap(new NSDFLoader());
  loader.setTolerance(0.1).setBackend('cpu').setPartitionCache(false).setProgress(null).setSignal(null);
  expect(loader.settings).toMatchObject(SETTINGS);
  const group = wrap(await loader.parseAsync(FILE));
  const field = wrap(group.fields[0]);
  expect(field.isEmpty).toBe(false);
  expect(field.sample([0, 0, 0]).distances[0]).toBeLessThan(0);
  expect(field.sampleWorld([0, 0, 0]).distances[0]).toBeLessThan(0);
  expect((await field.derive({ ...SETTINGS, tolerance: 0.05 })).toleranceLocal).toBe(0.05);
  expect(group.clone().fields[0].stats!.toleranceLocal).toBe(0.05);
  loader.abort().dispose();
  group.dispose();
});

it.each(WAYS)('levels of detail work behind %s', async (_, wrap) => {
  const scheduler = wrap(createScheduler({ maxConcurrent: 1 }));
  const lod = { levels: [{ tolerance: 0.1 }, { tolerance: 0.02 }], viewportHeight: 500, scheduler };
  const object = wrap(await objectFromAsset(BALL, { lod, backend: 'cpu' }));
  const camera = new PerspectiveCamera();
  camera.position.z = 2;
  camera.updateMatrixWorld();
  object.updateMatrixWorld();
  await object.loadLevel(1);
  object.update(camera);
  expect(object.level!.index).toBe(1);
  expect(object.stats!.toleranceLocal).toBe(0.02);
  await object.setLod(false);
  expect(object.ladder).toEqual([]);
  object.dispose();
});

it.each(WAYS)('a cache works behind %s', async (_, wrap) => {
  const cache = wrap(new PartitionCache({ store: null }));
  expect((await deriveMesh(BALL, { ...SETTINGS, cache })).stats.cache.use).toBe('miss');
  expect((await deriveMesh(wrap(BALL), { ...SETTINGS, cache })).stats.cache.use).toBe('memory');
  expect(cache.statistics.nKept).toBeGreaterThan(0);
  await cache.clear();
  await cache.settled();
  cache.close();
});

it.each(WAYS)("Babylon's classes work behind %s", async (_, wrap) => {
  const scene = createScene();
  const { meshes } = await importInto(scene, FILE, throughNsdf(SETTINGS));
  const field = wrap(nsdfOf(wrap(meshes[1]))!);
  expect(field.stats.toleranceLocal).toBe(0.1);
  expect(field.sample([0, 0, 0]).distances[0]).toBeLessThan(0);
  expect((await field.derive({ ...SETTINGS, tolerance: 0.05 })).toleranceLocal).toBe(0.05);
  const loader = wrap(new NSDFFileLoader(SETTINGS));
  const container = await loader.loadAssetContainerAsync(scene, FILE, '');
  expect(container.meshes).toHaveLength(2);
  loader.dispose();
  scene.dispose();
});
