import { expect, it } from 'vitest';
import { createGpuMarchingCubes } from '../../bench/gpu/marching-cubes.ts';
import { marchingCubes } from '../../bench/marching-cubes.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { blobMlp, multiField, OBLONG_DOMAIN, sphereField } from '../fixtures/fields.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';

it.each([
  { name: 'multi', make: () => multiField() },
  { name: 'blob mlp', make: () => blobMlp(21) },
  {
    name: 'oblong',
    make: () => sphereField({ domain: OBLONG_DOMAIN, center: [0.1, 0.5, 2.5], radius: 0.7 }),
  },
])("the benchmark's marching cubes make the mesh of the ones in JavaScript: $name", async ({ make }) => {
  const asset = make();
  const field = await createGpuField(asset, sharedGpu);
  const cubes = await createGpuMarchingCubes(field);
  const there = await cubes.run(21);
  const here = marchingCubes(createCpuField(asset), asset.domain, { resolution: 21 });
  expect(there.indices).toHaveLength(here.indices.length);
  expect(there.positions).toHaveLength(here.positions.length);
  const sorted = (positions: Float32Array): string[] =>
    Array.from({ length: positions.length / 3 }, (_, i) =>
      [...positions.subarray(i * 3, i * 3 + 3)].map((c) => c.toFixed(3)).join(),
    ).sort();
  const same = new Set(sorted(here.positions));
  // Coordinates that round to either side of a printed digit are the only ones that differ.
  const other = sorted(there.positions).filter((position) => !same.has(position));
  expect(other.length).toBeLessThan(0.03 * same.size);
  const report = await checkMesh({ positions: there.positions, indices: there.indices });
  expect(report).toMatchObject({
    isClosed: true,
    isManifold: true,
    isOriented: true,
    isOutwardOriented: true,
  });
  field.dispose();
});
