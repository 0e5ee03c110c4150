import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { readField } from '../../src/format/index.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';

const path = fileURLToPath(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url));
const asset = readField(readFileSync(path));

async function measure(options: DeriveOptions) {
  const { mesh, stats } = await deriveMesh(asset, options);
  const report = await checkMesh(mesh, {
    field: createCpuField(asset),
    domain: asset.domain,
    samples: 20_000,
  });
  return { stats, report };
}

/** The trained bunny, at the figures that the project set itself. */
describe('the trained bunny', () => {
  test('at tolerance 1e-3 has at most 13,000 vertices, and keeps the tolerance both ways', async () => {
    const { stats, report } = await measure({ tolerance: 1e-3 });
    expect(stats.nVertices).toBeLessThanOrEqual(13_000);
    expect(stats.nBoxesUnsettled).toBe(0);
    expect(report).toMatchObject({
      isClosed: true,
      isManifold: true,
      isOriented: true,
      isOutwardOriented: true,
      nDegenerateTriangles: 0,
      nDuplicateVertices: 0,
      nDuplicateTriangles: 0,
      nComponents: 1,
      eulerCharacteristic: 2,
    });
    expect(report.meshToZeroSet?.mean).toBeLessThan(2.4e-4);
    expect(report.zeroSetToMesh?.mean).toBeLessThan(2.4e-4);
    expect(report.meshToZeroSet?.max).toBeLessThan(1e-3);
    expect(report.zeroSetToMesh?.max).toBeLessThan(1e-3);
    expect(report.residual?.mean).toBeLessThan(1e-7);
    expect(report.residual?.p999).toBeLessThan(1e-6);
    expect(report.residual?.max).toBeLessThan(1e-5);
  });

  test('with 4,567 vertices stands off by 5e-4 in the mean at most', async () => {
    const { stats, report } = await measure({ maxVertices: 4567 });
    expect(stats.nVertices).toBeLessThanOrEqual(4567);
    expect(report).toMatchObject({ isClosed: true, isManifold: true, isOriented: true });
    expect(report.meshToZeroSet?.mean).toBeLessThan(5e-4);
    expect(report.residual?.max).toBeLessThan(1e-5);
  });
});
