import { describe, expect, it } from 'vitest';
import type { FieldAsset, GridLevel, MlpLayer } from '../../src/format/asset.ts';
import { contentHash } from '../../src/format/hash.ts';
import { readField, readNsdf, verifyNsdf } from '../../src/format/read.ts';
import { writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { boxMlp, sphereField, withDifferenceOutput } from '../fixtures/fields.ts';
import { editField, firstField, unpack } from './glb-tools.ts';

const ASSET = sphereField({ cells: [3, 5] });

function withLayer(asset: FieldAsset, change: (layer: MlpLayer) => Partial<MlpLayer>): FieldAsset {
  return { ...asset, layers: [{ ...asset.layers[0], ...change(asset.layers[0]) }, ...asset.layers.slice(1)] };
}

function withLevel(asset: FieldAsset, change: (level: GridLevel) => Partial<GridLevel>): FieldAsset {
  if (asset.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
  const [first, ...rest] = asset.encoding.levels;
  return { ...asset, encoding: { ...asset.encoding, levels: [{ ...first, ...change(first) }, ...rest] } };
}

function bumped(values: Float32Array): Float32Array {
  const copy = values.slice();
  copy[copy.length - 1] += 1e-6;
  return copy;
}

describe('contentHash', () => {
  it('is the same for equal fields, whatever their name, hints and file', async () => {
    const hash = await contentHash(ASSET);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await contentHash({ ...ASSET, name: 'other', lodResolutions: [4] })).toBe(hash);
    expect(await contentHash(readField(writeNsdf(ASSET)))).toBe(hash);
    const { encoding, ...rest } = ASSET;
    expect(await contentHash({ encoding, ...rest })).toBe(hash);
  });

  it('is stable: a change here makes every cached partition stale', async () => {
    expect(await contentHash(boxMlp())).toBe(
      '7c59f0d69f5a48e8bdd04541dac0fe344b7969476f4d0dfa7e46cf6d6dd1a06e',
    );
  });

  it('differs for everything that determines f', async () => {
    const changed: FieldAsset[] = [
      ASSET,
      withLayer(ASSET, ({ weights }) => ({ weights: bumped(weights) })),
      withLayer(ASSET, ({ bias }) => ({ bias: bumped(bias!) })),
      withLayer(ASSET, () => ({ bias: null })),
      withLevel(ASSET, ({ params }) => ({ params: bumped(params) })),
      withLevel(ASSET, ({ scale }) => ({ scale: scale + 2 ** -20 })),
      withLevel(ASSET, () => ({ offset: 0.25 })),
      withLevel(ASSET, () => ({ isDense: false })),
      withLevel(ASSET, ({ resolution }) => ({ resolution: resolution - 1 })),
      { ...ASSET, valueScale: 2 },
      { ...ASSET, isNegativeInside: false },
      { ...ASSET, domain: { ...ASSET.domain, max: [1, 1, 1.5] } },
      withDifferenceOutput(ASSET),
      { ...withDifferenceOutput(ASSET), output: { plus: 0, minus: 1 } },
      { ...boxMlp(), encoding: { kind: 'none', inputSpace: 'unit' } },
      boxMlp(),
    ];
    const hashes = await Promise.all(changed.map(contentHash));
    expect(new Set(hashes).size).toBe(changed.length);
  });
});

describe('a stored SHA-256', () => {
  it.each(['f32', 'f16'] as const)('is that of the %s field as it is read', async (dtype) => {
    const file = await writeNsdfHashed(ASSET, { dtype });
    const [field] = readNsdf(file).nodes[0].mesh?.fields ?? [];
    expect(field.sha256).toBe(await contentHash(field.asset));
    expect(await verifyNsdf(file)).toEqual([]);
  });

  it('gives away a flipped bit that the reader cannot see', async () => {
    const file = await writeNsdfHashed(ASSET);
    const { json, binByteOffset } = unpack(file);
    const { byteOffset } = json.bufferViews[firstField(json).encoding.levels[1].bufferView];
    file[binByteOffset + byteOffset + 80] ^= 1;
    expect(() => readNsdf(file)).not.toThrow();
    expect(await verifyNsdf(file)).toMatchObject([{ severity: 'error', code: 'hash' }]);
  });

  it('is optional, and never makes verifyNsdf reject', async () => {
    expect(await verifyNsdf(writeNsdf(ASSET))).toEqual([]);
    expect(await verifyNsdf(new Uint8Array(5))).toMatchObject([{ code: 'container' }]);
    const broken = editField(await writeNsdfHashed(ASSET), (field) => {
      field.valueScale = 0;
    });
    expect(await verifyNsdf(broken)).toMatchObject([{ code: 'property-range' }]);
  });
});
