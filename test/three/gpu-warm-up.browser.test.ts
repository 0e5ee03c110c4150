import { afterAll, expect, it, vi } from 'vitest';
import {
  deriveMesh,
  disposeGpu,
  disposeWorkers,
  prepareGpu,
  readNsdfPrefix,
  writeNsdf,
} from '../../src/index.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { emptyField, multiField, sphereField } from '../fixtures/fields.ts';
import { until } from '../pipeline/event-turns.ts';

afterAll(() => {
  disposeGpu();
  disposeWorkers();
});

/** Where the package keeps what it measured of adapters. */
const SPEED_KEY = 'nsdf-loader.gpu-speed';

async function createDevice(): Promise<GPUDevice> {
  const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
  return adapter.requestDevice();
}

/** Names of the pipelines that a device is asked for from now on. */
function watchPipelines(device: GPUDevice): string[] {
  const labels: string[] = [];
  vi.spyOn(device, 'createComputePipelineAsync').mockImplementation((descriptor) => {
    labels.push(descriptor.label ?? '');
    return GPUDevice.prototype.createComputePipelineAsync.call(device, descriptor);
  });
  return labels;
}

it('compiles for a field of which two of three levels are there what the whole field takes', async () => {
  const device = await createDevice();
  const bytes = writeNsdf(multiField());
  const prefix = [...Array(50).keys()]
    .map((i) => readNsdfPrefix(bytes.subarray(0, Math.round((bytes.length * i) / 50))))
    .find((found) => found?.nLevels === 2)!;
  expect(prefix.nLevelsTotal).toBe(3);
  const labels = watchPipelines(device);
  const { asset } = prefix.fields[0].field;
  expect(await prepareGpu(asset, { nLevels: 3, backend: 'gpu', device })).toBe(true);
  expect(labels.length).toBeGreaterThan(40);
  labels.length = 0;
  const { stats } = await deriveMesh(multiField(), { backend: 'gpu', device, cache: false, tolerance: 4e-3 });
  expect(stats.backendReason).toMatch(/derived on/);
  expect(labels).toEqual([]);
  device.destroy();
});

it('does nothing where the GPU would not be asked', async () => {
  expect(await prepareGpu(multiField(), { backend: 'worker' })).toBe(false);
  // Software is not what `auto` takes.
  expect(await prepareGpu(multiField())).toBe(false);
});

it.each(['gpu', 'auto'] as const)('is done while a file is still on its way: %s', async (backend) => {
  const device = await createDevice();
  // What a page knows that measured this adapter, which is said to be hardware.
  Object.defineProperty(device, 'adapterInfo', { value: { vendor: 'fast' } });
  localStorage.setItem(SPEED_KEY, JSON.stringify({ fast: { gain: 50, atMs: Date.now() } }));
  const labels = watchPipelines(device);
  const bytes = writeNsdf(sphereField());
  let send: (part: Uint8Array | null) => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = (part) => (part ? controller.enqueue(part) : controller.close());
    },
  });
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(body));
  const loader = new NSDFLoader()
    .setTolerance(4e-3)
    .setBackend(backend)
    .setDevice(device)
    .setPartitionCache(false);
  const loading = loader.loadAsync('held.nsdf');
  send(bytes.slice(0, Math.round(bytes.length * 0.7)));
  await until(() => labels.length > 40);
  expect(labels.filter((label) => label.startsWith('nsdf.cull'))).not.toHaveLength(0);
  send(bytes.slice(Math.round(bytes.length * 0.7)));
  send(null);
  const group = await loading;
  // Nobody who did not ask for it waits for what is not compiled yet.
  if (backend === 'gpu') expect(group.fields[0].stats!.backend).toBe('gpu');
  vi.restoreAllMocks();
  localStorage.removeItem(SPEED_KEY);
  device.destroy();
});

it('leaves files alone where nobody asked for the GPU and none is known to be faster', async () => {
  localStorage.setItem(SPEED_KEY, JSON.stringify({ slow: { gain: 0.5, atMs: Date.now() } }));
  const request = vi.spyOn(navigator.gpu, 'requestAdapter');
  const url = URL.createObjectURL(new Blob([writeNsdf(emptyField()) as Uint8Array<ArrayBuffer>]));
  await new NSDFLoader().setPartitionCache(false).loadAsync(url);
  expect(request).not.toHaveBeenCalled();
  URL.revokeObjectURL(url);
  request.mockRestore();
  localStorage.removeItem(SPEED_KEY);
});
