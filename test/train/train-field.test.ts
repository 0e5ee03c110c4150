import { describe, expect, it, vi } from 'vitest';
import { NsdfArgumentError } from '../../src/errors.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import type { WorkerLike } from '../../src/pipeline/worker-host.ts';
import { checkTopology } from '../../src/surface/check-topology.ts';
import { closestOf, MeshSource } from '../../src/train/distance-source.ts';
import { falseParts } from '../../src/train/false-parts.ts';
import { GradientKernel, LOSS_WEIGHT_DEFAULTS, SAMPLE_STRIDE } from '../../src/train/gradient.ts';
import { trainField } from '../../src/train/index.ts';
import { Replica } from '../../src/train/replica.ts';
import { type FromReplica, serveReplica, type ToReplica } from '../../src/train/replica-port.ts';
import { TrainableField } from '../../src/train/trainable-field.ts';
import { prepareMesh } from '../../src/train/training-mesh.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';
import { join, sphere, typed } from '../surface/check-meshes.ts';

const SMALL = {
  resolutions: [4, 12],
  hidden: [8, 8],
  steps: 40,
  batchSize: 512,
  poolSize: 2000,
  checkTolerance: 0.05,
  nWorkers: 0,
} as const;
const SHAPE = { resolutions: [4], nFeaturesPerLevel: 1, hidden: [4] };
const SETUP = { weights: LOSS_WEIGHT_DEFAULTS, seed: 4, kernel: 'wasm', colorInterval: 1 } as const;
const BALL = typed(sphere(3, 2, [5, 0, -1]));

/** A worker that runs here: what is posted arrives later, as copies. */
function inProcessWorker(): WorkerLike {
  let toPage: (event: { data: FromReplica }) => void = () => {};
  let toWorker: (event: { data: ToReplica }) => void = () => {};
  serveReplica({
    postMessage: (message) => queueMicrotask(() => toPage({ data: structuredClone(message) })),
    addEventListener: (_, listener) => {
      toWorker = listener;
    },
  });
  return {
    postMessage: (message: ToReplica) => queueMicrotask(() => toWorker({ data: structuredClone(message) })),
    terminate: () => {},
    addEventListener: ((type: string, listener: (event: never) => void) => {
      if (type === 'message') toPage = listener as typeof toPage;
    }) as WorkerLike['addEventListener'],
  };
}

