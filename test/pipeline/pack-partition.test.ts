import { Buffer } from 'node:buffer';
import { NodeIO } from '@gltf-transform/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { PartitionCache } from '../../src/cache/partition-cache.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { packGlb } from '../../src/format/glb.ts';
import { NeuralFieldExtension } from '../../src/format/gltf-transform.ts';
import { readField, readNsdf, validateNsdf, verifyNsdf } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { packPartition, verifyPartitions } from '../../src/pipeline/packed-partitions.ts';
import { emptyField, multiField, sphereField } from '../fixtures/fields.ts';
import { firstField, khronosIssues, unpack } from '../format/glb-tools.ts';

const DETAILS = [{ tolerance: 1e-2 }, { tolerance: 5e-3 }];
let packed: FieldAsset;
let file: Uint8Array;

beforeAll(async () => {
  packed = await packPartition(multiField(), DETAILS);
  file = writeNsdf(packed);
});

describe('a file with its partition', () => {
  test('is valid, also to the Khronos validator, and comes back as it was', async () => {
    expect(await verifyNsdf(file)).toEqual([]);
    expect(await khronosIssues(file)).toEqual([]);
    expect(readField(file).partitions?.map(({ kind, bytes }) => [kind, new Uint8Array(bytes)])).toEqual(
      packed.partitions?.map(({ kind, bytes }) => [kind, bytes]),
    );
    expect(packed.partitions?.map(({ kind }) => kind)).toEqual(['regions', 'surface', 'surface']);
  });

  test('goes through glTF-Transform', async () => {
    const io = new NodeIO().registerExtensions([NeuralFieldExtension]);
    const back = await io.writeBinary(await io.readBinary(file));
    expect(await khronosIssues(back)).toEqual([]);
    expect((await deriveMesh(readField(back), DETAILS[0])).stats.cache.use).toBe('file');
    expect(await verifyPartitions(readField(back))).toEqual([]);
  });

  test.each(DETAILS)('gives the mesh at %o without a derivation, byte for byte', async (detail) => {
    // As files come in Node: a Buffer, whose slices are views.
    const { mesh, stats } = await deriveMesh(readField(Buffer.from(file)), detail);
    expect(stats).toMatchObject({ backend: 'cache', cache: { use: 'file', reason: '' } });
    expect(mesh).toEqual((await deriveMesh(multiField(), detail)).mesh);
  });

  test('saves the search at other tolerances', async () => {
    const { mesh, stats } = await deriveMesh(readField(file), { tolerance: 7e-3 });
    expect(stats.cache).toEqual({ use: 'regions', reason: '' });
    expect(mesh).toEqual((await deriveMesh(multiField(), { tolerance: 7e-3 })).mesh);
  });

  test('is not looked at where no cache is wanted; what else is found is kept beside it', async () => {
    const off = await deriveMesh(readField(file), { ...DETAILS[0], cache: false });
    expect(off.stats.cache.use).toBe('off');
    const cache = new PartitionCache({ store: null });
    const uses = [];
    for (const tolerance of [7e-3, 7e-3, 6e-3]) {
      uses.push((await deriveMesh(readField(file), { tolerance, cache })).stats.cache.use);
    }
    expect(uses).toEqual(['regions', 'memory', 'regions']);
  });

  test('loses it where the weights are rounded, for then it is another field', () => {
    expect(readField(writeNsdf(packed, { dtype: 'f16' })).partitions).toBeUndefined();
    const exact = { ...sphereField(), partitions: packed.partitions ?? [] };
    const isHalf = readField(writeNsdf(sphereField(), { dtype: 'f16' }));
    expect(
      readField(writeNsdf({ ...isHalf, partitions: exact.partitions }, { dtype: 'f16' })).partitions,
    ).toHaveLength(3);
  });

  test('of another field is passed over', async () => {
    const stranger = { ...sphereField({ cells: [8] }), partitions: packed.partitions ?? [] };
    const { stats, mesh } = await deriveMesh(stranger, DETAILS[0]);
    expect(stats.cache.use).toBe('miss');
    expect(mesh).toEqual((await deriveMesh(sphereField({ cells: [8] }), DETAILS[0])).mesh);
  });

  test('a damaged one costs time, not the mesh', async () => {
    const { mesh } = await deriveMesh(multiField(), DETAILS[0]);
    for (const at of [30, 402, 2002]) {
      const partitions = packed.partitions?.map(({ kind, bytes }) => {
        const broken = bytes.slice();
        broken[at % broken.length] ^= 16;
        return { kind, bytes: broken };
      });
      expect(await verifyPartitions({ ...multiField(), partitions: partitions ?? [] })).toHaveLength(3);
      const { stats, mesh: found } = await deriveMesh(
        { ...multiField(), partitions: partitions ?? [] },
        DETAILS[0],
      );
      expect(stats.cache.use).toBe('miss');
      expect(found).toEqual(mesh);
    }
  });

  test.each([
    ['a bufferView that is not there', { kind: 'surface', bufferView: 99 }, 'reference'],
    ['a bufferView of something else', { kind: 'surface', bufferView: 0 }, 'reference'],
    ['a kind that is unknown', { kind: 'soup', bufferView: 0 }, 'property-range'],
    ['no kind', { bufferView: 0 }, 'property-missing'],
  ])('the reader refuses %s', (_what, partition, code) => {
    const { json, bin } = unpack(file);
    firstField(json).partitions = [partition];
    const issues = validateNsdf(packGlb(json, bin));
    expect(issues.map((issue) => issue.code)).toContain(code);
    expect(issues[0].path).toMatch(/partitions\/0/);
    expect(() => readNsdf(packGlb(json, bin))).toThrow();
  });

  test('a field without surface has none to pack', async () => {
    await expect(packPartition(emptyField(), [{}])).rejects.toThrow(/no zero set/);
  });
});
