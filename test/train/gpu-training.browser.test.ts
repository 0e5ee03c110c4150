import { afterEach, describe, expect, it, vi } from 'vitest';
import { NsdfGpuError } from '../../src/errors.ts';
import { createGpuContext } from '../../src/gpu/context.ts';
import { type TrainOptions, trainField } from '../../src/train/index.ts';
import { planTraining } from '../../src/train/options.ts';
import { startReplicas } from '../../src/train/start-replicas.ts';
import { startTrainer } from '../../src/train/start-trainer.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { until } from '../pipeline/event-turns.ts';
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
    expect(Math.abs(stats.errorLocal / onCpu.stats.errorLocal - 1)).toBeLessThan(0.25);
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
    await until(() => [...isFreed].every(([, freed]) => freed));
    expect(faults).toEqual([]);
    sharedGpu.device.removeEventListener('uncapturederror', onFault);
  });

  it('says so where the device is lost', async () => {
    const { device } = await createGpuContext();
    const training = trainField(TORUS, {
      ...ON_GPU,
      device,
      onProgress: ({ step }) => {
        if (step === 3) device.destroy();
      },
    });
    await expect(training).rejects.toBeInstanceOf(NsdfGpuError);
  });
});

describe('startTrainer', () => {
  const TINY = { resolutions: [4], nFeaturesPerLevel: 1, hidden: [4], poolSize: 16, nWorkers: 0 } as const;

  /** Where a training would run, and why there. */
  async function choose(options: TrainOptions, source: Parameters<typeof startReplicas>[0] = TORUS) {
    const plan = planTraining(options);
    const started = await startReplicas(source, plan, options);
    const { trainer, backend, backendReason } = await startTrainer(started, plan, options);
    for (const each of [trainer, ...started.ports]) each.close();
    return { backend, backendReason };
  }
  const FROM_GPU = { ...TINY, backend: 'gpu', device: sharedGpu.device } as const;

  it.each([
    {
      what: 'what is too large for a kernel',
      options: { hidden: [256, 256] },
      why: /514 inputs and neurons/,
    },
    { what: 'batches whose sums would be coarse', options: { batchSize: 65_537 }, why: /65537 samples/ },
    {
      what: 'tables that a buffer has no room for',
      options: { resolutions: [130], nFeaturesPerLevel: 8 },
      why: /train\.tableGradient needs .* maxStorageBufferBindingSize/,
    },
  ] as const)('leaves to the processor, and says why: $what', async ({ options, why }) => {
    const { backend, backendReason } = await choose({ ...FROM_GPU, ...options });
    expect(backend).toBe('cpu');
    expect(backendReason).toMatch(/^fallback to cpu \(gpu: /);
    expect(backendReason).toMatch(why);
  });

  it('leaves colours to the processor', async () => {
    const colors = { vertices: Float32Array.from(BALL.positions, () => 0.5) };
    expect(await choose(FROM_GPU, { ...BALL, colors })).toEqual({
      backend: 'cpu',
      backendReason: expect.stringMatching(/colours/),
    });
    expect(await choose({ ...FROM_GPU, color: false }, { ...BALL, colors })).toMatchObject({
      backend: 'gpu',
    });
    expect(await choose(FROM_GPU, BALL)).toMatchObject({ backend: 'gpu' });
  });

  it('leaves to the processor what a device was lost for, and frees what there was', async () => {
    const isFreed = watchBuffers();
    const { device } = await createGpuContext();
    device.destroy();
    const { backend, backendReason } = await choose({ ...FROM_GPU, device });
    expect(backend).toBe('cpu');
    expect(backendReason).toMatch(/lost/);
    await choose({ ...FROM_GPU, resolutions: [130], nFeaturesPerLevel: 8 });
    expect(isFreed.size).toBeGreaterThan(0);
    expect([...isFreed].filter(([, freed]) => !freed)).toEqual([]);
  });
});
