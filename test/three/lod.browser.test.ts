import {
  type BufferGeometry,
  Color,
  HemisphereLight,
  MeshBasicMaterial,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { WebGPURenderer } from 'three/webgpu';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { cdp } from 'vitest/browser';
import { configureWorkers, disposeWorkers, readField, writeNsdf } from '../../src/index.ts';
import { createScheduler, LevelSelector, type LodScheduler } from '../../src/lod/index.ts';
import { startWorker } from '../../src/pipeline/start-worker.ts';
import { type LodSettings, NSDFLoader, objectFromAsset } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { until } from '../pipeline/event-turns.ts';
import { centerColor, readPixels } from './pixels.ts';

const SIZE = 64;
const LEVELS = [{ tolerance: 0.05 }, { tolerance: 0.01 }, { tolerance: 0.002 }];

function createCanvas(size = SIZE): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  return canvas;
}

function createScene(): Scene {
  const scene = new Scene();
  scene.background = new Color(0x000000);
  scene.add(new HemisphereLight(0xffffff, 0x888888, 3));
  return scene;
}

/** What schedulers take for the time. */
const clock = { ms: 0 };
/** One animation frame, which takes 16 ms of that time. */
const frame = () => {
  clock.ms += 16;
  return new Promise((resolve) => requestAnimationFrame(resolve));
};

let scheduler: LodScheduler;
function lodSettings(more: LodSettings = {}): LodSettings {
  scheduler = createScheduler({ maxConcurrent: 1, lingerMs: 50, now: () => clock.ms });
  return { levels: LEVELS, scheduler, ...more };
}
afterEach(() => scheduler?.dispose());

describe.each([
  ['WebGLRenderer', async () => new WebGLRenderer({ canvas: createCanvas() })],
  [
    'WebGPURenderer',
    async () => {
      const renderer = new WebGPURenderer({ canvas: createCanvas() });
      await renderer.init();
      return renderer;
    },
  ],
] as const)('levels in %s', (_name, create) => {
  let renderer: WebGLRenderer | WebGPURenderer;
  beforeAll(async () => {
    renderer = await create();
  });
  afterAll(() => renderer.dispose());

  it('appear in order as the camera comes nearer, and no frame is without the object', async () => {
    const ball = await objectFromAsset(sphereField({ cells: [6] }), {
      lod: lodSettings(),
      backend: 'worker',
    });
    const events: string[] = [];
    ball.addEventListener('levelready', ({ level }) => events.push(level.name));
    const scene = createScene().add(ball);
    const camera = new PerspectiveCamera(60, 1, 0.01, 100);
    const shown: string[] = [];
    let distance = 6;
    while (distance > 0.75) {
      camera.position.z = distance;
      renderer.render(scene, camera);
      expect(ball.children.filter(({ visible }) => visible)).toEqual([ball.mesh]);
      expect(Math.max(...centerColor(readPixels(renderer.domElement)))).toBeGreaterThan(60);
      const name = ball.level?.name ?? 'none';
      if (shown.at(-1) !== name) shown.push(name);
      // Waits where a level is on its way, so that each of them is shown.
      if (ball.level === ball.wantedLevel) distance -= distance / 50;
      await frame();
    }
    expect(shown).toEqual(['preview', 'tolerance 0.05', 'tolerance 0.01', 'tolerance 0.002']);
    expect(events).toEqual(shown.slice(1));
    // And back, in leaps.
    for (distance of [0.8, 30, 1.5, 0.75, 80]) {
      camera.position.z = distance;
      for (let i = 0; i < 3; i++) {
        renderer.render(scene, camera);
        expect(ball.children.filter(({ visible }) => visible)).toEqual([ball.mesh]);
        await frame();
      }
    }
    expect(ball.level?.index).toBe(0);
    ball.dispose();
  });

  it('know the height of what is drawn: a higher picture asks for more', async () => {
    const ball = await objectFromAsset(sphereField({ cells: [6] }), {
      lod: lodSettings(),
      backend: 'worker',
    });
    const scene = createScene().add(ball);
    const camera = new PerspectiveCamera(60, 1, 0.01, 100);
    camera.position.z = 5;
    for (const [size, index] of [
      [16, 0],
      [700, 2],
      [16, 0],
    ]) {
      renderer.setSize(size, size, false);
      do {
        renderer.render(scene, camera);
        await frame();
      } while (ball.wantedLevel?.index !== index);
    }
    renderer.setSize(SIZE, SIZE, false);
    ball.dispose();
  });
});

