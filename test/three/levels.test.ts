import {
  ArrayCamera,
  Group,
  type LOD,
  type Mesh,
  MeshBasicMaterial,
  Object3D,
  ObjectLoader,
  OrthographicCamera,
  PerspectiveCamera,
  Raycaster,
  Vector3,
  Vector4,
} from 'three';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NsdfArgumentError, writeNsdf } from '../../src/index.ts';
import { createScheduler, type LodScheduler } from '../../src/lod/index.ts';
import { type LodSettings, NSDFLoader, type NSDFObject, objectFromAsset } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';

/** A ball of radius 0.6; a level takes some ten milliseconds. */
const BALL = sphereField({ cells: [4] });
const LEVELS = [{ tolerance: 0.05 }, { tolerance: 0.01 }, { tolerance: 0.002 }];
/** From there, on 1000 pixels with 90° of view, level 0, 1, 2 is fine enough. */
const [FAR, MIDDLE, NEAR] = [40, 8, 1.5];

/** What schedulers take for the time; a frame takes 16 ms of it. */
const clock = { ms: 0 };
const schedulers: LodScheduler[] = [];
afterEach(() => {
  for (const scheduler of schedulers.splice(0)) scheduler.dispose();
});

function settingsOf(lod: LodSettings = {}): LodSettings {
  const scheduler = createScheduler({ maxConcurrent: 1, now: () => clock.ms });
  schedulers.push(scheduler);
  return { levels: LEVELS, viewportHeight: 1000, scheduler, ...lod };
}

async function makeBall(lod: LodSettings = {}, material?: MeshBasicMaterial): Promise<NSDFObject> {
  return objectFromAsset(BALL, { lod: settingsOf(lod), backend: 'cpu' }, material);
}

function cameraAt(distance: number): PerspectiveCamera {
  const camera = new PerspectiveCamera(90, 1, 0.01, 1000);
  camera.position.z = distance;
  camera.updateMatrixWorld();
  return camera;
}

/** As a renderer would: frame by frame, until nothing more changes. */
async function drawUntilSettled(object: NSDFObject, camera = cameraAt(NEAR)): Promise<void> {
  object.updateMatrixWorld();
  const nextFrame = async () => {
    clock.ms += 16;
    await passTurns();
  };
  await nextFrame(); // a frame of its own
  do {
    object.update(camera);
    await nextFrame();
  } while (object.level !== object.wantedLevel);
  object.update(camera);
  expect(object.level?.name).toBe(object.wantedLevel?.name);
}

const visible = (object: NSDFObject) => object.children.filter((child) => child.visible);