describe('trainField', () => {
  it('trains a mesh: near the surface, signed, one closed piece', async () => {
    const { asset, stats } = await trainField(BALL, SMALL);
    expect(stats.errorLocal).toBeLessThan(0.03);
    expect(stats).toMatchObject({ nComponents: 1, nFarLeft: 0, nWorkers: 0 });
    const field = createCpuField(asset);
    const values = new Float64Array(3);
    field.evaluate(Float64Array.of(5, 0, -1, 5, 0, 0.9, 5, 0, 1.1), values);
    expect(values[0]).toBeLessThan(-1.5);
    expect(values[1]).toBeCloseTo(-0.1, 1);
    expect(values[2]).toBeCloseTo(0.1, 1);
    const { mesh } = await deriveMesh(asset, { backend: 'cpu', cache: false, tolerance: 0.05 });
    expect(checkTopology(mesh, asset.domain)).toMatchObject({ nComponents: 1, isClosed: true, genus: 0 });
  });

  it('trains a mesh far off zero, in its own coordinates', async () => {
    const { asset, stats } = await trainField(typed(sphere(3, 2, [4e4, -9e4, 2e4])), SMALL);
    expect(stats).toMatchObject({ nComponents: 1, nFarMended: 0, nFarLeft: 0 });
    expect((asset.domain.min[1] + asset.domain.max[1]) / 2).toBeCloseTo(-9e4, 2);
  });

  it('is the same for a seed, and another for another', async () => {
    const options = { ...SMALL, steps: 5 };
    const weightsOf = async (seed: number) => (await trainField(BALL, { ...options, seed })).state.mlp;
    const first = await weightsOf(1);
    expect(await weightsOf(1)).toEqual(first);
    expect(await weightsOf(2)).not.toEqual(first);
  });

  it('trains in workers, with the same result every time', async () => {
    const options = { ...SMALL, steps: 5, nWorkers: 3, createWorker: inProcessWorker };
    const { state, stats } = await trainField(BALL, options);
    expect(stats).toMatchObject({ nWorkers: 3, workersReason: undefined });
    expect((await trainField(BALL, options)).state).toEqual(state);
  });

  it('gives the same bytes whatever the number of workers, where one of them makes the steps', async () => {
    const options = { ...SMALL, steps: 5, createWorker: inProcessWorker };
    const { state } = await trainField(BALL, { ...options, nWorkers: 0 });
    for (const nWorkers of [1, 2]) {
      expect((await trainField(BALL, { ...options, nWorkers })).state, `${nWorkers} workers`).toEqual(state);
    }
  });

  it('shares batches between workers in JavaScript', async () => {
    const options = { ...SMALL, steps: 5, createWorker: inProcessWorker, kernel: 'javascript' } as const;
    const { state, stats } = await trainField(BALL, { ...options, nWorkers: 3 });
    expect(stats).toMatchObject({ nWorkers: 3, kernel: 'javascript' });
    expect((await trainField(BALL, { ...options, nWorkers: 3 })).state).toEqual(state);
    expect((await trainField(BALL, { ...options, nWorkers: 1 })).state).not.toEqual(state);
  });

  it('trains here, and says why, where no worker starts', async () => {
    const createWorker = (): never => {
      throw new Error('not allowed');
    };
    const { stats } = await trainField(BALL, { ...SMALL, steps: 2, nWorkers: 2, createWorker });
    expect(stats.nWorkers).toBe(0);
    expect(stats.workersReason).toMatch(/not allowed/);
  });

  it('says where it took its steps, and why', async () => {
    const options = { ...SMALL, steps: 1, poolSize: 16 };
    const where = async (backend?: 'auto' | 'gpu' | 'cpu') =>
      (await trainField(BALL, backend ? { ...options, backend } : options)).stats;
    expect(await where('cpu')).toMatchObject({ backend: 'cpu', backendReason: 'asked for' });
    const fallback = { backend: 'cpu', backendReason: 'fallback to cpu (gpu: there is no WebGPU here)' };
    expect(await where('gpu')).toMatchObject(fallback);
    expect(await where()).toMatchObject({ backend: 'cpu', backendReason: expect.stringMatching(/^auto: /) });
    await expect(where('webgpu' as 'gpu')).rejects.toThrow(/backend is webgpu, expected auto, gpu or cpu/);
  });

  it('goes on from a state', async () => {
    const { state, stats } = await trainField(BALL, { ...SMALL, steps: 10 });
    const { stats: later } = await trainField(BALL, { ...SMALL, steps: 40, resume: state, seed: 7 });
    expect(later.errorLocal).toBeLessThan(stats.errorLocal);
    await expect(
      trainField(BALL, { ...SMALL, resume: { ...state, shape: { ...state.shape, hidden: [4] } } }),
    ).rejects.toThrow(NsdfArgumentError);
  });

  it('trains a distance function', async () => {
    const torus = {
      domain: { min: [-2, -2, -2], max: [2, 2, 2] } as const,
      distance(points: Float64Array, out: Float64Array) {
        for (let i = 0; i < out.length; i++) {
          const ring = Math.hypot(points[i * 3], points[i * 3 + 1]) - 1.2;
          out[i] = Math.hypot(ring, points[i * 3 + 2]) - 0.4;
        }
      },
    };
    const { asset, stats } = await trainField(torus, SMALL);
    expect(stats.errorLocal).toBeLessThan(0.05);
    const { mesh } = await deriveMesh(asset, { backend: 'cpu', cache: false, tolerance: 0.05 });
    expect(checkTopology(mesh, asset.domain)).toMatchObject({ isClosed: true, genus: 1 });
  });

  it('rests while its listener asks it to, and an abort ends the rest', async () => {
    const steps: number[] = [];
    let wake = (): void => {};
    const controller = new AbortController();
    const training = trainField(BALL, {
      ...SMALL,
      steps: 6,
      signal: controller.signal,
      onProgress: ({ step, stage }) => {
        steps.push(step);
        if (stage !== 'train' || step < 2) return undefined;
        return new Promise((resolve) => {
          wake = resolve;
        });
      },
    });
    await until(() => steps.at(-1) === 2);
    await passTurns(20);
    expect(steps.at(-1)).toBe(2);
    wake();
    await until(() => steps.at(-1) === 3);
    controller.abort(new Error('enough'));
    await expect(training).rejects.toThrow('enough');
    wake();
    await passTurns(20);
    expect(steps.at(-1)).toBe(3);
  });

  it("looks for a function's surface in slices, which an abort ends", async () => {
    const controller = new AbortController();
    let [nPoints, nCalls, nowMs] = [0, 0, 0];
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const distance = (points: Float64Array, out: Float64Array) => {
      nPoints += out.length;
      for (let i = 0; i < out.length; i++) out[i] = Math.hypot(...points.subarray(i * 3, i * 3 + 3)) - 0.6;
      nowMs += 5; // so that a slice is over after a few calls
      if (++nCalls === 3) controller.abort(new Error('enough'));
    };
    const training = trainField(
      { domain: { min: [-1, -1, -1], max: [1, 1, 1] }, distance },
      { ...SMALL, signal: controller.signal },
    );
    await expect(training).rejects.toThrow('enough');
    clock.mockRestore();
    expect(nCalls).toBeLessThanOrEqual(6);
    expect(nPoints).toBeLessThan(65 ** 3 / 2);
  });

  it('stops when it is aborted, in the middle of a step', async () => {
    const controller = new AbortController();
    let nSteps = 0;
    const training = trainField(BALL, {
      ...SMALL,
      steps: 1000,
      signal: controller.signal,
      onProgress: ({ step }) => {
        nSteps = step;
        if (step === 3) controller.abort(new Error('enough'));
      },
    });
    await expect(training).rejects.toThrow('enough');
    expect(nSteps).toBeLessThanOrEqual(4);
  });

  it('tells its progress, and the field as it is', async () => {
    const fractions: number[] = [];
    let middle: Promise<{ levels: number }> | undefined;
    await trainField(BALL, {
      ...SMALL,
      steps: 6,
      onProgress: ({ fraction, step, field }) => {
        fractions.push(fraction);
        if (step === 3)
          middle ??= field().then(({ encoding }) => ({
            levels: encoding.kind === 'hash-grid' ? encoding.levels.length : 0,
          }));
      },
    });
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions[fractions.length - 1]).toBe(1);
    expect(await middle).toEqual({ levels: 2 });
  });

  it.each([
    { options: { preset: 'quick' }, name: 'preset' },
    { options: { steps: 0 }, name: 'steps' },
    { options: { resolutions: [8, 4] }, name: 'resolutions' },
    { options: { hidden: [] }, name: 'hidden' },
    { options: { targetError: -1 }, name: 'targetError' },
    { options: { weights: { normal: -1 } }, name: 'weights.normal' },
  ])('refuses $name', async ({ options, name }) => {
    await expect(trainField(BALL, options as object)).rejects.toMatchObject({
      code: 'argument',
      argument: name,
    });
  });
});

