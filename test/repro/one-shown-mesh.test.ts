import {
  Group,
  Mesh,
  MeshBasicMaterial,
  MeshDepthMaterial,
  MeshDistanceMaterial,
  MeshNormalMaterial,
  Object3D,
  PerspectiveCamera,
  Raycaster,
  Vector3,
} from 'three';
import { OBJExporter } from 'three/addons/exporters/OBJExporter.js';
import { STLExporter } from 'three/addons/exporters/STLExporter.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createScheduler, type LodScheduler } from '../../src/lod/index.ts';
import { type LodSettings, type NSDFObject, objectFromAsset } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { passTurns } from '../pipeline/event-turns.ts';

const BALL = sphereField({ cells: [4], radius: 0.55 });
const LEVELS = [{ tolerance: 0.06 }, { tolerance: 0.015 }, { tolerance: 0.004 }];
const [FAR, MIDDLE, NEAR] = [60, 9, 1.5];

const schedulers: LodScheduler[] = [];
afterEach(() => {
  for (const scheduler of schedulers.splice(0)) scheduler.dispose();
});

/** A ball with levels, whose scheduler works when `tick` is called, by a clock of its own. */
async function makeBall(lod: LodSettings = {}): Promise<{
  ball: NSDFObject;
  clock: { ms: number };
  scheduler: LodScheduler;
}> {
  const clock = { ms: 0 };
  const scheduler = createScheduler({ maxConcurrent: 2, now: () => clock.ms });
  schedulers.push(scheduler);
  const settings = { levels: LEVELS, viewportHeight: 1000, scheduler, waitFor: 0, preview: false, ...lod };
  const ball = await objectFromAsset(BALL, { lod: settings, backend: 'cpu' });
  for (const index of [1, 2]) await ball.loadLevel(index);
  ball.updateMatrixWorld();
  return { ball, clock, scheduler };
}

function cameraAt(distance: number): PerspectiveCamera {
  const camera = new PerspectiveCamera(90, 1, 0.01, 1000);
  camera.position.z = distance;
  camera.updateMatrixWorld();
  return camera;
}

/** As a renderer would; then the scheduler's turn, which ends the frame. */
async function draw(ball: NSDFObject, ...distances: number[]): Promise<void> {
  for (const distance of distances) ball.update(cameraAt(distance));
  await passTurns();
}

/** What an exporter, a physics engine or a helper for picking does first. */
function meshesOf(root: Object3D): Mesh[] {
  const meshes: Mesh[] = [];
  root.traverse((object) => {
    if ((object as Mesh).isMesh) meshes.push(object as Mesh);
  });
  return meshes;
}

describe('an object with three levels ready', () => {
  it('is one plain mesh to whoever looks, of the triangles that are shown', async () => {
    const { ball } = await makeBall();
    const scene = new Group().add(ball);
    const counts = new Set<number>();
    const mesh = ball.mesh!;
    for (const distance of [FAR, NEAR, MIDDLE, FAR]) {
      await draw(ball, distance);
      const { nTriangles } = ball.stats!;
      expect(nTriangles).toBe(ball.level!.nTriangles);
      counts.add(nTriangles);
      expect(meshesOf(scene)).toEqual([mesh]);
      const stl = new STLExporter().parse(scene, { binary: true });
      expect(stl.getUint32(80, true)).toBe(nTriangles);
      expect(new OBJExporter().parse(scene).match(/^f /gm)).toHaveLength(nTriangles);
    }
    expect(counts.size).toBe(3);
    expect(mesh.constructor).toBe(Mesh);
    expect(Object.keys(mesh)).not.toContain('raycast');
    expect(mesh.raycast).toBe(Mesh.prototype.raycast);
  });

  it('keeps what was set on its mesh by traverse', async () => {
    const { ball } = await makeBall();
    await draw(ball, FAR);
    const set = {
      material: new MeshNormalMaterial(),
      customDepthMaterial: new MeshDepthMaterial(),
      customDistanceMaterial: new MeshDistanceMaterial(),
      renderOrder: 7,
      castShadow: true,
      receiveShadow: true,
      frustumCulled: false,
      userData: { price: 12 },
      onBeforeRender: () => {},
      onAfterRender: () => {},
    };
    const label = new Object3D();
    for (const mesh of meshesOf(ball)) {
      Object.assign(mesh, set).layers.enable(5);
      mesh.add(label);
    }
    for (const distance of [NEAR, FAR, MIDDLE]) {
      await draw(ball, distance);
      const [mesh] = meshesOf(ball);
      for (const [name, value] of Object.entries(set)) {
        expect(mesh[name as keyof typeof set], name).toBe(value);
      }
      expect(mesh.layers.isEnabled(5)).toBe(true);
      expect(label.parent).toBe(mesh);
    }
    expect(ball.material).toBe(set.material);
  });

  it('is cloned as it is shown', async () => {
    const { ball, scheduler } = await makeBall();
    for (const [distance, index] of [
      [NEAR, 2],
      [FAR, 0],
      [MIDDLE, 1],
    ]) {
      await draw(ball, distance);
      ball.mesh!.material = new MeshBasicMaterial();
      const clone = ball.clone();
      expect(clone.level).toBe(ball.ladder[index]);
      expect(clone.wantedLevel).toBe(ball.ladder[index]);
      expect(meshesOf(clone).map(({ geometry }) => geometry)).toEqual([ball.geometry]);
      expect(clone.stats).toBe(ball.stats);
      expect(clone.material).toBe(ball.material);
      clone.updateMatrixWorld();
      await draw(clone, NEAR);
      expect([clone.level!.index, ball.level!.index]).toEqual([2, index]);
    }
    expect(scheduler.stats.nMade).toBe(3);
  });

  it('has its rays answered by a prototype that a helper has replaced, once', async () => {
    const { ball } = await makeBall();
    await draw(ball, NEAR);
    const ray = new Raycaster(new Vector3(0.04, 0.02, 5), new Vector3(0, 0, -1));
    const scene = new Group().add(ball, new Mesh());
    const plain = Mesh.prototype.raycast;
    const accelerated = vi.spyOn(Mesh.prototype, 'raycast').mockImplementation(function (
      this: Mesh,
      ...args
    ) {
      plain.apply(this, args);
    });
    try {
      const hits = ray.intersectObject(scene);
      expect(hits.map(({ object }) => object)).toEqual([ball.mesh]);
      expect(ray.intersectObject(ball, false)).toHaveLength(1);
      expect(accelerated.mock.contexts.filter((mesh) => mesh === ball.mesh)).toHaveLength(2);
      const own = vi.fn();
      ball.mesh!.raycast = own;
      ray.intersectObject(scene);
      await draw(ball, FAR);
      ray.intersectObject(scene);
      expect(own).toHaveBeenCalledTimes(2);
    } finally {
      accelerated.mockRestore();
    }
  });
});

