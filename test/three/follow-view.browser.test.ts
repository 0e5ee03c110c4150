import { type BufferGeometry, PerspectiveCamera } from 'three';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkTopology, configureWorkers, disposeWorkers } from '../../src/index.ts';
import { startWorker } from '../../src/pipeline/start-worker.ts';
import { followView, objectFromAsset } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { passTurns } from '../pipeline/event-turns.ts';

beforeAll(() => configureWorkers({ createWorker: startWorker }));
afterAll(() => disposeWorkers());

it('a field is fine where the camera is, closed everywhere, and never without a mesh', async () => {
  const object = await objectFromAsset(sphereField({ cells: [8], radius: 0.6 }), { tolerance: 0.05 });
  const view = await followView(object, {
    counts: [4, 4, 4],
    tolerances: [0.05, 0.002],
    screenError: 10,
    viewportHeight: 100,
  });
  const camera = new PerspectiveCamera(50, 1, 0.01, 100);
  const positionsNear = (sign: number): number => {
    const geometry = object.geometry as BufferGeometry;
    const { array } = geometry.getAttribute('position');
    let n = 0;
    for (let i = 2; i < array.length; i += 3) if (array[i] * sign > 0.4) n++;
    return n;
  };
  for (const sign of [1, -1]) {
    camera.position.set(0, 0, sign * 1.1);
    camera.lookAt(0, 0, 0);
    view.update(camera);
    while (view.isBusy) {
      expect(object.mesh).not.toBeNull();
      await passTurns();
      view.update(camera);
    }
    expect(positionsNear(sign)).toBeGreaterThan(2 * positionsNear(-sign));
    const geometry = object.geometry as BufferGeometry;
    const mesh = {
      positions: geometry.getAttribute('position').array as Float32Array,
      indices: Uint32Array.from(geometry.index?.array ?? []),
    };
    expect(checkTopology(mesh)).toMatchObject({ isClosed: true, isManifold: true, eulerCharacteristic: 2 });
  }
  view.dispose();
  object.dispose();
});
