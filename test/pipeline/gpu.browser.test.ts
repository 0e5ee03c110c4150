import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import {
  checkMesh,
  type DeriveOptions,
  type DeriveProgress,
  deriveMesh,
  disposeGpu,
  disposeWorkers,
  type FieldAsset,
  PartitionCache,
} from '../../src/index.ts';
import { fiveSpheres } from '../conformance/cases.ts';
import { multiField, randomField, sphereField } from '../fixtures/fields.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { countGivenWay, countTurnsToEnd, until } from './event-turns.ts';

const { device } = sharedGpu;

const deriveAlone = (asset: FieldAsset, options: DeriveOptions) =>
  deriveMesh(asset, { backend: 'gpu', cache: false, ...options });
const derive = (asset = fiveSpheres(), options: DeriveOptions = {}) =>
  deriveAlone(asset, { tolerance: 4e-3, device, ...options });

afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  disposeGpu();
  disposeWorkers();
});

describe('the gpu backend', () => {
  test('says where each part ran', async () => {
    const { stats } = await derive();
    expect(stats).toMatchObject({ backend: 'gpu', searchedBy: 'gpu' });
    expect(stats.backendReason).toMatch(/^asked for; derived on google swiftshader$/);
    expect(stats.timeMs.partition).toBeGreaterThan(0);
    expect(stats.nBoxesSurviving).toBeGreaterThan(0);
    expect(stats.nBoxesTested).toBeGreaterThan(stats.nBoxesSurviving);
  });

  test.each([
    [{ exact: true }, 'exact takes double precision'],
    [{ structure: true }, 'structure takes double precision'],
  ])('only culls for what takes double precision: %o', async (options, why) => {
    const { stats } = await deriveAlone(fiveSpheres(), { device, ...options });
    expect(stats).toMatchObject({ backend: 'worker', searchedBy: 'gpu' });
    expect(stats.backendReason).toBe(`asked for; culled on google swiftshader, the rest by worker (${why})`);
  });

  test('only culls a field whose mesh is not sound in single precision, and says what was wrong', async () => {
    const { stats, mesh } = await derive(randomField(15, { layers: [] }));
    expect(stats.backendReason).toMatch(
      /^asked for; culled on google swiftshader, the rest by worker \(In single precision the mesh stands off by up to [\d.]+ times its tolerance, /,
    );
    expect((await checkMesh(mesh, { domain: randomField(15).domain })).isClosed).toBe(true);
  });

  test('has the worker do what comes after the derivation', async () => {
    const { stats, mesh } = await derive(fiveSpheres(), { maxVertices: 400 });
    expect(stats).toMatchObject({ backend: 'gpu', searchedBy: 'gpu' });
    expect(stats.backendReason).toBe('asked for; derived on google swiftshader, the rest by worker');
    expect(mesh.positions.length / 3).toBeLessThanOrEqual(400);
    const report = await checkMesh(mesh);
    expect(report).toMatchObject({ isClosed: true, isManifold: true, nComponents: 5 });
  });

  test('follows tolerances by block', async () => {
    const blocks = { counts: [2, 1, 1] as const, tolerances: [2e-2, 1e-3] };
    const { mesh, stats } = await deriveAlone(sphereField(), { device, blocks });
    expect(stats.backendReason).toMatch(/derived on/);
    const { positions } = mesh;
    const xs = Array.from({ length: positions.length / 3 }, (_, i) => positions[i * 3]);
    const nRight = xs.filter((x) => x > 0).length;
    expect(nRight).toBeGreaterThan(1.5 * (xs.length - nRight));
    expect(await checkMesh(mesh)).toMatchObject({ isClosed: true, isManifold: true });
  });

  test('keeps its meshes in the cache apart from those in double precision', async () => {
    const cache = new PartitionCache({ store: null });
    const there = await derive(fiveSpheres(), { cache });
    const here = await derive(fiveSpheres(), { cache, backend: 'worker' });
    expect(here.stats.cache.use).not.toBe('memory');
    expect(here.mesh).not.toEqual(there.mesh);
    const again = await derive(fiveSpheres(), { cache });
    expect(again.stats.cache.use).toBe('memory');
    expect(again.mesh).toEqual(there.mesh);
  });

  test('reports rising progress', async () => {
    const progress: DeriveProgress[] = [];
    await derive(fiveSpheres(), { onProgress: (step) => progress.push(step) });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(progress[0].stage).toBe('partition');
  });

  test('works on a device that is shared, and leaves it alone', async () => {
    expect((await derive()).stats.backend).toBe('gpu');
    disposeGpu();
    device.pushErrorScope('validation');
    device.createBuffer({ size: 16, usage: 0x80 }).destroy();
    expect(await device.popErrorScope()).toBeNull();
    expect((await derive()).stats.backend).toBe('gpu');
  });

  test('has the worker do it all where the device is lost, and says so', async () => {
    const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
    const doomed = await adapter.requestDevice();
    const onProgress = () => doomed.destroy();
    const { stats, mesh } = await derive(fiveSpheres(), { device: doomed, onProgress });
    expect(stats.backend).toBe('worker');
    expect(stats.backendReason).toMatch(/^fallback to worker \(gpu: The GPU device was lost during/);
    expect(mesh.indices.length).toBeGreaterThan(0);
  });

  test('has the worker do what the GPU cannot', async () => {
    const { stats } = await derive({ ...sphereField(), valueScale: 1e18 });
    expect(stats.backendReason).toBe(
      'fallback to worker (gpu: The weights are too large for single precision.)',
    );
  });

  test('has a device of its own, anew for each job until there is one, and after one that was lost', async () => {
    const part = { tolerance: 4e-3, region: { min: [0.3, 0.3, 0.3], max: [0.7, 0.6, 0.7] } } as const;
    const find = vi.spyOn(navigator.gpu, 'requestAdapter').mockResolvedValue(null);
    const { stats } = await deriveAlone(fiveSpheres(), part);
    expect(stats.backendReason).toBe('fallback to worker (gpu: WebGPU has no adapter here.)');
    find.mockRestore();
    const devices: GPUDevice[] = [];
    const request = GPUAdapter.prototype.requestDevice;
    vi.spyOn(GPUAdapter.prototype, 'requestDevice').mockImplementation(async function (
      this: GPUAdapter,
      descriptor,
    ) {
      devices.push(await request.call(this, descriptor));
      return devices.at(-1)!;
    });
    const lost = deriveAlone(fiveSpheres(), part);
    await until(() => devices.length === 1);
    devices[0].destroy();
    const after = (await lost).stats;
    expect(after.backend).toBe('worker');
    expect(after.backendReason).toMatch(/the rest by worker \(The GPU device was lost/);
    expect((await deriveAlone(fiveSpheres(), part)).stats.backend).toBe('gpu');
    expect(devices).toHaveLength(2);
  });

  test('is not chosen in software, whatever is remembered of it', async () => {
    const speeds = { [sharedGpu.adapterName]: { gain: 50, atMs: Date.now() } };
    localStorage.setItem('nsdf-loader.gpu-speed', JSON.stringify(speeds));
    const { stats } = await derive(sphereField(), { backend: 'auto' });
    localStorage.removeItem('nsdf-loader.gpu-speed');
    expect(stats.backendReason).toBe('auto: a module worker keeps this thread free');
  });

  test('answers an abort at once', async () => {
    await derive();
    const { nTurns, reason } = await countTurnsToEnd((signal, abort) => {
      const onProgress = ({ fraction }: DeriveProgress): void => {
        if (fraction > 0) abort('enough');
      };
      return derive(fiveSpheres(), { signal, onProgress });
    });
    expect(reason).toBe('enough');
    expect(nTurns).toBeLessThanOrEqual(1);
  });

  test('gives way to the page wherever a slice is over, while it makes its buffers and its mesh', async () => {
    const asset = multiField({ cells: [8, 16, 32], thresholds: [-0.05, 0.04, 0.3] });
    await derive(asset); // with its kernels there
    let high = 0.9;
    const count = async (passMs: number) => {
      high -= 0.02; // another part of the field, for which everything is made anew
      const region = { min: [-1, -1, -1], max: [high, 1, 1] } as const;
      return (await countGivenWay(passMs, () => derive(asset, { region }))).n;
    };
    const [standing, running] = [await count(0), await count(9)];
    // Once for each part of a derivation, of which there are seven, where buffers are made and where they are filled.
    expect(running - standing).toBeGreaterThan(7);
  });
});