describe('a fade', () => {
  it('adds one mesh for as long as it takes, which looks like the other one and answers no ray', async () => {
    const { ball, clock } = await makeBall({ fadeMs: 100 });
    await draw(ball, FAR);
    clock.ms = 1000;
    await draw(ball, FAR);
    const mesh = ball.mesh!;
    Object.assign(mesh, { renderOrder: 3, castShadow: true, customDepthMaterial: new MeshDepthMaterial() });
    const coarse = ball.geometry;
    await draw(ball, NEAR);
    expect(ball.isFading).toBe(true);
    const [under, over] = meshesOf(ball);
    expect(meshesOf(ball)).toHaveLength(2);
    expect(under).toBe(mesh);
    expect(ball.geometry).toBe(coarse);
    const { customDepthMaterial } = mesh;
    expect(over).toMatchObject({ renderOrder: 3, castShadow: true, customDepthMaterial });
    const ray = new Raycaster(new Vector3(0.04, 0.02, 5), new Vector3(0, 0, -1));
    expect(ray.intersectObject(ball).map(({ object }) => object)).toEqual([mesh]);
    const material = new MeshNormalMaterial();
    mesh.material = material;
    clock.ms += 50;
    await draw(ball, NEAR);
    expect(over.material).toMatchObject({ type: 'MeshNormalMaterial', alphaHash: true, opacity: 0.5 });
    expect(ball.clone().children).toHaveLength(1);
    clock.ms += 50;
    await draw(ball, NEAR);
    expect(ball.isFading).toBe(false);
    expect(meshesOf(ball)).toEqual([mesh]);
    expect(mesh.material).toBe(material);
    expect(ball.geometry).toBe(ball.ladder[2].value!.geometry);
  });

  it('leaves nothing on the GPU of a level that was evicted meanwhile', async () => {
    const { ball, clock, scheduler } = await makeBall({ fadeMs: 100 });
    await draw(ball, NEAR);
    clock.ms = 1000;
    const fine = ball.geometry!;
    await draw(ball, FAR);
    expect(ball.isFading).toBe(true);
    const freed = vi.fn();
    fine.addEventListener('dispose', freed);
    scheduler.maxBytes = 1;
    await draw(ball, FAR);
    expect(ball.ladder[2].status).toBe('absent');
    const nBefore = freed.mock.calls.length;
    expect(ball.geometry).toBe(fine); // drawn, it is on the GPU again
    clock.ms = 1200;
    await draw(ball, FAR);
    expect(freed.mock.calls.length).toBe(nBefore + 1);
    expect(ball.geometry).toBe(ball.ladder[0].value!.geometry);
  });

  it('is none between the cameras of one frame, each of which gets its own level', async () => {
    const { ball, clock } = await makeBall({ fadeMs: 100 });
    await draw(ball, FAR);
    for (let i = 0; i < 4; i++) {
      clock.ms += 20;
      ball.update(cameraAt(FAR));
      ball.update(cameraAt(NEAR));
      // In the first frame it is the change that a fade is for.
      expect(ball.geometry === ball.ladder[2].value!.geometry, `frame ${i}`).toBe(i > 0);
      await draw(ball);
    }
  });
});
