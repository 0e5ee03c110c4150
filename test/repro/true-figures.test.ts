import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { measureMeshError } from '../../src/surface/mesh-error.ts';
import { boxMlp, layer, octahedronMlp, plainMlp, randomField, sphereField } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';
import { SOUND } from '../surface/sound.ts';

/** max(n·p - a, m·p - b): the wedge between two planes. */
function wedge(n: readonly number[], a: number, m: readonly number[], b: number) {
  const negated = n.map((x) => -x);
  const difference = m.map((x, k) => x - n[k]);
  return plainMlp('wedge', [layer([n, negated, difference], [-a, a, a - b]), layer([[1, -1, 1]], [0])]);
}

describe('sharp edges', () => {
  // The edge lies in a face of the domain, on a line of the lattice; one side on a plane of it.
  const onLattice = wedge([0, 1, 1], 0.25, [0, 0, -1], 0.75);
  // Both sides of the acute wedge in single boxes, its edge on a lattice plane.
  const acute = wedge([0, 0, 1], 0.375, [0, 0.28, -0.96], -0.36);

  test.each([
    ['in a face of the domain', onLattice],
    ['acute, on a plane of the lattice', acute],
  ])('%s are kept, both ways, and cost few triangles', async (_what, asset) => {
    const { mesh, stats } = await deriveMesh(asset, { tolerance: 2e-3 });
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 500,
    });
    expect(report).toMatchObject(SOUND);
    expect(report.meshToZeroSet?.max).toBeLessThan(1e-4);
    expect(report.zeroSetToMesh?.max).toBeLessThan(1e-4);
    expect(stats).toMatchObject({ nBoxesUnsettled: 0, isComplete: true, isWithinTolerance: true });
    expect(stats.nTriangles).toBeLessThan(1500);
  });
});

describe('the triangles are as many as the surface needs', () => {
  // Beside the zero set f is constant, within 1e-8 of zero: |f| / |∇f| says nothing there.
  test.each([2, 16, 65])('where one side of it is dead, seed %i', async (seed) => {
    const asset = randomField(seed, { L: 1, F: 1, base: 2, finest: 2, T: 6, layers: [2, 2] });
    const { mesh, stats } = await deriveMesh(asset, { tolerance: 0.03 });
    expect(stats.nTriangles).toBeLessThan(4000);
    expect(await checkMesh(mesh, { domain: asset.domain })).toMatchObject({
      isClosed: true,
      isManifold: true,
    });
  });
});

describe('detail near the deepest division', () => {
  const center = [-0.427, 0.33, 0.119] as const;

  test('is derived whole where the boxes around it leave room', async () => {
    const half = 3e-4;
    const { mesh, stats } = await deriveMesh(boxMlp([half, half, half], center), { exact: true });
    const report = await checkMesh(mesh);
    expect(report).toMatchObject(SOUND);
    expect(report.signedVolume / (8 * half ** 3)).toBeCloseTo(1, 3);
    expect(stats.isWithinTolerance).toBeUndefined();
  });

  test('is told where it is smaller', async () => {
    const half = 1e-5;
    const { stats } = await deriveMesh(boxMlp([half, half, half], center), { exact: true });
    expect(stats.nBoxesUnsettled).toBeGreaterThan(0);
    expect(stats.isComplete).toBe(false);
  });
});

describe('the measured error', () => {
  const octahedron = octahedronMlp(0.7);
  const field = createCpuField(octahedron);
  /** An octahedron of another size: its faces stand off by the difference / √3. */
  const meshOf = (radius: number) => {
    const positions = Float32Array.from(
      [1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1],
      (x) => x * radius,
    );
    const indices = Uint32Array.from([
      0, 2, 4, 2, 1, 4, 1, 3, 4, 3, 0, 4, 2, 0, 5, 1, 2, 5, 3, 1, 5, 0, 3, 5,
    ]);
    return { positions, indices };
  };

  test.each([0.69, 0.71, 0.75])('of an octahedron of radius %f is how far it stands off', (radius) => {
    const error = runSteps(measureMeshError(meshOf(radius), field, octahedron.domain));
    const off = Math.abs(radius - 0.7) / Math.sqrt(3);
    expect(error).toBeGreaterThan(0.99 * off);
    // Outside, at a corner, the nearest is the other's corner.
    expect(error).toBeLessThan(1.01 * Math.abs(radius - 0.7));
  });

  test('of a field that is steep here and flat there is a distance all the same', () => {
    const scaled = { ...octahedron, valueScale: 1e-3 };
    const there = runSteps(measureMeshError(meshOf(0.72), createCpuField(scaled), octahedron.domain));
    // Both are bounds that a search ends with, to a relative 1e-4: it takes other ways where a sum is rounded otherwise.
    expect(there / runSteps(measureMeshError(meshOf(0.72), field, octahedron.domain))).toBeCloseTo(1, 3);
  });

  test('is not cut at the tolerance: what a budget of vertices does is told', async () => {
    const asset = sphereField({ cells: [4] });
    const { stats } = await deriveMesh(asset, { tolerance: 1e-3, maxVertices: 60 });
    expect(stats.errorLocal).toBeGreaterThan(2e-3);
    expect(stats.isWithinTolerance).toBe(false);
  });

  test('of an untrained network may be beyond the tolerance, and is told either way', async () => {
    const asset = randomField(15, { L: 1, base: 3, finest: 3, layers: [6] });
    const { mesh, stats } = await deriveMesh(asset, { tolerance: 0.02 });
    expect(stats.errorLocal).toBeGreaterThanOrEqual(
      runSteps(measureMeshError(mesh, createCpuField(asset), asset.domain)),
    );
    expect(stats.isWithinTolerance).toBe((stats.errorLocal ?? Number.NaN) <= stats.toleranceLocal);
  });
});
