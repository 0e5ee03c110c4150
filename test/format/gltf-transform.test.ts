import { Document, NodeIO } from '@gltf-transform/core';
import { describe, expect, it } from 'vitest';
import { NsdfFormatError } from '../../src/errors.ts';
import { type NeuralField, NeuralFieldExtension } from '../../src/format/gltf-transform.ts';
import { readField, readNsdf, validateNsdf, verifyNsdf } from '../../src/format/read.ts';
import { sceneOf, writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { boxMlp, FIELD_CASES, planeMlp, sphereField } from '../fixtures/fields.ts';
import { editField, khronosIssues, unpack } from './glb-tools.ts';

const NAME = NeuralFieldExtension.EXTENSION_NAME;
const io = new NodeIO().registerExtensions([NeuralFieldExtension]);
const fallback = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1),
  normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1),
  indices: Uint32Array.of(0, 1, 2, 0, 2, 3),
};

describe.each(FIELD_CASES)('$name', ({ make }) => {
  it('goes through glTF-Transform unchanged', async () => {
    for (const dtype of ['f32', 'f16'] as const) {
      const file = writeNsdf(make(), { dtype });
      const back = await io.writeBinary(await io.readBinary(file));
      expect(readField(back)).toEqual(readField(file));
      expect(validateNsdf(back)).toEqual([]);
    }
  });
});

describe('documents', () => {
  it('keep graph, fallback, hash and bounds, and please the Khronos validator', async () => {
    for (const parts of [{}, { fallback }]) {
      const scene = sceneOf([sphereField({ cells: [3, 5] }), boxMlp(), planeMlp()], parts);
      const nodes = scene.nodes.map((node, i) => ({ ...node, translation: [i, 0, 0] as const }));
      const file = await writeNsdfHashed({ ...scene, nodes }, { dtype: 'f16' });
      const back = await io.writeBinary(await io.readBinary(file));
      expect(readNsdf(back).nodes).toEqual(readNsdf(file).nodes);
      expect(await verifyNsdf(back)).toEqual([]);
      expect(await khronosIssues(back)).toEqual([]);
      expect(unpack(back).json.extensionsRequired).toEqual(unpack(file).json.extensionsRequired);
      const boundsOf = (bytes: Uint8Array): unknown =>
        unpack(bytes).json.accessors.map((a: { min: number[] }) => a.min);
      expect(boundsOf(back)).toEqual(expect.arrayContaining(boundsOf(file) as unknown[]));
    }
  });

  it('keep levels at multiples of 4, so that they need no copy', async () => {
    const file = writeNsdf(sphereField({ cells: [3, 5] }), { dtype: 'f32' });
    const back = await io.writeBinary(await io.readBinary(file));
    const { encoding } = readField(back);
    if (encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    expect(encoding.levels.map(({ params }) => params.buffer === back.buffer)).toEqual([true, true]);
  });

  it('can be cloned and edited', async () => {
    const document = await io.readBinary(await writeNsdfHashed(sphereField({ cells: [3] })));
    const [primitive] = document.getRoot().listMeshes()[0].listPrimitives();
    const field = primitive.getExtension<NeuralField>(NAME);
    if (field === null) throw new Error('no field');
    expect(field.clone().getField()).toBe(field.getField());
    expect(field.getSha256()).toMatch(/^[0-9a-f]{64}$/);
    field.setField(boxMlp(), 'f16');
    expect(field.getSha256()).toBeNull();
    const back = await io.writeBinary(document);
    expect(readField(back).layers.length).toBe(boxMlp().layers.length);
    expect(unpack(back).json.meshes[0].primitives[0].extensions[NAME].dtype).toBe('f16');
  });

  it('can be made from nothing', async () => {
    const document = new Document();
    const extension = document.createExtension(NeuralFieldExtension);
    const primitive = document.createPrimitive().setExtension(NAME, extension.createNeuralField(boxMlp()));
    const mesh = document.createMesh('box-mlp').addPrimitive(primitive);
    document.createScene().addChild(document.createNode('box').setMesh(mesh));
    const file = await io.writeBinary(document);
    expect(readField(file)).toEqual(boxMlp());
    expect(unpack(file).json.extensionsRequired).toEqual([NAME]);
    expect(await khronosIssues(file)).toEqual([]);
  });

  it('that are damaged are refused by place', async () => {
    const file = editField(writeNsdf(boxMlp()), (field) => {
      field.mlp.layers[1].nIn = 5;
    });
    await expect(io.readBinary(file)).rejects.toThrow(NsdfFormatError);
    await expect(io.readBinary(file)).rejects.toThrow(/reads 5.*primitives\/0.*layers\/1/);
  });
});
