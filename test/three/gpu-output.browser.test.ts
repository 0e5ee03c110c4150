import {
  type BufferGeometry,
  Color,
  HemisphereLight,
  type Object3D,
  OrthographicCamera,
  Raycaster,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { WebGPURenderer } from 'three/webgpu';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { disposeGpu, disposeWorkers, type FieldAsset, writeNsdf } from '../../src/index.ts';
import { NSDFLoader, type NSDFObject, objectFromAsset } from '../../src/three/index.ts';
import { emptyField, multiField, randomField, sphereField } from '../fixtures/fields.ts';
import { centerColor, coverage, readPixels } from './pixels.ts';

const SIZE = 160;
const RADIUS = 0.6;
/** What a ball of that radius covers of a view that is two units wide and high. */
const DISC = (Math.PI * RADIUS * RADIUS) / 4;
const BALL = sphereField({ cells: [8], radius: RADIUS });
/** Of the ball's shape: kernels are compiled for a shape. */
const SPHERES = multiField({ cells: [16], thresholds: [-0.05, 0.04, 0.3] });
const NOTHING = emptyField({ cells: [4], thresholds: [0.5, -0.5, 0.9] });
const OPTIONS = { tolerance: 0.01, cache: false, output: 'gpu' } as const;

let renderer: WebGPURenderer;
let device: GPUDevice;
const problems: string[] = [];

beforeAll(async () => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  renderer = new WebGPURenderer({ canvas });
  await renderer.init();
  device = (renderer as unknown as { backend: { device: GPUDevice } }).backend.device;
  device.addEventListener('uncapturederror', ({ error }) => problems.push(error.message));
});
afterAll(() => {
  renderer.dispose();
  disposeGpu();
  disposeWorkers();
});

function draw(...objects: Object3D[]): Promise<Uint8ClampedArray> {
  const scene = new Scene();
  scene.background = new Color(0x000000);
  scene.add(new HemisphereLight(0xffffff, 0x888888, 3), ...objects);
  const camera = new OrthographicCamera(-1, 1, 1, -1, 0.1, 20);
  camera.position.z = 10;
  renderer.render(scene, camera);
  return Promise.resolve(readPixels(renderer.domElement));
}

const make = (asset: FieldAsset, options = {}): Promise<NSDFObject> =>
  objectFromAsset(asset, { ...OPTIONS, renderer, ...options });

