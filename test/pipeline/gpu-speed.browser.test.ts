import { afterAll, beforeEach, expect, test } from 'vitest';
import { deriveMesh, disposeGpu, disposeWorkers } from '../../src/index.ts';
import { octahedronMlp, sphereField } from '../fixtures/fields.ts';
import { until } from './event-turns.ts';

const KEY = 'nsdf-loader.gpu-speed';
const NAME = 'an adapter of the tests';

beforeEach(() => localStorage.removeItem(KEY));
afterAll(() => {
  localStorage.removeItem(KEY);
  disposeGpu();
  disposeWorkers();
});

/** This machine's device, under a name that nobody takes for software. */
async function hardware(): Promise<GPUDevice> {
  const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
  const device = await adapter.requestDevice();
  Object.defineProperty(device, 'adapterInfo', { value: { vendor: NAME } });
  return device;
}

const measured = (): { gain: number; atMs: number } | undefined =>
  JSON.parse(localStorage.getItem(KEY) ?? '{}')[NAME];

const remember = (gain: number): void =>
  localStorage.setItem(KEY, JSON.stringify({ [NAME]: { gain, atMs: Date.now() } }));

test('a GPU that computes on the processor is remembered as none', async () => {
  const { stats } = await deriveMesh(sphereField(), { tolerance: 4e-3, cache: false });
  expect(stats.backend).toBe('worker');
  await until(() => localStorage.getItem(KEY) !== null);
  const [kept] = Object.values(JSON.parse(localStorage.getItem(KEY) as string)) as { gain: number }[];
  expect(kept.gain).toBe(0);
});

test('a GPU is measured by the first field, remembered, and taken where it is faster and has the kernels', async () => {
  const device = await hardware();
  const asset = octahedronMlp(0.57);
  const derive = (of = asset) => deriveMesh(of, { tolerance: 4e-3, device, cache: false });
  const first = await derive();
  expect(first.stats.backend).toBe('worker');
  await until(() => measured() !== undefined);
  expect(measured()!.gain).toBeGreaterThan(0);
  remember(0.5);
  expect((await derive()).stats.backend).toBe('worker');
  remember(50);
  const fast = await derive();
  expect(fast.stats).toMatchObject({
    backend: 'gpu',
    backendReason: expect.stringMatching(/^auto: it was measured to be faster here; derived on/),
    isWithinTolerance: true,
  });
  const asked = await deriveMesh(asset, { tolerance: 4e-3, device, cache: false, backend: 'gpu' });
  expect(asked.mesh).toEqual(fast.mesh);
  // A field of another shape has to be compiled for, and nobody waits for that.
  expect((await derive(sphereField())).stats.backend).toBe('worker');
  device.destroy();
});
