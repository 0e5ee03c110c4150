import { NodeIO } from '@gltf-transform/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { NsdfFormatError, NsdfUnsupportedError } from '../../src/errors.ts';
import type { AttributeField, FieldAsset } from '../../src/format/asset.ts';
import { decodeNeuralField, neuralFieldBufferViews } from '../../src/format/decode-neural-field.ts';
import { roundField } from '../../src/format/encode-field.ts';
import { packGlb } from '../../src/format/glb.ts';
import { inlineBuffers } from '../../src/format/gltf-buffers.ts';
import { NeuralFieldExtension } from '../../src/format/gltf-transform.ts';
import { contentHash } from '../../src/format/hash.ts';
import schema from '../../src/format/nsdf-neural-field.schema.json' with { type: 'json' };
import { packWeights } from '../../src/format/packed-weights.ts';
import { readField, readNsdfPrefix, validateNsdf, verifyNsdf } from '../../src/format/read.ts';
import { writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { coloredBox, RAMP } from '../fixtures/colored-fields.ts';
import { boxMlp, randomField } from '../fixtures/fields.ts';
import { layer } from '../fixtures/mlp-parts.ts';
import { firstField, khronosIssues, unpack } from './glb-tools.ts';

const isValid = new Ajv2020({ strict: true, strictTuples: false, strictRequired: false }).compile(schema);
const BOX = coloredBox();

/** The box's file with another JSON of its attributes. */
function withJson(change: (attributes: Record<string, never>) => unknown): Uint8Array {
  const { json, bin } = unpack(writeNsdf(BOX));
  const field = firstField(json);
  field.attributes = change(field.attributes);
  return packGlb(json, bin);
}

function codesOf(file: Uint8Array): string[] {
  return validateNsdf(file).map(({ code, path = '' }) => `${code} ${path.split('NSDF_neural_field')[1]}`);
}

describe('attributes of a field', () => {
  it('are read as they were written, obey the schema and offend no validator', async () => {
    const file = writeNsdf(BOX);
    expect(readField(file)).toEqual(BOX);
    expect(readField(writeNsdf(BOX, { dtype: 'f16' }))).toEqual(roundField(BOX, 'f16'));
    expect(isValid(firstField(unpack(file).json)), JSON.stringify(isValid.errors)).toBe(true);
    expect(validateNsdf(file)).toEqual([]);
    expect(await khronosIssues(file)).toEqual([]);
  });

  it('lie beside a file, and go through glTF-Transform, as the field does', async () => {
    const weights = await packWeights(BOX, { uri: 'w.bin' });
    const tile = writeNsdf({ ...BOX, tolerance: 0.1 }, { weights });
    const whole = inlineBuffers(tile, new Map([['w.bin', weights.bytes]]));
    expect(readField(whole)).toEqual({ ...BOX, tolerance: 0.1 });
    const io = new NodeIO().registerExtensions([NeuralFieldExtension]);
    expect(readField(await io.writeBinary(await io.readBinary(writeNsdf(BOX))))).toEqual(BOX);
  });

  it('are decoded for engines, from the bufferViews that they are said to need', () => {
    const { json, bin } = unpack(writeNsdf(BOX));
    const needed = neuralFieldBufferViews(firstField(json));
    const viewOf = (i: number): Uint8Array | null => {
      if (!needed.includes(i)) return null;
      const { byteOffset, byteLength } = json.bufferViews[i];
      return bin.subarray(byteOffset, byteOffset + byteLength);
    };
    expect(decodeNeuralField(firstField(json), viewOf, { name: BOX.name })).toEqual(BOX);
  });

  it('arrive with the levels of their field, and are absent before', () => {
    const asset: FieldAsset = { ...randomField(5, { L: 3, T: 9 }), attributes: BOX.attributes ?? {} };
    const file = writeNsdf(asset);
    const seen = new Set<string>();
    for (let n: number | null = 20; n !== null && n <= file.length; ) {
      const prefix = readNsdfPrefix(file.subarray(0, n));
      const attributes = prefix?.fields[0]?.field.asset.attributes;
      if (prefix?.fields[0]) seen.add(Object.keys(attributes ?? {}).join(' '));
      const next: number | null = prefix ? prefix.nextByteLength : n + 1;
      n = next;
    }
    expect([...seen].at(-1)).toBe('COLOR_0 _READINGS');
    expect([...seen]).toContain('COLOR_0');
  });

  it('are part of the hash, which finds them damaged; fields without have the one they had', async () => {
    const plain = boxMlp();
    const { attributes: _, ...bare } = BOX;
    expect(await contentHash(bare)).toBe(await contentHash(plain));
    expect(await contentHash(BOX)).not.toBe(await contentHash(plain));
    const file = await writeNsdfHashed(BOX);
    expect(await verifyNsdf(file)).toEqual([]);
    const at = new DataView(file.buffer, file.byteOffset);
    const blue = [...Array(file.length / 4).keys()].find((i) => at.getFloat32(4 * i, true) === 2) as number;
    at.setFloat32(4 * blue, 2.5, true);
    expect((await verifyNsdf(file)).map(({ code }) => code)).toEqual(['hash']);
  });
});

describe('attributes that break a rule', () => {
  const color = (attributes: Record<string, never>) => attributes.COLOR_0;

  it.each(['POSITION', 'NORMAL', 'temperature', '_temperature', '__proto__', 'COLOR', '_'])(
    'are refused by name: %s',
    (name) => {
      const file = withJson((attributes) => Object.fromEntries([[name, color(attributes)]]));
      expect(codesOf(file)).toEqual(['property-range /attributes']);
      expect(isValid(firstField(unpack(file).json))).toBe(false);
      expect(() => readField(file)).toThrow(NsdfFormatError);
    },
  );

  it('are refused where they are none, too many or no objects', () => {
    const many = (attributes: Record<string, never>) =>
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`_A${i}`, color(attributes)]));
    for (const change of [() => ({}), many]) {
      const file = withJson(change);
      expect(codesOf(file)).toEqual(['property-range /attributes']);
      expect(isValid(firstField(unpack(file).json))).toBe(false);
    }
    expect(codesOf(withJson(() => []))).toEqual(['property-type /attributes']);
    for (const value of [3, null, 'white'])
      expect(codesOf(withJson(() => ({ COLOR_0: value })))).toEqual(['property-type /attributes/COLOR_0']);
  });

  it('are refused with the place of what is wrong in their networks', () => {
    const file = withJson((attributes) => {
      const { mlp, encoding } = structuredClone(color(attributes)) as never as {
        mlp: { layers: { biasByteOffset: number }[] };
        encoding: object;
      };
      mlp.layers[0].biasByteOffset = 4096;
      return { COLOR_0: { mlp, encoding } };
    });
    expect(codesOf(file)).toEqual(['length /attributes/COLOR_0/mlp/layers/0/biasByteOffset']);
  });

  it('are refused in memory: widths that glTF does not have, and networks beyond the budget of all', () => {
    const of = (attribute: AttributeField) => () => writeNsdf({ ...BOX, attributes: { COLOR_0: attribute } });
    const narrow = { ...RAMP, layers: [layer([[1, 0, 0]])] };
    expect(of(narrow)).toThrow(/COLOR_0 has 1 outputs, expected 3 or 4.*attributes\.COLOR_0\.layers\[0\]/);
    const wide = new Float32Array(3 * 2 ** 16);
    const square = new Float32Array(2 ** 24);
    const large = [
      { nIn: 3, nOut: 4096, weights: wide.subarray(0, 3 * 4096), bias: null },
      { nIn: 4096, nOut: 4096, weights: square, bias: null },
      { nIn: 4096, nOut: 3, weights: wide.subarray(0, 3 * 4096), bias: null },
    ];
    expect(of({ ...RAMP, layers: large })).toThrow(NsdfUnsupportedError);
  });
});
