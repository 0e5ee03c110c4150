import validator from 'gltf-validator';
import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { roundField } from '../../src/format/encode-field.ts';
import { inlineBuffers, listExternalBuffers } from '../../src/format/gltf-buffers.ts';
import { contentHash } from '../../src/format/hash.ts';
import { packWeights } from '../../src/format/packed-weights.ts';
import { readField, readNsdf, validateNsdf } from '../../src/format/read.ts';
import { sceneOf, writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { boxMlp, FIELD_CASES, sphereField } from '../fixtures/fields.ts';
import { editJson, firstField, unpack } from './glb-tools.ts';

const fallback = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1),
  normals: null,
  indices: Uint32Array.of(0, 1, 2, 0, 2, 3),
};
const HALF = { min: [-1, -1, -1], max: [0, 1, 1] } as const;

/** Errors and warnings that Khronos' validator finds, with the buffers beside the file in its hands. */
async function khronosIssues(file: Uint8Array, buffers: ReadonlyMap<string, Uint8Array>): Promise<string[]> {
  const { issues } = await validator.validateBytes(file, {
    externalResourceFunction: async (uri) => {
      const bytes = buffers.get(uri);
      if (bytes === undefined) throw new Error(`asked for ${uri}`);
      return bytes;
    },
  });
  return issues.messages
    .filter(({ severity }) => severity <= 1)
    .map(({ code, pointer }) => `${code} ${pointer}`);
}

describe.each(FIELD_CASES)('$name, with its weights beside it', ({ make }) => {
  it('is valid glTF and is read back once they are in', async () => {
    for (const dtype of ['f32', 'f16'] as const) {
      const asset = make();
      const weights = await packWeights(asset, { uri: 'a%20field.bin', dtype });
      const tile: FieldAsset = { ...asset, tolerance: 0.5 };
      const file = writeNsdf(tile, { weights });
      const buffers = new Map([[weights.uri, weights.bytes]]);
      expect(listExternalBuffers(file)).toEqual([weights.uri]);
      expect(file.length).toBeLessThan(4000);
      expect(await khronosIssues(file, buffers)).toEqual([]);
      const whole = inlineBuffers(file, buffers);
      expect(validateNsdf(whole)).toEqual([]);
      expect(readField(whole)).toEqual(roundField(tile, dtype));
      expect(firstField(unpack(file).json).sha256).toBe(await contentHash(readField(whole)));
    }
  });
});

describe('weights beside the file', () => {
  it('leave the fallback mesh in it', async () => {
    const asset = sphereField({ cells: [3, 5] });
    const weights = await packWeights(asset, { uri: 'sphere.bin' });
    const file = writeNsdf(sceneOf({ ...asset, region: HALF }, { fallback }), { weights });
    const buffers = new Map([[weights.uri, weights.bytes]]);
    expect(await khronosIssues(file, buffers)).toEqual([]);
    expect(unpack(file).json.buffers).toEqual([
      { byteLength: 60 },
      { uri: 'sphere.bin', byteLength: weights.bytes.length },
    ]);
    expect(unpack(file).json.extensionsRequired).toBeUndefined();
    const [node] = readNsdf(inlineBuffers(file, buffers)).nodes;
    expect(node.mesh?.fields[0]).toMatchObject({
      asset: { region: HALF },
      fallback: { indices: fallback.indices },
    });
  });

  it('bound what is shown by the region', async () => {
    const asset = boxMlp();
    const region = { min: [-3, -0.5, -1], max: [0, 0.5, 3] } as const;
    const file = writeNsdf({ ...asset, region }, { weights: await packWeights(asset, { uri: 'box.bin' }) });
    const { accessors } = unpack(file).json;
    expect(accessors[0]).toMatchObject({ min: [-1, -0.5, -1], max: [0, 0.5, 1] });
  });

  it('are refused for another field, and for hints that break a rule', async () => {
    const asset = boxMlp();
    const weights = await packWeights(asset, { uri: 'box.bin' });
    const domain = { min: [-2, -1, -1], max: [1, 1, 1] } as const;
    for (const other of [boxMlp(), { ...asset, domain }, { ...asset, valueScale: 2 }]) {
      expect(() => writeNsdf(other, { weights })).toThrow(
        /is not the field whose weights were packed as box.bin/,
      );
      await expect(writeNsdfHashed(other, { weights })).rejects.toThrow(/is not the field/);
    }
    const beside = { min: [2, 0, 0], max: [3, 1, 1] } as const;
    expect(() => writeNsdf({ ...asset, region: beside }, { weights })).toThrow(/region's x range/);
    expect(() => writeNsdf({ ...asset, tolerance: -1 }, { weights })).toThrow(/positive number/);
  });

  it('are named where they are missing or short', async () => {
    const asset = boxMlp();
    const { uri, ...weights } = await packWeights(asset, { uri: 'box.bin' });
    const file = writeNsdf(asset, { weights: { uri, ...weights } });
    expect(() => readNsdf(file)).toThrow(/there are no bytes for bufferView 0/);
    expect(
      validateNsdf(file)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/inlineBuffers/);
    expect(() => inlineBuffers(file, new Map())).toThrow(/the bytes of box.bin were not given/);
    const short = new Map([[uri, weights.bytes.subarray(4)]]);
    expect(() => inlineBuffers(file, short)).toThrow(/box.bin has \d+ bytes, expected at least \d+/);
    const wild = editJson(file, (json) => {
      json.buffers.push(null);
      json.bufferViews.push(null, { buffer: 9 }, 7);
    });
    expect(() => inlineBuffers(wild, new Map([[uri, weights.bytes]]))).toThrow(
      /byteLength is undefined, expected a number of bytes/,
    );
    expect(listExternalBuffers(Uint8Array.of(1, 2, 3))).toEqual([]);
  });

  it('leave a file without any as it was read', () => {
    const file = writeNsdf(sphereField({ cells: [3] }));
    expect(readNsdf(inlineBuffers(file, new Map()))).toEqual(readNsdf(file));
  });
});
