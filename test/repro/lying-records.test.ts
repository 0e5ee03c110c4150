import { describe, expect, test, vi } from 'vitest';
import { PartitionCache } from '../../src/cache/partition-cache.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, PackedPartition } from '../../src/format/asset.ts';
import { decodeRegions, encodeRegions, verifyRegions } from '../../src/partition/regions-record.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { packPartition, verifyPartitions } from '../../src/pipeline/packed-partitions.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { openEnvelope, packRecord } from '../../src/pipeline/record-envelope.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { decodeSurface, encodeSurface, verifySurface } from '../../src/surface/surface-record.ts';
import { blobMlp, boxMlp, leavingField, multiField, planeMlp, sphereField } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { runSteps } from '../partition/run-steps.ts';
import { surveyField } from '../survey/fields.ts';

const DETAIL = { tolerance: 2e-2 };

/** The triangles of a mesh that are connected with triangle 0, or those that are not. */
function pick({ positions, normals, indices }: SurfaceMesh, isFirst: boolean): SurfaceMesh {
  const parent = Uint32Array.from({ length: positions.length / 3 }, (_, v) => v);
  const find = (v: number): number => {
    let at = v;
    while (parent[at] !== at) at = parent[at];
    return at;
  };
  for (let t = 0; t < indices.length; t += 3) {
    for (const k of [1, 2]) parent[find(indices[t + k])] = find(indices[t]);
  }
  const first = find(indices[0]);
  const kept = indices.filter((v) => (find(v) === first) === isFirst);
  const used = [...new Set(kept)];
  const places = new Map(used.map((v, i) => [v, i]));
  const copy = (values: Float32Array): Float32Array<ArrayBuffer> =>
    Float32Array.from(used.flatMap((v) => [...values.subarray(v * 3, v * 3 + 3)]));
  return {
    positions: copy(positions),
    normals: copy(normals),
    indices: kept.map((v) => places.get(v) as number),
  };
}

const NOTHING: SurfaceMesh = {
  positions: new Float32Array(0),
  normals: new Float32Array(0),
  indices: new Uint32Array(0),
};

/** The surface record with another mesh in it, its checksum right. */
function withMesh(
  { kind, bytes }: PackedPartition,
  change: (mesh: SurfaceMesh) => SurfaceMesh,
): PackedPartition {
  const { header, payload } = openEnvelope(bytes);
  const mesh = change(runSteps(decodeSurface(payload)));
  return { kind, bytes: packRecord(header, runSteps(encodeSurface(mesh))) };
}

/** The regions record with some of its boxes. */
function withBoxes(
  asset: FieldAsset,
  { kind, bytes }: PackedPartition,
  isKept: (x: number, i: number) => boolean,
): PackedPartition {
  const { header, payload } = openEnvelope(bytes);
  const { lattice } = makePlan(createCpuField(asset), {});
  const { cull } = runSteps(decodeRegions(payload, lattice));
  const kept = Array.from({ length: cull.nBoxes }, (_, i) => i).filter((i) => isKept(cull.boxes[i * 3], i));
  const boxes = Int32Array.from(kept.flatMap((i) => [...cull.boxes.subarray(i * 3, i * 3 + 3)]));
  const regions = { cull: { ...cull, boxes, nBoxes: kept.length }, forest: undefined };
  return { kind, bytes: packRecord(header, runSteps(encodeRegions(lattice, regions))) };
}

const MAKERS: readonly (readonly [string, () => FieldAsset])[] = [
  ['a box without a grid', () => boxMlp([0.62, 0.35, 0.41])],
  ['five parts on a grid', () => multiField()],
];

describe.each(MAKERS)('%s', (_name, make) => {
  const asset = make();
  const packing = packPartition(asset, [DETAIL]);

  test('honest records stand', async () => {
    const packed = await packing;
    expect(await verifyPartitions(packed)).toEqual([]);
    expect((await deriveMesh(packed, DETAIL)).stats.cache).toEqual({ use: 'file', reason: '' });
  });

  test('a surface without triangles is dropped, said, and derived anew', async () => {
    const packed = await packing;
    const surface = withMesh(packed.partitions![1], () => NOTHING);
    const lying = { ...packed, partitions: [surface] };
    expect(await verifyPartitions(lying)).toMatchObject(
      [{ index: 0, message: /sign of f contradicts it/ }].map((p) => ({
        ...p,
        message: expect.stringMatching(p.message),
      })),
    );
    const { mesh, stats } = await deriveMesh(lying, DETAIL);
    expect(stats.cache).toEqual({
      use: 'miss',
      reason: expect.stringMatching(
        /^the record in the file was dropped: .*parts of the surface are missing/,
      ),
    });
    expect(mesh).toEqual((await deriveMesh(asset, { ...DETAIL, cache: false })).mesh);
  });

  test('regions without boxes, and with half of them, are dropped', async () => {
    const packed = await packing;
    for (const isKept of [() => false, (x: number) => x < 8]) {
      const regions = withBoxes(asset, packed.partitions![0], isKept);
      const lying = { ...packed, partitions: [regions] };
      expect(await verifyPartitions(lying)).toMatchObject([
        { message: expect.stringMatching(/not among its/) },
      ]);
      const { mesh, stats } = await deriveMesh(lying, DETAIL);
      expect(stats.cache).toEqual({ use: 'miss', reason: 'the regions found could not be used' });
      expect(mesh).toEqual((await deriveMesh(asset, { ...DETAIL, cache: false })).mesh);
    }
  });
});

