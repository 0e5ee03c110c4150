import { beforeAll, describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh, type MeshReport } from '../../src/surface/check.ts';
import { blobMlp, FIELD_CASES, type FieldCase } from '../fixtures/fields.ts';
import { SOUND } from '../surface/sound.ts';

// The untrained 8x32 network derives in a minute: an eighth of it has a test of its own below, and a trained-like 4x32 one here.
const CASES: readonly FieldCase[] = [
  ...FIELD_CASES.filter(({ name }) => name !== 'random mlp 8x32'),
  { name: 'blob mlp 4x32', make: () => blobMlp(6, [32, 32, 32, 32]), isClosed: true },
];

const WAYS: readonly DeriveOptions[] = [{}, { resolution: 12, structure: true }, { exact: true }];

describe.each(CASES)('$name', ({ make, isClosed, isEmpty }) => {
  const asset = make();
  const field = createCpuField(asset);

  test.each(WAYS)('derived with %o is a closed oriented manifold on the zero set', async (options) => {
    const { mesh, stats, isEmpty: foundEmpty } = await deriveMesh(asset, options);
    expect(foundEmpty).toBe(isEmpty === true);
    const report = await checkMesh(mesh, { field, domain: asset.domain, samples: 1000 });
    expect(report).toMatchObject(SOUND);
    if (isClosed) expect(report.nOpenEdgesOnDomain).toBe(0);
    expect(report.residual?.max ?? 0).toBeLessThan(1e-5);
    expect(report.residual?.p999 ?? 0).toBeLessThan(1e-6);
    expect(report.residual?.mean ?? 0).toBeLessThan(1e-7);
    if (options.exact) return;
    // Where boxes stay unsettled (untrained networks) the tolerance is not certain.
    const slack = stats.nBoxesUnsettled > 0 ? 2 : 1;
    expect(report.meshToZeroSet?.max ?? 0).toBeLessThan(slack * stats.toleranceLocal);
    expect(report.zeroSetToMesh?.max ?? 0).toBeLessThan(slack * stats.toleranceLocal);
  });
});

describe('an untrained deep network, which folds everywhere', () => {
  const { make } = FIELD_CASES.find(({ name }) => name === 'random mlp 8x32') as FieldCase;
  // The octant with the most parts: 7, the smallest of 10, 12 and 20 triangles. The whole takes ten times as long.
  const region = { min: [0, -1, 0], max: [1, 0, 1] } as const;
  let nBoxesUnsettled: number;
  let report: MeshReport;
  beforeAll(async () => {
    const asset = make();
    const { mesh, stats } = await deriveMesh(asset, { resolution: 12, structure: true, region });
    nBoxesUnsettled = stats.nBoxesUnsettled;
    report = await checkMesh(mesh, { field: createCpuField(asset), domain: region, samples: 0 });
  });

  test('still gives a mesh without holes, folds and doubles, on its zero set', () => {
    // Facing outwards among it: some of its parts are thinner than the tolerance.
    expect(report).toMatchObject(SOUND);
    expect(report.residual?.max).toBeLessThan(1e-5);
    expect(report.residual?.mean).toBeLessThan(1e-7);
    // Its boxes cannot all be settled within the limits, and the job says so.
    expect(nBoxesUnsettled).toBeGreaterThan(0);
  });
});

test('the same options give the same bytes', async () => {
  const asset = FIELD_CASES[5].make();
  const [one, two] = [await deriveMesh(asset), await deriveMesh(asset)];
  expect(two.mesh.indices).toEqual(one.mesh.indices);
  expect(two.mesh.positions).toEqual(one.mesh.positions);
  expect(two.mesh.normals).toEqual(one.mesh.normals);
});

test('no part is lost', async () => {
  const asset = FIELD_CASES[5].make();
  for (const options of WAYS) {
    const { mesh } = await deriveMesh(asset, options);
    expect((await checkMesh(mesh)).nComponents).toBe(5);
  }
});
