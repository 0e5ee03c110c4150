import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { Box3 } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { FIELD_CASES } from '../fixtures/fields.ts';

const bunny = readField(readFileSync('test/fixtures/bunny-S.nsdf'));

const SOUND = {
  isClosed: true,
  isManifold: true,
  isOriented: true,
  isOutwardOriented: true,
  nDuplicateVertices: 0,
  nDegenerateTriangles: 0,
};

/** The two halves of a domain, cut across x at a plane that is no mark. */
function halves({ min, max }: Box3, share: number): [Box3, Box3] {
  const x = Math.fround(min[0] + share * (max[0] - min[0]));
  return [
    { min, max: [x, max[1], max[2]] },
    { min: [x, min[1], min[2]], max },
  ];
}

/** The open edges on the plane at x, as [y, z, y, z]. */
function seamAt({ positions, indices }: SurfaceMesh, x: number): number[][] {
  const seen = new Map<string, number[]>();
  for (let c = 0; c < indices.length; c++) {
    const [i, j] = [indices[c], indices[c % 3 === 2 ? c - 2 : c + 1]];
    if (positions[i * 3] !== x || positions[j * 3] !== x) continue;
    const key = `${Math.min(i, j)} ${Math.max(i, j)}`;
    const edge = [i, j].flatMap((v) => [positions[v * 3 + 1], positions[v * 3 + 2]]);
    if (!seen.delete(key)) seen.set(key, edge);
  }
  return [...seen.values()];
}

/** Largest distance of the seam's vertices and edge middles from the other seam. */
function seamDistance(from: number[][], to: number[][]): number {
  let most = 0;
  for (const [ay, az, by, bz] of from) {
    for (const t of [0, 0.5]) {
      const [y, z] = [ay + t * (by - ay), az + t * (bz - az)];
      most = Math.max(most, Math.min(...to.map((edge) => segmentDistance(y, z, edge))));
    }
  }
  return most;
}

function segmentDistance(y: number, z: number, [ay, az, by, bz]: number[]): number {
  const [dy, dz] = [by - ay, bz - az];
  const t = ((y - ay) * dy + (z - az) * dz) / (dy * dy + dz * dz || 1);
  const clamped = Math.min(1, Math.max(0, t));
  return Math.hypot(y - ay - clamped * dy, z - az - clamped * dz);
}

describe.each<[string, DeriveOptions]>([
  ['tolerance', { tolerance: 2e-3 }],
  ['exact', { exact: true }],
])('regions of the bunny by %s', (_, options) => {
  const [left, right] = halves(bunny.domain, 0.4637);
  const pieces = [left, right].map((region) => deriveMesh(bunny, { ...options, region }));

  test('each is open on its faces only and on the zero set', async () => {
    for (const [i, region] of [left, right].entries()) {
      const { mesh, stats } = await pieces[i];
      const report = await checkMesh(mesh, { field: createCpuField(bunny), domain: region, samples: 2000 });
      expect(report).toMatchObject(SOUND);
      expect(report.nOpenEdgesOnDomain).toBeGreaterThan(20);
      expect(report.residual?.max).toBeLessThan(1e-6);
      if (options.exact) continue;
      expect(report.meshToZeroSet?.max).toBeLessThan(stats.toleranceLocal);
      expect(report.zeroSetToMesh?.max).toBeLessThan(stats.toleranceLocal);
    }
  });

  test('neighbours meet within the tolerance', async () => {
    const [a, b] = await Promise.all(pieces);
    const seams = [a, b].map(({ mesh }) => seamAt(mesh, left.max[0]));
    expect(seams[0].length).toBeGreaterThan(20);
    const most = options.exact ? 5e-3 : a.stats.toleranceLocal;
    expect(seamDistance(seams[0], seams[1])).toBeLessThan(most);
    expect(seamDistance(seams[1], seams[0])).toBeLessThan(most);
  });
});

test('a region that is cut in three from every fixture keeps the mesh sound', async () => {
  for (const { make } of FIELD_CASES.slice(0, 8)) {
    const asset = make();
    const { min, max } = asset.domain;
    const third = (k: number, n: number) => min[k] + ((max[k] - min[k]) * n) / 3;
    const region: Box3 = {
      min: [third(0, 1), third(1, 1), min[2]],
      max: [third(0, 2), third(1, 3), third(2, 2)],
    };
    const { mesh } = await deriveMesh(asset, { region });
    expect(await checkMesh(mesh, { domain: region })).toMatchObject({ isClosed: true, isManifold: true });
  }
});

test('a region without surface, or outside the domain, gives an empty mesh', async () => {
  const { max } = bunny.domain;
  const corner: Box3 = { min: [max[0] - 0.05, max[1] - 0.05, max[2] - 0.05], max };
  expect((await deriveMesh(bunny, { region: corner })).isEmpty).toBe(true);
  const beside: Box3 = { min: [max[0] + 1, 0, 0], max: [max[0] + 2, 1, 1] };
  expect((await deriveMesh(bunny, { region: beside })).isEmpty).toBe(true);
});

test('an asset says which region to derive and how finely, unless the caller does', async () => {
  const asset = FIELD_CASES[1].make();
  const [region, other] = halves(asset.domain, 0.4);
  const tile = { ...asset, region, tolerance: 0.05 };
  const byOptions = await deriveMesh(asset, { region, tolerance: 0.05 });
  const byHints = await deriveMesh(tile);
  expect(byHints.mesh).toEqual(byOptions.mesh);
  expect(byHints.stats.toleranceLocal).toBe(0.05);
  expect((await deriveMesh(tile, { exact: true })).stats.toleranceLocal).toBe(0);
  expect((await deriveMesh(tile, { exact: false })).stats.toleranceLocal).toBe(0.05);
  const resolved = await deriveMesh(tile, { resolution: 8, region: other });
  expect(resolved.mesh).toEqual((await deriveMesh(asset, { resolution: 8, region: other })).mesh);
});

test('the whole domain as a region gives the mesh of no region', async () => {
  const asset = FIELD_CASES[5].make();
  const whole = await deriveMesh(asset);
  const region = await deriveMesh(asset, { region: asset.domain });
  expect(region.mesh.indices).toEqual(whole.mesh.indices);
  expect(region.mesh.positions).toEqual(whole.mesh.positions);
});
