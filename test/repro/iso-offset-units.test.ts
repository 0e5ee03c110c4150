import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { sphereField } from '../fixtures/fields.ts';

const cube = (half: number) => ({ min: [-half, -half, -half], max: [half, half, half] }) as const;
const bunny = readField(readFileSync('test/fixtures/bunny-S.nsdf'));

// The offset of f against surfaces on lattice planes was a share of the domain's diagonal, as if f were a distance. Of
// fields in smaller units it moved the surface, opened the mesh, and, without a word, left nothing of it.
describe.each<[string, FieldAsset]>([
  ['values of 1e-6', { ...sphereField(), valueScale: 1e-6 }],
  ['values of 1e-9', { ...sphereField(), valueScale: 1e-9 }],
  ['values of 1e9', { ...sphereField(), valueScale: 1e9 }],
  ['a domain of 1e6, values of 1', { ...sphereField(), domain: cube(1e6) }],
  ['a domain of 1e9, values of 1', { ...sphereField(), domain: cube(1e9) }],
  ['a flat domain', { ...bunny, domain: { min: [-1, -0.02, -1], max: [1, 0.02, 1] } }],
])('%s', (_, asset) => {
  it('give a closed mesh within the tolerance', async () => {
    const { mesh, stats, isEmpty } = await deriveMesh(asset);
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 3000,
    });
    expect(isEmpty).toBe(false);
    expect(report).toMatchObject({ isClosed: true, isManifold: true, isOutwardOriented: true });
    expect(report.meshToZeroSet!.max).toBeLessThan(stats.toleranceLocal);
    expect(report.zeroSetToMesh!.max).toBeLessThan(stats.toleranceLocal);
  });
});
