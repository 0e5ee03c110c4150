import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDestination } from '../../src/cli/destination.ts';
import { estimateEffort } from '../../src/cli/effort.ts';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import * as fieldModule from '../../src/field/cpu-field.ts';
import { readNsdf } from '../../src/format/read.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { emptyField, leavingField, multiField, sphereField } from '../fixtures/fields.ts';
import { sphere, without } from '../surface/check-meshes.ts';
import { runNsdf as nsdf } from './run-nsdf.ts';
import { type Output, ROOT, spawnNsdf } from './spawn-nsdf.ts';

let folder = '';
const at = (name: string) => join(folder, name);

/** What `--json` prints: one line, one object, nothing on standard error. */
function json({ out, err }: Output): Record<string, unknown> {
  expect(err).toBe('');
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(out) as Record<string, unknown>;
}

/** Runs a command as a program of its own, with bytes on its standard input. */
function pipeNsdf(
  input: Uint8Array,
  ...args: string[]
): Promise<Omit<Output, 'out'> & { readonly out: Buffer }> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src/cli/nsdf.ts'), ...args], {
    cwd: ROOT,
  });
  child.stdin.end(input);
  return Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([out, err, [code]]) => ({ code, out, err }),
  );
}

/** Arguments with the names of files in the test's folder. */
const inFolder = (args: readonly string[]): string[] =>
  args.map((arg) => (/^[a-z/.]+\.[a-z]+$/.test(arg) ? at(arg) : arg));

