import { NodeIO } from '@gltf-transform/core';
import { describe, expect, it } from 'vitest';
import { BUDGETS } from '../../src/budgets.ts';
import { NsdfArgumentError, NsdfUnsupportedError } from '../../src/errors.ts';
import type { FieldAsset, GridLevel } from '../../src/format/asset.ts';
import { roundField } from '../../src/format/encode-field.ts';
import { NeuralFieldExtension } from '../../src/format/gltf-transform.ts';
import { readField, readNsdf, readNsdfPrefix, validateNsdf, verifyNsdf } from '../../src/format/read.ts';
import { sceneOf, writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { compactField } from '../fixtures/compact-field.ts';
import { boxMlp, randomField, sphereField } from '../fixtures/fields.ts';
import { editField, khronosIssues, unpack } from './glb-tools.ts';

const levelsOf = ({ encoding }: FieldAsset): readonly GridLevel[] =>
  encoding.kind === 'hash-grid' ? encoding.levels : [];
const FIELDS = [
  ['dense', compactField(sphereField({ cells: [4, 8] }))],
  ['hashed, F=4', compactField(randomField(2, { L: 3, F: 4, T: 7, finest: 9, layers: [5] }))],
  ['without biases', compactField(randomField(3, { L: 2, F: 1, finest: 6, layers: [3], hasBias: false }))],
] as const;

describe.each(FIELDS)('a compact file of a field, %s,', (_, asset) => {
  const file = writeNsdf(asset, { dtype: 'compact' });

  it('comes back bit by bit, and is written again as it was', async () => {
    const back = readField(file);
    expect(back).toEqual(asset);
    expect(writeNsdf(back, { dtype: 'compact' })).toEqual(file);
    expect(validateNsdf(file)).toEqual([]);
    expect(await khronosIssues(file)).toEqual([]);
    expect(await verifyNsdf(await writeNsdfHashed(back, { dtype: 'compact' }))).toEqual([]);
    const io = new NodeIO().registerExtensions([NeuralFieldExtension]);
    expect(readField(await io.writeBinary(await io.readBinary(file)))).toEqual(asset);
  });

  it('shows one level after the other while it arrives', () => {
    const ends = unpack(file).json.bufferViews.map((view: { byteOffset: number; byteLength: number }) => {
      return unpack(file).binByteOffset + view.byteOffset + view.byteLength;
    });
    ends.forEach((end: number, arrived: number) => {
      const prefix = readNsdfPrefix(file.subarray(0, end));
      const tables = prefix?.fields.flatMap(({ field }) => levelsOf(field.asset).map(({ params }) => params));
      expect(tables).toEqual(
        levelsOf(asset)
          .slice(0, arrived)
          .map(({ params }) => params),
      );
    });
  });
});

describe('compact files', () => {
  const [[, dense], [, hashed]] = FIELDS;

  it('may hold several fields, some without a grid', () => {
    const scene = sceneOf([dense, roundField(boxMlp(), 'compact'), hashed]);
    const back = readNsdf(writeNsdf(scene, { dtype: 'compact' }));
    expect(back.nodes.map(({ mesh }) => mesh?.fields[0].asset)).toEqual(
      scene.nodes.map(({ mesh }) => mesh?.fields[0].asset),
    );
  });

  it('are smaller than half floats', () => {
    const sizes = (['compact', 'compact-f32', 'f16'] as const).map(
      (dtype) => writeNsdf(dense, { dtype }).length,
    );
    expect(sizes[0]).toBeLessThan(0.6 * sizes[2]);
    expect(sizes[1]).toBeGreaterThan(sizes[0]);
  });

  it('cannot be made of other tables than coded ones', () => {
    const plain = sphereField({ cells: [3] });
    expect(() => writeNsdf(plain, { dtype: 'compact' })).toThrow(NsdfArgumentError);
    expect(() => writeNsdf(plain, { dtype: 'compact' })).toThrow(/nsdf pack --compact/);
    const [first, second] = levelsOf(compactField(sphereField({ cells: [4, 8], radius: 0.5 })));
    if (dense.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    // A level that was coded after another one.
    const mixed = { ...dense, encoding: { ...dense.encoding, levels: [levelsOf(dense)[0], second] } };
    expect(first).toBeDefined();
    expect(() => writeNsdf(mixed, { dtype: 'compact' })).toThrow(NsdfArgumentError);
  });

  it('of absurd counts are refused before anything is allocated', () => {
    const file = writeNsdf(hashed, { dtype: 'compact' });
    const large = editField(file, (field) => {
      field.encoding.levels[2].nEntries = BUDGETS.nTableValues;
    });
    expect(() => readField(large)).toThrow(NsdfUnsupportedError);
    expect(() => readField(large)).toThrow(/at most 33554432 are decoded/);
    for (const nEntries of [0, -1, 1.5, 2 ** 33, 'x', null]) {
      const odd = editField(file, (field) => {
        field.encoding.levels[2].nEntries = nEntries;
      });
      expect(validateNsdf(odd).some(({ severity }) => severity === 'error')).toBe(true);
    }
  });

  it('name the level whose stream is damaged', () => {
    const file = writeNsdf(dense, { dtype: 'compact' });
    file[file.length - 9] ^= 4;
    const [issue] = validateNsdf(file);
    expect(issue.code).toBe('weights');
    expect(issue.path).toMatch(/levels\/1\/bufferView$/);
    expect(issue.message).toMatch(/damaged/);
  });
});
