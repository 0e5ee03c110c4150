import { encode } from 'fast-png';
import jpeg from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/cli/mesh-files/gltf-colors.ts';
import { readGltfScene } from '../../src/cli/mesh-files/gltf-scene.ts';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { NsdfFormatError, NsdfUnsupportedError } from '../../src/errors.ts';
import { packGlb } from '../../src/format/glb.ts';
import { khronosIssues, unpack } from '../format/glb-tools.ts';

const PIXELS = Uint8Array.of(255, 0, 0, 255, 0, 128, 0, 255);
const PNG = encode({ width: 2, height: 1, data: PIXELS, channels: 4, depth: 8 });

/** A triangle with a texture beside it, a half red base colour, and texture coordinates turned by a quarter. */
function texturedGlb(): Uint8Array {
  const numbers = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1);
  const json = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0, translation: [5, 0, 0] }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, TEXCOORD_0: 1 }, material: 0 }] }],
    materials: [
      {
        pbrMetallicRoughness: {
          baseColorFactor: [0.5, 1, 1, 1],
          baseColorTexture: { index: 0, extensions: { KHR_texture_transform: { offset: [0.25, 0] } } },
        },
      },
    ],
    textures: [{ source: 0, sampler: 0 }],
    samplers: [{ wrapS: 33071 }],
    images: [{ uri: 'look.png' }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 3, type: 'VEC3', min: [0, 0, 0], max: [1, 1, 0] },
      { bufferView: 0, byteOffset: 36, componentType: 5126, count: 3, type: 'VEC2' },
    ],
    bufferViews: [{ buffer: 0, byteLength: 60 }],
    buffers: [{ byteLength: 60 }],
  };
  return packGlb(json, new Uint8Array(numbers.buffer));
}

describe('decodeImage', () => {
  it('reads PNGs of few bits and many, with and without palette, and JPEGs', () => {
    expect([...decodeImage(PNG, 'x').data]).toEqual([...PIXELS]);
    const grey = encode({ width: 2, height: 1, data: Uint16Array.of(0, 65535), channels: 1, depth: 16 });
    expect([...decodeImage(grey, 'x').data]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
    const { data } = jpeg.encode({ width: 8, height: 8, data: new Uint8Array(256).fill(90) }, 95);
    const pixels = decodeImage(new Uint8Array(data), 'x');
    expect(pixels).toMatchObject({ width: 8, height: 8 });
    expect(Math.abs(pixels.data[0] - 90)).toBeLessThan(4);
  });

  it('refuses other formats, broken images and giants, by name', () => {
    expect(() => decodeImage(Uint8Array.of(1, 2, 3), '/images/0')).toThrow(NsdfUnsupportedError);
    expect(() => decodeImage(PNG.subarray(0, 50), '/images/0')).toThrow(NsdfFormatError);
    const giant = PNG.slice();
    new DataView(giant.buffer).setUint32(16, 2 ** 30);
    expect(() => decodeImage(giant, '/images/0')).toThrow(/at most/);
  });
});

describe('readGltfScene with colours', () => {
  it('reads texture, transform, wrap and base colour with the triangles that they are on', async () => {
    const images = new Map([['look.png', PNG]]);
    const [mesh] = await readGltfScene(texturedGlb(), new Map(), images);
    expect([...mesh.positions.subarray(0, 3)]).toEqual([5, 0, 0]);
    expect([...(mesh.colors?.vertices ?? [])].slice(0, 3)).toEqual([0.5, 1, 1]);
    const { texture } = mesh.colors ?? {};
    expect([...(texture?.coordinates ?? [])]).toEqual([0.25, 0, 1.25, 0, 0.25, 1]);
    expect(texture?.wrap).toEqual(['clamp', 'repeat']);
    expect(texture?.image).toMatchObject({ width: 2, height: 1 });
    expect((await readGltfScene(texturedGlb(), new Map()))[0].colors).toBeUndefined();
    await expect(readGltfScene(texturedGlb(), new Map(), new Map())).rejects.toThrow(NsdfFormatError);
  });
});

describe('meshes with colours', () => {
  const mesh = {
    positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
    normals: null,
    indices: Uint32Array.of(0, 1, 2),
    attributes: { COLOR_0: Float32Array.of(1, 0, 0, 0.5, 0.25, 0, 0, 0, 1), _HEAT: Float32Array.of(1, 2, 3) },
  };

  it('are written to GLB as they are, without offence', async () => {
    const file = meshFormatOf('a.glb').write(mesh);
    const { json } = unpack(file);
    const { attributes } = json.meshes[0].primitives[0];
    expect(json.accessors[attributes.COLOR_0].type).toBe('VEC3');
    expect(json.accessors[attributes._HEAT].type).toBe('SCALAR');
    expect(await khronosIssues(file)).toEqual([]);
  });

  it('go through PLY, which has bytes of sRGB', () => {
    const ply = meshFormatOf('a.ply');
    const { colors } = ply.read(ply.write(mesh));
    mesh.attributes.COLOR_0.forEach((value, i) => {
      expect(Math.abs((colors?.vertices?.[i] ?? -1) - value)).toBeLessThan(0.004);
    });
  });
});
