import { Box3, MeshBasicMaterial, Object3D, PerspectiveCamera } from 'three';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FieldAsset, NsdfArgumentError, NsdfUnsupportedError, PartitionCache } from '../../src/index.ts';
import { createScheduler, type LodScheduler } from '../../src/lod/index.ts';
import { NSDFObject, objectFromAsset } from '../../src/three/index.ts';
import { octahedronMlp, sphereField } from '../fixtures/fields.ts';

const CPU = { backend: 'cpu', cache: false } as const;
const make = (asset: FieldAsset, tolerance = 0.05) => objectFromAsset(asset, { tolerance, ...CPU });
const radiusOf = (object: NSDFObject) => new Box3().setFromObject(object.mesh as Object3D).max.x;

describe('NSDFObject.updateWeights', () => {
  it('puts other weights in place, and keeps all that is set on the object', async () => {
    const object = await make(octahedronMlp(0.5));
    const material = new MeshBasicMaterial();
    object.material = material;
    object.position.set(1, 2, 3);
    const label = new Object3D();
    object.add(label);
    const { mesh, geometry: before } = object;
    mesh!.layers.set(3);
    const clone = object.clone();
    const freed = vi.fn();
    before!.addEventListener('dispose', freed);
    const next = octahedronMlp(0.8);
    const stats = await object.updateWeights(next, { tolerance: 0.02, ...CPU });
    expect(object.stats).toBe(stats);
    expect(object.mesh).toBe(mesh);
    expect(object.material).toBe(material);
    expect(mesh!.layers.mask).toBe(8);
    expect(object.children).toEqual([mesh, label]);
    expect(object.position.toArray()).toEqual([1, 2, 3]);
    expect(radiusOf(object)).toBeCloseTo(0.8, 5);
    expect(object.sample([0.8, 0, 0]).distances[0]).toBeCloseTo(0, 6);
    expect(object.asset).toEqual(next);
    expect(freed).toHaveBeenCalledOnce();
    expect(clone.geometry).toBe(before);
    expect(clone.sample([0.5, 0, 0]).distances[0]).toBeCloseTo(0, 6);
  });

  it('takes a network of another shape, and gives an object without a field its first one', async () => {
    const object = await make(octahedronMlp(0.5));
    await object.updateWeights(sphereField({ cells: [4], radius: 0.7 }), { tolerance: 0.01, ...CPU });
    expect(radiusOf(object)).toBeCloseTo(0.7, 1);
    expect(object.asset?.encoding.kind).toBe('hash-grid');
    const empty = new NSDFObject();
    await empty.updateWeights(octahedronMlp(0.3), CPU);
    expect(radiusOf(empty)).toBeCloseTo(0.3, 5);
  });

  it('shows the old surface and samples the old field until the new one is there', async () => {
    const object = await make(octahedronMlp(0.5));
    const { geometry, asset, stats } = object;
    const seen: unknown[] = [];
    await object.updateWeights(sphereField({ cells: [8] }), {
      tolerance: 0.01,
      ...CPU,
      onProgress: () => seen.push(object.geometry, object.asset, object.stats),
    });
    expect(new Set(seen)).toEqual(new Set([geometry, asset, stats]));
    expect(object.geometry).not.toBe(geometry);
  });

  it('drops and aborts what a later call overtakes', async () => {
    const object = await make(octahedronMlp(0.5));
    const material = object.material as MeshBasicMaterial;
    const ended = vi.fn();
    const overtaken = [0.6, 0.7].map((radius) =>
      object.updateWeights(octahedronMlp(radius), { tolerance: 1e-4, ...CPU, onProgress: ended }),
    );
    const rejections = overtaken.map((update) =>
      expect(update).rejects.toMatchObject({ name: 'AbortError' }),
    );
    const last = object.updateWeights(octahedronMlp(0.9), CPU);
    await Promise.all(rejections);
    const nReports = ended.mock.calls.length;
    const stats = await last;
    expect(object.stats).toBe(stats);
    expect(radiusOf(object)).toBeCloseTo(0.9, 5);
    expect(ended).toHaveBeenCalledTimes(nReports);
    const disposed = object.updateWeights(octahedronMlp(0.4), CPU);
    object.dispose();
    await expect(disposed).rejects.toMatchObject({ name: 'AbortError' });
    expect(object.stats).toBe(stats);
    expect(object.material).toBe(material);
  });

  it('hands its weights on to a derivation that overtakes it', async () => {
    const object = await make(octahedronMlp(0.5));
    const update = object.updateWeights(octahedronMlp(0.8), { tolerance: 1e-4, ...CPU });
    const derived = object.derive({ tolerance: 0.05, ...CPU });
    await expect(update).rejects.toMatchObject({ name: 'AbortError' });
    await derived;
    expect(radiusOf(object)).toBeCloseTo(0.8, 5);
    expect(object.sample([0.8, 0, 0]).distances[0]).toBeCloseTo(0, 6);
  });

  it('changes nothing when it fails or is aborted', async () => {
    const object = await make(octahedronMlp(0.5));
    const { geometry, asset } = object;
    const next = octahedronMlp(0.8);
    await expect(object.updateWeights(next, { tolerance: -1 })).rejects.toBeInstanceOf(NsdfArgumentError);
    const broken = { ...next, layers: next.layers.slice(1) };
    await expect(object.updateWeights(broken, CPU)).rejects.toBeInstanceOf(NsdfUnsupportedError);
    const signal = AbortSignal.abort('enough');
    await expect(object.updateWeights(next, { ...CPU, signal })).rejects.toBe('enough');
    expect(object.geometry).toBe(geometry);
    expect(object.asset).toBe(asset);
    await object.derive(CPU);
    expect(radiusOf(object)).toBeCloseTo(0.5, 5);
  });

  it('finds arrays that were trained on in place to be other weights, in the cache too', async () => {
    const live = octahedronMlp(0.5);
    const cache = new PartitionCache({ store: null });
    const options = { tolerance: 0.05, backend: 'cpu', cache } as const;
    const object = await objectFromAsset(live, options);
    const other = octahedronMlp(0.8);
    live.layers.forEach(({ weights, bias }, i) => {
      weights.set(other.layers[i].weights);
      bias?.set(other.layers[i].bias!);
    });
    const first = object.updateWeights(live, options);
    for (const { weights } of live.layers) weights.fill(0);
    expect((await first).cache?.use).toBe('miss');
    expect(radiusOf(object)).toBeCloseTo(0.8, 5);
    expect((await object.updateWeights(other, options)).cache?.use).toBe('memory');
  });
});

