import { FreeCamera } from '@babylonjs/core/Cameras/freeCamera.js';
import { Ray } from '@babylonjs/core/Culling/ray.js';
import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { ImportMeshAsync, LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import { StandardMaterial } from '@babylonjs/core/Materials/standardMaterial.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { GLTF2Export } from '@babylonjs/serializers/glTF/2.0/index.js';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type NSDFLevelEvent,
  type NSDFLodOptions,
  nsdfOf,
  registerNSDFLoader,
} from '../../src/babylon/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { createScheduler, type LodScheduler } from '../../src/lod/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';
import { coverage } from '../three/pixels.ts';
import { failureOf, throughNsdf } from './load.ts';
import { createEngine, createLitScene, draw, type EngineKind } from './stage.ts';

const SIZE = 256;
const RADIUS = 0.6;
const BALL = writeNsdf(sphereField({ cells: [8], radius: RADIUS }));
const LEVELS = [{ tolerance: 0.05 }, { tolerance: 0.01 }, { tolerance: 0.001 }];

let engine: AbstractEngine | undefined;
let scheduler: LodScheduler;

beforeAll(registerNSDFLoader);
afterEach(() => {
  engine?.dispose();
  engine = undefined;
});

interface Stage {
  readonly scene: Scene;
  readonly camera: FreeCamera;
  readonly mesh: Mesh;
  readonly events: string[];
}

/** A ball with levels of detail, seen from a distance. */
async function stageBall(kind: EngineKind = 'Engine', options: NSDFLodOptions = {}): Promise<Stage> {
  engine = await createEngine(kind, SIZE);
  const scene = createLitScene(engine);
  const camera = new FreeCamera('camera', new Vector3(0, 0, 3), scene);
  camera.setTarget(Vector3.Zero());
  camera.minZ = 0.01;
  const events: string[] = [];
  const onLevel = ({ level, what }: NSDFLevelEvent) => events.push(`${level.name} ${what}`);
  scheduler = createScheduler();
  const lod = { levels: LEVELS, scheduler, onLevel, ...options };
  const { meshes } = await ImportMeshAsync(BALL, scene, throughNsdf({ lod }));
  return { scene, camera, mesh: meshes[1] as Mesh, events };
}

/** A frame, and a turn for the scheduler after it. */
async function frame(scene: Scene): Promise<void> {
  await draw(scene);
  await passTurns(2);
}

/** Draws until the levels that are wanted are there, and drawn. */
async function settle(scene: Scene): Promise<void> {
  const wanted = () => scene.meshes.flatMap((mesh) => nsdfOf(mesh)?.wantedLevel ?? []);
  for (let i = 0; i < 3; i++) await frame(scene);
  while (!wanted().every((level) => level.status === 'ready')) await frame(scene);
  expect(wanted()).not.toEqual([]);
  for (let i = 0; i < 2; i++) await frame(scene);
}

/** What Babylon draws of a mesh. */
const drawn = (mesh: AbstractMesh, camera: FreeCamera): number => mesh.getLOD(camera)!.getTotalIndices() / 3;

/** Triangles that Babylon's glTF exporter writes. */
async function nExported(scene: Scene): Promise<number> {
  const { files } = await GLTF2Export.GLBAsync(scene, 'ball');
  const glb = new Uint8Array(await (files['ball.glb'] as Blob).arrayBuffer());
  const nJson = new DataView(glb.buffer).getUint32(12, true);
  const { meshes, accessors } = JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + nJson)));
  expect(meshes).toHaveLength(1);
  return accessors[meshes[0].primitives[0].indices].count / 3;
}

