import { afterEach, describe, expect, it, vi } from 'vitest';
import { NsdfGpuError } from '../../src/errors.ts';
import { createGpuContext } from '../../src/gpu/context.ts';
import { type TrainOptions, trainField } from '../../src/train/index.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { sphere, typed } from '../surface/check-meshes.ts';

const TORUS = {
  domain: { min: [-2, -2, -2], max: [2, 2, 2] } as const,
  distance(points: Float64Array, out: Float64Array) {
    for (let i = 0; i < out.length; i++) {
      const ring = Math.hypot(points[i * 3], points[i * 3 + 1]) - 1.2;
      out[i] = Math.hypot(ring, points[i * 3 + 2]) - 0.4;
    }
  },
};
const BALL = typed(sphere(2, 1, [0, 0, 0]));
const SMALL = {
  resolutions: [4, 12],
  hidden: [8, 8],
  steps: 40,
  batchSize: 512,
  poolSize: 1000,
  checkTolerance: 0.1,
  nWorkers: 0,
} as const;
const ON_GPU = { ...SMALL, backend: 'gpu', device: sharedGpu.device } as const;

/** Buffers that trainings made on the shared device since the call, and whether they are freed. */
function watchBuffers(): Map<string, boolean> {
  const isFreed = new Map<string, boolean>();
  const { device } = sharedGpu;
  const create = device.createBuffer.bind(device);
  let n = 0;
  vi.spyOn(device, 'createBuffer').mockImplementation((descriptor) => {
    const name = `${descriptor.label} ${n++}`;
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    isFreed.set(name, false);
    buffer.destroy = () => {
      isFreed.set(name, true);
      destroy();
    };
    return buffer;
  });
  return isFreed;
}

afterEach(() => vi.restoreAllMocks());

describe('trainField on the GPU', () => {
  it('comes as near as the processor in the same number of steps, gives the same bytes twice, and frees all', async () => {
    const isFreed = watchBuffers();
    const errors: (number | undefined)[] = [];
    const onProgress: TrainOptions['onProgress'] = ({ stage, errorLocal }) => {
      if (stage === 'train') errors.push(errorLocal);
    };
    const { stats, state } = await trainField(TORUS, { ...ON_GPU, onProgress });
    expect(stats).toMatchObject({ backend: 'gpu', nSteps: 40, nComponents: 1 });
    expect(stats.backendReason).toMatch(/^asked for; trained on .*swiftshader/i);
    expect(errors).toHaveLength(40);
    expect(errors.at(-1)).toBeLessThan(0.05);
    expect(isFreed.size).toBeGreaterThan(10);
    expect([...isFreed].filter(([, freed]) => !freed)).toEqual([]);

    const onCpu = await trainField(TORUS, { ...SMALL, backend: 'cpu' });
    expect(onCpu.stats).toMatchObject({ backend: 'cpu', backendReason: 'asked for' });
    expect(stats.errorLocal).toBeLessThan(1.1 * onCpu.stats.errorLocal);
    expect(stats.errorLocal).toBeGreaterThan(onCpu.stats.errorLocal / 1.1);

    expect((await trainField(TORUS, ON_GPU)).state).toEqual(state);
  });

  it('goes on from a state of either', async () => {
    const first = await trainField(BALL, { ...ON_GPU, steps: 10 });
    const onCpu = await trainField(BALL, {
      ...SMALL,
      steps: 10,
      backend: 'cpu',
      resume: first.state,
      seed: 2,
    });
    const later = await trainField(BALL, { ...ON_GPU, steps: 10, resume: onCpu.state, seed: 3 });
    expect(later.stats.errorLocal).toBeLessThan(first.stats.errorLocal);
    expect(later.state.moments.nSteps).toBeGreaterThanOrEqual(30);
  });

  it('trains with workers that draw the samples: the same as in workers without', async () => {
    const options = { ...SMALL, nWorkers: 2, steps: 10 };
    const { stats } = await trainField(BALL, { ...ON_GPU, ...options });
    expect(stats).toMatchObject({ backend: 'gpu', nWorkers: 2 });
    const onCpu = await trainField(BALL, { ...options, backend: 'cpu' });
    expect(stats.errorLocal / onCpu.stats.errorLocal).toBeCloseTo(1, 1);
  });

  it.each([
    {
      what: 'a software adapter that nobody asked for',
      options: { backend: 'auto' },
      reason: /on the processor/,
    },
    {
      what: 'a network that is too large',
      options: { hidden: [256, 256] },
      reason: /519 inputs and neurons/,
    },
    {
      what: 'a batch that is too large',
      options: { batchSize: 65_537, nWorkers: 0 },
      reason: /65537 samples/,
    },
  ] as const)('leaves to the processor, and says why: $what', async ({ options, reason }) => {
    const tiny = { resolutions: [4], nFeaturesPerLevel: 2, hidden: [4], steps: 1, poolSize: 16 } as const;
    const { stats } = await trainField(TORUS, { ...ON_GPU, ...tiny, ...options });
    expect(stats.backend).toBe('cpu');
    expect(stats.backendReason).toMatch(/^fallback to cpu \(gpu: /);
    expect(stats.backendReason).toMatch(reason);
  });

  it('leaves colours to the processor', async () => {
    const colors = { vertices: Float32Array.from(BALL.positions, () => 0.5) };
    const color = { resolutions: [4], nFeaturesPerLevel: 1, hidden: [4], log2HashmapSize: 8 };
    const options = { ...ON_GPU, steps: 1, poolSize: 16 } as const;
    const { stats } = await trainField({ ...BALL, colors }, { ...options, color });
    expect(stats.backend).toBe('cpu');
    expect(stats.backendReason).toMatch(/colours/);
    const without = await trainField({ ...BALL, colors }, { ...options, color: false });
    expect(without.stats.backend).toBe('gpu');
  });

  it('leaves nothing behind when it is aborted', async () => {
    const isFreed = watchBuffers();
    const faults: string[] = [];
    const onFault = ({ error }: GPUUncapturedErrorEvent): void => void faults.push(error.message);
    sharedGpu.device.addEventListener('uncapturederror', onFault);
    const controller = new AbortController();
    const training = trainField(TORUS, {
      ...ON_GPU,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 5) setTimeout(() => controller.abort(new Error('enough')));
      },
    });
    await expect(training).rejects.toThrow('enough');
    await sharedGpu.device.queue.onSubmittedWorkDone();
    expect(isFreed.size).toBeGreaterThan(10);
    await vi.waitFor(() => expect([...isFreed].filter(([, freed]) => !freed)).toEqual([]));
    expect(faults).toEqual([]);
    sharedGpu.device.removeEventListener('uncapturederror', onFault);
  });

  it('says so where the device is lost on the way, and trains on the processor where it was lost before', async () => {
    const { device } = await createGpuContext();
    const training = trainField(TORUS, {
      ...ON_GPU,
      device,
      onProgress: ({ step }) => {
        if (step === 3) device.destroy();
      },
    });
    await expect(training).rejects.toBeInstanceOf(NsdfGpuError);
    const { stats } = await trainField(TORUS, { ...ON_GPU, steps: 1, device });
    expect(stats.backend).toBe('cpu');
    expect(stats.backendReason).toMatch(/lost/);
  });
});
