import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, Vec3 } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { createRandom } from '../../src/surface/check-random.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
import { sampleMesh } from '../../src/surface/distance-samples.ts';
import { distancesToZeroSet } from '../../src/surface/distance-to-zero-set.ts';
import { FIELD_CASES } from '../fixtures/fields.ts';

const bunny = readField(readFileSync('test/fixtures/bunny-S.nsdf'));
const LEVELS = [0.064, 0.016, 0.004, 0.001];
const SOUND = {
  isClosed: true,
  isManifold: true,
  isOriented: true,
  isOutwardOriented: true,
  nDuplicateVertices: 0,
  nDuplicateTriangles: 0,
  nDegenerateTriangles: 0,
};

function randomMix(counts: Vec3, seed: number, scale: number): { counts: Vec3; tolerances: number[] } {
  const random = createRandom(seed);
  const nBlocks = counts[0] * counts[1] * counts[2];
  const pick = () => scale * LEVELS[Math.floor(random() * LEVELS.length)];
  return { counts, tolerances: Array.from({ length: nBlocks }, pick) };
}

/** Largest distance of sampled points of the mesh from the zero set, as a share of the tolerance where they are. */
async function worstShare(
  asset: FieldAsset,
  blocks: { counts: Vec3; tolerances: number[] },
): Promise<number> {
  const { mesh } = await deriveMesh(asset, { blocks });
  const detail = new DetailMap(blocks, asset.domain);
  const random = createRandom(5);
  const points = sampleMesh(mesh, 4000, random);
  const distances = distancesToZeroSet(createCpuField(asset), points, asset.domain, random);
  let most = 0;
  for (let i = 0; i < distances.length; i++) most = Math.max(most, distances[i] / detail.at(points, i * 3));
  return most;
}

describe.each([1, 2, 3, 4, 5])('random mix %i of detail on the bunny', (seed) => {
  const blocks = randomMix(seed % 2 ? [4, 4, 4] : [3, 5, 2], seed, 1);

  test('is one sound mesh', async () => {
    const { mesh } = await deriveMesh(bunny, { blocks });
    const field = createCpuField(bunny);
    const report = await checkMesh(mesh, { field, domain: bunny.domain, samples: 0 });
    expect(report).toMatchObject({ ...SOUND, nComponents: 1, eulerCharacteristic: 2, nOpenEdgesOnDomain: 0 });
    expect(report.residual?.max).toBeLessThan(1e-6);
  });
});

test('every block of the bunny keeps its own tolerance', async () => {
  expect(await worstShare(bunny, randomMix([4, 4, 4], 6, 1))).toBeLessThan(1);
});

test('detail is spent where it is asked for', async () => {
  const near = Array.from({ length: 8 }, (_, i) => (i === 7 ? LEVELS[3] : LEVELS[1]));
  const [coarse, mixed, fine] = await Promise.all([
    deriveMesh(bunny, { tolerance: LEVELS[1] }),
    deriveMesh(bunny, { blocks: { counts: [2, 2, 2], tolerances: near } }),
    deriveMesh(bunny, { tolerance: LEVELS[3] }),
  ]);
  expect(mixed.stats.nVertices).toBeGreaterThan(1.2 * coarse.stats.nVertices);
  expect(mixed.stats.nVertices).toBeLessThan(0.6 * fine.stats.nVertices);
});

test('a random mix on every fixture is sound', async () => {
  for (const { name, make } of FIELD_CASES.filter((one) => one.name !== 'random mlp 8x32').slice(0, 14)) {
    const asset = make();
    const scale = Math.hypot(...asset.domain.max.map((x, k) => x - asset.domain.min[k])) / 3.46;
    const { mesh } = await deriveMesh(asset, { blocks: randomMix([3, 3, 3], 7, scale) });
    const report = await checkMesh(mesh, { domain: asset.domain });
    expect({ name, ...report }).toMatchObject({ name, isClosed: true, isManifold: true, isOriented: true });
  }
});

test('blocks of one tolerance give the mesh of that tolerance', async () => {
  const blocks = { counts: [2, 1, 3] as Vec3, tolerances: new Float64Array(6).fill(0.004) };
  const [a, b] = [await deriveMesh(bunny, { blocks }), await deriveMesh(bunny, { tolerance: 0.004 })];
  expect(a.mesh.positions).toEqual(b.mesh.positions);
  expect(a.mesh.indices).toEqual(b.mesh.indices);
});
