import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { roundField } from '../../src/format/encode-field.ts';
import { EXTENSION_NAME } from '../../src/format/extension.ts';
import { readField, readNsdf, validateNsdf } from '../../src/format/read.ts';
import {
  DEFAULT_MATERIAL,
  type FallbackMesh,
  IDENTITY_NODE,
  type NsdfField,
  type NsdfScene,
} from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { boxMlp, FIELD_CASES, multiField, sphereField } from '../fixtures/fields.ts';
import { khronosIssues, type LooseJson, unpack } from './glb-tools.ts';

const TETRAHEDRON: FallbackMesh = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1),
  normals: Float32Array.of(-1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1),
  indices: Uint32Array.of(0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3),
};

function fieldOf(asset: FieldAsset, parts: Partial<NsdfField> = {}): NsdfField {
  return { asset, fallback: null, material: null, sha256: null, ...parts };
}

describe.each(FIELD_CASES)('$name', ({ make }) => {
  const plain = make();
  const region = { min: plain.domain.min, max: [0.25, 0.75, 1.5] as const };
  const asset: FieldAsset = { ...plain, lodResolutions: [4, 8, 16], region, tolerance: 0.0125 };

  it('is read as it was written, bit by bit', () => {
    expect(readField(writeNsdf(asset))).toEqual(asset);
  });

  it('is read from half floats as rounded', () => {
    expect(readField(writeNsdf(asset, { dtype: 'f16' }))).toEqual(roundField(asset, 'f16'));
  });

  it('has no issue, here or with the Khronos validator', async () => {
    for (const dtype of ['f32', 'f16'] as const) {
      const file = writeNsdf(asset, { dtype });
      expect(validateNsdf(file)).toEqual([]);
      expect(await khronosIssues(file)).toEqual([]);
    }
  });
});