describe('falseParts', () => {
  it('are pieces beside the surface that stand for nothing, and pieces far from it; not small parts', async () => {
    const parts = [
      sphere(3, 0.5),
      sphere(1, 0.002, [0.507, 0, 0]), // beside the first
      sphere(1, 0.05, [-0.7, 0.7, 0.7]), // far
      sphere(1, 0.02, [0.7, 0.1, 0]), // of the source, drawn too small
      sphere(1, 0.001, [0, 0, 0.495]), // beside the first, where that is worn off
    ];
    for (let i = 2; i < parts[0].positions.length; i += 3)
      parts[0].positions[i] = Math.min(0.4925, parts[0].positions[i]);
    const mesh = typed(parts.reduce((all, part) => join(all, part)));
    const source = new MeshSource(typed(join(sphere(3, 0.5), sphere(1, 0.026, [0.7, 0.1, 0]))));
    const setup = { ...SETUP, shape: SHAPE, batchSize: 16, nReplicas: 1 };
    const points = Float64Array.from(mesh.positions);
    const found = falseParts(
      Uint32Array.from(mesh.indices),
      points,
      (await Replica.create(source, setup, 0)).closestPoints(points),
    );
    expect(found).toMatchObject({ nComponents: 5, nFalse: 3 });
    const wrong = [1, 2, 4].map((i) => parts[i].positions.length);
    expect(found.points).toHaveLength(wrong.reduce((sum, n) => sum + n));
  });
});

