import { expect, test } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import { cleanMesh } from '../../src/surface/clean.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
import { type ExtractOptions, extractSurface } from '../../src/surface/extract.ts';
import { finishMesh, type RawMesh } from '../../src/surface/finish.ts';
import { measureMeshError } from '../../src/surface/mesh-error.ts';
import { boxMlp, octahedronMlp, randomField, sphereField } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';
import { settleField } from '../partition/settled.ts';
import { runHere } from '../pipeline/run-here.ts';

// Each step of the refinement on its own: with any of them switched off one of these fails.

function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The mesh as the boxes leave it, before anything is done to it as a whole. */
function extract(asset: FieldAsset, options: JobOptions, fill: Partial<ExtractOptions['fill']> = {}) {
  const { field, plan, table, forest } = settleField(asset, options);
  const how = { shape: plan.shape, fill: { ...plan.fill, ...fill } };
  const { vertices, filler, flagged } = finish(extractSurface(table, forest, how));
  const { normals, slopes, indices, nTriangles } = filler.sink;
  const { positions, nVertices } = vertices;
  const raw: RawMesh = { positions, normals, slopes, nVertices, indices, nTriangles };
  const errorOf = () => runSteps(measureMeshError(finishMesh(raw), field, asset.domain));
  const clean = (tolerance: number, nMeasured = 0) => {
    const detail = DetailMap.uniform(tolerance, asset.domain);
    const spacing = (asset.domain.max[0] - asset.domain.min[0]) / (plan.lattice.planes[0].length - 1);
    return finish(cleanMesh(raw, plan.frame, { field, detail, spacing, nMeasured }));
  };
  return { raw, flagged, errorOf, clean };
}

test('boxes in which the surface is curved get vertices until they keep the tolerance', () => {
  const { errorOf } = extract(sphereField({ cells: [4] }), { tolerance: 3e-3 });
  expect(errorOf()).toBeLessThan(3e-3);
});

test('creases are edges where a tolerance is asked for, too', () => {
  const asset = boxMlp([0.31, 0.27, 0.23], [0.021, 0.033, 0.017]);
  const { errorOf } = extract(asset, { tolerance: 1e-3 }, { refineShare: Number.MAX_VALUE });
  // Without creases 0.0226.
  expect(errorOf()).toBeLessThan(0.0135);
});

test('boxes whose loops are no discs are divided until they are', async () => {
  const asset = randomField(15, { L: 1, base: 3, finest: 3, layers: [6] });
  expect(extract(asset, { exact: true }).flagged).not.toHaveLength(0);
  const { stats } = await runHere(asset, { exact: true });
  expect(stats.stops.nBoxesUnsound).toBe(0);
});

test('what stands off in the finished mesh is repaired', () => {
  const { errorOf, clean } = extract(sphereField({ cells: [4] }), { tolerance: 0.03 });
  const tolerance = 4e-3;
  expect(errorOf()).toBeGreaterThan(tolerance);
  const unmended = clean(tolerance);
  expect(unmended?.stops).toEqual({ nPlacesLeft: 0, nDivisionsRefused: 0, nWithoutRoom: 0 });
  expect(errorOf()).toBeLessThan(tolerance);
});

test('a repair that has no room says so', () => {
  const { clean } = extract(sphereField({ cells: [4] }), { tolerance: 0.03 });
  const unmended = clean(1e-5, 8192);
  expect(unmended?.stops.nWithoutRoom).toBeGreaterThan(0);
  expect(unmended?.errors?.errorLocal).toBeGreaterThan(1e-5);
});

test('vertices that the tolerance does not need go, and no other', () => {
  const { raw, errorOf, clean } = extract(octahedronMlp(0.61), { tolerance: 4e-3 });
  clean(4e-3);
  expect(errorOf()).toBeLessThan(4e-3);
  expect(finishMesh(raw).positions.length / 3).toBeLessThan(12);
});
