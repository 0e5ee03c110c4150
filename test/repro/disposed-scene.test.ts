import { LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type NSDFProgress,
  nsdfOf,
  registerNSDFGLTFExtension,
  registerNSDFLoader,
} from '../../src/babylon/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { configureWorkers, disposeWorkers } from '../../src/index.ts';
import type { WorkerLike } from '../../src/pipeline/worker-host.ts';
import type { ToWorker } from '../../src/pipeline/worker-protocol.ts';
import { census, createScene, failureOf, importInto, throughGltf, throughNsdf } from '../babylon/load.ts';
import { sphereField } from '../fixtures/fields.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';

const BALL = writeNsdf(sphereField({ cells: [5], radius: 0.4 }));
/** Takes minutes, and is as fine as float32 positions can be. */
const SLOW = { tolerance: 2e-6, backend: 'cpu' } as const;
const ENDS = [
  ['its scene', (scene: Scene) => scene.dispose()],
  ['its engine', (scene: Scene) => scene.getEngine().dispose()],
] as const;

beforeAll(() => {
  registerNSDFLoader();
  registerNSDFGLTFExtension();
});
afterEach(() => {
  configureWorkers({});
  disposeWorkers();
});

/** A worker that never answers; the messages that it was sent. */
function silentWorkers(): ToWorker['kind'][] {
  const sent: ToWorker['kind'][] = [];
  const createWorker = (): WorkerLike => ({
    postMessage: (message: ToWorker) => void sent.push(message.kind),
    terminate: () => {},
    addEventListener: (type: string, listener: unknown) => {
      const event = { data: { kind: 'ready' } };
      if (type === 'message') queueMicrotask(() => (listener as (ready: object) => void)(event));
    },
  });
  configureWorkers({ createWorker });
  return sent;
}

describe.each(ENDS)('a load whose end is that of %s', (_, end) => {
  it.each([
    ['the .nsdf loader', throughNsdf],
    ["Babylon's glTF loader", throughGltf],
  ] as const)('ends its job at once, and leaves nothing, through %s', async (_way, through) => {
    const scene = createScene();
    let nReports = 0;
    let onStart: (value?: unknown) => void;
    const started = new Promise((resolve) => {
      onStart = resolve;
    });
    const onProgress = ({ phase }: NSDFProgress) => {
      if (phase !== 'derive') return;
      nReports++;
      onStart();
    };
    const load = failureOf(importInto(scene, BALL, through({ ...SLOW, onProgress })));
    expect(await Promise.race([started, load])).toBeUndefined();
    end(scene);
    const nBefore = nReports;
    expect(await load).toMatchObject({ name: 'AbortError' });
    await passTurns(5);
    expect(nReports).toBe(nBefore);
    expect(Object.values(census(scene)).every((n) => n === 0)).toBe(true);
  });

  it('has its worker told to stop', async () => {
    const sent = silentWorkers();
    const scene = createScene();
    const load = failureOf(
      LoadAssetContainerAsync(BALL, scene, throughNsdf({ backend: 'worker', cache: false })),
    );
    await until(() => sent.includes('derive'));
    end(scene);
    expect(sent.at(-1)).toBe('cancel');
    expect(await load).toMatchObject({ name: 'AbortError' });
  });

  it('ends derive() and levels, too', async () => {
    const scene = createScene();
    const { meshes } = await importInto(scene, BALL, throughNsdf({ tolerance: 0.1, backend: 'cpu' }));
    const field = nsdfOf(meshes[1])!;
    const sent = silentWorkers();
    const deriving = field.derive({ backend: 'worker', cache: false });
    await until(() => sent.includes('derive'));
    end(scene);
    expect(sent.at(-1)).toBe('cancel');
    await expect(deriving).rejects.toMatchObject({ name: 'AbortError' });
    await expect(field.derive()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

it('a derivation ends with the last mesh that shows the field, not before', async () => {
  const scene = createScene();
  const { meshes } = await importInto(scene, BALL, throughNsdf({ tolerance: 0.1, backend: 'cpu' }));
  const clone = meshes[1].clone('clone', null)!;
  const sent = silentWorkers();
  const deriving = nsdfOf(clone)!.derive({ backend: 'worker', cache: false });
  await until(() => sent.includes('derive'));
  meshes[1].dispose();
  expect(sent.at(-1)).toBe('derive');
  clone.dispose();
  expect(sent.at(-1)).toBe('cancel');
  await expect(deriving).rejects.toMatchObject({ name: 'AbortError' });
});

it('a scene that is gone already gets nothing', async () => {
  const scene = createScene();
  scene.dispose();
  expect(await failureOf(importInto(scene, BALL, throughNsdf(SLOW)))).toBeInstanceOf(Error);
  expect(Object.values(census(scene)).every((n) => n === 0)).toBe(true);
});