describe('NSDFObject.updateWeights with levels of detail', () => {
  const LEVELS = [{ tolerance: 0.05 }, { tolerance: 0.005 }];
  let scheduler: LodScheduler;
  afterEach(() => scheduler.dispose());

  async function makeLeveled(): Promise<NSDFObject> {
    scheduler = createScheduler({ maxConcurrent: 1 });
    const lod = { levels: LEVELS, viewportHeight: 1000, scheduler, waitFor: 'coarse' } as const;
    return objectFromAsset(sphereField({ cells: [4], radius: 0.4 }), { lod, ...CPU });
  }

  it('makes the same ladder of the new field, and goes on choosing', async () => {
    const object = await makeLeveled();
    const { mesh, geometry: before } = object;
    const freed = vi.fn();
    before!.addEventListener('dispose', freed);
    const stats = await object.updateWeights(sphereField({ cells: [4], radius: 0.8 }));
    expect(object.lod).toMatchObject({ levels: LEVELS });
    expect(object.level?.name).toBe('tolerance 0.05');
    expect(object.stats).toBe(stats);
    expect(object.mesh).toBe(mesh);
    expect(radiusOf(object)).toBeCloseTo(0.8, 1);
    expect(freed).toHaveBeenCalledOnce();
    await object.loadLevel('finest');
    const camera = new PerspectiveCamera(90, 1, 0.01, 100);
    camera.position.z = 1.5;
    camera.updateMatrixWorld();
    object.updateMatrixWorld();
    object.update(camera);
    expect(object.level?.name).toBe('tolerance 0.005');
    expect(radiusOf(object)).toBeCloseTo(0.8, 2);
  });

  it('drops what is overtaken, takes settings changed meanwhile, and stays without levels once they are off', async () => {
    const object = await makeLeveled();
    const overtaken = object.updateWeights(sphereField({ cells: [4], radius: 0.5 }));
    const last = object.updateWeights(sphereField({ cells: [4], radius: 0.7 }));
    await expect(overtaken).rejects.toMatchObject({ name: 'AbortError' });
    await object.setLod({ ...object.lod, screenError: 7 });
    await last;
    expect(object.lod?.screenError).toBe(7);
    expect(radiusOf(object)).toBeCloseTo(0.7, 1);
    const update = object.updateWeights(sphereField({ cells: [4], radius: 0.6 }));
    await object.setLod(false);
    await update;
    expect(object.lod).toBeNull();
    expect(radiusOf(object)).toBeCloseTo(0.6, 1);
    expect(Math.abs(object.sample([0.6, 0, 0]).distances[0])).toBeLessThan(0.06);
  });
});
