import { beforeEach, describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { type PackedWeights, packWeights } from '../../src/format/packed-weights.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { readGltfField } from '../../src/plugin/gltf-fields.ts';
import { sphereField } from '../fixtures/fields.ts';
import { editField, unpack } from '../format/glb-tools.ts';
import { passTurns } from '../pipeline/event-turns.ts';

const REGIONS = [
  { min: [-1, -1, -1], max: [0, 1, 1] },
  { min: [0, -1, -1], max: [1, 1, 1] },
] as const;

describe('tiles of one field', () => {
  let nLoaded = 0;
  let nFailures = 0;
  let nNetworks = 0;
  let weights: PackedWeights;
  let tiles: Uint8Array[] = [];

  beforeEach(async () => {
    [nLoaded, nFailures] = [0, 0];
    // A network of its own for each test: the page's memory of them is what is tested.
    const asset = sphereField({ cells: [4], radius: 0.3 + nNetworks++ / 50 });
    weights = await packWeights(asset, { uri: 'weights.bin' });
    tiles = REGIONS.map((region) => writeNsdf({ ...asset, region, tolerance: 0.1 }, { weights }));
  });

  /** As an engine's glTF loader does; a tile has two bufferViews, of which the first one is counted. */
  const load = (tile: Uint8Array): Promise<FieldAsset> =>
    readGltfField(unpack(tile).json, { meshIndex: 0, primitiveIndex: 0 }, async (index) => {
      if (index === 0) nLoaded++;
      const isFailing = index === 0 && nFailures-- > 0;
      await passTurns(); // the others begin meanwhile
      if (isFailing) throw new Error('the network is down');
      const { byteOffset, byteLength } = weights.ranges[index];
      return weights.bytes.slice(byteOffset, byteOffset + byteLength);
    });

  it('load its weights once and share them, also while they are loading', async () => {
    const [left, right] = await Promise.all(tiles.map(load));
    const again = await load(tiles[0]);
    expect(nLoaded).toBe(1);
    expect(left.layers).toBe(right.layers);
    expect(again.encoding).toBe(left.encoding);
    expect([left, right, again].map(({ region }) => region)).toEqual([REGIONS[0], REGIONS[1], REGIONS[0]]);
    expect(again).toEqual(left);
  });

  it('load for themselves where the one before them could not', async () => {
    nFailures = 1;
    const results = await Promise.allSettled(tiles.map(load));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect((await load(tiles[0])).region).toEqual(REGIONS[0]);
    expect(nLoaded).toBe(2);
  });

  it('share nothing on the word of a file whose weights have another hash', async () => {
    const honest = await load(tiles[0]);
    const sha256 = 'ab'.repeat(32);
    const lies = tiles.map((tile) => editField(tile, (field) => Object.assign(field, { sha256 })));
    const first = await load(lies[0]);
    const second = await load(lies[1]);
    expect(first.layers).not.toBe(honest.layers);
    expect(second.layers).not.toBe(first.layers);
    expect(nLoaded).toBe(3);
  });

  it('still say what is wrong with their hints', async () => {
    await load(tiles[0]);
    const edit = (change: object) => editField(tiles[1], (field) => Object.assign(field, change));
    await expect(load(edit({ tolerance: -1 }))).rejects.toThrow(
      /tolerance is -1, expected a positive number/,
    );
    await expect(load(edit({ version: 2 }))).rejects.toThrow(/version 2/);
    expect(nLoaded).toBe(1);
  });

  it('keep what is in the file itself to themselves', async () => {
    const whole = sphereField({ cells: [4], radius: 0.9 });
    const file = writeNsdf(whole);
    const { json, bin } = unpack(file);
    const read = () =>
      readGltfField(json, { meshIndex: 0, primitiveIndex: 0 }, async (index) => {
        const { byteOffset, byteLength } = json.bufferViews[index];
        return bin.slice(byteOffset, byteOffset + byteLength);
      });
    expect((await read()).layers).not.toBe((await read()).layers);
  });
});
