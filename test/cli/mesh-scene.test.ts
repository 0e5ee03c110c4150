import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MeshData, meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import type { FieldAsset, Vec3 } from '../../src/format/asset.ts';
import { IDENTITY_NODE, type NsdfNode } from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { localPositions } from '../../src/surface/mesh.ts';
import { boxMlp } from '../fixtures/mlp-fields.ts';
import { runNsdf as nsdf } from './run-nsdf.ts';

let folder = '';
const at = (name: string) => join(folder, name);

const read = async (name: string): Promise<MeshData> =>
  meshFormatOf(name).read(new Uint8Array(await readFile(at(name))));

function node(name: string, asset: FieldAsset, place: Partial<NsdfNode>): NsdfNode {
  const [{ mesh }] = sceneOf(asset).nodes;
  return { ...IDENTITY_NODE, name, mesh, children: [], ...place } as NsdfNode;
}

const HALF = [0.5, 0.4, 0.3] as const;
const VOLUME = 8 * HALF[0] * HALF[1] * HALF[2];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsdf-scene-'));
  const box = boxMlp(HALF);
  const nodes = [
    node('large', box, { scale: [40, 40, 40] }),
    node('mirrored', { ...box, name: 'other' }, { scale: [-40, 40, 40], translation: [100, 0, 0] }),
  ];
  await writeFile(at('two.nsdf'), writeNsdf({ ...sceneOf(box), nodes }));
  const once = node('once', box, {});
  const again = { ...once, name: 'again', translation: [3, 0, 0] as const };
  await writeFile(at('twice.nsdf'), writeNsdf({ ...sceneOf(box), nodes: [once, again] }));
  const hidden = { ...once, name: 'hidden', scale: [0, 0, 0] as const };
  await writeFile(at('hidden.nsdf'), writeNsdf({ ...sceneOf(box), nodes: [once, hidden] }));
  // Of rank two, but for rounding; the columns of the other are as long as different.
  const matrix = [0.1, 0.2, 0.3, 0, 0.7, 0.1, 0.9, 0, 0.8, 0.3, 1.2, 0, 0, 0, 0, 1];
  const thin = { ...once, name: 'thin', scale: [1, 1e-12, 1e6] as const };
  await writeFile(
    at('flat.nsdf'),
    writeNsdf({ ...sceneOf(box), nodes: [node('flat', box, { matrix }), thin] }),
  );
  const far: Vec3 = [431_000, 5_120_000, 64];
  const isUnit = { ...box, encoding: { kind: 'none', inputSpace: 'local' } } as FieldAsset;
  await writeFile(
    at('far.nsdf'),
    writeNsdf({ ...sceneOf(box), nodes: [node('far', isUnit, { translation: far })] }),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(['glb', 'ply', 'obj', 'stl'])(
  '--scene writes world transforms, winding right under mirrors: %s',
  async (ending) => {
    const { code, err } = await nsdf(
      'mesh',
      at('two.nsdf'),
      at(`scene.${ending}`),
      '--scene',
      '--tolerance',
      '0.02',
    );
    expect([code, err]).toEqual([0, '']);
    if (ending === 'glb') return;
    const mesh = await read(`scene.${ending}`);
    const report = await checkMesh({ ...mesh, normals: mesh.normals ?? undefined });
    expect(report).toMatchObject({ isClosed: true, isManifold: true, isOriented: true, nComponents: 2 });
    expect(report.signedVolume / (2 * 64000 * VOLUME)).toBeCloseTo(1, 2);
    expect(Math.max(...mesh.positions)).toBeGreaterThan(119);
  },
);

it('a GLB of a scene keeps its nodes as nodes', async () => {
  await nsdf('mesh', at('two.nsdf'), at('nodes.glb'), '--scene', '--tolerance', '0.02');
  const bytes = await readFile(at('nodes.glb'));
  const json = JSON.parse(bytes.subarray(20, 20 + bytes.readUInt32LE(12)).toString());
  const places = json.scenes[0].nodes.map((index: number) => json.nodes[index]);
  expect(places).toMatchObject([
    { name: 'large', scale: [40, 40, 40] },
    { name: 'mirrored', scale: [-40, 40, 40], translation: [100, 0, 0] },
  ]);
  for (const { children } of places) expect(json.nodes[children[0]].mesh).toBeGreaterThanOrEqual(0);
});

it('one field says that its transform was left out, and is named', async () => {
  const named = await nsdf('mesh', at('two.nsdf'), at('one.ply'), '--field', 'other', '--tolerance', '0.02');
  expect(named.code).toBe(0);
  expect(named.err).toMatch(/transform of node mirrored was left out.*--scene/);
  const byNumber = await nsdf('mesh', at('two.nsdf'), at('one.ply'), '--field', '0', '--tolerance', '0.02');
  expect(byNumber.err).toMatch(/node large/);
  const wrong = await nsdf('mesh', at('two.nsdf'), at('one.ply'), '--field', 'ohter');
  expect(wrong.code).not.toBe(0);
  expect(wrong.err).toMatch(/no field ohter.*0 box-mlp, 1 other/);
});

it.each(['glb', 'ply', 'obj'])('far from zero %s holds what single precision would not', async (ending) => {
  await nsdf('mesh', at('far.nsdf'), at(`far.${ending}`), '--scene', '--tolerance', '0.02');
  if (ending === 'glb') return;
  const places = localPositions(await read(`far.${ending}`));
  const highest = Math.max(...places.filter((_, i) => i % 3 === 1));
  expect(highest - 5_120_000).toBeCloseTo(0.4, 5);
});

it('STL cannot, and says so', async () => {
  const { err } = await nsdf('mesh', at('far.nsdf'), at('far.stl'), '--scene', '--tolerance', '0.02');
  expect(err).toMatch(/single precision: vertices are off by up to 0\.3/);
});

it('info --quality prints both errors', async () => {
  const { out } = await nsdf('info', at('two.nsdf'), '--quality', '--json');
  const [{ quality }] = JSON.parse(out).fields;
  expect(quality.eikonal.mean).toBeLessThan(1e-6);
  expect(quality.flatness.max).toBeLessThan(1e-6);
  expect((await nsdf('info', at('two.nsdf'), '--quality')).out).toMatch(/flatness error +mean/);
});

it.each([
  ['obj', 2],
  ['glb', 1],
])('a mesh that two nodes have is counted as often as it is written: %s', async (ending, times) => {
  const args = ['--tolerance', '0.02', '--json'];
  const once = JSON.parse((await nsdf('mesh', at('twice.nsdf'), at('once.obj'), ...args)).out);
  const { out } = await nsdf('mesh', at('twice.nsdf'), at(`twice.${ending}`), '--scene', ...args);
  const { positions, indices } = await read(`twice.${ending}`);
  const report = JSON.parse(out);
  expect(report).toMatchObject({ vertices: positions.length / 3, triangles: indices.length / 3 });
  expect(report.vertices).toBe(times * once.vertices);
});

it.each([
  ['obj', 'it was left out'],
  ['glb', 'nothing of it will be seen'],
])('a node of no volume is told: %s', async (ending, what) => {
  const args = ['--tolerance', '0.02', '--json'];
  const once = JSON.parse((await nsdf('mesh', at('twice.nsdf'), at('once.obj'), ...args)).out);
  const { out, err } = await nsdf('mesh', at('hidden.nsdf'), at(`hidden.${ending}`), '--scene', ...args);
  const note = `the transform of node hidden leaves it no volume (a scale of 0): ${what}`;
  expect(err).toBe(`nsdf: ${note}\n`);
  const report = JSON.parse(out);
  expect(report).toMatchObject({ notes: [note], vertices: once.vertices });
  if (ending === 'obj') expect(await nsdf('check', at('hidden.obj'))).toMatchObject({ code: 0 });
});

it('singular is what is so but for rounding, not what is thin', async () => {
  const args = ['--scene', '--tolerance', '0.02', '--json'];
  const { out } = await nsdf('mesh', at('flat.nsdf'), at('flat.ply'), ...args);
  expect(JSON.parse(out).notes).toEqual([expect.stringMatching(/of node flat leaves it no volume/)]);
});
