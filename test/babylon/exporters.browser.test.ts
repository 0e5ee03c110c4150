import { ImportMeshAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { GLTF2Export } from '@babylonjs/serializers/glTF/2.0/index.js';
import { USDZExportAsync } from '@babylonjs/serializers/USDZ/index.js';
import * as fflate from 'fflate';
import { Box3 } from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerNSDFLoader } from '../../src/babylon/index.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { writeRichScene } from '../three/rich-scene.ts';
import { throughNsdf } from './load.ts';
import { createEngine, createLitScene } from './stage.ts';

const RICH = writeRichScene();
let engine: Awaited<ReturnType<typeof createEngine>>;

beforeAll(async () => {
  registerNSDFLoader();
  engine = await createEngine('Engine', 16);
});
afterAll(() => engine.dispose());

async function loadRich(): Promise<Scene> {
  const scene = createLitScene(engine);
  // Resting: an animation would have moved the ball by the time it is exported.
  await ImportMeshAsync(RICH, scene, throughNsdf({ resolution: 8, gltf: { animationStartMode: 0 } }));
  return scene;
}

it('exports a loaded scene as a GLB that shows the same in the same places', async () => {
  const scene = await loadRich();
  const { files } = await GLTF2Export.GLBAsync(scene, 'rich');
  const glb = await (files['rich.glb'] as Blob).arrayBuffer();
  const { scene: back } = await new GLTFLoader().parseAsync(glb, '');
  const reference = await new NSDFLoader(undefined, { resolution: 8 }).parseAsync(RICH);
  const [before, after] = [reference, back].map((root) => new Box3().setFromObject(root, true));
  expect(after.min.distanceTo(before.min)).toBeLessThan(1e-5);
  expect(after.max.distanceTo(before.max)).toBeLessThan(1e-5);
  const names = new Set<string>();
  back.traverse((object) => names.add((object as { material?: { name: string } }).material?.name ?? ''));
  expect([...names]).toEqual(expect.arrayContaining(['nsdf-default', 'red']));
  scene.dispose();
});

it('exports a loaded scene as a USDZ: a stored zip with one geometry a mesh', async () => {
  // Babylon takes it from a global, or loads it from a CDN.
  Object.assign(globalThis, { fflate });
  const scene = await loadRich();
  const usdz = await USDZExportAsync(scene, {});
  expect(String.fromCharCode(...usdz.subarray(0, 2))).toBe('PK');
  const text = new TextDecoder('latin1').decode(usdz);
  expect(text).toContain('model.usda');
  expect(text.match(/int\[\] faceVertexCounts/g)?.length).toBeGreaterThanOrEqual(3);
  scene.dispose();
});
