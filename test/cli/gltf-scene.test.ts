import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import draco3dgltf from 'draco3dgltf';
import { MeshoptEncoder } from 'meshoptimizer';
import { afterAll, describe, expect, it } from 'vitest';
import { readTriangles } from '../../src/cli/files.ts';
import { NsdfUnsupportedError } from '../../src/errors.ts';
import { packGlb } from '../../src/format/glb.ts';
import type { Triangles } from '../../src/surface/triangle-tree.ts';

const folder = await mkdtemp(join(tmpdir(), 'gltf-scene-'));
afterAll(() => rm(folder, { recursive: true }));

/** A tetrahedron, outward. */
const CORNERS = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1];
const FACES = [0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3];

/** Buffer views and accessors of some typed arrays, one each, and their bytes. */
function stored(arrays: readonly { values: ArrayBufferView; accessor: object; view?: object }[]) {
  const parts: Uint8Array[] = [];
  let byteOffset = 0;
  const bufferViews = arrays.map(({ values, view }) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const at = { buffer: 0, byteOffset, byteLength: bytes.length, ...view };
    const padding = new Uint8Array((4 - (bytes.length % 4)) % 4);
    parts.push(bytes, padding);
    byteOffset += bytes.length + padding.length;
    return at;
  });
  const accessors = arrays.map(({ accessor }, bufferView) => ({ bufferView, ...accessor }));
  return {
    json: { buffers: [{ byteLength: byteOffset }], bufferViews, accessors },
    bin: Buffer.concat(parts),
  };
}

const POSITIONS = {
  values: Float32Array.from(CORNERS),
  accessor: { componentType: 5126, count: 4, type: 'VEC3' },
};
const INDICES = {
  values: Uint8Array.from(FACES),
  accessor: { componentType: 5121, count: 12, type: 'SCALAR' },
};
const MESH = { primitives: [{ attributes: { POSITION: 0 }, indices: 1 }] };

async function readGlb(json: object, bin: Uint8Array): Promise<Triangles[]> {
  const path = join(folder, 'mesh.glb');
  await writeFile(path, packGlb({ asset: { version: '2.0' }, ...json }, bin));
  return readTriangles(path);
}

/** The scene of one node with a tetrahedron, or of other nodes. */
function tetrahedra(nodes: object[], more: object = {}): Promise<Triangles[]> {
  const { json, bin } = stored([POSITIONS, INDICES]);
  return readGlb({ ...json, meshes: [MESH], nodes, scenes: [{ nodes: [0] }], ...more }, bin);
}

/** Six times the signed volume: positive where triangles face outwards. */
function volume({ positions: p, indices }: Triangles): number {
  let sum = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => indices[t + k] * 3);
    sum +=
      p[a] * (p[b + 1] * p[c + 2] - p[b + 2] * p[c + 1]) +
      p[a + 1] * (p[b + 2] * p[c] - p[b] * p[c + 2]) +
      p[a + 2] * (p[b] * p[c + 1] - p[b + 1] * p[c]);
  }
  return sum;
}

const corner = ({ positions }: Triangles, v: number) => [...positions.slice(v * 3, v * 3 + 3)];