describe('an NSDFObject with levels', () => {
  it('is there with its preview, and says that it is one', async () => {
    const object = await makeBall();
    expect(object.level).toMatchObject({ name: 'preview', isPreview: true });
    expect(object.ladder.map(({ name }) => name)).toEqual([
      'tolerance 0.05',
      'tolerance 0.01',
      'tolerance 0.002',
    ]);
    expect(object.levels).toHaveLength(1);
    expect(visible(object)).toEqual([object.mesh]);
    expect(object.lod).toMatchObject({ levels: LEVELS });
  });

  it('shows the level that the distance asks for, one mesh at a time', async () => {
    const object = await makeBall();
    for (const [distance, index] of [
      [FAR, 0],
      [NEAR, 2],
      [MIDDLE, 1],
      [FAR, 0],
    ]) {
      await drawUntilSettled(object, cameraAt(distance));
      expect(object.level?.index).toBe(index);
      expect(visible(object)).toEqual([object.mesh]);
      expect(object.levels[object.getCurrentLevel()].object).toBe(object.mesh);
      expect(object.stats?.toleranceLocal).toBe(LEVELS[index].tolerance);
    }
  });

  it('tells what comes and goes', async () => {
    const object = await makeBall();
    const events: string[] = [];
    object.addEventListener('levelready', ({ level }) =>
      events.push(`ready ${level.name} ${level.isMeasured}`),
    );
    object.addEventListener('levelevicted', ({ level }) => events.push(`evicted ${level.name}`));
    await drawUntilSettled(object);
    expect(events).toEqual(['ready tolerance 0.002 true', 'evicted preview']);
    await drawUntilSettled(object, cameraAt(FAR));
    schedulers[0].maxBytes = 1;
    await until(() => events.at(-1) === 'evicted tolerance 0.002');
    expect(object.children).toEqual([object.mesh]);
  });

  it('follows orthographic cameras by their zoom, and the scale of the world', async () => {
    const object = await makeBall();
    const camera = new OrthographicCamera(-50, 50, 50, -50, 0.1, 100);
    camera.position.z = 10;
    camera.updateMatrixWorld();
    await drawUntilSettled(object, camera as never);
    expect(object.level?.index).toBe(0);
    new Group().add(object).scale.setScalar(8);
    object.parent?.updateMatrixWorld();
    object.update(camera);
    expect(object.wantedLevel?.index).toBe(1);
    camera.zoom = 16;
    camera.updateProjectionMatrix();
    object.update(camera);
    expect(object.wantedLevel?.index).toBe(2);
  });

  it("takes an XR session's views for eyes, the finest choice of them", async () => {
    const object = await makeBall();
    const [left, right] = [cameraAt(FAR), cameraAt(NEAR)];
    for (const eye of [left, right]) eye.viewport = new Vector4(0, 0, 500, 1000);
    const session = new ArrayCamera([left, right]);
    object.updateMatrixWorld();
    object.update(session);
    expect(object.wantedLevel?.index).toBe(2);
    await drawUntilSettled(object, session);
    right.viewport!.w = 0.5;
    left.viewport!.w = 0.5;
    await drawUntilSettled(object, session);
    expect(object.wantedLevel?.index).toBe(0);
  });

  it('waits for the level that it is told to', async () => {
    expect((await makeBall({ waitFor: 'coarse' })).level?.index).toBe(0);
    expect((await makeBall({ waitFor: 'finest' })).level?.index).toBe(2);
    expect((await makeBall({ waitFor: 1 })).level?.index).toBe(1);
    expect((await makeBall({ preview: false })).level?.index).toBe(0);
  });

  it('makes a level that a caller asks for', async () => {
    const object = await makeBall();
    const level = await object.loadLevel(1);
    expect(level).toMatchObject({ index: 1, status: 'ready', isMeasured: true });
    expect(level.errorLocal).toBeLessThanOrEqual(0.01);
    expect(level.value?.geometry.index?.count).toBe(level.nTriangles * 3);
    const controller = new AbortController();
    const aborted = object.loadLevel('finest', controller.signal);
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    const single = await objectFromAsset(BALL, { tolerance: 0.05, backend: 'cpu' });
    await expect(single.loadLevel(0)).rejects.toBeInstanceOf(NsdfArgumentError);
  });

  it('ends at the tolerance asked for, and keeps to limits', async () => {
    const object = await objectFromAsset(BALL, {
      tolerance: 0.03,
      lod: settingsOf({ levels: [{ tolerance: 0.1 }, { tolerance: 0.01 }] }),
      backend: 'cpu',
    });
    expect(object.ladder.map(({ name }) => name)).toEqual(['tolerance 0.1', 'tolerance 0.03']);
    const limited = await makeBall({ maxLevel: 1 });
    await drawUntilSettled(limited, cameraAt(NEAR));
    expect(limited.level?.index).toBe(1);
    await limited.setLod({ ...limited.lod, maxLevel: 0 });
    await drawUntilSettled(limited, cameraAt(NEAR));
    expect(limited.level?.index).toBe(0);
  });
});