describe('work that is no longer wanted', () => {
  it('ends when its object leaves the view, and the next one gets the worker', async () => {
    const bytes = await (
      await fetch(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url))
    ).arrayBuffer();
    const levels = [{ tolerance: 0.01 }, { tolerance: 3e-4 }];
    const lod = lodSettings({ levels, viewportHeight: 2000 });
    const bunny = await objectFromAsset(readField(bytes), { lod, backend: 'worker' });
    const renderer = new WebGLRenderer({ canvas: createCanvas() });
    const scene = createScene().add(bunny);
    const camera = new PerspectiveCamera(60, 1, 0.01, 100);
    camera.position.z = 2;
    renderer.render(scene, camera);
    await until(() => bunny.ladder[1].status === 'making');
    camera.rotation.y = Math.PI;
    for (let i = 0; i < 5 && scheduler.stats.nCancelled === 0; i++) {
      renderer.render(scene, camera);
      await frame();
    }
    expect(scheduler.stats.nCancelled).toBe(1);
    expect(bunny.ladder[1].status).toBe('absent');
    expect(bunny.level).not.toBeNull();
    scheduler.pause({ cancelRunning: true });
    camera.rotation.y = 0;
    const { nMade } = scheduler.stats;
    for (let i = 0; i < 10; i++) {
      renderer.render(scene, camera);
      await frame();
    }
    expect(scheduler.stats).toMatchObject({ nMade, nRunning: 0 });
    expect(bunny.level?.isPreview).toBe(true);
    scheduler.resume();
    await until(() => scheduler.stats.nRunning === 1);
    bunny.dispose();
    expect(scheduler.stats).toMatchObject({ nObjects: 0, nRunning: 0 });
    renderer.dispose();
  });
});

describe('the byte budget', () => {
  it('frees the buffers of what is out of sight, and keeps every object on screen', async () => {
    const lod = lodSettings();
    const balls = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        objectFromAsset(sphereField({ cells: [5], radius: 0.5 + i / 50 }), { lod, backend: 'worker' }),
      ),
    );
    const evicted: number[] = [];
    balls.forEach((ball, i) => {
      ball.position.x = i * 4;
      ball.addEventListener('levelevicted', ({ level }) => {
        if (level.index > 0) evicted.push(i);
      });
    });
    const renderer = new WebGLRenderer({ canvas: createCanvas() });
    const scene = createScene().add(...balls);
    const camera = new PerspectiveCamera(60, 1, 0.01, 100);
    const drawn = new Set<BufferGeometry>();
    for (const { mesh } of balls) {
      mesh!.onAfterRender = (_renderer, _scene, _camera, geometry) => drawn.add(geometry);
    }
    const look = async (i: number): Promise<void> => {
      camera.position.set(i * 4, 0, 0.8);
      for (let n = 0; n < 4 || balls[i].level !== balls[i].wantedLevel; n++) {
        renderer.render(scene, camera);
        await frame();
      }
      renderer.render(scene, camera); // what came after the last picture is on the GPU, too
      expect(balls[i].level?.index).toBe(2);
    };
    /** Geometries that were drawn and belong to a level that is still there. */
    const nKept = (): number => {
      const ready = balls.flatMap(({ ladder }) => ladder.map(({ value }) => value?.geometry));
      return ready.filter((geometry) => geometry && drawn.has(geometry)).length;
    };
    for (let i = 0; i < 6; i++) await look(i);
    const nBefore = renderer.info.memory.geometries;
    expect(nBefore).toBeGreaterThanOrEqual(6);
    expect(nBefore).toBe(nKept());
    const { nBytes } = scheduler.stats;
    scheduler.maxBytes = nBytes / 3;
    do await look(5);
    while (scheduler.stats.nBytes > nBytes / 3);
    expect(evicted).toEqual(expect.arrayContaining([0, 1]));
    expect(evicted).not.toContain(5);
    expect(renderer.info.memory.geometries).toBe(nKept());
    expect(renderer.info.memory.geometries).toBeLessThan(nBefore);
    expect(balls.every(({ level }) => level !== null)).toBe(true);
    for (const ball of balls) ball.dispose();
    renderer.dispose();
  });
});

