import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import { emptyField, sphereField } from '../fixtures/fields.ts';
import { runNsdf as nsdf } from './run-nsdf.ts';

let folder = '';
const at = (name: string) => join(folder, name);

const TETRAHEDRON = 'v 0 0 0\nv 0 1 0\nv 1 0 0\nv 0 0 1\nf 1 2 3\nf 1 4 2\nf 1 3 4\nf 2 4 3\n';
const MESHES: Readonly<Record<string, string>> = {
  'nothing.obj': '',
  'vertices.obj': 'v 0 0 0\nv 1 0 0\nv 0 1 0\n',
  'good.obj': TETRAHEDRON,
  'point.obj': TETRAHEDRON.replace(/v .*/g, 'v 1 1 1'),
  // Its edges pair up, as a closed mesh's do.
  'line.obj': 'v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\nf 3 2 1\n',
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsdf-empty-'));
  await writeFile(at('empty.nsdf'), writeNsdf(emptyField()));
  await writeFile(at('ball.nsdf'), writeNsdf(sphereField({ cells: [8] })));
  for (const [name, text] of Object.entries(MESHES)) await writeFile(at(name), text);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function check(name: string, ...args: string[]) {
  const { out, code } = await nsdf('check', at(name), ...args);
  const json = JSON.parse((await nsdf('check', at(name), '--json', ...args)).out);
  expect(json.isSound).toBe(code === 0);
  return { code, verdict: out.split('\n')[0].replace(`${at(name)}: `, ''), faults: json.faults };
}

describe('a mesh without a surface fails the check', () => {
  it.each([
    ['nothing.obj', 'no triangles'],
    ['vertices.obj', 'no triangles'],
    ['point.obj', '4 degenerate triangles'],
    ['line.obj', '2 degenerate triangles'],
  ])('%s: %s', async (name, fault) => {
    const { code, verdict, faults } = await check(name);
    expect(code).toBe(1);
    expect(verdict).toContain(fault);
    expect(faults).toContain(fault);
  });

  it('one with a surface passes', async () => {
    expect(await check('good.obj')).toEqual({ code: 0, verdict: 'closed, manifold, oriented', faults: [] });
  });
});

describe('an empty mesh is right where its field has no zero set', () => {
  it.each([[[]], [['--samples', '0']], [['--tolerance', '1e-3']]])('with %j', async (args) => {
    const right = await check('nothing.obj', '--field', at('empty.nsdf'), ...args);
    expect(right).toEqual({ code: 0, verdict: 'empty, as is the zero set', faults: [] });
    const wrong = await check('nothing.obj', '--field', at('ball.nsdf'), ...args);
    expect(wrong).toMatchObject({ code: 1, faults: expect.arrayContaining(['no triangles']) });
  });
});