describe('readTriangles of a glTF', () => {
  it('puts meshes where the nodes above them do, as often as they are named, mirrored ones turned', async () => {
    const half = Math.SQRT1_2;
    const meshes = await tetrahedra([
      { translation: [10, 0, 0], rotation: [0, 0, half, half], children: [1, 2] },
      { mesh: 0, scale: [2, 2, 2], translation: [0, 1, 0] },
      { mesh: 0, scale: [-1, 1, 1] },
      { mesh: 0 }, // of no scene
    ]);
    expect(meshes).toHaveLength(2);
    // (1, 0, 0) is scaled, moved, turned by 90 degrees about z, moved.
    const [x, y, z] = corner(meshes[0], 1);
    expect([x + 1, y + 1, z + 1].map((c) => c.toFixed(9))).toEqual([
      '10.000000000',
      '3.000000000',
      '1.000000000',
    ]);
    expect(volume(meshes[0])).toBeCloseTo(8, 12);
    expect(volume(meshes[1])).toBeCloseTo(1, 12);
  });

  it('places the instances of EXT_mesh_gpu_instancing', async () => {
    const { json, bin } = stored([
      POSITIONS,
      INDICES,
      {
        values: Float32Array.from([0, 0, 0, 5, 0, 0]),
        accessor: { componentType: 5126, count: 2, type: 'VEC3' },
      },
    ]);
    const extensions = { EXT_mesh_gpu_instancing: { attributes: { TRANSLATION: 2 } } };
    const meshes = await readGlb({ ...json, meshes: [MESH], nodes: [{ mesh: 0, extensions }] }, bin);
    expect(meshes.map((mesh) => corner(mesh, 0))).toEqual([
      [0, 0, 0],
      [5, 0, 0],
    ]);
  });

  it('reads strips, fans and triangles without indices, and leaves lines out', async () => {
    const listed = (values: number[]) => ({
      values: Uint16Array.from(values),
      accessor: { componentType: 5123, count: values.length, type: 'SCALAR' },
    });
    const { json, bin } = stored([
      POSITIONS,
      listed([0, 1, 2, 3]),
      {
        values: Float32Array.from(FACES.flatMap((v) => CORNERS.slice(v * 3, v * 3 + 3))),
        accessor: { componentType: 5126, count: 12, type: 'VEC3' },
      },
    ]);
    const attributes = { POSITION: 0 };
    const primitives = [
      { attributes, indices: 1, mode: 5 },
      { attributes, indices: 1, mode: 6 },
      { attributes: { POSITION: 2 } },
      { attributes, indices: 1, mode: 1 },
    ];
    const meshes = await readGlb({ ...json, meshes: [{ primitives }], nodes: [{ mesh: 0 }] }, bin);
    expect(meshes.map(({ indices }) => [...indices]).slice(0, 2)).toEqual([
      [0, 1, 2, 1, 3, 2],
      [1, 2, 0, 2, 3, 0],
    ]);
    expect(meshes).toHaveLength(3);
    expect(volume(meshes[2])).toBeCloseTo(1, 12);
  });

  it('reads quantised, interleaved and sparse accessors', async () => {
    const interleaved = Int16Array.from(
      [0, 1, 2, 3].flatMap((v) => [...CORNERS.slice(v * 3, v * 3 + 3).map((x) => x * 32767), 99]),
    );
    const sparse = {
      count: 1,
      indices: { bufferView: 2, componentType: 5121 },
      values: { bufferView: 3 },
    };
    const { json, bin } = stored([
      {
        values: interleaved,
        view: { byteStride: 8 },
        accessor: { componentType: 5122, normalized: true, count: 4, type: 'VEC3', sparse },
      },
      INDICES,
      { values: Uint8Array.of(3), accessor: {} },
      { values: Int16Array.of(0, 0, 16384), accessor: {} },
    ]);
    json.accessors.length = 2;
    const file = {
      ...json,
      extensionsRequired: ['KHR_mesh_quantization'],
      meshes: [MESH],
      nodes: [{ mesh: 0, scale: [2, 2, 2] }],
    };
    const [mesh] = await readGlb(file, bin);
    expect(corner(mesh, 1)).toEqual([2, 0, 0]);
    expect(corner(mesh, 3)[2]).toBeCloseTo(2 * (16384 / 32767), 12);
  });

  it('moves vertices by skins and morph targets', async () => {
    const weights = Float32Array.from([1, 1, 1, 1].flatMap((w) => [w, 0, 0, 0]));
    const { json, bin } = stored([
      POSITIONS,
      INDICES,
      { values: new Uint8Array(16), accessor: { componentType: 5121, count: 4, type: 'VEC4' } },
      { values: weights, accessor: { componentType: 5126, count: 4, type: 'VEC4' } },
      {
        values: Float32Array.from([...Array(9).fill(0), 0, 0, 2]),
        accessor: { componentType: 5126, count: 4, type: 'VEC3' },
      },
    ]);
    const attributes = { POSITION: 0, JOINTS_0: 2, WEIGHTS_0: 3 };
    const file = {
      ...json,
      meshes: [{ weights: [0.5], primitives: [{ attributes, indices: 1, targets: [{ POSITION: 4 }] }] }],
      skins: [{ joints: [1] }],
      nodes: [{ mesh: 0, skin: 0, translation: [100, 0, 0] }, { translation: [0, 7, 0] }],
    };
    const [mesh] = await readGlb(file, bin);
    expect(corner(mesh, 3)).toEqual([0, 7, 2]);
  });

  it('reads a .gltf with a buffer beside it', async () => {
    const { json, bin } = stored([POSITIONS, INDICES]);
    const buffers = [{ uri: 'a%20b.bin', byteLength: bin.length }];
    await writeFile(join(folder, 'a b.bin'), bin);
    const path = join(folder, 'mesh.gltf');
    const write = (more: object) =>
      writeFile(
        path,
        JSON.stringify({
          asset: { version: '2.0' },
          ...json,
          buffers,
          meshes: [MESH],
          nodes: [{ mesh: 0 }],
          ...more,
        }),
      );
    await write({});
    expect(volume((await readTriangles(path))[0])).toBeCloseTo(1, 12);
    await write({ buffers: [{ uri: '../a.bin', byteLength: bin.length }] });
    await expect(readTriangles(path)).rejects.toThrow(/outside its own folder/);
  });

  it('reads what meshopt has compressed', async () => {
    await MeshoptEncoder.ready;
    const plain = Uint8Array.from(new Uint8Array(Float32Array.from(CORNERS).buffer));
    const packed = MeshoptEncoder.encodeGltfBuffer(plain, 4, 12, 'ATTRIBUTES');
    const { json, bin } = stored([{ ...POSITIONS, values: packed }, INDICES]);
    const [{ byteOffset, byteLength }] = json.bufferViews as { byteOffset: number; byteLength: number }[];
    const EXT_meshopt_compression = {
      ...{ buffer: 0, byteOffset, byteLength, byteStride: 12, count: 4, mode: 'ATTRIBUTES' },
    };
    Object.assign(json.bufferViews[0], {
      buffer: 1,
      byteLength: 48,
      extensions: { EXT_meshopt_compression },
    });
    const file = {
      ...json,
      buffers: [...json.buffers, { byteLength: 48 }],
      extensionsUsed: ['EXT_meshopt_compression'],
      extensionsRequired: ['EXT_meshopt_compression'],
      meshes: [MESH],
      nodes: [{ mesh: 0 }],
    };
    expect(volume((await readGlb(file, bin))[0])).toBeCloseTo(1, 12);
  });

  it('reads what Draco has compressed', async () => {
    const draco = await draco3dgltf.createEncoderModule({});
    const [encoder, builder, mesh, out] = [
      new draco.Encoder(),
      new draco.MeshBuilder(),
      new draco.Mesh(),
      new draco.DracoInt8Array(),
    ];
    builder.AddFacesToMesh(mesh, 4, Uint32Array.from(FACES));
    builder.AddFloatAttributeToMesh(mesh, draco.POSITION, 4, 3, Float32Array.from(CORNERS));
    encoder.SetAttributeQuantization(draco.POSITION, 12);
    const bytes = Uint8Array.from({ length: encoder.EncodeMeshToDracoBuffer(mesh, out) }, (_, i) =>
      out.GetValue(i),
    );
    const { json, bin } = stored([{ values: bytes, accessor: {} }]);
    const KHR_draco_mesh_compression = { bufferView: 0, attributes: { POSITION: 0 } };
    const file = {
      ...json,
      accessors: [
        { componentType: 5126, count: 4, type: 'VEC3' },
        { componentType: 5125, count: 12, type: 'SCALAR' },
      ],
      extensionsUsed: ['KHR_draco_mesh_compression'],
      extensionsRequired: ['KHR_draco_mesh_compression'],
      meshes: [{ primitives: [{ ...MESH.primitives[0], extensions: { KHR_draco_mesh_compression } }] }],
      nodes: [{ mesh: 0 }],
    };
    expect(volume((await readGlb(file, bin))[0])).toBeCloseTo(1, 3);
  });

  it.each([
    ['a scene without triangles', { meshes: [], nodes: [{}] }, /shows no triangles/],
    ['an extension that changes geometry', { extensionsRequired: ['XY_other'] }, /requires XY_other/],
    ['a node in a circle', { nodes: [{ mesh: 0, children: [0] }] }, /more than one parent/],
    [
      'a count beyond the buffer',
      {
        accessors: [
          { bufferView: 0, componentType: 5126, count: 5, type: 'VEC3' },
          { bufferView: 1, ...INDICES.accessor },
        ],
      },
      /5 elements need 60 bytes/,
    ],
    [
      'a count beyond all bounds',
      {
        accessors: [
          { bufferView: 0, componentType: 5126, count: 1e15, type: 'VEC3' },
          { bufferView: 1, ...INDICES.accessor },
        ],
      },
      /numbers in this file/,
    ],
    [
      'a vertex that is not there',
      {
        accessors: [
          { bufferView: 0, componentType: 5126, count: 3, type: 'VEC3' },
          { bufferView: 1, ...INDICES.accessor },
        ],
      },
      /no vertex 3 of 3/,
    ],
  ])('refuses %s', async (_, more, message) => {
    await expect(tetrahedra([{ mesh: 0 }], more)).rejects.toThrow(message);
  });

  it('names what would read a compressed file where no decoder is installed', async () => {
    const { loadGltfCodecs } = await import('../../src/cli/mesh-files/gltf-codecs.ts');
    const none = async () => null;
    await expect(loadGltfCodecs(['KHR_draco_mesh_compression'], none)).rejects.toThrow(NsdfUnsupportedError);
    await expect(loadGltfCodecs(['EXT_meshopt_compression'], none)).rejects.toThrow(
      /npm install meshoptimizer/,
    );
  });
});

describe('readTriangles of other files', () => {
  it('keeps coordinates that single precision would round off', async () => {
    const path = join(folder, 'far.obj');
    await writeFile(path, 'v 4000000.125 0 0\nv 4000001.3751 0 0\nv 4000000.125 1.0625 0\nf 1 2 3\n');
    const [{ positions }] = await readTriangles(path);
    expect(positions[0]).toBe(4000000.125);
    expect(positions[3]).toBeCloseTo(4000001.3751, 6);
  });
});
