import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nsdfOf, registerNSDFLoader } from '../../src/babylon/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { configureWorkers, type DeriveOptions, deriveMesh, disposeWorkers } from '../../src/index.ts';
import { createScheduler } from '../../src/lod/index.ts';
import { JOB } from '../../src/pipeline/job.ts';
import type { WorkerLike } from '../../src/pipeline/worker-host.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { createScene, importInto, throughNsdf } from '../babylon/load.ts';
import { sphereField } from '../fixtures/fields.ts';
import { createInProcessWorker } from './in-process-worker.ts';

/** Jobs that workers have begun and not ended, now and at most. */
let [nAtWork, mostAtWork, nJobs] = [0, 0, 0];

/** A worker on this thread whose jobs are counted. */
function createCountedWorker(): WorkerLike {
  const worker = createInProcessWorker(JOB);
  worker.addEventListener('message', (event) => {
    const { kind } = (event as MessageEvent<{ kind: string }>).data;
    if (['done', 'failed', 'cancelled'].includes(kind)) nAtWork--;
  });
  const postMessage = worker.postMessage.bind(worker) as (
    message: unknown,
    transfer?: Transferable[],
  ) => void;
  worker.postMessage = ((message: { kind: string }, transfer?: Transferable[]) => {
    if (message.kind === 'derive') {
      nJobs++;
      mostAtWork = Math.max(mostAtWork, ++nAtWork);
    }
    postMessage(message, transfer);
  }) as WorkerLike['postMessage'];
  return worker;
}

beforeEach(() => {
  [nAtWork, mostAtWork, nJobs] = [0, 0, 0];
  configureWorkers({ createWorker: createCountedWorker, maxWorkers: 4 });
});
afterEach(() => {
  disposeWorkers();
  configureWorkers({});
});

const OPTIONS = { resolution: 6, backend: 'worker', cache: false } as const;
const ball = (i: number) => ({ ...sphereField({ cells: [4], radius: 0.4 + i / 20 }), name: `ball ${i}` });
const six = <T>(make: (i: number) => Promise<T>) => Promise.all(Array.from({ length: 6 }, (_, i) => make(i)));
const derive = (i: number, more: DeriveOptions = {}) => deriveMesh(ball(i), { ...OPTIONS, ...more });

describe('workerLimit', () => {
  test('without one, all workers of the page are at work', async () => {
    await six((i) => derive(i));
    expect([nJobs, mostAtWork]).toEqual([6, 4]);
  });

  test.each([1, 3])('%i: derivations that share it have no more workers at once', async (maxWorkers) => {
    const workerLimit = { maxWorkers };
    await six((i) => derive(i, { workerLimit }));
    expect([nJobs, mostAtWork]).toEqual([6, maxWorkers]);
  });

  test('leaves the other workers to whoever comes later', async () => {
    const workerLimit = { maxWorkers: 1 };
    const ends: string[] = [];
    const limited = six((i) => derive(i, { workerLimit }).then(() => ends.push('limited')));
    await derive(9).then(() => ends.push('free'));
    await limited;
    expect(ends.indexOf('free')).toBeLessThan(3);
    expect(mostAtWork).toBe(2);
  });

  test('each limit is its own', async () => {
    const limits = [{ maxWorkers: 1 }, { maxWorkers: 1 }];
    await six((i) => derive(i, { workerLimit: limits[i % 2] }));
    expect(mostAtWork).toBe(2);
  });

  test('a worker that was told to stop counts until it has', async () => {
    const workerLimit = { maxWorkers: 1 };
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error('enough'));
    const slow = derive(0, { resolution: 40, workerLimit, signal: controller.signal, onProgress });
    const next = derive(1, { workerLimit });
    await expect(slow).rejects.toThrow('enough');
    await next;
    expect([nJobs, mostAtWork]).toEqual([2, 1]);
  });
});

