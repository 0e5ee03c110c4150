import { Ray } from '@babylonjs/core/Culling/ray.js';
import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { ImportMeshAsync, LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { detectSupport, nsdfOf, registerNSDFLoader } from '../../src/babylon/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { deriveMesh, readField } from '../../src/index.ts';
import { emptyField, sphereField } from '../fixtures/fields.ts';
import { centerColor, coverage } from '../three/pixels.ts';
import { writeRichScene } from '../three/rich-scene.ts';
import { census, failureOf, throughNsdf } from './load.ts';
import { createEngine, createLitScene, createOrthoCamera, draw, type EngineKind } from './stage.ts';

const SIZE = 160;
const RADIUS = 0.6;
/** What a ball of that radius covers of a view that is two units wide and high. */
const DISC = (Math.PI * RADIUS * RADIUS) / 4;
const BALL = writeNsdf(sphereField({ cells: [8], radius: RADIUS }));

beforeAll(registerNSDFLoader);

describe.each(['Engine', 'WebGPUEngine'] as EngineKind[])('%s', (kind) => {
  let engine: AbstractEngine;
  beforeAll(async () => {
    engine = await createEngine(kind, SIZE);
  });
  afterAll(() => engine.dispose());

  async function stage(bytes = BALL, options = throughNsdf({ tolerance: 0.01 })) {
    const scene = createLitScene(engine);
    createOrthoCamera(scene);
    const { meshes } = await ImportMeshAsync(bytes, scene, options);
    return { scene, mesh: meshes[1] as Mesh, root: meshes[0] };
  }

  it('draws a field: the disc of a ball, in its colour', async () => {
    const { scene } = await stage();
    const pixels = await draw(scene);
    expect(coverage(pixels)).toBeCloseTo(DISC, 1);
    const [r, g, b] = centerColor(pixels);
    expect(r).toBeGreaterThan(100);
    // The default clay is warm.
    expect(r).toBeGreaterThan(b);
    expect(g).toBeGreaterThan(b);
    scene.dispose();
  });

  it('draws it again after another derivation', async () => {
    const { scene, mesh } = await stage();
    await draw(scene);
    await nsdfOf(mesh)!.derive({ resolution: 4 });
    expect(coverage(await draw(scene))).toBeGreaterThan(DISC * 0.8);
    await nsdfOf(mesh)!.derive({ tolerance: 0.002 });
    expect(coverage(await draw(scene))).toBeCloseTo(DISC, 1);
    scene.dispose();
  });

  it('draws clones, instances and instantiated models at their own places', async () => {
    const scene = createLitScene(engine);
    createOrthoCamera(scene);
    const container = await LoadAssetContainerAsync(BALL, scene, throughNsdf({ tolerance: 0.05 }));
    const copies = [true, false].map((doNotInstantiate, i) => {
      const { rootNodes } = container.instantiateModelsToScene(undefined, false, { doNotInstantiate });
      const root = rootNodes[0] as Mesh;
      root.position.x = i - 0.5;
      root.scaling.scaleInPlace(0.5);
      return root;
    });
    const half = coverage(await draw(scene));
    expect(half).toBeCloseTo(DISC / 2, 1);
    copies[0].setEnabled(false);
    expect(coverage(await draw(scene))).toBeCloseTo(half / 2, 2);
    expect(copies.map((root) => nsdfOf(root.getChildMeshes()[0])!.asset.name)).toEqual(['sphere', 'sphere']);
    scene.dispose();
  });

  it('draws in the colours of the file', async () => {
    const { scene } = await stage(writeRichScene(), throughNsdf({ resolution: 8 }));
    const twin = scene.getMeshByName('twin')!;
    const offset = twin.getAbsolutePosition();
    scene.getMeshByName('__root__')!.position.subtractInPlace(offset);
    const [r, g, b] = centerColor(await draw(scene));
    expect(r).toBeGreaterThan(2 * g);
    expect(r).toBeGreaterThan(2 * b);
    scene.dispose();
  });

  it('is picked where it is', async () => {
    const { scene, mesh } = await stage();
    const hit = scene.pickWithRay(new Ray(new Vector3(0.1, 0.2, 10), new Vector3(0, 0, -1)));
    expect(hit?.pickedMesh).toBe(mesh);
    const { distances } = nsdfOf(mesh)!.sampleWorld(hit!.pickedPoint!.asArray());
    expect(Math.abs(distances[0])).toBeLessThan(0.011);
    // Outwards, on the side of the ray.
    expect(hit!.getNormal(true)!.z).toBeGreaterThan(0.8);
    expect(scene.pickWithRay(new Ray(new Vector3(0.9, 0.9, 10), new Vector3(0, 0, -1)))?.hit).toBe(false);
    scene.dispose();
  });

  it('draws nothing for a field without surface, and other fields beside it', async () => {
    const { scene } = await stage(writeNsdf(emptyField()));
    expect(coverage(await draw(scene))).toBe(0);
    await ImportMeshAsync(BALL, scene, throughNsdf({ tolerance: 0.05 }));
    expect(coverage(await draw(scene))).toBeGreaterThan(DISC * 0.8);
    scene.dispose();
  });

  it("derives on the GPU, the same as elsewhere, on the engine's own device where it has one", async () => {
    const request = vi.spyOn(navigator.gpu, 'requestAdapter');
    const { mesh, scene } = await stage(BALL, throughNsdf({ tolerance: 0.01, backend: 'gpu', cache: false }));
    expect(nsdfOf(mesh)!.stats.backendReason).toMatch(/^asked for; derived on /);
    expect(request).toHaveBeenCalledTimes(kind === 'WebGPUEngine' ? 0 : 1);
    request.mockRestore();
    const other = await deriveMesh(readField(BALL), { tolerance: 0.01, backend: 'gpu', cache: false });
    expect(mesh.getVerticesData('position')).toEqual(other.mesh.positions);
    expect(mesh.getVerticesData('normal')).toEqual(other.mesh.normals);
    expect(Array.from(mesh.getIndices()!)).toEqual(Array.from(other.mesh.indices));
    scene.dispose();
  });

  it("keeps the surface on the engine's device, and draws the same picture", async () => {
    const gpu = { tolerance: 0.01, backend: 'gpu', cache: false } as const;
    const here = await stage(BALL, throughNsdf(gpu));
    const picture = await draw(here.scene);
    const { mesh, scene } = await stage(BALL, throughNsdf({ ...gpu, output: 'gpu' }));
    const { stats } = nsdfOf(mesh)!;
    expect(await draw(scene)).toEqual(picture);
    if (kind === 'Engine') {
      expect(stats.backendReason).toMatch(/; read back \(the engine draws with WebGL\)$/);
      expect(mesh.getVerticesData('position')).toHaveLength(3 * stats.nVertices);
    } else {
      expect(stats.backendReason).toMatch(/^asked for; derived on google swiftshader.*, where it stays$/);
      expect(mesh.getVerticesData('position')).toBeNull();
      expect(mesh.getTotalIndices()).toBe(3 * stats.nTriangles);
      expect(mesh.getTotalVertices()).toBe(stats.nVertices);
    }
    const [box, other] = [mesh, here.mesh].map((each) => each.getBoundingInfo().boundingBox);
    expect(box.minimum.asArray()).toEqual(other.minimum.asArray());
    expect(box.maximum.asArray()).toEqual(other.maximum.asArray());
    scene.dispose();
    here.scene.dispose();
  });

  it('derives again to where it was, and frees what it replaces', async () => {
    const { mesh, scene } = await stage(BALL, throughNsdf({ tolerance: 0.05, cache: false, output: 'gpu' }));
    await draw(scene);
    const field = nsdfOf(mesh)!;
    const freed: string[] = [];
    const { destroy } = GPUBuffer.prototype;
    vi.spyOn(GPUBuffer.prototype, 'destroy').mockImplementation(function (this: GPUBuffer) {
      freed.push(this.label);
      destroy.call(this);
    });
    await field.derive({ tolerance: 0.002, cache: false });
    expect(coverage(await draw(scene))).toBeCloseTo(DISC, 1);
    await draw(scene);
    const own = freed.filter((label) => /^nsdf\.surface\.(positions|normals|indices)$/.test(label));
    vi.restoreAllMocks();
    expect(own.sort()).toEqual(
      kind === 'Engine' ? [] : ['nsdf.surface.indices', 'nsdf.surface.normals', 'nsdf.surface.positions'],
    );
    expect(field.stats.backendReason).toMatch(kind === 'Engine' ? /read back/ : /where it stays$/);
    await field.derive({ tolerance: 0.01, cache: false, output: 'cpu', backend: 'worker' });
    expect(coverage(await draw(scene))).toBeCloseTo(DISC, 1);
    expect(mesh.getVerticesData('position')).toHaveLength(3 * field.stats.nVertices);
    scene.dispose();
  });

  it('draws instances and clones of what is on the GPU', async () => {
    const { mesh, scene, root } = await stage(
      BALL,
      throughNsdf({ tolerance: 0.05, cache: false, output: 'gpu' }),
    );
    (root as Mesh).scaling.scaleInPlace(0.5);
    (root as Mesh).position.x = -0.5;
    const instance = mesh.createInstance('instance');
    instance.parent = mesh.parent;
    instance.position.x = -2;
    expect(coverage(await draw(scene))).toBeCloseTo(DISC / 2, 1);
    instance.dispose();
    const clone = mesh.clone('clone');
    clone.position.x = -2;
    expect(coverage(await draw(scene))).toBeCloseTo(DISC / 2, 1);
    scene.dispose();
  });

  it('is described by detectSupport', () => {
    const support = detectSupport(engine);
    expect(support).toMatchObject({ hasWebGPU: true, hasWorkers: true, hasIndexedDB: true });
    expect(support.device instanceof GPUDevice).toBe(kind === 'WebGPUEngine');
  });
});

describe('where the bytes come from', () => {
  let engine: AbstractEngine;
  let url = '';
  beforeAll(async () => {
    engine = await createEngine('Engine', 16);
    url = URL.createObjectURL(new Blob([BALL as Uint8Array<ArrayBuffer>]));
    return () => {
      URL.revokeObjectURL(url);
      engine.dispose();
    };
  });
  const options = { pluginOptions: { nsdf: { tolerance: 0.05 } } };

  it('loads a File by its name, with no more said', async () => {
    const scene = createLitScene(engine);
    const file = new File([BALL as Uint8Array<ArrayBuffer>], 'ball.nsdf');
    const { meshes } = await ImportMeshAsync(file, scene, options);
    expect(meshes[1].name).toBe('sphere');
  });

  it('loads a URL, reporting download and derivation', async () => {
    const scene = createLitScene(engine);
    const events: number[] = [];
    const phases = new Set<string>();
    const nsdf = { tolerance: 0.05, onProgress: ({ phase }: { phase: string }) => phases.add(phase) };
    const { meshes } = await ImportMeshAsync(url, scene, {
      pluginExtension: '.nsdf',
      pluginOptions: { nsdf },
      onProgress: ({ loaded }) => events.push(loaded),
    });
    expect(nsdfOf(meshes[1])!.stats.backend).toBe('worker');
    expect(events.at(-1)).toBe(BALL.length);
    expect([...phases]).toEqual(['download', 'derive']);
  });

  it('loads a base64 data URL', async () => {
    const scene = createLitScene(engine);
    const encoded = btoa(String.fromCharCode(...BALL));
    const { meshes } = await ImportMeshAsync(`data:;base64,${encoded}`, scene, {
      ...options,
      pluginExtension: '.nsdf',
    });
    expect(nsdfOf(meshes[1])!.asset.name).toBe('sphere');
  });

  it('ends a download on an abort, and leaves nothing', async () => {
    const scene = createLitScene(engine);
    const before = census(scene);
    const controller = new AbortController();
    const nsdf = { tolerance: 0.05, signal: controller.signal };
    const load = ImportMeshAsync(url, scene, { pluginExtension: '.nsdf', pluginOptions: { nsdf } });
    await Promise.resolve();
    await Promise.resolve();
    controller.abort(new Error('changed my mind'));
    expect(await failureOf(load)).toMatchObject({ message: 'changed my mind' });
    expect(census(scene)).toEqual(before);
    expect(scene.isLoading).toBe(false);
  });

  it("names the server's answer where a file is not there", async () => {
    const scene = createLitScene(engine);
    const load = ImportMeshAsync(`${location.origin}/nothing/gone.nsdf`, scene, options);
    await expect(load).rejects.toThrow(/gone\.nsdf|not a GLB/);
    expect(scene.meshes).toHaveLength(0);
  });
});