describe('meshes of levels', () => {
  it('take over material, shadows and layers of the one shown', async () => {
    const material = new MeshBasicMaterial();
    const object = await makeBall({}, material);
    object.mesh!.castShadow = true;
    object.mesh!.layers.enable(3);
    await drawUntilSettled(object);
    expect(object.mesh).toMatchObject({ castShadow: true, material });
    expect(object.mesh!.layers.isEnabled(3)).toBe(true);
    const other = new MeshBasicMaterial();
    object.material = other;
    await drawUntilSettled(object, cameraAt(FAR));
    expect(object.mesh!.material).toBe(other);
    expect(object.material).toBe(other);
  });

  it('dissolve in over the one before, which stays until then', async () => {
    const object = await makeBall({ fadeMs: 400 });
    const before = object.mesh!;
    const own = object.material as MeshBasicMaterial;
    object.updateMatrixWorld();
    await until(() => {
      object.update(cameraAt(NEAR));
      return object.isFading;
    });
    expect(object.mesh).toBe(before);
    expect(before.material).toBe(own);
    const [shown, over, ...others] = visible(object) as Mesh[];
    expect([shown === before, others]).toEqual([true, []]);
    expect(over.geometry).toBe(object.ladder[2].value!.geometry);
    const fading = over.material as MeshBasicMaterial;
    expect(fading.alphaHash).toBe(true);
    expect(fading.opacity).toBe(0);
    clock.ms += 399;
    object.update(cameraAt(NEAR));
    expect(object.isFading).toBe(true);
    expect(fading.opacity).toBeCloseTo(399 / 400);
    clock.ms += 1;
    object.update(cameraAt(NEAR));
    expect(object.isFading).toBe(false);
    expect(object.children).toEqual([object.mesh]);
    expect(object.geometry).toBe(over.geometry);
    expect(object.mesh!.material).toBe(own);
  });

  it('answer rays with the level shown alone', async () => {
    const object = await makeBall();
    await drawUntilSettled(object);
    await drawUntilSettled(object, cameraAt(FAR));
    const ray = new Raycaster(new Vector3(0.05, 0, 5), new Vector3(0, 0, -1));
    const hits = ray.intersectObject(object);
    expect(hits).toHaveLength(1);
    expect(hits[0].object).toBe(object.mesh);
  });

  it('go through JSON as a plain LOD of the one shown', async () => {
    const object = await makeBall();
    for (const distance of [NEAR, FAR]) await drawUntilSettled(object, cameraAt(distance));
    const back = (await new ObjectLoader().parseAsync(object.toJSON())) as LOD;
    expect(back.levels).toHaveLength(1);
    expect(back.children).toHaveLength(1);
    expect((back.levels[0].object as Mesh).geometry.index!.count).toBe(object.stats!.nTriangles * 3);
  });
});

describe('turning levels on and off', () => {
  it('never leaves a hole, and keeps the mesh that is shown', async () => {
    const material = new MeshBasicMaterial();
    const object = await objectFromAsset(BALL, { tolerance: 0.02, backend: 'cpu' }, material);
    const single = object.mesh!;
    const freed = vi.fn();
    const { geometry } = single;
    geometry.addEventListener('dispose', freed);
    expect(await object.setLod(settingsOf(), { backend: 'cpu' })).toBe(object);
    expect(visible(object)).toEqual([single]);
    await drawUntilSettled(object);
    expect(freed).toHaveBeenCalledOnce();
    expect(visible(object)).toEqual([object.mesh]);
    expect(object.mesh).toBe(single);
    expect(object.geometry).not.toBe(geometry);
    expect(object.mesh!.material).toBe(material);
    const [last, shown] = [object.mesh, object.geometry];
    await object.setLod(false);
    expect(object.lod).toBeNull();
    expect(object.children).toEqual([last]);
    expect(object.levels.map(({ object: mesh }) => mesh)).toEqual([last]);
    expect(object.mesh).toBe(last);
    expect(object.geometry).toBe(shown);
    const stats = await object.derive({ tolerance: 0.03, backend: 'cpu' });
    expect(object.stats).toBe(stats);
  });

  it('keeps what was made where only limits change, and starts anew where the ladder does', async () => {
    const object = await makeBall();
    await drawUntilSettled(object);
    const { ladder } = object;
    await object.setLod({ ...object.lod, screenError: 60 }, { backend: 'cpu' });
    expect(object.ladder).toBe(ladder);
    await drawUntilSettled(object);
    expect(object.level?.index).toBe(0);
    const before = object.geometry;
    await object.setLod({ ...object.lod, levels: [{ tolerance: 0.02 }] });
    expect(object.ladder).toHaveLength(1);
    expect(object.geometry).toBe(before);
    expect(visible(object)).toEqual([object.mesh]);
    await drawUntilSettled(object);
    expect(object.level?.name).toBe('tolerance 0.02');
    expect(object.children).toEqual([object.mesh]);
  });

  it('derive ends them', async () => {
    const object = await makeBall();
    await drawUntilSettled(object);
    const stats = await object.derive({ tolerance: 0.03, backend: 'cpu' });
    expect(object.lod).toBeNull();
    expect(object.levels).toHaveLength(1);
    expect(object.stats).toBe(stats);
    expect(schedulers[0].stats.nObjects).toBe(0);
  });
});

