import { readFileSync } from 'node:fs';
import { ImportMeshAsync, LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { TransformNode } from '@babylonjs/core/Meshes/transformNode.js';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type NSDFProgress, nsdfOf, registerNSDFLoader } from '../../src/babylon/index.ts';
import { IDENTITY_NODE } from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { sphereField } from '../fixtures/fields.ts';
import { serve, type TestServer } from '../three/serve.ts';
import { census, createScene, failureOf } from './load.ts';

const BUNNY = new Uint8Array(readFileSync(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url)));
const COARSE = { tolerance: 2e-2, cache: false } as const;
let server: TestServer | undefined;

beforeAll(registerNSDFLoader);
afterEach(() => server?.close());

/** A server that sends the first bytes, and the rest when it is told to. */
async function serveHeld(file: Uint8Array, nFirst: number) {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server = await serve((_, response) => {
    response.write(file.subarray(0, nFirst));
    void held.then(() => response.end(file.subarray(nFirst)));
  });
  return { url: `${server.url}/held.nsdf`, release };
}

test('the bunny is in the scene before nine tenths of it have arrived, and gives way to the real one', async () => {
  const { url, release } = await serveHeld(BUNNY, 30_000);
  const scene = createScene();
  const progress: NSDFProgress[] = [];
  const onPreview = vi.fn((root: TransformNode) => {
    const [mesh] = root.getChildMeshes();
    expect(scene.meshes).toEqual([mesh]);
    expect(mesh.getTotalVertices()).toBeGreaterThan(100);
    expect(root.metadata.nsdf).toEqual({ isPreview: true, nLevels: 3, nLevelsTotal: 4 });
    expect(mesh.computeWorldMatrix(true).determinant()).toBeLessThan(0);
    expect(progress.at(-1)).toMatchObject({ phase: 'download' });
    release(); // no more comes before the preview is there
  });
  const nsdf = { ...COARSE, onPreview, onProgress: (step: NSDFProgress) => progress.push(step) };
  const { meshes } = await ImportMeshAsync(url, scene, { pluginOptions: { nsdf } });
  expect(onPreview).toHaveBeenCalledTimes(1);
  expect(onPreview.mock.calls[0][0].isDisposed()).toBe(true);
  expect(scene.meshes).toEqual(meshes);
  expect(scene.transformNodes).toEqual([]);
  expect(nsdfOf(meshes[1])!.asset.name).toBe('bunny');
  expect(progress.at(-1)).toMatchObject({ phase: 'derive', fraction: 1 });
});

test('a fallback mesh is the preview, where the scene puts it, with normals outwards', async () => {
  const { mesh } = await deriveMesh(sphereField({ cells: [4, 8] }), { tolerance: 0.05 });
  const fallback = { ...mesh, normals: null };
  const { nodes } = sceneOf(sphereField({ cells: [4, 8] }), { fallback });
  const parent = { ...IDENTITY_NODE, translation: [3, 5, 0] as const, children: nodes };
  const file = writeNsdf({ name: '', copyright: null, generator: null, nodes: [parent] });
  const { url, release } = await serveHeld(file, file.length - 100);
  const scene = createScene();
  const onPreview = vi.fn((root: TransformNode) => {
    const [shown] = root.getChildMeshes();
    shown.computeWorldMatrix(true);
    expect(shown.getBoundingInfo().boundingSphere.centerWorld.x).toBeCloseTo(-3, 0);
    expect(shown.getBoundingInfo().boundingSphere.centerWorld.y).toBeCloseTo(5, 0);
    const positions = shown.getVerticesData('position')!;
    const normals = shown.getVerticesData('normal')!;
    for (let i = 0; i < positions.length; i += 3) {
      const outwards = Vector3.Dot(Vector3.FromArray(positions, i), Vector3.FromArray(normals, i));
      expect(outwards).toBeGreaterThan(0);
    }
    release();
  });
  await ImportMeshAsync(url, scene, { pluginOptions: { nsdf: { ...COARSE, onPreview } } });
  expect(onPreview).toHaveBeenCalledTimes(1);
});

test('nothing of it is left after an abort, a damaged rest, or a callback that throws', async () => {
  const scene = createScene();
  const before = census(scene);
  const controller = new AbortController();
  const held = await serveHeld(BUNNY, 30_000);
  const onPreview = () => controller.abort(new Error('seen enough'));
  const nsdf = { ...COARSE, onPreview, signal: controller.signal };
  const aborted = ImportMeshAsync(held.url, scene, { pluginOptions: { nsdf } });
  expect(await failureOf(aborted)).toMatchObject({ message: 'seen enough' });
  expect(census(scene)).toEqual(before);
  held.release();
  await server?.close();

  const damaged = await serveHeld(BUNNY.subarray(0, BUNNY.length - 5000), 30_000);
  const seen = { ...COARSE, onPreview: damaged.release };
  const broken = LoadAssetContainerAsync(damaged.url, scene, { pluginOptions: { nsdf: seen } });
  expect(await failureOf(broken)).toMatchObject({ code: 'format' });
  expect(census(scene)).toEqual(before);
  await server?.close();

  const throwing = await serveHeld(BUNNY, 30_000);
  const wrong = {
    ...COARSE,
    onPreview: () => {
      throw new Error('mine');
    },
  };
  const failed = ImportMeshAsync(throwing.url, scene, { pluginOptions: { nsdf: wrong } });
  expect(await failureOf(failed)).toMatchObject({ message: 'mine' });
  expect(census(scene)).toEqual(before);
  throwing.release();
});

test('a server that refuses is named', async () => {
  server = await serve((_, response) => response.writeHead(404).end());
  const nsdf = { ...COARSE, onPreview: () => {} };
  const load = ImportMeshAsync(`${server.url}/gone.nsdf`, createScene(), { pluginOptions: { nsdf } });
  expect(await failureOf(load)).toMatchObject({ code: 'load', message: expect.stringContaining('404') });
});
