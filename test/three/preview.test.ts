import { readFileSync } from 'node:fs';
import { type Group, type Mesh, type MeshStandardMaterial, Scene } from 'three';
import { afterEach, expect, test, vi } from 'vitest';
import { readField } from '../../src/format/read.ts';
import { IDENTITY_NODE } from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import type { NSDFProgress } from '../../src/three/index.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { serve, type TestServer } from './serve.ts';

const BUNNY = new Uint8Array(readFileSync(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url)));
let server: TestServer | undefined;
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

test('the bunny is there before nine tenths of it have arrived, and gives way to the real one', async () => {
  const { url, release } = await serveHeld(BUNNY, 30_000);
  const scene = new Scene();
  const progress: NSDFProgress[] = [];
  const loader = new NSDFLoader(undefined, { tolerance: 2e-2 }).setProgress((step) => progress.push(step));
  const seen = vi.fn((preview: Group) => {
    scene.add(preview);
    const [mesh] = preview.children as Mesh[];
    expect(mesh.name).toBe('bunny');
    expect(mesh.geometry.getAttribute('position').count).toBeGreaterThan(100);
    expect(preview.userData.nsdf).toEqual({ isPreview: true, nLevels: 3, nLevelsTotal: 4 });
    expect(progress.at(-1)?.phase).toBe('download');
    expect(progress.at(-1)?.fraction).toBeLessThan(0.2);
    release(); // no more comes before the preview is there
  });
  const group = await loader.setPreview(seen).loadAsync(url);
  expect(seen).toHaveBeenCalledTimes(1);
  expect(scene.children).toEqual([]);
  expect(seen.mock.calls[0][0].children).toEqual([]);
  const plain = await deriveMesh(readField(BUNNY), { tolerance: 2e-2 });
  expect(group.fields[0].stats?.nVertices).toBe(plain.stats.nVertices);
  expect(progress.at(-1)).toMatchObject({ phase: 'derive', fraction: 1 });
});

test('a fallback mesh is the preview, where the scene puts it, in its material', async () => {
  const { mesh } = await deriveMesh(sphereField({ cells: [4, 8] }), { tolerance: 0.05 });
  const look = { name: 'red', baseColorFactor: [1, 0, 0, 1], roughnessFactor: 0.3 } as const;
  const material = { ...(await import('../../src/format/scene.ts')).DEFAULT_MATERIAL, ...look };
  const { nodes } = sceneOf(sphereField({ cells: [4, 8] }), { fallback: mesh, material });
  const parent = { ...IDENTITY_NODE, translation: [0, 5, 0] as const, children: nodes };
  const file = writeNsdf({ name: '', copyright: null, generator: null, nodes: [parent] });
  const { url, release } = await serveHeld(file, file.length - 200);
  const seen = vi.fn((preview: Group) => {
    const [shown] = preview.children as Mesh[];
    expect(shown.geometry.getAttribute('position').count).toBe(mesh.positions.length / 3);
    expect(shown.matrix.elements[13]).toBe(5);
    expect((shown.material as MeshStandardMaterial).color.getHex()).toBe(0xff0000);
    release();
  });
  await new NSDFLoader().setPreview(seen).loadAsync(url);
  expect(seen).toHaveBeenCalledTimes(1);
});

test('a preview leaves nothing behind when the load fails or is aborted', async () => {
  const damaged = BUNNY.slice();
  damaged.fill(255, 100_000, 100_400); // NaNs in the last level, which has not arrived when the preview is made
  const { url, release } = await serveHeld(damaged, 30_000);
  const scene = new Scene();
  const loader = new NSDFLoader().setPreview((preview) => {
    scene.add(preview);
    release();
  });
  await expect(loader.loadAsync(url)).rejects.toThrow(/NaN|finite/);
  expect(scene.children).toEqual([]);
  await server?.close();

  const held = await serveHeld(BUNNY, 30_000);
  const aborting = new NSDFLoader().setPreview((preview) => {
    scene.add(preview);
    setTimeout(() => aborting.abort(), 0);
  });
  await expect(aborting.loadAsync(held.url)).rejects.toThrow(/aborted/);
  expect(scene.children).toEqual([]);
});

test('a file that comes at once has no preview, and without setPreview there is none', async () => {
  server = await serve((_, response) => response.end(BUNNY));
  const seen = vi.fn();
  const loader = new NSDFLoader(undefined, { tolerance: 5e-2 }).setPreview(seen);
  await loader.setPreview(null).loadAsync(`${server.url}/a.nsdf`);
  expect(seen).not.toHaveBeenCalled();
});
