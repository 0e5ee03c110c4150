import { beforeAll, describe, expect, it, test } from 'vitest';
import { NsdfBudgetError } from '../../src/errors.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { frameOf } from '../../src/pipeline/plan.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import { checkMesh } from '../../src/surface/check.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { simplifyMesh } from '../../src/surface/simplify.ts';
import { boxMlp, leavingField, multiField, plainMlp, slabField, sphereField } from '../fixtures/fields.ts';
import { layer } from '../fixtures/mlp-parts.ts';
import { derive } from './derive.ts';
import { judgeMesh } from './judge-mesh.ts';
import { SOUND } from './sound.ts';

/** A field's mesh and what becomes of it under a budget. */
async function prepare(asset: FieldAsset, options: JobOptions) {
  const { mesh } = await derive(asset, options);
  const field = createCpuField(asset);
  const frame = frameOf(asset, options);
  const reduce = (maxVertices: number): SurfaceMesh => {
    const steps = simplifyMesh(mesh, field, maxVertices, frame);
    let step = steps.next();
    while (!step.done) step = steps.next();
    return step.value;
  };
  const check = (reduced: SurfaceMesh, samples = 0) =>
    checkMesh(reduced, { field, domain: frame.bounds, samples });
  return { mesh, field, bounds: frame.bounds, reduce, check };
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

const countOf = ({ positions }: SurfaceMesh): number => positions.length / 3;

/** Two octahedra of |x| + |y| + |z| = 0.25 about ±0.5 on x: max over pairs is not needed, their sum of hats is. */
function twoOctahedra(): FieldAsset {
  // f = | |x| - 0.5 | + |y| + |z| - 0.25
  const first = layer([
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
  ]);
  const second = layer(
    [
      [1, 1, 0, 0, 0, 0],
      [-1, -1, 0, 0, 0, 0],
      [0, 0, 1, 1, 1, 1],
    ],
    [-0.5, 0.5, 0],
  );
  return plainMlp('two octahedra', [first, second, layer([[1, 1, 1]], [-0.25])]);
}

describe.each<[string, FieldAsset, JobOptions, number]>([
  ['a ball', sphereField(), { tolerance: 4e-3 }, 1],
  ['five balls', multiField(), { tolerance: 6e-3 }, 5],
  ['a box, whose faces are flat', boxMlp([0.4, 0.3, 0.2]), { resolution: 12 }, 1],
  ['a plate', slabField(), { tolerance: 6e-3 }, 1],
  ['two octahedra', twoOctahedra(), { resolution: 10 }, 2],
  ['a ball that leaves the domain', leavingField(), { tolerance: 4e-3 }, 1],
  [
    'a part of five balls',
    multiField(),
    { tolerance: 6e-3, region: { min: [-0.6, -0.6, -0.6], max: [0.55, 0.5, 0.6] } },
    5,
  ],
])('%s', (_name, asset, options, nComponents) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare(asset, options);
  });

  it.each([0.7, 0.4, 0.15])(
    'comes to just a share of %d of its vertices, sound and on the zero set',
    async (share) => {
      const { mesh, field, bounds, reduce, check } = prepared;
      const most = Math.round(share * countOf(mesh));
      const needed = smallest(prepared);
      const reduced = reduce(Math.max(most, needed));
      expect(countOf(reduced)).toBe(Math.max(most, needed));
      expect(judgeMesh(reduced, field, bounds)).toEqual([]);
      expect(await check(reduced)).toMatchObject({ ...SOUND, nComponents, nFoldedEdges: 0 });
    },
  );

  it('keeps all its parts down to the smallest budget, which the error names', async () => {
    const { field, bounds, reduce, check } = prepared;
    const needed = smallest(prepared);
    expect(needed).toBeGreaterThanOrEqual(4);
    const reduced = reduce(needed);
    expect(countOf(reduced)).toBe(needed);
    expect(judgeMesh(reduced, field, bounds)).toEqual([]);
    expect(await check(reduced)).toMatchObject({
      nComponents,
      nFoldedEdges: 0,
      isClosed: true,
      isManifold: true,
    });
  });
});

/** What a budget error says is needed for the least budget; 4 where that is enough. */
function smallest({ reduce }: Prepared): number {
  try {
    reduce(4);
    return 4;
  } catch (error) {
    if (!(error instanceof NsdfBudgetError)) throw error;
    expect(error.available).toBe(4);
    return error.needed;
  }
}

test('a ball comes down to a tetrahedron, two octahedra to two', async () => {
  expect(countOf((await prepare(sphereField(), { tolerance: 4e-3 })).reduce(4))).toBe(4);
  const { reduce } = await prepare(twoOctahedra(), { resolution: 10 });
  expect(() => reduce(7)).toThrow(/takes 8\. Set maxVertices to 8 or more/);
  expect(countOf(reduce(8))).toBe(8);
});

test('octahedra keep their corners where the budget holds them', async () => {
  const { reduce, check } = await prepare(twoOctahedra(), { resolution: 10 });
  const report = await check(reduce(12), 500);
  expect(report.signedVolume).toBeCloseTo(2 * (4 / 3) * 0.25 ** 3, 6);
});

test('the error falls as the square of the vertices a side, by which a budget is well used', async () => {
  const { reduce, check } = await prepare(sphereField({ cells: [24] }), { tolerance: 1e-4 });
  const n = 400;
  const { meshToZeroSet } = await check(reduce(n), 4000);
  // Triangles of one size on a sphere: side² = (16 / √3) π r² / (4 n), mean distance below it side² / (24 r).
  const r = 0.6;
  const side2 = (4 / Math.sqrt(3)) * ((4 * Math.PI * r * r) / (2 * n));
  expect(meshToZeroSet?.mean).toBeLessThan(2 * (side2 / (12 * r)));
});