describe("output: 'gpu' in a WebGPURenderer", () => {
  it('draws from the buffers that the derivation wrote, indirectly, with nothing read back', async () => {
    const copies = vi.spyOn(device, 'createBuffer');
    const ball = await make(BALL, { tolerance: 0.001 });
    const readback = copies.mock.calls.filter(([{ label }]) => label?.endsWith('readback'));
    copies.mockRestore();
    const { stats, geometry } = ball;
    expect(stats!.backendReason).toMatch(/^asked for; derived on google swiftshader.*, where it stays$/);
    // Counts and checks alone.
    expect(readback.reduce((sum, [{ size }]) => sum + size, 0)).toBeLessThan(2048);
    expect(12 * stats!.nVertices).toBeGreaterThan(2048);
    expect(geometry!.attributes.position.array).toHaveLength(0);
    expect(geometry!.attributes.position.count).toBe(stats!.nVertices);
    expect(geometry!.index!.count).toBe(3 * stats!.nTriangles);
    expect(geometry!.indirect).not.toBeNull();
    const pixels = await draw(ball);
    expect(coverage(pixels)).toBeCloseTo(DISC, 1);
    const [r, g, b] = centerColor(pixels);
    expect(r).toBeGreaterThan(100);
    expect(r).toBeGreaterThan(b);
    expect(g).toBeGreaterThan(b);
    ball.dispose();
  });

  it('draws the picture that the mesh draws which was read back', async () => {
    const [there, here] = [
      await make(SPHERES),
      await make(SPHERES, { output: 'cpu', backend: 'gpu', device }),
    ];
    expect(here.geometry!.attributes.position.array.length).toBe(3 * there.stats!.nVertices);
    expect(await draw(there)).toEqual(await draw(here));
    there.dispose();
    here.dispose();
  });

  it('has bounds as the mesh has them, and is culled by them', async () => {
    const [there, here] = [await make(BALL), await make(BALL, { output: 'cpu', backend: 'gpu', device })];
    const box = (geometry?: BufferGeometry) => [
      ...geometry!.boundingBox!.min.toArray(),
      ...geometry!.boundingBox!.max.toArray(),
    ];
    expect(box(there.geometry)).toEqual(box(here.geometry));
    const { center, radius } = there.geometry!.boundingSphere!;
    expect(center.length()).toBeLessThan(0.1);
    expect(radius).toBeGreaterThan(RADIUS);
    there.position.x = 5;
    expect(coverage(await draw(there))).toBe(0);
    there.dispose();
  });

  it('is drawn by clones, hit by no ray, and samples its field all the same', async () => {
    const ball = await make(BALL);
    const clone = ball.clone();
    ball.scale.setScalar(0.5);
    clone.scale.setScalar(0.5);
    ball.position.x = -0.5;
    clone.position.x = 0.5;
    expect(coverage(await draw(ball, clone))).toBeCloseTo(DISC / 2, 1);
    const raycaster = new Raycaster(new Vector3(-0.5, 0, 10), new Vector3(0, 0, -1));
    expect(raycaster.intersectObject(ball)).toEqual([]);
    expect(ball.sample([0, 0, 0]).distances[0]).toBeLessThan(-RADIUS / 2);
    ball.dispose();
  });

  it('derives again to the same place, and frees what it replaces', async () => {
    const ball = await make(BALL);
    await draw(ball);
    const before = ball.geometry!;
    const freed = vi.fn();
    before.addEventListener('dispose', freed);
    const stats = await ball.derive({ tolerance: 0.002, cache: false });
    expect(freed).toHaveBeenCalledOnce();
    expect(stats.backendReason).toMatch(/where it stays$/);
    expect(ball.geometry!.attributes.position.array).toHaveLength(0);
    expect(coverage(await draw(ball))).toBeCloseTo(DISC, 1);
    const read = await ball.derive({ tolerance: 0.01, cache: false, output: 'cpu', backend: 'worker' });
    expect(read.backend).toBe('worker');
    expect(coverage(await draw(ball))).toBeCloseTo(DISC, 1);
    ball.dispose();
  });

  it('leaves no buffer behind after dispose()', async () => {
    const warm = await make(BALL);
    await draw(warm);
    warm.dispose();
    const alive = new Set<string>();
    const spy = vi.spyOn(device, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
      const buffer = GPUDevice.prototype.createBuffer.call(device, descriptor);
      if (descriptor.label?.startsWith('nsdf.surface.')) {
        alive.add(descriptor.label);
        const destroy = buffer.destroy.bind(buffer);
        buffer.destroy = () => {
          alive.delete(descriptor.label!);
          destroy();
        };
      }
      return buffer;
    });
    const ball = await make(BALL);
    expect([...alive]).toEqual(
      expect.arrayContaining(['nsdf.surface.positions', 'nsdf.surface.indices', 'nsdf.surface.draw']),
    );
    ball.dispose();
    for (const label of ['positions', 'normals', 'indices', 'draw']) {
      expect(alive.has(`nsdf.surface.${label}`)).toBe(false);
    }
    spy.mockRestore();
  });

  it('ends on an abort and leaves nothing', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort('enough');
    await expect(make(SPHERES, { signal: controller.signal, onProgress })).rejects.toBe('enough');
  });

  it('shows nothing of a field without surface', async () => {
    const nothing = await make(NOTHING);
    expect(nothing.isEmpty).toBe(true);
    expect(coverage(await draw(nothing))).toBe(0);
  });

  it('comes from the loader', async () => {
    const loader = new NSDFLoader().setTolerance(0.01).setOutput('gpu', renderer);
    const scene = await loader.parseAsync(writeNsdf(BALL));
    expect(scene.fields[0].stats!.backendReason).toMatch(/where it stays$/);
    expect(coverage(await draw(scene))).toBeCloseTo(DISC, 1);
    scene.dispose();
  });

  it('made no mistake on the device', () => {
    expect(problems).toEqual([]);
  });
});

describe('what cannot stay on the GPU is read back, and says why', () => {
  it.each<[string, Parameters<typeof make>[0], object, RegExp]>([
    [
      'a WebGLRenderer',
      BALL,
      { renderer: new WebGLRenderer() },
      /read back \(the renderer draws with WebGL\)$/,
    ],
    ['no renderer', BALL, { renderer: undefined }, /read back \(no renderer was given\)$/],
    ['maxVertices', BALL, { maxVertices: 200 }, /read back \(maxVertices is not for meshes on the GPU\)$/],
    ['the backend', BALL, { backend: 'worker' }, /read back \(the backend worker was asked for\)$/],
    [
      'a field for double precision',
      randomField(15, { layers: [] }),
      { tolerance: 4e-3 },
      /^fallback to worker \(gpu: In single precision the mesh stands off by /,
    ],
  ])('%s', async (_name, asset, options, reason) => {
    const object = await make(asset, options);
    expect(object.stats!.backendReason).toMatch(reason);
    expect(object.geometry!.attributes.position.array.length).toBeGreaterThan(0);
    object.dispose();
  });

  it('a three that has changed', async () => {
    const { backend } = renderer as unknown as { backend: { get: (key: object) => object } };
    const spy = vi.spyOn(backend, 'get').mockImplementation(() => ({}));
    const ball = await make(BALL);
    spy.mockRestore();
    expect(ball.stats!.backendReason).toMatch(
      /read back \(this version of three takes no buffers of others\)$/,
    );
    expect(coverage(await draw(ball))).toBeCloseTo(DISC, 1);
  });
});
