import validator from 'gltf-validator';
import { describe, expect, it } from 'vitest';
import { inlineBuffers, listExternalBuffers } from '../../src/format/gltf-buffers.ts';
import { readField, readNsdf } from '../../src/format/read.ts';
import type { NsdfField, NsdfScene } from '../../src/format/scene.ts';
import { DEFAULT_MATERIAL, IDENTITY_NODE, listFields } from '../../src/format/scene.ts';
import { sceneOf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import type { TilesetJson } from '../../src/tiles/tileset-json.ts';
import { type TilesetOptions, writeTileset } from '../../src/tiles/write-tileset.ts';
import { boxMlp, emptyField, multiField, sphereField } from '../fixtures/fields.ts';
import { checkTileset, isInVolume, listTiles, transformPoint } from './check-tileset.ts';

interface Written {
  readonly tileset: TilesetJson;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

async function write(scene: NsdfScene, options: TilesetOptions = {}): Promise<Written> {
  const files = new Map<string, Uint8Array>();
  const tileset = await writeTileset(
    listFields(scene),
    async (path, bytes) => {
      if (files.has(path)) throw new Error(`${path} is written twice`);
      files.set(path, bytes);
    },
    options,
  );
  return { tileset, files };
}

/** The file of a tile and what lies beside it. */
function contentOf({ files }: Written, uri: string): { file: Uint8Array; buffers: Map<string, Uint8Array> } {
  const path = decodeURIComponent(uri);
  const beside = (name: string) => path.replace(/[^/]*$/, decodeURIComponent(name));
  const file = files.get(path)!;
  const buffers = new Map(listExternalBuffers(file).map((name) => [name, files.get(beside(name))!]));
  return { file, buffers };
}

async function khronosIssues(written: Written): Promise<string[]> {
  const issues = listTiles(written.tileset).map(async ({ tile }) => {
    if (!tile.content) return [];
    const { file, buffers } = contentOf(written, tile.content.uri);
    const report = await validator.validateBytes(file, {
      externalResourceFunction: async (uri) => buffers.get(uri)!,
    });
    return report.issues.messages.filter(({ severity }) => severity <= 1).map(({ code }) => code);
  });
  return (await Promise.all(issues)).flat();
}

const field = (asset: NsdfField['asset'], parts: Partial<NsdfField> = {}): NsdfField => ({
  asset,
  fallback: null,
  material: null,
  sha256: null,
  ...parts,
});

describe('a tileset of one field', () => {
  const asset = multiField();
  const made = write(sceneOf(asset), { tolerance: 4e-3, copyright: 'me' });

  it('is a valid tree of valid glTF files', async () => {
    const written = await made;
    expect(checkTileset(written.tileset, new Set(written.files.keys()))).toEqual([]);
    expect(await khronosIssues(written)).toEqual([]);
    expect(JSON.parse(new TextDecoder().decode(written.files.get('tileset.json')))).toEqual(written.tileset);
    expect(Math.max(...listTiles(written.tileset).map(({ depth }) => depth))).toBe(2);
  });

  it('holds the weights once', async () => {
    const { files } = await made;
    const { 'multi/weights.bin': weights, ...others } = Object.fromEntries(files);
    const tiles = Object.entries(others).filter(([path]) => path.endsWith('.glb'));
    expect(weights.length).toBeGreaterThan(20_000);
    expect(Math.max(...tiles.map(([, { length }]) => length))).toBeLessThan(3000);
  });

  it('says in each tile what to derive, and that is the mesh one gets', async () => {
    const written = await made;
    for (const { tile, matrix } of listTiles(written.tileset)) {
      const { file, buffers } = contentOf(written, tile.content!.uri);
      const read = readField(inlineBuffers(file, buffers));
      expect(read.tolerance).toBe(tile.geometricError);
      expect(readNsdf(inlineBuffers(file, buffers)).copyright).toBe('me');
      const { mesh, stats } = await deriveMesh(read);
      expect(stats.toleranceLocal).toBe(tile.geometricError);
      for (let v = 0; v < mesh.positions.length; v += 3) {
        const [x, y, z] = mesh.positions.subarray(v, v + 3);
        expect(isInVolume([x, -z, y], tile.boundingVolume.box, matrix)).toBe(true);
      }
    }
  });

  it('embeds a mesh for others where asked', async () => {
    const written = await write(sceneOf(sphereField({ cells: [4] })), {
      nLevels: 2,
      tolerance: 0.01,
      fallback: 60,
      dtype: 'f16',
    });
    expect(await khronosIssues(written)).toEqual([]);
    for (const { tile } of listTiles(written.tileset)) {
      const { file, buffers } = contentOf(written, tile.content!.uri);
      const [{ field: read }] = listFields(readNsdf(inlineBuffers(file, buffers)));
      expect(read.fallback!.indices.length).toBeGreaterThan(30);
      expect(read.fallback!.positions.length / 3).toBeLessThanOrEqual(60);
    }
  });
});

describe('a tileset of many fields', () => {
  const ball = { name: 'ball', fields: [field(sphereField({ cells: [4], name: 'a ball' }))] };
  const material = { ...DEFAULT_MATERIAL, baseColorFactor: [1, 0, 0, 1] as const };
  const box = { name: 'box', fields: [field(boxMlp(), { material })] };
  const spin = [0, Math.SQRT1_2, 0, Math.SQRT1_2] as const;
  const children = Array.from({ length: 19 }, (_, i) => ({
    ...IDENTITY_NODE,
    translation: [4 * (i % 5), 10 + Math.floor(i / 5), -3 * i] as const,
    mesh: i % 3 === 0 ? box : ball,
    ...(i % 2 === 0 && { rotation: spin, scale: [2, 2, 2] as const }),
  }));
  const scene = {
    ...sceneOf(boxMlp()),
    nodes: [{ ...IDENTITY_NODE, scale: [1, 1, 0.5] as const, children }],
  };
  const made = write(scene, { nLevels: 2, tolerance: 0.01 });

  it('is valid, and its files are those of the different fields', async () => {
    const written = await made;
    expect(checkTileset(written.tileset, new Set(written.files.keys()))).toEqual([]);
    expect(await khronosIssues(written)).toEqual([]);
    expect([...written.files.keys()].sort()).toEqual([
      'a-ball/0-0-0-0.glb',
      'a-ball/1-0-0-0.glb',
      'a-ball/weights.bin',
      'box-mlp/0-0-0-0.glb',
      'box-mlp/1-0-0-0.glb',
      'box-mlp/weights.bin',
      'tileset.json',
    ]);
  });

  it('puts every field where the scene has it, z up, with its error in the world', async () => {
    const { tileset } = await made;
    const fields = listTiles(tileset).filter(({ tile }) => tile.content?.uri.includes('/0-'));
    expect(fields).toHaveLength(19);
    for (const { matrixWorld, field: placed } of listFields(scene)) {
      const folder = placed.asset.name === 'a ball' ? 'a-ball' : 'box-mlp';
      const [x, y, z] = transformPoint(matrixWorld, [0.3, 0.1, -0.2]);
      const there = fields.find(({ tile, matrix }) => {
        const [u, v, w] = transformPoint(matrix, [0.3, 0.2, 0.1]); // turned by the renderer
        return tile.content!.uri.startsWith(folder) && Math.hypot(u - x, v + z, w - y) < 1e-9;
      });
      expect(there, `${folder} at ${x}, ${y}, ${z}`).toBeDefined();
      const stretch = Math.hypot(...matrixWorld.slice(0, 3)) > 0.9 ? 1 : 2;
      expect([0.04, 0.08]).toContain(Number(there!.tile.geometricError.toFixed(9)));
      expect(stretch).toBeGreaterThan(0);
    }
  });

  it('groups them, so that a far look needs few', async () => {
    const { tileset } = await made;
    const groups = listTiles(tileset).filter(({ tile }) => !tile.content);
    expect(groups.length).toBeGreaterThan(2);
    for (const { tile } of groups) expect(tile.children!.length).toBeLessThanOrEqual(8);
  });

  it('keeps materials', async () => {
    const written = await made;
    const { file, buffers } = contentOf(written, 'box-mlp/1-0-0-0.glb');
    expect(listFields(readNsdf(inlineBuffers(file, buffers)))[0].field.material).toEqual(material);
  });
});

describe('refusals', () => {
  const scene = sceneOf(sphereField({ cells: [3] }));
  it.each([
    ['levels', { nLevels: 0 }],
    ['levels', { nLevels: 1.5 }],
    ['split', { split: 9 }],
    ['tolerance', { tolerance: Number.NaN }],
    ['ratio', { ratio: 1 }],
    ['fallback', { fallback: 3 }],
  ])('of a wrong %s: %o', async (name, options) => {
    await expect(write(scene, options)).rejects.toThrow(new RegExp(`^${name} is `));
  });

  it('of fields that have no surface, and of none', async () => {
    await expect(write(sceneOf(emptyField()))).rejects.toThrow(/empty has no zero set/);
    await expect(write({ ...scene, nodes: [] })).rejects.toThrow(/there is no field/);
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(write(scene, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
  });
});
