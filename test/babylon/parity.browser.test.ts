import { FreeCamera } from '@babylonjs/core/Cameras/freeCamera.js';
import { ImportMeshAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import { StandardMaterial } from '@babylonjs/core/Materials/standardMaterial.js';
import { Color3 } from '@babylonjs/core/Maths/math.color.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import {
  Color,
  type Mesh,
  MeshBasicMaterial,
  PerspectiveCamera,
  Scene as ThreeScene,
  WebGLRenderer,
} from 'three';
import { WebGPURenderer } from 'three/webgpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { nsdfOf, registerNSDFLoader } from '../../src/babylon/index.ts';
import { type NSDFGroup, NSDFLoader } from '../../src/three/index.ts';
import { readPixels } from '../three/pixels.ts';
import { writeRichScene } from '../three/rich-scene.ts';
import { throughNsdf } from './load.ts';
import { createEngine, createLitScene, draw, type EngineKind } from './stage.ts';

const SIZE = 320;
const FOV_DEGREES = 40;
/** In the file's own, right-handed space; from a side on which no asset here is symmetric. */
const EYE = [1.1, 0.8, 2.4] as const;

/** One picture, a byte a pixel: 1 where something was drawn. */
type Silhouette = Uint8Array;

const ASSETS: readonly (readonly [string, () => Promise<Uint8Array<ArrayBuffer>>, { tolerance: number }])[] =
  [
    ['the bunny', fetchBunny, { tolerance: 4e-3 }],
    [
      'a scene of several fields, nodes and ordinary meshes',
      async () => writeRichScene(),
      { tolerance: 0.02 },
    ],
  ];

async function fetchBunny(): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url));
  return new Uint8Array(await response.arrayBuffer());
}

const loadThree = (bytes: Uint8Array, options: { tolerance: number }): Promise<NSDFGroup> =>
  new NSDFLoader(undefined, options).parseAsync(bytes);

async function drawThree(kind: 'webgl' | 'webgpu', group: NSDFGroup, distance: number): Promise<Silhouette> {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  const renderer = kind === 'webgl' ? new WebGLRenderer({ canvas }) : new WebGPURenderer({ canvas });
  if (renderer instanceof WebGPURenderer) await renderer.init();
  const scene = new ThreeScene().add(group);
  scene.background = new Color(0x000000);
  group.traverse((object) => {
    if ((object as Mesh).isMesh) (object as Mesh).material = new MeshBasicMaterial({ color: 0xffffff });
  });
  const camera = new PerspectiveCamera(FOV_DEGREES, 1, 0.1, 100);
  camera.position.set(...EYE).multiplyScalar(distance);
  camera.lookAt(0, 0, 0);
  renderer.render(scene, camera);
  const silhouette = silhouetteOf(readPixels(canvas));
  renderer.dispose();
  return silhouette;
}

async function loadBabylon(kind: EngineKind, bytes: Uint8Array, options: { tolerance: number }) {
  const engine = await createEngine(kind, SIZE);
  const scene = createLitScene(engine);
  await ImportMeshAsync(bytes, scene, throughNsdf({ ...options, gltf: { animationStartMode: 0 } }));
  return { engine, scene };
}

async function drawBabylon(
  { engine, scene }: Awaited<ReturnType<typeof loadBabylon>>,
  distance: number,
): Promise<Silhouette> {
  const white = new StandardMaterial('white', scene);
  white.emissiveColor = Color3.White();
  white.disableLighting = true;
  for (const mesh of scene.meshes) {
    if (mesh.material) mesh.material = white;
  }
  // Babylon's glTF root turns x around where scenes are left-handed.
  const camera = new FreeCamera('camera', new Vector3(-EYE[0], EYE[1], EYE[2]).scale(distance), scene);
  camera.setTarget(Vector3.Zero());
  camera.fov = (FOV_DEGREES * Math.PI) / 180;
  [camera.minZ, camera.maxZ] = [0.1, 100];
  const silhouette = silhouetteOf(await draw(scene));
  engine.dispose();
  return silhouette;
}

function silhouetteOf(pixels: Uint8ClampedArray): Silhouette {
  return Uint8Array.from({ length: pixels.length / 4 }, (_, i) => (pixels[i * 4] > 127 ? 1 : 0));
}

/** How many pixels of `a` have none of `b` within one pixel of them. */
function nFarther(a: Silhouette, b: Silhouette): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === 1 && !hasNear(b, i % SIZE, Math.floor(i / SIZE))) count++;
  }
  return count;
}

function hasNear(mask: Silhouette, x: number, y: number): boolean {
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const [px, py] = [x + dx, y + dy];
      if (px >= 0 && px < SIZE && py >= 0 && py < SIZE && mask[py * SIZE + px] === 1) return true;
    }
  }
  return false;
}

const mirrored = (mask: Silhouette): Silhouette =>
  mask.map((_, i) => mask[Math.floor(i / SIZE) * SIZE + (SIZE - 1 - (i % SIZE))]);

beforeAll(registerNSDFLoader);

describe.each(ASSETS)('three.js and Babylon.js show %s', (name, getBytes, options) => {
  const distance = name === 'the bunny' ? 1 : 4.5;

  it('with the same bytes in positions, normals and indices', async () => {
    const bytes = await getBytes();
    const group = await loadThree(bytes, options);
    const { engine, scene } = await loadBabylon('Engine', bytes, options);
    expect(group.fields.length).toBeGreaterThan(0);
    const fields = scene.meshes.map(nsdfOf).filter((field) => field !== null);
    expect(fields).toHaveLength(group.fields.length);
    for (const { asset, geometry } of group.fields) {
      for (const { mesh } of fields.filter((field) => field.asset.name === asset!.name)) {
        for (const kind of ['position', 'normal']) {
          expect(mesh.getVerticesData(kind), kind).toEqual(geometry!.getAttribute(kind).array);
        }
        expect(mesh.getIndices(), 'indices').toEqual(geometry!.index!.array);
      }
    }
    engine.dispose();
  });

  it.each([
    ['webgl', 'Engine'],
    ['webgpu', 'WebGPUEngine'],
  ] as const)('with the same silhouette within one pixel, on %s and %s', async (three, babylon) => {
    const bytes = await getBytes();
    const left = await drawThree(three, await loadThree(bytes, options), distance);
    const right = await drawBabylon(await loadBabylon(babylon, bytes, options), distance);
    expect(left.filter(Boolean).length).toBeGreaterThan(SIZE * SIZE * 0.05);
    expect(nFarther(left, right)).toBe(0);
    expect(nFarther(right, left)).toBe(0);
    // The comparison sees a mirrored world.
    expect(nFarther(mirrored(left), right)).toBeGreaterThan(100);
  });
});