describe('NSDFLoader.setWorkerLimit', () => {
  const files = Array.from({ length: 4 }, (_, i) => writeNsdf(ball(i)));

  test('holds for all that the loader loads at once, and not for other loaders', async () => {
    const loader = new NSDFLoader(undefined, OPTIONS).setWorkerLimit(2);
    await Promise.all(files.map((file) => loader.parseAsync(file)));
    expect([nJobs, mostAtWork]).toEqual([4, 2]);
    const other = new NSDFLoader(undefined, OPTIONS);
    await Promise.all(files.map((file) => other.parseAsync(file)));
    expect([nJobs, mostAtWork]).toEqual([8, 4]);
    await Promise.all(files.map((file) => loader.setWorkerLimit(null).parseAsync(file)));
    expect(loader.settings).not.toHaveProperty('workerLimit');
  });

  test('holds for the levels of detail of what was loaded', async () => {
    const scheduler = createScheduler({ maxConcurrent: 4 });
    const lod = { scheduler, levels: [{ tolerance: 0.1 }, { tolerance: 0.05 }], preview: 4 };
    const loader = new NSDFLoader(undefined, { backend: 'worker', cache: false })
      .setLod(lod)
      .setWorkerLimit(1);
    const groups = await Promise.all(files.map((file) => loader.parseAsync(file)));
    await Promise.all(groups.map(({ fields: [field] }) => field.loadLevel('finest')));
    expect(nJobs).toBeGreaterThanOrEqual(8); // previews and finest levels
    expect(mostAtWork).toBe(1);
    for (const group of groups) group.dispose();
  });
});

describe('the share that a field was loaded with', () => {
  const files = Array.from({ length: 4 }, (_, i) => writeNsdf(ball(i)));
  const limited = () => new NSDFLoader(undefined, OPTIONS).setWorkerLimit(2);

  test('holds for what its object derives later, its clones included', async () => {
    const shared = limited();
    const fields = (await Promise.all(files.map((file) => shared.parseAsync(file)))).map(
      ({ fields: [f] }) => f,
    );
    [nJobs, mostAtWork] = [0, 0];
    await Promise.all(fields.map((field) => field.clone().derive(OPTIONS)));
    await Promise.all(fields.map((field) => field.derive(OPTIONS)));
    expect([nJobs, mostAtWork]).toEqual([8, 2]);
    await Promise.all(fields.map((field, i) => field.updateWeights(ball(i + 1), OPTIONS)));
    expect([nJobs, mostAtWork]).toEqual([12, 2]);
    // A limit of the call's own goes before it.
    const workerLimit = { maxWorkers: 1 };
    [nJobs, mostAtWork] = [0, 0];
    await Promise.all(fields.map((field) => field.derive({ ...OPTIONS, workerLimit })));
    expect([nJobs, mostAtWork]).toEqual([4, 1]);
  });

  test('holds for levels that are turned on later', async () => {
    const shared = limited().setWorkerLimit(1);
    const fields = (await Promise.all(files.map((file) => shared.parseAsync(file)))).map(
      ({ fields: [f] }) => f,
    );
    const scheduler = createScheduler({ maxConcurrent: 4 });
    const lod = { scheduler, levels: [{ tolerance: 0.1 }, { tolerance: 0.05 }], preview: 4 };
    await Promise.all(fields.map((field) => field.setLod(lod, { backend: 'worker', cache: false })));
    await Promise.all(fields.map((field) => field.loadLevel('finest')));
    expect(mostAtWork).toBe(1);
    for (const field of fields) field.dispose();
  });

  test('holds in Babylon', async () => {
    registerNSDFLoader();
    const scene = createScene();
    const workerLimit = { maxWorkers: 2 };
    const loaded = await six((i) =>
      importInto(scene, writeNsdf(ball(i)), throughNsdf({ ...OPTIONS, workerLimit })),
    );
    const objects = loaded.map(({ meshes }) => meshes.map((mesh) => nsdfOf(mesh)).find((found) => found)!);
    [nJobs, mostAtWork] = [0, 0];
    await Promise.all(objects.map((object) => object.derive(OPTIONS)));
    expect([nJobs, mostAtWork]).toEqual([6, 2]);
    scene.dispose();
  });
});

test('pluginOptions.nsdf.workerLimit holds for all loads of Babylon that share it', async () => {
  registerNSDFLoader();
  const scene = createScene();
  const workerLimit = { maxWorkers: 2 };
  await six((i) => importInto(scene, writeNsdf(ball(i)), throughNsdf({ ...OPTIONS, workerLimit })));
  expect([nJobs, mostAtWork]).toEqual([6, 2]);
  scene.dispose();
});
