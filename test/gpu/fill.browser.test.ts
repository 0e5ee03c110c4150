import { afterAll, describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { checkMesh, deriveMesh, disposeWorkers } from '../../src/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { SOUND } from '../surface/sound.ts';
import { sharedGpu } from './shared-gpu.ts';

afterAll(disposeWorkers);

// A ball on few large boxes: a box's loop is divided into ever more triangles as the tolerance falls.
describe('loops are filled inside of their leaves', () => {
  const asset = sphereField({ cells: [4], radius: 0.6 });
  const field = createCpuField(asset);

  test.each([
    ['with few triangles a loop', 1e-2],
    ['with more triangles a loop', 4e-3],
  ])('as finely as the tolerance wants, %s', async (_where, tolerance) => {
    const options = { tolerance, cache: false } as const;
    const there = await deriveMesh(asset, { ...options, backend: 'gpu', device: sharedGpu.device });
    const here = await deriveMesh(asset, { ...options, backend: 'cpu' });
    expect(there.stats.backendReason).toMatch(/derived on [^,]*$/);
    expect(there.stats.stops).toMatchObject({ nBoxesUnsound: 0, nPlacesLeft: 0, nDivisionsRefused: 0 });
    const report = await checkMesh(there.mesh, { field, domain: asset.domain, samples: 2000 });
    expect(report).toMatchObject({ ...SOUND, nComponents: 1, eulerCharacteristic: 2 });
    expect(report.meshToZeroSet!.max).toBeLessThan(tolerance);
    expect(report.zeroSetToMesh!.max).toBeLessThan(tolerance);
    expect(there.stats.nVertices).toBeLessThan(1.25 * here.stats.nVertices + 8);
  });
});