describe('a load with levels of detail', () => {
  it('ends with the first picture, which is drawn', async () => {
    const { scene, mesh, events } = await stageBall();
    expect(events).toEqual(['preview ready']);
    expect(nsdfOf(mesh)!.ladder.map(({ name }) => name)).toEqual([
      'tolerance 0.05',
      'tolerance 0.01',
      'tolerance 0.001',
    ]);
    expect(nsdfOf(mesh)!.stats.nTriangles).toBe(mesh.getTotalIndices() / 3);
    expect(coverage(await draw(scene))).toBeGreaterThan(0.02);
  });

  it.each(['Engine', 'WebGPUEngine'] as EngineKind[])(
    'refines near, and shows coarser from afar, on %s',
    async (kind) => {
      const { scene, camera, mesh } = await stageBall(kind);
      camera.position.z = 0.9;
      await settle(scene);
      const fine = drawn(mesh, camera);
      expect(fine).toBe(mesh.getTotalIndices() / 3);
      expect(nsdfOf(mesh)!.ladder[2]).toMatchObject({ status: 'ready', nTriangles: fine });
      camera.position.z = 40;
      await settle(scene);
      const coarse = drawn(mesh, camera);
      expect(coarse).toBeLessThan(fine / 3);
      expect(coarse).toBe(nsdfOf(mesh)!.ladder[0].nTriangles);
      expect(coverage(await draw(scene))).toBeGreaterThan(0);
      camera.position.z = 0.9;
      await draw(scene);
      expect(drawn(mesh, camera)).toBe(fine);
    },
  );

  it('lets every clone choose by its own size; a mesh and its instances are drawn as one', async () => {
    const { scene, camera, mesh } = await stageBall();
    const far = mesh.createInstance('far');
    far.position.z = -80;
    far.position.x = 5;
    const clone = mesh.clone('clone');
    clone.position.set(-5, 0, -80);
    camera.position.z = 0.9;
    await settle(scene);
    const { ladder: levels } = nsdfOf(mesh)!;
    expect(drawn(mesh, camera)).toBe(levels[2].nTriangles);
    expect(drawn(far, camera)).toBe(levels[2].nTriangles);
    expect(drawn(clone, camera)).toBe(levels[0].nTriangles);
    expect(nsdfOf(clone)!.wantedLevel).toBe(levels[0]);
    mesh.isVisible = false;
    await settle(scene);
    expect(nsdfOf(far)!.level).toBe(levels[0]);
    mesh.dispose();
    await settle(scene);
    expect(nsdfOf(clone)!.level).toBe(levels[0]);
  });

  it('is one mesh with one geometry to whoever looks, of the triangles that are shown', async () => {
    const { scene, camera, mesh } = await stageBall();
    const counts = new Set<number>();
    for (const distance of [0.9, 40, 4, 0.9]) {
      camera.position.z = distance;
      await settle(scene);
      const { level, stats } = nsdfOf(mesh)!;
      counts.add(stats.nTriangles);
      expect(level!.nTriangles).toBe(stats.nTriangles);
      expect(scene.meshes.map(({ name }) => name)).toEqual(['__root__', 'sphere']);
      expect(scene.geometries).toEqual([mesh.geometry]);
      expect(mesh.getLODLevels()).toEqual([]);
      expect(await nExported(scene)).toBe(stats.nTriangles);
      const hit = scene.pickWithRay(new Ray(new Vector3(0.03, 0.02, 3), new Vector3(0, 0, -1)))!;
      expect(hit.pickedMesh).toBe(mesh);
    }
    expect(counts.size).toBeGreaterThan(1);
  });

  it('keeps what was set on its mesh', async () => {
    const { scene, camera, mesh } = await stageBall();
    const material = new StandardMaterial('mine', scene);
    const set = { material, renderingGroupId: 2, layerMask: 0x0fffffff, alphaIndex: 3, isPickable: false };
    Object.assign(mesh, { ...set, metadata: { price: 3 }, receiveShadows: true });
    let nDrawn = 0;
    mesh.onBeforeRenderObservable.add(() => nDrawn++);
    for (const distance of [0.9, 40]) {
      camera.position.z = distance;
      await settle(scene);
      nDrawn = 0;
      await draw(scene);
      expect(nDrawn).toBe(1);
      expect(scene.meshes[1]).toBe(mesh);
      expect(mesh).toMatchObject({ ...set, metadata: { price: 3 }, receiveShadows: true });
    }
  });

  it('is cloned as it is shown, in and out of a container', async () => {
    const { scene, camera, mesh } = await stageBall();
    camera.position.z = 0.9;
    await settle(scene);
    const clone = mesh.clone('clone');
    expect(nsdfOf(clone)!.level).toBe(nsdfOf(mesh)!.ladder[2]);
    clone.dispose();
    const lod = { levels: LEVELS, scheduler };
    const container = await LoadAssetContainerAsync(BALL, scene, throughNsdf({ lod }));
    container.addAllToScene();
    const loaded = container.meshes[1] as Mesh;
    await settle(scene);
    expect(nsdfOf(loaded)!.level).toBe(nsdfOf(loaded)!.ladder[2]);
    expect(container.geometries).toEqual([loaded.geometry]);
    container.removeAllFromScene();
    expect(scene.geometries).toEqual([mesh.geometry]);
    container.dispose();
    expect(loaded.isDisposed()).toBe(true);
    expect(scheduler.stats.nObjects).toBe(1);
  });

  it('frees the geometry of a level that is evicted, and shows another one', async () => {
    const { scene, camera, mesh, events } = await stageBall('Engine', { waitFor: 'coarse' });
    camera.position.z = 0.9;
    await settle(scene);
    const fine = mesh.geometry!;
    camera.position.z = 30;
    camera.setTarget(new Vector3(0, 0, 50));
    await frame(scene);
    scheduler.maxBytes = 1;
    await until(() => events.at(-1) === 'tolerance 0.001 evicted');
    expect(fine.isDisposed()).toBe(true);
    expect(nsdfOf(mesh)!.level).toBe(nsdfOf(mesh)!.ladder[0]);
    expect(nsdfOf(mesh)!.stats.nTriangles).toBe(mesh.getTotalIndices() / 3);
  });

  it('ends with what the application asks for', async () => {
    engine = await createEngine('Engine', SIZE);
    const scene = createLitScene(engine);
    const lod = { resolutions: [4, 8], scheduler: createScheduler() };
    const { meshes } = await ImportMeshAsync(BALL, scene, throughNsdf({ tolerance: 0.004, lod }));
    expect(nsdfOf(meshes[1])!.ladder.at(-1)).toMatchObject({ detail: { tolerance: 0.004 } });
  });

  it('leaves nothing at work when it is disposed, and when its scene is', async () => {
    const { scene, mesh } = await stageBall();
    await draw(scene);
    expect(scheduler.stats.nObjects).toBe(1);
    mesh.dispose();
    expect(scheduler.stats).toMatchObject({ nObjects: 0, nRunning: 0 });
    const again = await stageBall();
    await draw(again.scene);
    again.scene.dispose();
    expect(scheduler.stats).toMatchObject({ nObjects: 0, nRunning: 0 });
  });

  it('waits for the level that is asked for, and makes others on demand', async () => {
    const { mesh } = await stageBall('Engine', { waitFor: 'coarse' });
    const field = nsdfOf(mesh)!;
    expect(field.ladder.map(({ status }) => status)).toEqual(['ready', 'absent', 'absent']);
    expect(field.stats.nTriangles).toBe(field.ladder[0].nTriangles);
    await field.loadLevel('finest');
    expect(field.ladder[2].status).toBe('ready');
    expect(field.level).toBe(field.ladder[0]);
    expect(mesh.getTotalIndices() / 3).toBe(field.ladder[0].nTriangles);
    await field.setLod(false);
    expect(mesh.getTotalIndices() / 3).toBe(field.stats.nTriangles);
    expect(field.level).toBeNull();
    expect(() => field.loadLevel('finest')).toThrow(/setLod/);
  });

  it('is turned on for a mesh that was loaded without', async () => {
    engine = await createEngine('Engine', SIZE);
    const scene = createLitScene(engine);
    const camera = new FreeCamera('camera', new Vector3(0, 0, 0.9), scene);
    camera.setTarget(Vector3.Zero());
    const { meshes } = await ImportMeshAsync(BALL, scene, throughNsdf({ tolerance: 0.1 }));
    const field = nsdfOf(meshes[1])!;
    const before = meshes[1].getTotalIndices();
    await field.setLod({ levels: LEVELS, scheduler: createScheduler() });
    expect(meshes[1].getTotalIndices()).toBe(before);
    await settle(scene);
    expect(meshes[1].getTotalIndices()).toBeGreaterThan(before);
    expect(field.stats.nTriangles).toBe(field.ladder[2].nTriangles);
    await expect(field.setLod({ levels: [] })).rejects.toMatchObject({ argument: 'levels' });
  });

  it('gives the levels up for one that is asked for by derive()', async () => {
    const { scene, camera, mesh } = await stageBall();
    camera.position.z = 0.9;
    await settle(scene);
    const stats = await nsdfOf(mesh)!.derive({ tolerance: 0.02 });
    expect(nsdfOf(mesh)!.ladder).toEqual([]);
    expect(scene.geometries).toEqual([mesh.geometry]);
    expect(drawn(mesh, camera)).toBe(stats.nTriangles);
    expect(scheduler.stats.nObjects).toBe(0);
  });

  it('stops on an abort', async () => {
    engine = await createEngine('Engine', SIZE);
    const scene = createLitScene(engine);
    const controller = new AbortController();
    controller.abort(new Error('no'));
    const options = throughNsdf({ lod: { scheduler }, signal: controller.signal });
    expect(await failureOf(ImportMeshAsync(BALL, scene, options))).toMatchObject({ message: 'no' });
    const wrong = throughNsdf({ lod: { levels: [] } });
    expect(await failureOf(ImportMeshAsync(BALL, scene, wrong))).toMatchObject({ argument: 'levels' });
    expect(scene.meshes).toHaveLength(0);
  });
});