describe('falseParts of a source whose parts overlap', () => {
  const unitCorners = sphere(0, 1);
  const octahedron = (radius: number, center: number[]) => ({
    positions: unitCorners.positions.map((x, i) => x * radius + center[i % 3]),
    indices: unitCorners.indices,
  });

  it('are specks beside them, too, also such as touch the surface; not its other parts', () => {
    const { triangles, surface, tree } = prepareMesh([
      typed([sphere(3, 0.5), sphere(3, 0.4, [0.45, 0.1, 0])].reduce((a, b) => join(a, b))),
      typed(octahedron(0.012, [-0.7, 0, 0])),
    ]);
    const source = new MeshSource(triangles, surface, tree);
    // As it is, but for a cap that came off at one end and is drawn as a splinter there.
    const ends = Array.from({ length: triangles.positions.length / 3 }, (_, v) =>
      triangles.positions.slice(v * 3, v * 3 + 3),
    );
    const end = ends.reduce((a, b) => (b[0] > a[0] ? b : a));
    const whole = {
      positions: [...triangles.positions].map((x, i) => (i % 3 === 0 ? Math.min(x, end[0] - 4e-3) : x)),
      indices: [...triangles.indices],
    };
    const speck = octahedron(1e-3, [end[0] - 1e-3, end[1], end[2]]);
    const mesh = join(whole, speck);
    const points = Float64Array.from(mesh.positions);
    expect(falseParts(Uint32Array.from(mesh.indices), points, closestOf(source, points))).toMatchObject({
      nComponents: 4,
      nFalse: 1,
    });
  });
});

describe('Replica', () => {
  it.each([1, 2, 3])(
    'stays equal, bit by bit, to the others, whatever their kernels: %i features',
    async (nFeaturesPerLevel) => {
      const shape = { resolutions: [4, 8], nFeaturesPerLevel, hidden: [8] };
      const setup = { ...SETUP, shape, batchSize: 90, nReplicas: 4 };
      const source = new MeshSource(typed(sphere(2, 0.7)));
      const replicas = await Promise.all(
        (['wasm', 'javascript', 'javascript', 'wasm'] as const).map((kernel, number) =>
          Replica.create(source, { ...setup, kernel }, number),
        ),
      );
      expect(replicas.map(({ kernel }) => kernel.kind)).toEqual(['wasm', 'javascript', 'javascript', 'wasm']);
      const pools = {
        wide: replicas[0].makePool('wide', 0, 100),
        uniform: replicas[1].makePool('uniform', 0, 100),
      };
      for (const replica of replicas) replica.setPools(pools);
      for (let step = 0; step < 3; step++) {
        const gradients = replicas.map((replica) => {
          const work = replica.gradient(step);
          let part = work.next();
          while (!part.done) part = work.next();
          return part.value;
        });
        for (const replica of replicas) replica.apply(gradients, 1);
      }
      const [first, ...others] = replicas.map((replica) => replica.state());
      for (const other of others) expect(other).toEqual(first);
      expect(first.moments.nSteps).toBe(3);
    },
  );

  it('makes the same pool whoever makes its parts', async () => {
    const setup = { ...SETUP, shape: SHAPE, batchSize: 16, nReplicas: 2 };
    const source = new MeshSource(typed(sphere(1, 0.7)));
    const [a, b] = await Promise.all([0, 1].map((number) => Replica.create(source, setup, number)));
    const whole = a.makePool('wide', 0, 20);
    const parts = [...a.makePool('wide', 0, 7), ...b.makePool('wide', 7, 20)];
    expect([...whole]).toEqual(parts);
  });

  it('draws the samples for others that it trains on itself', async () => {
    const shape = { resolutions: [4], nFeaturesPerLevel: 1, hidden: [4] };
    const setup = { ...SETUP, kernel: 'javascript', shape, batchSize: 60, nReplicas: 2 } as const;
    const source = new MeshSource(typed(sphere(1, 0.7)));
    const replica = await Replica.create(source, setup, 1);
    replica.setPools({ wide: replica.makePool('wide', 0, 20), uniform: replica.makePool('uniform', 0, 20) });
    const samples = replica.batch(3);
    const kernel = new GradientKernel(new TrainableField(shape, setup.seed));
    kernel.accumulate(Float64Array.from(samples), samples.length / SAMPLE_STRIDE);
    const work = replica.gradient(3);
    let part = work.next();
    while (!part.done) part = work.next();
    expect(samples).toHaveLength(30 * SAMPLE_STRIDE);
    expect([...part.value.entries]).toEqual([...kernel.touched.subarray(0, kernel.nTouched)]);
    // Samples are rounded for others, to single precision.
    part.value.mlp.forEach((g, i) => {
      expect(Math.abs(g - kernel.mlpGradient[i])).toBeLessThan(1e-4 * Math.max(...part.value.mlp));
    });
    expect(replica.batch(4)).not.toEqual(samples);
  });
});