describe('200 objects and a flying camera', () => {
  it('cost a frame one look at each of them, and a tick one finished level', async () => {
    const most = { waitingTicks: 0, looks: 0, delivered: 0 };
    let [nowMs, nWaitingTicks] = [0, 0];
    const defer = (task: () => void): void => {
      most.waitingTicks = Math.max(most.waitingTicks, ++nWaitingTicks);
      setTimeout(() => {
        nWaitingTicks--;
        const { nMade } = scheduler.stats;
        task();
        most.delivered = Math.max(most.delivered, scheduler.stats.nMade - nMade);
      });
    };
    scheduler = createScheduler({ defer, now: () => nowMs, maxConcurrent: 3 });
    const lod = { levels: LEVELS, scheduler, viewportHeight: 1000, preview: 12 };
    const balls = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        objectFromAsset(sphereField({ cells: [4], radius: 0.4 + i / 1000 }), {
          lod,
          backend: 'worker',
          cache: false,
        }),
      ),
    );
    balls.forEach((ball, i) => {
      ball.position.set(Math.cos(i * 2.4) * Math.sqrt(i), (i % 7) - 3, Math.sin(i * 2.4) * Math.sqrt(i));
      // An engine that takes as long for one geometry as a tick may take for all.
      ball.addEventListener('levelready', () => {
        nowMs += 1;
      });
    });
    const renderer = new WebGLRenderer({ canvas: createCanvas(48) });
    const scene = createScene().add(...balls);
    const camera = new PerspectiveCamera(60, 1, 0.01, 200);
    const look = vi.spyOn(LevelSelector.prototype, 'look');
    const { nMade } = scheduler.stats;
    most.delivered = 0;
    // A round, and on until workers have made some levels.
    for (let i = 0; i < 150 || scheduler.stats.nMade - nMade <= 10; i++) {
      const angle = (i / 150) * Math.PI * 2;
      camera.position.set(Math.cos(angle) * 12, 2 + Math.sin(angle * 3), Math.sin(angle) * 12);
      camera.lookAt(new Vector3(Math.cos(angle + 2) * 6, 0, Math.sin(angle + 2) * 6));
      nowMs += 16;
      look.mockClear();
      renderer.render(scene, camera);
      most.looks = Math.max(most.looks, look.mock.calls.length);
      await frame();
    }
    look.mockRestore();
    expect(most).toEqual({ waitingTicks: 1, looks: 200, delivered: 1 });
    for (const ball of balls) ball.dispose();
    renderer.dispose();
  });
});

describe('loading and disposing 500 times', () => {
  afterEach(() => {
    configureWorkers({});
    disposeWorkers();
  });

  it('leaves no heap, no GPU buffers, no workers, no jobs', async () => {
    let nWorkers = 0;
    configureWorkers({
      createWorker: () => {
        nWorkers++;
        const worker = startWorker();
        const terminate = worker.terminate.bind(worker);
        worker.terminate = () => {
          nWorkers--;
          terminate();
        };
        return worker;
      },
      maxWorkers: 2,
    });
    const lod = lodSettings({ levels: LEVELS.slice(0, 2), preview: 8 });
    const bytes = writeNsdf(sphereField({ cells: [3] }));
    const loader = new NSDFLoader(undefined, { backend: 'worker', cache: false }).setLod(lod);
    const renderer = new WebGLRenderer({ canvas: createCanvas(32) });
    const camera = new PerspectiveCamera(60, 1, 0.01, 100);
    camera.position.z = 0.8;
    const scene = createScene();
    const loadAndDispose = async (i: number): Promise<void> => {
      const group = await loader.parseAsync(bytes);
      scene.add(group);
      renderer.render(scene, camera);
      // Some are disposed of with a job at work, some after their level is there.
      if (i % 10 === 0) await until(() => group.fields[0].level?.isPreview === false);
      else if (i % 4 === 0) await frame();
      scene.remove(group);
      group.dispose();
    };
    const heapBytes = async (): Promise<number> => {
      for (let i = 0; i < 3; i++) await frame();
      const session = cdp() as unknown as { send(method: string): Promise<{ usedSize: number }> };
      await session.send('HeapProfiler.collectGarbage');
      return (await session.send('Runtime.getHeapUsage')).usedSize;
    };
    for (let i = 0; i < 50; i++) await loadAndDispose(i);
    const before = await heapBytes();
    const { geometries, textures } = renderer.info.memory;
    for (let i = 50; i < 500; i++) await loadAndDispose(i);
    const grown = (await heapBytes()) - before;
    // 450 loads; a mesh of the coarse level alone has 8 kB.
    expect(grown).toBeLessThan(1.5e6);
    expect(renderer.info.memory).toMatchObject({ geometries, textures });
    expect(geometries).toBe(0);
    expect(scheduler.stats).toMatchObject({ nObjects: 0, nRunning: 0, nBytes: 0 });
    // A worker that does not stop in time is replaced, once it is gone; none is added.
    expect(nWorkers).toBeLessThanOrEqual(2);
    renderer.dispose();
  });
});

