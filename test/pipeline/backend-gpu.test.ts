import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type BackendControl,
  type BackendSurface,
  type DeriveBackend,
  runFirst,
} from '../../src/pipeline/backend.ts';
import { createGpuBackend } from '../../src/pipeline/backend-gpu.ts';
import { sphereField } from '../fixtures/fields.ts';

const device = {} as GPUDevice;
const control: BackendControl = { signal: undefined, onProgress: undefined, device, isAuto: true };
const OPTIONS = { tolerance: 1e-2 };
const asset = sphereField();
let nBoxesSurviving: number;
const worker: DeriveBackend = {
  kind: 'worker',
  merit: '',
  unavailable: () => undefined,
  derive: async () => ({ stats: { nBoxesSurviving, timeMs: {} } }) as unknown as BackendSurface,
};

/** A GPU that is said to be fast or not, and writes down what it is asked. */
function fakeGpu({ isFast = false, isBroken = false } = {}) {
  const asked: string[] = [];
  const module = {
    isFast: async () => {
      asked.push('isFast');
      if (isBroken) throw new Error('lost');
      return isFast;
    },
    learn: async () => {
      asked.push('learn');
    },
    deriveJob: async () => ({ stats: {} }),
  };
  const load = vi.fn(async () => module as never);
  const backend = createGpuBackend([worker], load);
  const derive = async (options: object = OPTIONS) => {
    const { backend: used } = await runFirst([backend, worker], asset, options, control);
    // Nobody waits for what is learnt.
    await new Promise((resolve) => setTimeout(resolve));
    return used.kind;
  };
  return { asked, load, derive };
}

let stored: Map<string, string>;

beforeEach(() => {
  nBoxesSurviving = 5000;
  stored = new Map();
  vi.stubGlobal('navigator', { gpu: {} });
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const keep = (value: unknown): unknown => stored.set('nsdf-loader.gpu-speed', JSON.stringify(value));
const measured = (gain: unknown, atMs = Date.now()) => keep({ 'an adapter': { gain, atMs } });

test('the first field is the worker’s, and the GPU is measured by it', async () => {
  const { asked, derive } = fakeGpu();
  expect(await derive()).toBe('worker');
  expect(asked).toEqual(['learn']);
});

test('a GPU that was measured to be faster derives what it has the kernels for, and compiles them for the rest', async () => {
  measured(30);
  const ready = fakeGpu({ isFast: true });
  expect(await ready.derive()).toBe('gpu');
  expect(ready.asked).toEqual(['isFast']);
  const cold = fakeGpu();
  expect(await cold.derive()).toBe('worker');
  expect(cold.asked).toEqual(['isFast', 'learn']);
});

test.each([
  ['a slower GPU', 0.5],
  ['an adapter that computes on the processor', 0],
  ['one that is hardly faster than a worker’s first derivation', 1.5],
  ['what is no number', 'much'],
  ['what JSON makes of infinity', null],
])('%s is not even loaded', async (_name, gain) => {
  measured(gain);
  const { load, derive } = fakeGpu({ isFast: true });
  expect(await derive()).toBe('worker');
  expect(load).not.toHaveBeenCalled();
});

test('what is a month old, or spoilt, is measured again', async () => {
  const month = 31 * 24 * 3600 * 1000;
  for (const spoil of [
    () => measured(30, Date.now() - month),
    () => measured(30, 'yesterday' as never),
    () => keep(null),
    () => keep(['x', null]),
    () => stored.set('nsdf-loader.gpu-speed', '{'),
  ]) {
    spoil();
    const { asked, derive } = fakeGpu({ isFast: true });
    expect(await derive()).toBe('worker');
    expect(asked).toEqual(['learn']);
  }
});

test('previews and lattice levels are no measure', async () => {
  const { load, derive } = fakeGpu();
  expect(await derive({ preview: 16 })).toBe('worker');
  expect(load).not.toHaveBeenCalled();
});

test('a field that is derived in a moment is none either', async () => {
  nBoxesSurviving = 500;
  const { load, derive } = fakeGpu();
  expect(await derive()).toBe('worker');
  expect(load).not.toHaveBeenCalled();
});

test('a GPU that fails, or whose code is not to be had, costs nobody a mesh', async () => {
  measured(30);
  expect(await fakeGpu({ isBroken: true }).derive()).toBe('worker');
  const { load, derive } = fakeGpu();
  load.mockRejectedValue(new Error('offline'));
  expect(await derive()).toBe('worker');
  stored.clear();
  expect(await derive()).toBe('worker');
});

test('where pages may keep nothing, nothing is measured', async () => {
  vi.stubGlobal('localStorage', undefined);
  const { load, derive } = fakeGpu();
  expect(await derive()).toBe('worker');
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: () => {
      throw new Error('denied');
    },
  });
  expect(await derive()).toBe('worker');
  expect(load).not.toHaveBeenCalled();
});