/** @param status 2 for a wrong command line, 1 for a file that is missing or broken */
function expectRefused({ code, out, err }: Output, message: RegExp, status = 2): void {
  expect(code).toBe(status);
  expect(out).toBe('');
  expect(err).toMatch(message);
  expect(err).toMatch(/^nsdf: [^\n]+\n$/);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsdf-cli-'));
  const plain = sphere(3, 0.5);
  const write = (name: string, mesh: typeof plain) =>
    writeFile(
      at(name),
      meshFormatOf(name).write({
        positions: Float32Array.from(mesh.positions),
        normals: null,
        indices: Uint32Array.from(mesh.indices),
      }),
    );
  const one = sphereField({ cells: [8] });
  const two = sceneOf([one, { ...leavingField(), name: 'second' }]);
  await Promise.all([
    writeFile(at('ball.nsdf'), writeNsdf(sceneOf(one, { copyright: 'nobody' }))),
    writeFile(at('two.nsdf'), writeNsdf(two)),
    writeFile(at('empty.nsdf'), writeNsdf(emptyField())),
    writeFile(at('cut.nsdf'), writeNsdf(one).slice(0, 3000)),
    writeFile(at('text.nsdf'), 'no field at all'),
    writeFile(at('text.safetensors'), 'no field at all'),
    write('good.ply', plain),
    write(
      'hole.obj',
      without(plain, (t) => t === 3),
    ),
  ]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('nsdf pack', () => {
  it('makes files compact, and tells what that cost', async () => {
    await writeFile(at('grid.nsdf'), writeNsdf(sphereField({ cells: [4, 8] })));
    const packed = await nsdf(
      'pack',
      '--compact',
      '--step',
      '4e-3',
      at('grid.nsdf'),
      at('small.nsdf'),
      '--json',
    );
    expect(packed.err).toBe('');
    const report = JSON.parse(packed.out);
    expect(report).toMatchObject({ dtype: 'compact', compact: [{ field: 'sphere', step: 0.004 }] });
    expect(report.compact[0].error).toBeLessThan(4e-3);
    expect(report.bytes).toBeLessThan(0.5 * (await readFile(at('grid.nsdf'))).length);
    expect((await nsdf('validate', at('small.nsdf'))).out).toMatch(/valid, 0 errors, 0 warnings/);
    // Packed anew it stays as it is.
    await nsdf('pack', at('small.nsdf'), at('again.nsdf'));
    expect(await readFile(at('again.nsdf'))).toEqual(await readFile(at('small.nsdf')));
    expect((await nsdf('pack', at('grid.nsdf'), at('x.nsdf'), '--step', '1')).err).toMatch(
      /--step needs --compact/,
    );
  });

  it.each([
    ['0.0201', /--step is 0\.0201, expected 0\.000002 to 0\.02 for sphere: coarser ones leave no surface/],
    ['1e300', /coarser ones leave no surface/],
    ['1.9e-6', /--step is 0\.0000019, expected .*: finer ones are none/],
    ['1e-30', /--step is 1e-30, expected .*: finer ones are none/],
  ])('refuses a step of %s before anything is derived', async (step, message) => {
    await writeFile(at('grid.nsdf'), writeNsdf(sphereField({ cells: [4, 8] })));
    const derive = vi.spyOn(fieldModule, 'createCpuField');
    const args = ['--compact', '--step', step];
    expectRefused(await nsdf('pack', ...args, at('grid.nsdf'), at('none.nsdf')), message);
    expect(derive).not.toHaveBeenCalled();
    derive.mockRestore();
    await expect(readFile(at('none.nsdf'))).rejects.toThrow(/ENOENT/);
  });

  it.each(['2e-6', '0.02'])('takes a step of %s, and says so', async (step) => {
    await writeFile(at('grid.nsdf'), writeNsdf(sphereField({ cells: [4, 8] })));
    const args = ['--compact', '--step', step, '--json'];
    const { code, out } = await nsdf('pack', ...args, at('grid.nsdf'), at('step.nsdf'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ compact: [{ step: Number(step) }] });
  });

  it('packs partitions that mesh then finds, and takes them out again', async () => {
    await writeFile(at('plain.nsdf'), writeNsdf(sphereField({ cells: [4, 8] })));
    const packed = await nsdf(
      ...[
        'pack',
        at('plain.nsdf'),
        at('packed.nsdf'),
        '--partition',
        '--tolerance',
        '0.01',
        '--tolerance',
        '0.02',
      ],
      '--json',
    );
    expect(packed.err).toBe('');
    expect(JSON.parse(packed.out)).toMatchObject({
      dtype: 'f32',
      partitions: [{ kind: 'regions' }, { kind: 'surface' }, { kind: 'surface' }],
    });
    expect((await nsdf('validate', at('packed.nsdf'))).out).toMatch(/valid, 0 errors, 0 warnings/);
    const mesh = await nsdf('mesh', at('packed.nsdf'), at('ball.ply'), '--tolerance', '0.02', '--json');
    expect(JSON.parse(mesh.out)).toMatchObject({ backend: 'cache', backendReason: 'found in the file' });
    await nsdf('pack', at('packed.nsdf'), at('bare.nsdf'));
    expect(
      readNsdf(await readFile(at('bare.nsdf'))).nodes[0].mesh?.fields[0].asset.partitions,
    ).toBeUndefined();
  });

  it('warns of partitions that will not be used, and refuses what it cannot do', async () => {
    await writeFile(at('plain.nsdf'), writeNsdf(sphereField({ cells: [4] })));
    await nsdf('pack', '--partition', '--tolerance', '0.05', at('plain.nsdf'), at('packed.nsdf'));
    const bytes = await readFile(at('packed.nsdf'));
    bytes[bytes.length - 3] ^= 64;
    await writeFile(at('damaged.nsdf'), bytes);
    const { out, code } = await nsdf('validate', at('damaged.nsdf'));
    expect(code).toBe(0);
    expect(out).toMatch(/0 errors, 1 warning/);
    expect(out).toMatch(/checksum is wrong: it will not be used/);
    expect((await nsdf('pack', at('plain.nsdf'), at('x.nsdf'), '--exact')).err).toMatch(/need --partition/);
    expect((await nsdf('pack', at('plain.nsdf'), at('x.ply'), '--partition')).err).toMatch(/\.nsdf or \.glb/);
  });
});

describe('nsdf', () => {
  it('names its commands, and refuses others in one line', async () => {
    expect((await nsdf('--help')).out).toMatch(/info[\s\S]+validate[\s\S]+convert[\s\S]+mesh[\s\S]+check/);
    expectRefused(
      await nsdf(),
      /expected a command: info, validate, convert, mesh, train, check, pack, tile/,
    );
    expectRefused(await nsdf('frob'), /unknown command 'frob'/);
  });

  it('as a program: its exit status, and nothing but the report on standard output', async () => {
    expect((await spawnNsdf('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expectRefused(await spawnNsdf('info', at('cut.nsdf')), /truncated/, 1);
    const output = await spawnNsdf('check', at('hole.obj'), '--json');
    expect(output.code).toBe(1);
    expect(json(output)).toMatchObject({ isClosed: false, nOpenEdges: 3 });
  });

  it.each([
    [['info', 'nowhere.nsdf'], /no such file/],
    [['info', 'cut.nsdf'], /cut\.nsdf: .*truncated/],
    [['mesh', 'text.nsdf', 'a.ply'], /text\.nsdf: .*not a GLB/],
    [['mesh', 'text.safetensors', 'a.ply'], /text\.safetensors: /],
    [['convert', 'empty.nsdf', 'a.nsdf', '--fallback', '60'], /no zero set/],
  ])('%j is refused in one line, as bad data', async (args, message) => {
    expectRefused(await nsdf(...inFolder(args)), message, 1);
  });

  it.each([
    [['info'], /missing required argument/],
    [['inof', 'ball.nsdf'], /unknown command 'inof' \(Did you mean info\?\)/],
    [
      ['mesh', 'ball.nsdf', 'a.ply', '--tolerence', '1'],
      /unknown option '--tolerence' \(Did you mean --tolerance\?\)/,
    ],
    [['mesh', 'ball.nsdf', 'a.fbx'], /expected a name that ends in \.glb/],
    [['mesh', 'ball.nsdf', 'a.ply', '--tolerance', '-1'], /Expected a positive number/],
    [['mesh', 'ball.nsdf', 'a.ply', '--tolerance', '1', '--exact'], /cannot be used with option '--exact'/],
    [['mesh', 'ball.nsdf', 'a.ply', '--index', '1'], /there is no field 1: 1 field/],
    [['mesh', 'ball.nsdf', 'a.ply', '--backend', 'cuda'], /Allowed choices are auto, cpu, gpu, webgpu/],
    [['train', 'ball.ply', 'a.nsdf', '--backend', 'cuda'], /Allowed choices are auto, cpu, gpu, webgpu/],
    [['mesh', 'ball.nsdf', 'a.fbx', '--format', 'fbx'], /Allowed choices are glb, obj, ply, stl/],
    [['check', 'good.ply', '--tolerance', '1'], /--tolerance needs --field/],
    [['check', '-', '--field', 'ball.nsdf', '--format', 'usd'], /Allowed choices are glb/],
    [['convert', 'ball.nsdf', 'a.ply'], /expected a name that ends in \.nsdf/],
    [['convert', 'two.nsdf', 'a.nsdf', '--name', 'x'], /need a file with one field, it has 2/],
    [['check', 'ball.nsdf'], /expected a name that ends in \.glb/],
    [['check', 'good.ply', '--samples', 'many'], /Expected a whole number/],
  ])('%j is refused in one line, as a wrong command line', async (args, message) => {
    expectRefused(await nsdf(...inFolder(args)), message);
  });

  it('an error is one JSON object where the report would be one', async () => {
    const errorOf = ({ out, err, code }: Output) => {
      expect(out).toBe('');
      expect(err.trimEnd().split('\n')).toHaveLength(1);
      return { status: code, ...JSON.parse(err).error };
    };
    expect(errorOf(await nsdf('info', at('cut.nsdf'), '--json'))).toMatchObject({
      status: 1,
      code: 'load',
      byteOffset: 8,
      message: expect.stringMatching(/cut\.nsdf: .*truncated/),
    });
    expect(errorOf(await nsdf('mesh', at('ball.nsdf'), at('a.ply'), '--json', '--exakt'))).toMatchObject({
      status: 2,
      code: 'usage',
      message: expect.stringMatching(/Did you mean --exact/),
    });
    expect(errorOf(await nsdf('mesh', at('ball.nsdf'), at('a.fbx'), '--json'))).toMatchObject({
      status: 2,
      code: 'argument',
      argument: 'mesh',
    });
  });
});

describe('an output that cannot be written', () => {
  it.each([
    ['mesh', ['ball.nsdf', 'nowhere/a.ply'], /nowhere\/a\.ply: cannot be written: its folder does not exist/],
    ['mesh', ['ball.nsdf', 'ball.nsdf/a.ply'], /what should be its folder is a file/],
    ['mesh', ['ball.nsdf', 'folder.ply'], /it is a folder, expected a file name/],
    ['convert', ['ball.nsdf', 'nowhere/a.nsdf'], /its folder does not exist/],
    ['pack', ['ball.nsdf', 'nowhere/a.nsdf', '--partition'], /its folder does not exist/],
    ['tile', ['ball.nsdf', 'good.ply'], /good\.ply: cannot be written: it is a file, expected a folder/],
  ])('%s %j is noticed before anything is derived', async (command, args, message) => {
    await mkdir(at('folder.ply'), { recursive: true });
    const derive = vi.spyOn(fieldModule, 'createCpuField');
    expectRefused(await nsdf(command, ...inFolder(args)), message);
    expect(derive).not.toHaveBeenCalled();
    derive.mockRestore();
  });

  it('looking leaves no trace: nothing where there was nothing, and a file as it was', async () => {
    await writeFile(at('old.ply'), 'kept');
    for (const name of ['old.ply', 'new.ply']) await openDestination(at(name));
    expect(await readFile(at('old.ply'), 'utf8')).toBe('kept');
    await expect(readFile(at('new.ply'))).rejects.toThrow(/ENOENT/);
  });
});

describe('streams', () => {
  it('go through convert, mesh and check, the reports beside them', async () => {
    const packed = await pipeNsdf(await readFile(at('ball.nsdf')), 'convert', '-', '-');
    expect(packed.err).toMatch(/^-: .* KiB, f32\n$/);
    expect(readNsdf(packed.out).nodes).toHaveLength(1);
    const info = await pipeNsdf(packed.out, 'info', '-', '--json');
    expect(JSON.parse(info.out.toString())).toMatchObject({ file: '-', bytes: packed.out.length });
    const args = ['--format', 'ply', '--tolerance', '0.02', '--json'];
    const mesh = await pipeNsdf(packed.out, 'mesh', '-', '-', ...args);
    const report = JSON.parse(mesh.err);
    expect(report).toMatchObject({ output: '-', bytes: mesh.out.length });
    const check = await pipeNsdf(mesh.out, 'check', '-', '--format', 'ply', '--json');
    expect(JSON.parse(check.out.toString())).toMatchObject({ isSound: true, nVertices: report.vertices });
  });

  it('stand for one file only', async () => {
    const both = await pipeNsdf(
      await readFile(at('good.ply')),
      'check',
      '-',
      '--format',
      'ply',
      '--field',
      '-',
    );
    expect(both).toMatchObject({ code: 2, err: expect.stringMatching(/standard input can be read once/) });
  });
});

describe('an estimate', () => {
  it('refuses what nobody can wait for, in numbers; --force does not ask', async () => {
    const args = ['mesh', at('ball.nsdf'), at('a.ply'), '--tolerance', '2e-9'];
    const refused = await nsdf(...args, '--json');
    const { error } = JSON.parse(refused.err);
    expect(refused.code).toBe(1);
    expect(error).toMatchObject({
      code: 'budget',
      needed: expect.any(Number),
      available: expect.any(Number),
    });
    expect(error.message).toMatch(/would take about .* vertices, .* of memory and .*: expected .* or more/);
    expectRefused(await nsdf(...args, '--force'), /single precision/);
  });

  it.each([
    ['a sphere', sphereField({ cells: [8] })],
    ['two components and a grid', multiField()],
  ])('is near the truth: %s', async (_name, asset) => {
    const tolerance = 2e-3;
    const { nVertices } = await estimateEffort(asset, tolerance);
    const { stats } = await deriveMesh(asset, { tolerance, backend: 'cpu', cache: false });
    expect(nVertices / stats.nVertices).toBeGreaterThan(1 / 3);
    expect(nVertices / stats.nVertices).toBeLessThan(3);
  });
});

describe('nsdf info', () => {
  it('prints the fields for people and for programs', async () => {
    const { code, out } = await nsdf('info', at('ball.nsdf'));
    expect(code).toBe(0);
    expect(out).toMatch(/1 field\n {2}nobody\n/);
    expect(out).toMatch(/encoding +hash-grid \(tiny-cuda-nn\)/);
    const report = json(await nsdf('info', at('two.nsdf'), '--json'));
    expect(report).toMatchObject({ fields: [{ isNegativeInside: true }, { name: 'second' }] });
  });
});

describe('nsdf validate', () => {
  it('passes a good file', async () => {
    expect(await nsdf('validate', at('ball.nsdf'))).toMatchObject({ code: 0 });
  });

  it('lists the issues of a bad one and fails', async () => {
    const output = await nsdf('validate', at('cut.nsdf'), '--json');
    expect(output.code).toBe(1);
    const report = json(output);
    expect(report).toMatchObject({ isValid: false });
    expect((report.issues as object[])[0]).toMatchObject({ severity: 'error', code: 'container' });
    expect((await nsdf('validate', at('cut.nsdf'))).out).toMatch(/not valid[\s\S]+error container at byte 8/);
  });
});

describe('nsdf convert', () => {
  it('packs anew: half floats, another name, a fallback mesh, a hash', async () => {
    const args = ['--dtype', 'f16', '--name', 'renamed', '--fallback', '60', '--json'];
    const report = json(await nsdf('convert', at('ball.nsdf'), at('half.nsdf'), ...args));
    const bytes = await readFile(at('half.nsdf'));
    expect(report).toMatchObject({ bytes: bytes.length, dtype: 'f16' });
    const scene = readNsdf(bytes);
    const [field] = scene.nodes[0].mesh?.fields ?? [];
    expect(scene.copyright).toBe('nobody');
    expect(field.asset.name).toBe('renamed');
    expect(field.fallback?.positions.length).toBeLessThanOrEqual(180);
    expect((await nsdf('info', at('half.nsdf'))).out).not.toMatch(/not stored|the file says/);
  });
});

describe('nsdf mesh and nsdf check', () => {
  it('derives a mesh that checks against its field, and says what it did', async () => {
    const output = await nsdf('mesh', at('ball.nsdf'), at('ball.glb'), '--tolerance', '0.02', '--json');
    const report = json(output);
    expect(report).toMatchObject({ isEmpty: false, backend: 'cpu', tolerance: 0.02, nFields: 1 });
    expect(report).toMatchObject({ isWithinTolerance: true, isComplete: true, methods: ['derived'] });
    for (const key of ['error', 'errorBack']) {
      expect(report[key], key).toBeGreaterThan(0);
      expect(report[key], key).toBeLessThanOrEqual(0.02);
    }
    for (const key of ['vertices', 'triangles', 'boxesTested', 'boxesSurviving', 'totalTimeMs']) {
      expect(report[key], key).toBeGreaterThan(0);
    }
    expect(Object.keys(report.timeMs as object)).toEqual(
      expect.arrayContaining(['partition', 'edges', 'write']),
    );
    const args = ['--field', at('ball.nsdf'), '--samples', '2000', '--json'];
    const check = await nsdf('check', at('ball.glb'), '--tolerance', '0.02', ...args);
    expect(check.code).toBe(0);
    expect(json(check)).toMatchObject({ isSound: true, genus: 0, nVertices: report.vertices });
    const strict = await nsdf('check', at('ball.glb'), '--tolerance', '1e-9', ...args);
    expect(strict.code).toBe(1);
    expect(json(strict)).toMatchObject({ isSound: false, isClosed: true });
  });

  it('a second field that leaves its domain: open edges on the domain are allowed with --field only', async () => {
    const mesh = await nsdf('mesh', at('two.nsdf'), at('leaving.stl'), '--index', '1', '--resolution', '8');
    expect(mesh).toMatchObject({ code: 0, err: '' });
    expect(mesh.out).toMatch(
      /, kept\n +error .*from mesh to zero set, .*from zero set to mesh\n +complete +(yes|not certified): /,
    );
    expect(mesh.out).toMatch(/second \(one of 2: --field chooses\)/);
    expect((await nsdf('check', at('leaving.stl'))).code).toBe(1);
    const check = await nsdf(
      ...['check', at('leaving.stl'), '--field', at('two.nsdf'), '--index', '1', '--samples', '500'],
    );
    expect(check).toMatchObject({ code: 0 });
    expect(check.out).toMatch(/closed, manifold, oriented\n[\s\S]* 0 open, [1-9]\d* open on the domain/);
  });

  it('a field without zero set gives an empty mesh and says so', async () => {
    const { code, out } = await nsdf('mesh', at('empty.nsdf'), at('empty.obj'));
    expect(code).toBe(0);
    expect(out).toMatch(/0 vertices, 0 triangles[\s\S]+no zero set/);
  });

  it('a hole fails the check', async () => {
    expect(await nsdf('check', at('good.ply'))).toMatchObject({ code: 0 });
    const report = await nsdf('check', at('hole.obj'));
    expect(report.code).toBe(1);
    expect(report.out).toMatch(/hole\.obj: not closed\n[\s\S]*3 open, 0 open on the domain/);
  });
});

describe('nsdf tile', () => {
  it('one field: regions that share its weights, which the other commands read', async () => {
    const report = json(await nsdf('tile', at('ball.nsdf'), at('tiles'), '--tolerance', '0.01', '--json'));
    expect(report).toMatchObject({ fields: 1, finest: 0.01, coarsest: 0.16 });
    const { root } = JSON.parse(await readFile(at('tiles/tileset.json'), 'utf8'));
    expect(report.tiles).toBe((report.files as number) - 2);
    const tile = join(at('tiles'), root.children[0].children[0].content.uri);
    expect(json(await nsdf('validate', tile, '--json'))).toMatchObject({ isValid: true, nWarnings: 0 });
    expect((await nsdf('info', tile)).out).toMatch(
      /region +\[-0\.5, -0\.5, -1\] to \[0, 0, -0\.5\]\n +tolerance +0\.01\n/,
    );
    const mesh = json(await nsdf('mesh', tile, at('tile.glb'), '--json'));
    expect(mesh).toMatchObject({ tolerance: 0.01, isEmpty: false });
    await rm(join(at('tiles'), 'sphere', 'weights.bin'));
    expectRefused(await nsdf('info', tile), /ENOENT.*weights\.bin/, 1);
    await writeFile(join(at('tiles'), 'sphere', 'weights.bin'), 'short');
    expectRefused(
      await nsdf('mesh', tile, at('tile.glb')),
      /\.glb: weights\.bin has 5 bytes, expected at least/,
      1,
    );
  });

  it('several files: a tile for each field and level', async () => {
    const args = ['--levels', '2', '--tolerance', '0.02'];
    const { code, out } = await nsdf('tile', at('ball.nsdf'), at('two.nsdf'), at('many'), ...args);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/many: 6 tiles of 3 fields/) });
  });

  it('refuses what it cannot tile', async () => {
    expectRefused(await nsdf('tile', at('ball.nsdf')), /expected at least one file and then a folder/);
    expectRefused(await nsdf('tile', at('empty.nsdf'), at('none')), /has no zero set/);
    expectRefused(await nsdf('tile', at('ball.nsdf'), at('two.nsdf')), /two\.nsdf/);
    expectRefused(await nsdf('tile', at('ball.nsdf'), at('none'), '--ratio', '1'), /above 1/);
    expectRefused(await nsdf('tile', at('ball.nsdf'), at('none'), '--levels', '0'), /levels is 0/);
  });
});