/** Pixels of a silhouette that lie farther than a pixel from the other one. */
function nBeyondOnePixel(a: Uint8Array, b: Uint8Array, size: number): number {
  const near = (mask: Uint8Array, i: number): boolean => {
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) if (mask[i + dy * size + dx]) return true;
    }
    return false;
  };
  let n = 0;
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1; x < size - 1; x++) {
      const i = y * size + x;
      if ((a[i] && !near(b, i)) || (b[i] && !near(a, i))) n++;
    }
  }
  return n;
}

describe('at a screen error of one pixel', () => {
  it("the bunny's silhouette differs from the exact level's by at most one pixel, at several distances", async () => {
    const size = 512;
    const bytes = await (
      await fetch(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url))
    ).arrayBuffer();
    const { levels: _levels, ...lod } = lodSettings({ viewportHeight: size });
    const bunny = await objectFromAsset(readField(bytes), { lod, backend: 'worker' });
    bunny.material = new MeshBasicMaterial({ color: 0xffffff });
    const exact = await bunny.loadLevel(bunny.ladder.length - 1);
    const scene = new Scene().add(bunny);
    const renderer = new WebGLRenderer({ canvas: createCanvas(size), antialias: false });
    renderer.setSize(size, size, false);
    const camera = new PerspectiveCamera(40, 1, 0.01, 100);
    const silhouette = (): Uint8Array => {
      renderer.render(scene, camera);
      const pixels = readPixels(renderer.domElement);
      return Uint8Array.from({ length: size * size }, (_, i) => (pixels[i * 4] > 127 ? 1 : 0));
    };
    const levelReady = () =>
      new Promise<void>((resolve) => bunny.addEventListener('levelready', () => resolve()));
    const used: number[] = [];
    for (const [distance, angle] of [
      [40, 0],
      [7, 1],
      [2.8, 4],
    ]) {
      camera.position.set(Math.sin(angle) * distance, 0.2 * distance, Math.cos(angle) * distance);
      camera.lookAt(0, 0, 0);
      let chosen = silhouette();
      while (bunny.level !== bunny.wantedLevel) {
        await levelReady(); // not drawn meanwhile: a picture in software takes from the worker what it works with
        chosen = silhouette();
      }
      used.push(bunny.ladder.findIndex(({ name }) => name === bunny.level?.name));
      const mesh = bunny.mesh!;
      const { geometry } = mesh;
      bunny.autoUpdate = false;
      mesh.geometry = exact.value!.geometry;
      const reference = silhouette();
      mesh.geometry = geometry;
      bunny.autoUpdate = true;
      expect(reference.reduce((sum, set) => sum + set, 0)).toBeGreaterThan(300);
      expect(nBeyondOnePixel(chosen, reference, size), `at ${distance}, ${bunny.level?.name}`).toBe(0);
    }
    // The nearer, the finer.
    expect(used).toEqual([...used].sort((a, b) => a - b));
    expect(new Set(used).size).toBeGreaterThan(2);
    expect(used[0]).toBeGreaterThanOrEqual(0);
    bunny.dispose();
    renderer.dispose();
  });
});