describe('one of several parts', () => {
  test.each([true, false])('is missed, whichever is kept (the first: %s)', async (isFirst) => {
    const packed = await packPartition(multiField(), [DETAIL]);
    const surface = withMesh(packed.partitions![1], (mesh) => pick(mesh, isFirst));
    expect(await verifyPartitions({ ...packed, partitions: [surface] })).toHaveLength(1);
  });

  test('everything twice is found out, too', async () => {
    const packed = await packPartition(multiField(), [DETAIL]);
    const doubled = withMesh(packed.partitions![1], (mesh) => ({
      ...mesh,
      indices: Uint32Array.from([...mesh.indices, ...mesh.indices]),
    }));
    expect(await verifyPartitions({ ...packed, partitions: [doubled] })).toHaveLength(1);
  });

  test('from a custom store is found out as well', async () => {
    const records = new Map<string, Uint8Array>();
    const store = {
      get: async (key: string) => records.get(key),
      set: async (key: string, bytes: Uint8Array) => void records.set(key, bytes),
      delete: async (key: string) => void records.delete(key),
      clear: async () => records.clear(),
    };
    const cache = new PartitionCache({ store: null });
    const inner = await cache.open();
    const packed = await packPartition(multiField(), [DETAIL]);
    const filled = new PartitionCache({ store });
    await deriveMesh(multiField(), { ...DETAIL, cache: filled });
    await filled.settled();
    const key = [...records.keys()].find((name) => name.includes('/surface/')) as string;
    inner.set(key, withMesh(packed.partitions![1], () => NOTHING).bytes);
    const { stats, isEmpty } = await deriveMesh(multiField(), { ...DETAIL, cache });
    expect(isEmpty).toBe(false);
    expect(stats.cache.reason).toMatch(/^the record in memory was dropped/);
    expect(cache.statistics.nDamaged).toBe(1);
  });
});

/** Points evaluated, by whomever. */
const made = vi.hoisted(() => ({ n: 0 }));
vi.mock('../../src/field/evaluator.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/field/evaluator.ts')>();
  return {
    ...original,
    createEvaluator: (...given: Parameters<typeof original.createEvaluator>) => {
      const evaluator = original.createEvaluator(...given);
      const forward: typeof evaluator.forward = (points, start, n, out, at) => {
        made.n += n;
        evaluator.forward(points, start, n, out, at);
      };
      return { ...evaluator, forward };
    },
  };
});

describe('verification', () => {
  test.each<[string, FieldAsset]>([
    ['a box', boxMlp()],
    ['a plane', planeMlp()],
    ['a blob', blobMlp(5)],
    ['a sphere', sphereField({ cells: [6] })],
    ['five parts', multiField()],
    ['one that leaves', leavingField()],
  ])('of %s evaluates less than a tenth of the derivation', async (_name, asset) => {
    made.n = 0;
    const { mesh } = await deriveMesh(asset, { cache: false });
    const nDerived = made.n;
    const field = createCpuField(asset);
    const { lattice, frame, toleranceLocal } = makePlan(field, {});
    const nBoxes = lattice.planes.reduce((n, planes) => n * (planes.length - 1), 1);
    const claim = { bounds: frame.bounds, tolerance: toleranceLocal, nBoxes };
    made.n = 0;
    expect(runSteps(verifySurface(mesh, field, claim))).toBeUndefined();
    expect(made.n).toBeGreaterThan(0);
    expect(made.n).toBeLessThan(nDerived / 10);
  });

  test('takes vertices beside creases, where the slope may be a thousandth of what it is behind them, and none that are moved', async () => {
    const { asset, options } = surveyField(996);
    const { mesh, stats } = await deriveMesh(asset, { ...options, cache: false });
    const field = createCpuField(asset);
    const claim = { bounds: asset.domain, tolerance: options.tolerance, nBoxes: stats.nBoxes };
    expect(runSteps(verifySurface(mesh, field, claim))).toBeUndefined();
    const { min, max } = asset.domain;
    const step = 1e-5 * Math.hypot(...min.map((low, k) => max[k] - low));
    const isOnFace = (v: number): boolean =>
      [0, 1, 2].some((k) => [min[k], max[k]].includes(mesh.positions[3 * v + k]));
    const positions = mesh.positions.map((x, i) =>
      isOnFace(Math.floor(i / 3)) ? x : x + step * mesh.normals[i],
    );
    expect(runSteps(verifySurface({ ...mesh, positions }, field, claim))).toMatch(/off the zero set/);
  });

  test('of regions reads few points, and takes honest ones', () => {
    const asset = boxMlp();
    const field = createCpuField(asset);
    const { lattice } = makePlan(field, {});
    made.n = 0;
    const boxes = new Int32Array(0);
    const regions = { cull: { boxes, nBoxes: 0, nTotal: 32 ** 3, nTested: 0 }, forest: undefined };
    expect(runSteps(verifyRegions(regions, field, lattice, seededRandom(4)))).toMatch(
      /changes its sign in box/,
    );
    expect(made.n).toBeLessThan(2000);
  });
});
