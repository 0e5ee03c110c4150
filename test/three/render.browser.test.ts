import { Color, HemisphereLight, type Object3D, OrthographicCamera, Scene, WebGLRenderer } from 'three';
import { WebGPURenderer } from 'three/webgpu';
import { afterAll, describe, expect, it } from 'vitest';
import { detectSupport, NSDFLoader, objectFromAsset } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { centerColor, coverage, readPixels } from './pixels.ts';
import { writeRichScene } from './rich-scene.ts';

const SIZE = 160;
const RADIUS = 0.6;
/** What a ball of that radius covers of a view that is two units wide and high. */
const DISC = (Math.PI * RADIUS * RADIUS) / 4;
const BALL = sphereField({ cells: [8], radius: RADIUS });

type Renderer = WebGLRenderer | WebGPURenderer;

function createCanvas(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  return canvas;
}

function sceneOf(...objects: Object3D[]): Scene {
  const scene = new Scene();
  scene.background = new Color(0x000000);
  scene.add(new HemisphereLight(0xffffff, 0x888888, 3), ...objects);
  return scene;
}

/** Looks along -z at a square of two units. */
function createCamera(): OrthographicCamera {
  const camera = new OrthographicCamera(-1, 1, 1, -1, 0.1, 20);
  camera.position.z = 10;
  return camera;
}

const RENDERERS: readonly (readonly [string, () => Promise<Renderer>])[] = [
  ['WebGLRenderer', async () => new WebGLRenderer({ canvas: createCanvas() })],
  [
    'WebGPURenderer',
    async () => {
      const renderer = new WebGPURenderer({ canvas: createCanvas() });
      await renderer.init();
      return renderer;
    },
  ],
];

describe.each(RENDERERS)('%s', (name, create) => {
  let shared: Renderer | undefined;
  const getRenderer = async (): Promise<Renderer> => {
    shared ??= await create();
    return shared;
  };
  afterAll(() => shared?.dispose());

  async function draw(scene: Scene): Promise<Uint8ClampedArray> {
    const renderer = await getRenderer();
    renderer.render(scene, createCamera());
    return readPixels(renderer.domElement);
  }

  it('draws a field: the disc of a ball, in its colour', async () => {
    const pixels = await draw(sceneOf(await objectFromAsset(BALL, { tolerance: 0.01 })));
    expect(coverage(pixels)).toBeCloseTo(DISC, 1);
    const [r, g, b] = centerColor(pixels);
    expect(r).toBeGreaterThan(100);
    // The default clay is warm.
    expect(r).toBeGreaterThan(b);
    expect(g).toBeGreaterThan(b);
  });

  it('draws it again after another derivation, and after dispose', async () => {
    const ball = await objectFromAsset(BALL, { tolerance: 0.05 });
    const scene = sceneOf(ball);
    await draw(scene);
    await ball.derive({ resolution: 4 });
    expect(coverage(await draw(scene))).toBeGreaterThan(DISC * 0.8);
    ball.dispose();
    expect(coverage(await draw(scene))).toBeGreaterThan(DISC * 0.8);
  });

  it('draws clones at their own places', async () => {
    const ball = await objectFromAsset(BALL, { tolerance: 0.05 });
    const clone = ball.clone();
    ball.scale.setScalar(0.5);
    clone.scale.setScalar(0.5);
    ball.position.x = -0.5;
    clone.position.x = 0.5;
    const half = coverage(await draw(sceneOf(ball, clone)));
    expect(half).toBeCloseTo(DISC / 2, 1);
    clone.visible = false;
    expect(coverage(await draw(sceneOf(ball, clone)))).toBeCloseTo(half / 2, 2);
  });

  it('draws what NSDFLoader gives, in the colours of the file', async () => {
    const scene = await new NSDFLoader().setResolution(8).parseAsync(writeRichScene());
    const twin = scene.getObjectByName('twin')!;
    twin.removeFromParent();
    twin.position.set(0, 0, 0);
    const [r, g, b] = centerColor(await draw(sceneOf(twin)));
    expect(r).toBeGreaterThan(2 * g);
    expect(r).toBeGreaterThan(2 * b);
  });

  it('is described by detectSupport', async () => {
    const support = detectSupport(await getRenderer());
    expect(support).toMatchObject({ hasWebGPU: true, hasWorkers: true, hasIndexedDB: true });
    expect(support.backends).toEqual(['gpu', 'worker', 'cpu']);
    expect(support.device instanceof GPUDevice).toBe(name === 'WebGPURenderer');
  });
});
