import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  checkMesh,
  createCpuField,
  deriveMesh,
  type FieldAsset,
  NsdfArgumentError,
  readField,
} from '../../src/index.ts';
import { emptyField, FIELD_CASES, multiField } from '../fixtures/fields.ts';

const BUNNY = readField(readFileSync(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url)));
const preview = (asset: FieldAsset, resolution: number, more = {}) =>
  deriveMesh(asset, { preview: resolution, backend: 'cpu', ...more });

describe('a preview', () => {
  it.each(FIELD_CASES.map((field) => [field.name, field] as const))(
    'of %s is closed, manifold, welded, and on the zero set',
    async (_name, { make }) => {
      const asset = make();
      const { mesh, isEmpty, stats } = await preview(asset, 20);
      const report = await checkMesh(mesh, {
        field: createCpuField(asset),
        domain: asset.domain,
        samples: 500,
      });
      expect(report).toMatchObject({
        nOpenEdges: 0,
        nNonManifoldEdges: 0,
        nMisorientedEdges: 0,
        nDuplicateVertices: 0,
        nDegenerateTriangles: 0,
        isOutwardOriented: true,
      });
      expect(isEmpty).toBe(report.nTriangles === 0);
      expect(report.residual?.max ?? 0).toBeLessThan(1e-4);
      expect(stats.nTriangles).toBe(report.nTriangles);
    },
  );

  it('of the bunny: closed, near the surface, with a fraction of the triangles', async () => {
    const quick = await preview(BUNNY, 32);
    const whole = await deriveMesh(BUNNY, { exact: true, backend: 'cpu' });
    const report = await checkMesh(quick.mesh, {
      field: createCpuField(BUNNY),
      domain: BUNNY.domain,
      samples: 500,
    });
    expect(report).toMatchObject({ isClosed: true, isManifold: true });
    expect(report.zeroSetToMesh?.max).toBeLessThan(0.06); // 0.052; the tips of the ears
    expect(quick.stats.nTriangles).toBeLessThan(whole.stats.nTriangles / 8);
  });

  it('may lack what is smaller than a box, which is why it is only a preview, and says how far off that is', async () => {
    const count = async (options: object) => {
      const { mesh, stats } = await deriveMesh(multiField(), { ...options, backend: 'cpu' });
      return { nComponents: (await checkMesh(mesh)).nComponents, stats };
    };
    const [rough, whole] = [await count({ preview: 4 }), await count({ tolerance: 0.01 })];
    expect(rough.nComponents).toBeLessThan(whole.nComponents);
    expect(rough.stats.errorBackLocal).toBeGreaterThan(0.5);
    expect(rough.stats).toMatchObject({ method: 'lattice', isComplete: false, isWithinTolerance: false });
    expect(whole.stats).toMatchObject({ method: 'derived', isComplete: true, isWithinTolerance: true });
  });

  it('of nothing is empty; of a region ends at its faces; with a budget has fewer vertices', async () => {
    expect((await preview(emptyField(), 8)).isEmpty).toBe(true);
    const region = { min: [-1, -1, -1], max: [0, 1, 1] } as const;
    const { mesh } = await preview(BUNNY, 32, { region });
    const xs = mesh.positions.filter((_, i) => i % 3 === 0);
    expect(Math.max(...xs)).toBe(0);
    const all = await preview(BUNNY, 32);
    const some = await preview(BUNNY, 32, { maxVertices: 150 });
    expect(some.stats.nVertices).toBeLessThanOrEqual(150);
    expect(some.stats.errorLocal).toBeGreaterThan(all.stats.errorLocal ?? 0);
  });

  it('is refused together with another way to ask, or out of range', async () => {
    for (const options of [
      { preview: 32, tolerance: 0.1 },
      { preview: 32, exact: true },
      { preview: 32, structure: true },
      { preview: 0 },
      { preview: 129 },
      { preview: 1.5 },
    ]) {
      await expect(deriveMesh(BUNNY, options)).rejects.toBeInstanceOf(NsdfArgumentError);
    }
  });
});

describe('the measured error of a level', () => {
  it('is no more than the tolerance, and near to what the oracle measures', async () => {
    for (const options of [{ tolerance: 0.02 }, { exact: true }]) {
      const { mesh, stats } = await deriveMesh(BUNNY, { ...options, backend: 'cpu' });
      const report = await checkMesh(mesh, {
        field: createCpuField(BUNNY),
        domain: BUNNY.domain,
        samples: 400,
      });
      const error = stats.errorLocal ?? Number.NaN;
      if (!options.exact) expect(error).toBeLessThanOrEqual(stats.toleranceLocal);
      expect(error).toBeGreaterThan(0.5 * (report.meshToZeroSet?.p99 ?? Number.NaN));
      expect(error).toBeLessThan(3 * (report.meshToZeroSet?.max ?? Number.NaN));
    }
  });
});
