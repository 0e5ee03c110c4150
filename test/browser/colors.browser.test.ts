import { ImportMeshAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import type { PBRMaterial } from '@babylonjs/core/Materials/PBR/pbrMaterial.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import { AmbientLight, Color, OrthographicCamera, Scene, WebGLRenderer } from 'three';
import { WebGPURenderer } from 'three/webgpu';
import { describe, expect, it } from 'vitest';
import { registerNSDFLoader } from '../../src/babylon/index.ts';
import { toSrgb } from '../../src/format/srgb.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { throughNsdf } from '../babylon/load.ts';
import { createEngine, createLitScene, createOrthoCamera, draw } from '../babylon/stage.ts';
import { coloredBox, rampAt } from '../fixtures/colored-fields.ts';
import { readPixels } from '../three/pixels.ts';

const SIZE = 160;
const FILE = writeNsdf(coloredBox());
/** The height of the box's face that looks at the camera. */
const FRONT = 0.3;

/** Holds pixels of a view of two units against the colours of the box's front face. */
function expectRamp(pixels: Uint8ClampedArray): void {
  for (const [x, y] of [
    [0, 0],
    [-0.4, 0.3],
    [0.4, 0.3],
    [0.4, -0.3],
  ]) {
    const column = Math.round(((x + 1) / 2) * SIZE);
    const row = Math.round(((1 - y) / 2) * SIZE);
    const at = (row * SIZE + column) * 4;
    const expected = rampAt([x, y, FRONT]).map((c) => 255 * toSrgb(c));
    expected.forEach((value, k) => {
      expect(Math.abs(pixels[at + k] - value), `channel ${k} at ${x}, ${y}`).toBeLessThan(4);
    });
  }
}

describe('a field with colours has them on screen', () => {
  it.each(['WebGLRenderer', 'WebGPURenderer'])('three, %s', async (kind) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIZE;
    const gpu = kind === 'WebGPURenderer' ? new WebGPURenderer({ canvas }) : null;
    await gpu?.init();
    const renderer = gpu ?? new WebGLRenderer({ canvas });
    const scene = new Scene();
    scene.background = new Color(0);
    // Without other light a matte surface is lit by its own colour.
    scene.add(new AmbientLight(0xffffff, Math.PI));
    const loader = new NSDFLoader().setTolerance(0.02);
    scene.add(await loader.parseAsync(FILE));
    const camera = new OrthographicCamera(-1, 1, 1, -1, 0.1, 20);
    camera.position.z = 10;
    renderer.render(scene, camera);
    expectRamp(readPixels(canvas));
    renderer.dispose();
  });

  it.each(['Engine', 'WebGPUEngine'] as const)('Babylon, %s', async (kind) => {
    registerNSDFLoader();
    const engine = await createEngine(kind, SIZE);
    const scene = createLitScene(engine);
    createOrthoCamera(scene);
    const { meshes } = await ImportMeshAsync(FILE, scene, throughNsdf({ tolerance: 0.02 }));
    ((meshes[1] as Mesh).material as PBRMaterial).unlit = true;
    expectRamp(await draw(scene));
    scene.dispose();
    engine.dispose();
  });
});
