import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { sphereField } from '../fixtures/fields.ts';
import { sphere } from '../surface/check-meshes.ts';
import { runNsdf as nsdf } from './run-nsdf.ts';
import { type Output, ROOT } from './spawn-nsdf.ts';

let folder = '';
const at = (name: string) => join(folder, name);
const FIELD = sphereField({ cells: [8] });
const { positions, indices } = sphere(2, 0.5);
const BALL = { positions: Float32Array.from(positions), normals: null, indices: Uint32Array.from(indices) };
const MESH = meshFormatOf('x.glb').write(BALL);

async function put(name: string, content: Uint8Array | string): Promise<string> {
  await mkdir(dirname(at(name)), { recursive: true });
  await writeFile(at(name), content);
  return at(name);
}

function expectRefused({ code, out, err }: Output, message: RegExp): void {
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
  expect(err).toMatch(/^nsdf: [^\n]+\n$/);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsdf-output-'));
  await put('ball.nsdf', writeNsdf(FIELD));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a file without a field is not overwritten by one', () => {
  it.each([
    [
      'a mesh',
      MESH,
      /b\.glb: would be overwritten, and is a GLB without a field: give another output, which comes last/,
    ],
    ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0), /is a PNG picture/],
    ['anything else', 'notes', /is a file without a field/],
  ])('%s, by any command, before its input is read', async (_name, content, message) => {
    await put('b.glb', content);
    for (const args of [['train'], ['convert'], ['pack'], ['pack', '--partition']]) {
      expectRefused(await nsdf(...args, at('missing.glb'), at('b.glb')), message);
    }
    expect(await readFile(at('b.glb'))).toEqual(Buffer.from(content));
  });

  it.each([
    ['a field', () => writeNsdf(FIELD), 'b.glb'],
    ['an empty file', () => '', 'b.glb'],
    ['a .nsdf that is cut off', () => writeNsdf(FIELD).slice(0, 100), 'b.nsdf'],
  ])('%s is', async (_name, content, name) => {
    await put(name, content());
    expect(await nsdf('convert', at('ball.nsdf'), at(name))).toMatchObject({ code: 0, err: '' });
    expect(await nsdf('validate', at(name))).toMatchObject({ code: 0 });
  });

  it('nor by a tile, nor is another tileset', async () => {
    const tile = ['tile', at('ball.nsdf'), '--levels', '1', '--tolerance', '0.02'];
    await put('tiles/tileset.json', '{"asset":{"version":"1.1","generator":"somebody"}}');
    expectRefused(
      await nsdf(...tile, at('tiles')),
      /tileset\.json: would be overwritten, and is no tileset of ours/,
    );
    await rm(at('tiles/tileset.json'));
    expect(await nsdf(...tile, at('tiles'))).toMatchObject({ code: 0 });
    expect(await nsdf(...tile, at('tiles'))).toMatchObject({ code: 0 });
    const { root } = JSON.parse(await readFile(at('tiles/tileset.json'), 'utf8'));
    await put(`tiles/${root.content.uri}`, MESH);
    expectRefused(
      await nsdf(...tile, at('tiles')),
      /\.glb: would be overwritten, and is a GLB without a field/,
    );
    expect(await readFile(at(`tiles/${root.content.uri}`))).toEqual(Buffer.from(MESH));
  });
});

describe('a link that leads to nothing', () => {
  it('is written through, and nothing is there before', async () => {
    await mkdir(at('elsewhere'));
    await symlink('through.nsdf', at('link.nsdf'));
    await symlink(join('elsewhere', 'end.nsdf'), at('through.nsdf'));
    expectRefused(
      await nsdf('mesh', at('ball.nsdf'), at('link.nsdf'), '--format', 'obj', '--index', '7'),
      /no field 7/,
    );
    await expect(readFile(at('elsewhere/end.nsdf'))).rejects.toThrow(/ENOENT/);
    expect(await nsdf('convert', at('ball.nsdf'), at('link.nsdf'))).toMatchObject({ code: 0, err: '' });
    expect(await nsdf('validate', at('elsewhere/end.nsdf'))).toMatchObject({ code: 0 });
    expect((await lstat(at('link.nsdf'))).isSymbolicLink()).toBe(true);
  });

  it('to a folder is made one', async () => {
    await symlink('later', at('tileset'));
    const tile = ['tile', at('ball.nsdf'), '--levels', '1', '--tolerance', '0.02'];
    expect(await nsdf(...tile, at('tileset'))).toMatchObject({ code: 0 });
    expect(await readFile(at('later/tileset.json'), 'utf8')).toMatch(/nsdf-loader/);
  });

  it('cannot be, where its folder is missing or it leads to itself: told as what it is', async () => {
    await symlink(at('nowhere/x.nsdf'), at('astray.nsdf'));
    await symlink('circle.nsdf', at('circle.nsdf'));
    const convert = (name: string) => nsdf('convert', at('ball.nsdf'), at(name));
    expectRefused(
      await convert('astray.nsdf'),
      /astray\.nsdf, a link to .*nowhere\/x\.nsdf: cannot be written: its folder does not exist/,
    );
    expectRefused(await convert('circle.nsdf'), /cannot be written: its links lead to one another/);
  });
});

/** A device that takes nothing, as a disk that is full. */
const FULL = '/dev/full';

describe.skipIf(!existsSync(FULL))(
  'an output that fills its disk is named, with the status of one that cannot be written',
  () => {
    const message = (name: string) =>
      new RegExp(`^nsdf: ${name}: cannot be written: no space is left on the device\n$`);

    it.each([
      [['mesh', 'ball.nsdf', 'full.stl', '--tolerance', '0.05']],
      [['convert', 'ball.nsdf', 'full.nsdf']],
      [['pack', 'ball.nsdf', 'full.nsdf']],
      [['train', 'ball.obj', 'full.nsdf', '--steps', '2', '--levels', '4', '--workers', '0']],
    ])('%j', async (args) => {
      const output = args.find((arg) => arg.startsWith('full.')) as string;
      await rm(at(output), { force: true });
      await symlink(FULL, at(output));
      await put('ball.obj', meshFormatOf('x.obj').write(BALL));
      const files = args.map((arg) => (/^[a-z]+\.[a-z]+$/.test(arg) ? at(arg) : arg));
      expectRefused(await nsdf(...files), message(at(output)));
    });

    it('tile', async () => {
      const tile = ['tile', at('ball.nsdf'), at('crowded'), '--levels', '1', '--tolerance', '0.02'];
      await nsdf(...tile);
      const { root } = JSON.parse(await readFile(at('crowded/tileset.json'), 'utf8'));
      const path = join(at('crowded'), root.content.uri);
      await rm(path);
      await symlink(FULL, path);
      expectRefused(await nsdf(...tile), message(path));
    });

    it.each([
      ['the result', ['convert', 'ball.nsdf', '-']],
      ['a report', ['info', 'ball.nsdf']],
    ])('%s on standard output', async (_name, args) => {
      const full = await open(FULL, 'w');
      const command = [
        '--import',
        'tsx',
        join(ROOT, 'src/cli/nsdf.ts'),
        ...args.map((arg) => arg.replace('ball', at('ball'))),
      ];
      const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', full.fd, 'pipe'] });
      const [err, [code]] = await Promise.all([text(child.stderr as Readable), once(child, 'close')]);
      await full.close();
      expectRefused({ code, out: '', err }, message('standard output'));
    });
  },
);