describe('the bytes', () => {
  it('are the same every time', () => {
    expect(writeNsdf(sphereField())).toEqual(writeNsdf(sphereField()));
  });

  it('hold MLPs first, then levels coarse to fine, at multiples of 4', () => {
    const file = writeNsdf([sphereField({ cells: [3, 5, 9] }), multiField({ cells: [4, 7] }), boxMlp()], {
      dtype: 'f16',
    });
    const { json } = unpack(file);
    const fields: LooseJson[] = json.meshes.map(
      (mesh: LooseJson) => mesh.primitives[0].extensions[EXTENSION_NAME],
    );
    const mlps = fields.map((field) => field.mlp.bufferView);
    const levels = (field: LooseJson): number[] =>
      (field.encoding.levels ?? []).map((level: LooseJson) => level.bufferView);
    expect(mlps).toEqual([0, 1, 2]);
    expect(fields.map(levels)).toEqual([[3, 5, 7], [4, 6], []]);
    const offsets: number[] = json.bufferViews.map((view: { byteOffset: number }) => view.byteOffset);
    expect(offsets.every((offset, i) => offset % 4 === 0 && (i === 0 || offset > offsets[i - 1]))).toBe(true);
  });

  it('are not copied where they are aligned', () => {
    const file = writeNsdf(sphereField());
    const { encoding, layers } = readField(file);
    if (encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    for (const { params } of encoding.levels) expect(params.buffer).toBe(file.buffer);
    for (const { weights, bias } of layers) {
      expect(weights.buffer).toBe(file.buffer);
      expect(bias?.buffer).toBe(file.buffer);
    }
  });

  it('may start anywhere in a buffer', () => {
    const file = writeNsdf(sphereField());
    const shifted = new Uint8Array(file.length + 3).subarray(3);
    shifted.set(file);
    expect(readField(shifted)).toEqual(sphereField());
  });

  it('may be an ArrayBuffer', () => {
    expect(readField(writeNsdf(boxMlp()).slice().buffer)).toEqual(boxMlp());
  });
});

describe('a scene', () => {
  const sphere = sphereField({ cells: [3, 5] });
  const clay = {
    ...DEFAULT_MATERIAL,
    name: 'clay',
    baseColorFactor: [0.5, 0.4, 0.3, 1],
    metallicFactor: 0,
  } as const;
  const glow = {
    ...DEFAULT_MATERIAL,
    emissiveFactor: [1, 0, 0],
    alphaMode: 'MASK',
    alphaCutoff: 0.25,
  } as const;
  const pair = {
    name: 'pair',
    fields: [
      fieldOf(sphere, { material: clay, fallback: TETRAHEDRON }),
      fieldOf(boxMlp(), { material: glow, fallback: { ...TETRAHEDRON, normals: null } }),
    ],
  };
  const alone = { name: 'sphere', fields: [fieldOf(sphere, { material: clay })] };
  const child = { ...IDENTITY_NODE, name: 'child', mesh: pair, scale: [1, 2, 3] as const };
  const scene: NsdfScene = {
    name: 'scene',
    copyright: 'nobody',
    generator: 'a test',
    nodes: [
      {
        ...IDENTITY_NODE,
        name: 'parent',
        translation: [1, 2, 3],
        rotation: [0, 0.6, 0, 0.8],
        children: [child, child],
      },
      { ...IDENTITY_NODE, matrix: [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 5, 6, 7, 1], mesh: alone },
    ],
  };
  const file = writeNsdf(scene);
  const back = readNsdf(file);

  it('comes back with its graph, materials and fallbacks', () => {
    expect(back).toEqual(scene);
  });

  it('shares what was shared', () => {
    const [first, second] = back.nodes[0].children;
    expect(first.mesh).toBe(second.mesh);
    const alike = (a: FieldAsset, b: FieldAsset): boolean => a.layers[0].weights === b.layers[0].weights;
    expect(alike(first.mesh!.fields[0].asset, back.nodes[1].mesh!.fields[0].asset)).toBe(true);
    expect(first.mesh!.fields[0].material).toBe(back.nodes[1].mesh!.fields[0].material);
    expect(file.length).toBeLessThan(writeNsdf(sphere).length + 6000);
  });

  it('has no issue, here or with the Khronos validator', async () => {
    expect(validateNsdf(file)).toEqual([]);
    expect(await khronosIssues(file)).toEqual([]);
  });

  it('requires the extension exactly where a field has no fallback', () => {
    const withFallback = writeNsdf({ ...scene, nodes: scene.nodes.slice(0, 1) });
    expect(unpack(file).json.extensionsRequired).toEqual(['NSDF_neural_field']);
    expect(unpack(withFallback).json.extensionsRequired).toBeUndefined();
  });

  it('gives the bounds of a field without fallback', () => {
    const domain = { min: [-2, -0.5, 1], max: [2, 1.5, 4] } as const;
    const { json } = unpack(writeNsdf({ ...boxMlp(), domain }));
    expect(json.accessors).toEqual([{ componentType: 5126, count: 3, type: 'VEC3', ...domain }]);
  });

  it('may have more than 65535 fallback vertices', async () => {
    const nVertices = 70000;
    const positions = Float32Array.from({ length: nVertices * 3 }, (_, i) => (i * 7) % 31);
    const fallback = { positions, normals: null, indices: Uint32Array.of(0, 1, nVertices - 1) };
    const big = writeNsdf(sceneOf(boxMlp(), { fallback }));
    expect(readNsdf(big).nodes[0].mesh?.fields[0].fallback).toEqual(fallback);
    expect(await khronosIssues(big)).toEqual([]);
  });
});

describe('refuses to write', () => {
  it('nothing', () => {
    expect(() => writeNsdf([])).toThrow(/no field/);
  });

  it('weights beyond half floats', () => {
    const box = boxMlp();
    const layers = [{ ...box.layers[0], bias: Float32Array.of(1e5, 0, 0, 0, 0, 0) }, ...box.layers.slice(1)];
    expect(() => writeNsdf({ ...box, layers }, { dtype: 'f16' })).toThrow(/100000 does not fit f16/);
    expect(() => writeNsdf({ ...box, layers })).not.toThrow();
  });

  it('a field that breaks a rule', () => {
    expect(() => writeNsdf({ ...boxMlp(), valueScale: 0 })).toThrow(/valueScale is 0/);
    const weights = Float32Array.from(boxMlp().layers[0].weights).fill(Number.NaN, 4, 6);
    const layers = [{ ...boxMlp().layers[0], weights }, ...boxMlp().layers.slice(1)];
    expect(() => writeNsdf({ ...boxMlp(), layers })).toThrow(/NaN.*1 more.*layers\[0\]\.weights\[4\]/);
  });

  it('a fallback that is no mesh', () => {
    const broken = { ...TETRAHEDRON, indices: Uint32Array.of(0, 1, 4) };
    expect(() => writeNsdf(sceneOf(boxMlp(), { fallback: broken }))).toThrow(/no indexed triangle mesh/);
  });
});
