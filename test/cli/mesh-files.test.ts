import validator from 'gltf-validator';
import { describe, expect, it } from 'vitest';
import { type MeshData, meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { NsdfArgumentError, NsdfFormatError } from '../../src/errors.ts';
import { checkTopology } from '../../src/surface/check.ts';
import { seededRandom } from '../fixtures/random.ts';
import { sphere } from '../surface/check-meshes.ts';

const ENDINGS = ['glb', 'ply', 'obj', 'stl'] as const;
const [GLB, PLY, OBJ, STL] = ENDINGS.map((ending) => meshFormatOf(`mesh.${ending}`));

function ball(): MeshData {
  const { positions, indices } = sphere(3, 0.7, [0.1, 1e-7, -12345]);
  const normals = Float32Array.from(sphere(3, 1).positions);
  return { positions: Float32Array.from(positions), normals, indices: Uint32Array.from(indices) };
}

const encode = (text: string) => new TextEncoder().encode(text);

describe.each(ENDINGS)('.%s', (ending) => {
  const format = meshFormatOf(`a/b.c/MESH.${ending.toUpperCase()}`);

  it('brings back every position to the bit, and every triangle', () => {
    const mesh = ball();
    const read = format.read(format.write(mesh));
    const corners = ({ positions, indices }: MeshData) =>
      Array.from(indices, (v) => [...positions.subarray(v * 3, v * 3 + 3)].join());
    expect(corners(read)).toEqual(corners(mesh));
    expect(checkTopology({ positions: read.positions, indices: read.indices })).toMatchObject({
      isClosed: true,
      genus: 0,
      nDuplicateVertices: 0,
    });
  });

  it('an empty mesh', () => {
    const empty = { positions: new Float32Array(), normals: new Float32Array(), indices: new Uint32Array() };
    const read = format.read(format.write(empty));
    expect([read.positions.length, read.indices.length]).toEqual([0, 0]);
  });

  it('cut off anywhere, it is an error or a mesh whose indices are in range', () => {
    const bytes = format.write(ball());
    const random = seededRandom(7);
    let nErrors = 0;
    for (let i = 0; i < 60; i++) {
      const cut = bytes.slice(0, Math.floor(random() * (bytes.length - 1)));
      nErrors += isRefused(() => format.read(cut));
    }
    // OBJ is lines of text: most cuts leave a smaller mesh.
    if (ending !== 'obj') expect(nErrors).toBe(60);
  });

  it('bytes flipped, it neither hangs nor allocates by a wrong length', () => {
    const bytes = format.write(ball());
    const random = seededRandom(8);
    for (let i = 0; i < 150; i++) {
      const broken = bytes.slice();
      broken[Math.floor(random() * Math.min(bytes.length, i % 2 ? 400 : bytes.length))] = random() * 256;
      isRefused(() => format.read(broken));
    }
  });
});

/** 1 where the job is refused for what the bytes are, 0 where it yields a sound mesh; fails on any other error. */
function isRefused(job: () => MeshData): number {
  try {
    const { positions, indices } = job();
    expect(indices.every((v) => v < positions.length / 3)).toBe(true);
    return 0;
  } catch (error) {
    expect(String(error)).toMatch(/^Nsdf(Format|Unsupported)Error/);
    return 1;
  }
}

describe('normals', () => {
  it('are kept by .glb and .ply', () => {
    const mesh = ball();
    for (const format of [GLB, PLY]) expect(format.read(format.write(mesh)).normals).toEqual(mesh.normals);
  });

  it('are written by .obj, and of unit length in .stl', () => {
    const mesh = ball();
    expect(new TextDecoder().decode(OBJ.write(mesh))).toMatch(/\nvn 1 0 0\n/);
    expect(new TextDecoder().decode(OBJ.write(mesh))).toMatch(/\nf (\d+)\/\/\1 (\d+)\/\/\2 (\d+)\/\/\3\n/);
    const view = new DataView(STL.write(mesh).buffer);
    const normal = [0, 4, 8].map((k) => view.getFloat32(84 + k, true));
    expect(Math.hypot(...normal)).toBeCloseTo(1, 6);
  });
});

describe('.glb', () => {
  it.each([
    ['a mesh', ball()],
    ['no mesh', { positions: new Float32Array(), normals: null, indices: new Uint32Array() }],
  ])('passes gltf-validator: %s', async (_, mesh) => {
    const { issues } = await validator.validateBytes(GLB.write(mesh));
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([]);
  });

  it('refuses what is no plain triangle mesh', () => {
    expect(() => GLB.read(encode('nonsense'))).toThrow(NsdfFormatError);
    const text = new TextDecoder('latin1').decode(GLB.write(ball()));
    const renamed = Uint8Array.from(text.replace('"POSITION"', '"POSITIOM"'), (c) => c.charCodeAt(0));
    expect(() => GLB.read(renamed)).toThrow(NsdfFormatError);
  });
});

describe('.ply from elsewhere', () => {
  const header = (format: string) =>
    `ply\nformat ${format} 1.0\ncomment x\nelement vertex 4\nproperty float32 x\nproperty double y\nproperty float z\n` +
    'property uchar red\nelement face 1\nproperty list uint8 int32 vertex_index\nend_header\n';

  it('text with polygons, other columns and carriage returns', () => {
    const text = `${header('ascii')}0 0 0 9\n1 0 0 9\n1 1 0 9\n0 1 0.5 9\n4 0 1 2 3\n`.replace(/\n/g, '\r\n');
    const mesh = PLY.read(encode(text));
    expect([...mesh.indices]).toEqual([0, 1, 2, 0, 2, 3]);
    expect([...mesh.positions.slice(9)]).toEqual([0, 1, 0.5]);
  });

  it('big-endian', () => {
    const head = encode(header('binary_big_endian'));
    const bytes = new Uint8Array(head.length + 4 * 17 + 1 + 16);
    bytes.set(head);
    const view = new DataView(bytes.buffer, head.length);
    for (let v = 0; v < 4; v++) view.setFloat64(v * 17 + 4, v);
    view.setUint8(68, 4);
    for (let k = 0; k < 4; k++) view.setInt32(69 + k * 4, k);
    const mesh = PLY.read(bytes);
    expect([...mesh.positions]).toEqual([0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0]);
    expect([...mesh.indices]).toEqual([0, 1, 2, 0, 2, 3]);
  });

  it.each([
    ['no magic', 'plx\n', /does not start with "ply"/],
    ['no end of the header', 'ply\nformat ascii 1.0\n', /end_header/],
    ['an unknown format', 'ply\nformat base64 1.0\nend_header\n', /base64/],
    [
      'a property without element',
      'ply\nformat ascii 1.0\nproperty float x\nend_header\n',
      /property float x/,
    ],
    ['an unknown type', 'ply\nformat ascii 1.0\nelement a 1\nproperty half x\nend_header\n', /half/],
    ['a word for a number', `${header('ascii')}0 0 zero 9\n`, /"zero"/],
    ['a list longer than the file', `${header('ascii')}${'0 0 0 9\n'.repeat(4)}99999999 0 1\n`, /truncated/],
    ['a corner that does not exist', `${header('ascii')}${'0 0 0 9\n'.repeat(4)}3 0 1 4\n`, /vertex 4/],
  ])('%s', (_, text, message) => {
    expect(() => PLY.read(encode(text))).toThrow(NsdfFormatError);
    expect(() => PLY.read(encode(text))).toThrow(message);
  });

  it('a count beyond the file ends at its end', () => {
    const text = new TextDecoder('latin1').decode(PLY.write(ball()));
    const counted = text.replace(/element vertex \d+/, 'element vertex 999999999');
    expect(() => PLY.read(Uint8Array.from(counted, (c) => c.charCodeAt(0)))).toThrow(NsdfFormatError);
  });
});

describe('.obj from elsewhere', () => {
  it('polygons, all kinds of corners, negative indices, continued lines', () => {
    const text = 'mtllib a.mtl\r\no x\r\nv 0 0 0\r\nv 1 0 0 1\r\nv 1 1 0\r\nv 0 1 0\r\nvt 0 0\r\n';
    const mesh = OBJ.read(encode(`${text}f 1/1 2/1/1 3//1 \\\r\n4\r\nf -4 -3 -1\r\n`));
    expect([...mesh.indices]).toEqual([0, 1, 2, 0, 2, 3, 0, 1, 3]);
  });

  it.each([
    ['a vertex that is no number', 'v 0 0 a\n', /line 1/],
    ['a corner that does not exist', 'v 0 0 0\nf 1 1 2\n', /vertex 1, but there are 1/],
    ['a corner 0', 'v 0 0 0\nf 0 1 1\n', /vertex -1/],
    ['something else', 'once upon a time\nthere was\na mesh\n', /not an OBJ/],
  ])('%s', (_, text, message) => {
    expect(() => OBJ.read(encode(text))).toThrow(message);
  });
});

describe('.stl from elsewhere', () => {
  const facet =
    'facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1e0 0\nendloop\nendfacet\n';

  it('text, whose equal corners are joined', () => {
    const mesh = STL.read(encode(`solid a\n${facet}${facet.replace('0 0 0\n', '1 1 -0\n')}endsolid a\n`));
    expect([...mesh.indices]).toEqual([0, 1, 2, 3, 1, 2]);
    expect(mesh.positions.length).toBe(12);
  });

  it.each([
    ['text that ends early', `solid a\n${facet}`, /endsolid/],
    ['a vertex that is no number', `solid a\n${facet.replace('1e0', 'e')}endsolid`, /not a vertex/],
    ['something else', 'once upon a time', /not an STL/],
  ])('%s', (_, text, message) => {
    expect(() => STL.read(encode(text))).toThrow(message);
  });

  it('a count that does not fit the file', () => {
    const bytes = STL.write(ball());
    new DataView(bytes.buffer).setUint32(80, 0xffffffff, true);
    expect(() => STL.read(bytes)).toThrow(/4294967295 triangles need/);
  });
});

it('other endings are refused', () => {
  for (const path of ['a', 'a.fbx', 'glb', 'a.glb/b', 'a.constructor']) {
    expect(() => meshFormatOf(path)).toThrow(NsdfArgumentError);
  }
});