describe('clones', () => {
  it('share levels and jobs, and choose for themselves', async () => {
    const object = await makeBall();
    const label = new Object3D();
    object.add(label);
    const clone = object.clone();
    expect(clone.children.map(({ type }) => type)).toEqual(['Mesh', 'Object3D']);
    expect(clone.geometry).toBe(object.geometry);
    await drawUntilSettled(object, cameraAt(NEAR));
    await drawUntilSettled(clone, cameraAt(FAR));
    expect([object.level?.index, clone.level?.index]).toEqual([2, 0]);
    await drawUntilSettled(clone, cameraAt(NEAR));
    expect(clone.geometry).toBe(object.geometry);
    expect(schedulers[0].stats).toMatchObject({ nObjects: 2, nMade: 3 });
  });

  it('that were drawn late find what came and went before', async () => {
    const object = await makeBall();
    const clone = object.clone();
    await drawUntilSettled(object, cameraAt(NEAR));
    expect(clone.level).toBeNull();
    clone.updateMatrixWorld();
    clone.update(cameraAt(NEAR));
    expect(clone.level).toBe(object.level);
    expect(visible(clone)).toEqual([clone.mesh]);
    expect(clone.geometry).toBe(object.geometry);
  });
});

describe("the loader's setters", () => {
  it('turn levels on, chain, and are taken back by null', () => {
    const loader = new NSDFLoader()
      .setScreenError(2)
      .setMaxLevel(3)
      .setMaxTriangles(900)
      .setMaxBytes(8e5)
      .setLod();
    expect(loader.settings.lod).toEqual({ screenError: 2, maxLevel: 3, maxTriangles: 900, maxBytes: 8e5 });
    expect(loader.setMaxBytes(null).setScreenError(null).settings.lod).toEqual({
      maxLevel: 3,
      maxTriangles: 900,
    });
    expect(loader.setLod(false).settings.lod).toBe(false);
    expect(new NSDFLoader().settings.lod).toBeUndefined();
  });

  it('a load gives the first picture, a tolerance beside it is the finest level; by default there is one mesh', async () => {
    const bytes = writeNsdf(BALL);
    const loader = new NSDFLoader(undefined, { backend: 'cpu' }).setTolerance(0.01);
    const [single] = (await loader.parseAsync(bytes)).fields;
    expect(single.lod).toBeNull();
    expect(single.stats?.toleranceLocal).toBe(0.01);
    const [ball] = (await loader.setLod(settingsOf({ levels: [{ tolerance: 0.1 }] })).parseAsync(bytes))
      .fields;
    expect(ball.level?.isPreview).toBe(true);
    expect(ball.ladder.map(({ name }) => name)).toEqual(['tolerance 0.1', 'tolerance 0.01']);
    await drawUntilSettled(ball);
    expect(ball.stats?.toleranceLocal).toBe(0.01);
    expect(ball.mesh!.material).toBe(ball.material);
  });
});

describe('disposing', () => {
  it('ends everything, frees every level, and leaves nothing', async () => {
    const object = await makeBall();
    for (const distance of [FAR, NEAR]) await drawUntilSettled(object, cameraAt(distance));
    const freed = vi.fn();
    for (const { value } of object.ladder) value?.geometry.addEventListener('dispose', freed);
    const pending = object.loadLevel(1);
    object.dispose();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    expect(freed).toHaveBeenCalledTimes(2);
    expect(schedulers[0].stats).toMatchObject({ nObjects: 0, nRunning: 0, nBytes: 0 });
    object.update(cameraAt(NEAR));
    expect(schedulers[0].stats.nObjects).toBe(1);
    expect(object.level?.index).toBe(2);
  });

  it('an aborted load leaves nothing at work', async () => {
    const controller = new AbortController();
    const lod = settingsOf({ waitFor: 'finest' });
    const loading = objectFromAsset(BALL, { lod, backend: 'cpu', signal: controller.signal });
    await until(() => lod.scheduler!.stats.nRunning > 0);
    controller.abort('enough');
    await expect(loading).rejects.toBe('enough');
    expect(lod.scheduler!.stats).toMatchObject({ nObjects: 0, nRunning: 0 });
  });
});
