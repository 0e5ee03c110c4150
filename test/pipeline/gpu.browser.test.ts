import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import {
  type DeriveOptions,
  type DeriveProgress,
  deriveMesh,
  disposeGpu,
  disposeWorkers,
} from '../../src/index.ts';
import { multiField, randomField, sphereField } from '../fixtures/fields.ts';
import { leastOfThree, measureTasks } from './measure-tasks.ts';

const derive = (asset = multiField(), options: DeriveOptions = {}) =>
  deriveMesh(asset, { tolerance: 4e-3, backend: 'gpu', cache: false, ...options });

afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  disposeGpu();
  disposeWorkers();
});

describe('the gpu backend', () => {
  test('says where each part ran', async () => {
    const { stats } = await derive();
    expect(stats.backend).toBe('gpu');
    expect(stats.backendReason).toMatch(/^asked for; culled on google swiftshader.*, the rest by worker$/);
    expect(stats.timeMs.partition).toBeGreaterThan(0);
  });

  test('reports rising progress', async () => {
    const progress: DeriveProgress[] = [];
    await derive(multiField(), { onProgress: (step) => progress.push(step) });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(progress[0].stage).toBe('partition');
  });

  test('works on a device that is shared, and leaves it alone', async () => {
    const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice();
    const { stats } = await derive(multiField(), { device });
    expect(stats.backend).toBe('gpu');
    disposeGpu();
    device.pushErrorScope('validation');
    device.createBuffer({ size: 16, usage: 0x80 }).destroy();
    expect(await device.popErrorScope()).toBeNull();
    device.destroy();
  });

  test('has the worker do it all where the device is lost, and says so; the next job has a new device', async () => {
    const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice();
    const run = derive(multiField({ cells: [8, 32] }), { device });
    setTimeout(() => device.destroy(), 5);
    const { stats, mesh } = await run;
    expect(stats.backend).toBe('worker');
    expect(stats.backendReason).toMatch(/^fallback to worker \(gpu: The GPU device was lost during/);
    expect(mesh.indices.length).toBeGreaterThan(0);
    expect((await derive()).stats.backend).toBe('gpu');
  });

  test('has the worker do what the GPU cannot', async () => {
    const { stats } = await derive({ ...sphereField(), valueScale: 1e20 });
    expect(stats.backendReason).toBe(
      'fallback to worker (gpu: The weights are too large for single precision.)',
    );
  });

  test('falls back where there is no adapter', async () => {
    disposeGpu();
    vi.spyOn(navigator.gpu, 'requestAdapter').mockResolvedValue(null);
    const { stats } = await derive();
    expect(stats.backendReason).toBe('fallback to worker (gpu: WebGPU has no adapter here.)');
    vi.restoreAllMocks();
    expect((await derive()).stats.backend).toBe('gpu');
  });

  test('is not chosen for small fields, nor in software', async () => {
    const small = await derive(sphereField(), { backend: 'auto' });
    expect(small.stats.backendReason).toBe('auto: a module worker keeps this thread free');
    const large = await derive(randomField(9, { L: 4, T: 8, finest: 180, layers: [] }), {
      backend: 'auto',
      region: { min: [0, 0, 0], max: [0.05, 0.05, 0.05] },
    });
    expect(large.stats.backend).toBe('worker');
    expect(large.stats.backendReason).toMatch(/gpu: google swiftshader.* computes on the processor/);
  });

  test('honours an abort within 50 ms', async () => {
    await derive();
    const measure = async (): Promise<number> => {
      const controller = new AbortController();
      let abortedAtMs = Number.NaN;
      const onProgress = ({ fraction }: DeriveProgress): void => {
        if (fraction === 0 || controller.signal.aborted) return;
        abortedAtMs = performance.now();
        controller.abort('enough');
      };
      await expect(derive(multiField(), { signal: controller.signal, onProgress })).rejects.toBe('enough');
      return performance.now() - abortedAtMs;
    };
    expect(await leastOfThree(measure)).toBeLessThan(50);
  });

  test('never blocks the page for a long task', async () => {
    const asset = multiField({ cells: [8, 32] });
    await derive(asset);
    const measure = () => measureTasks(() => derive(asset));
    expect(await leastOfThree(async () => (await measure()).longestMs)).toBe(0);
  });
});
