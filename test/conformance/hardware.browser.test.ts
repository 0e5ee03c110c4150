import { expect, it } from 'vitest';
import { octahedronMlp } from '../fixtures/fields.ts';
import { fiveSpheres } from './cases.ts';
import { bunny, readMesh, withDeriver } from './on-gpu.ts';

// Real GPUs get other dispatches, and workgroups of other sizes, than the software that the other tests run on.
it.each([
  ['five spheres', fiveSpheres, 4e-3],
  ['an octahedron', () => octahedronMlp(0.57), 4e-3],
  ['the bunny', bunny, 1e-3],
] as const)('what hardware runs makes the same mesh, byte for byte: %s', async (_name, make, tolerance) => {
  const asset = await make();
  const derive = (isHardware: boolean) =>
    withDeriver(
      asset,
      tolerance,
      (deriver, plan, events) => deriver.derive(plan, events, readMesh),
      isHardware,
    );
  const [software, hardware] = [await derive(false), await derive(true)];
  expect(software.indices.length).toBeGreaterThan(0);
  expect(hardware).toEqual(software);
});
