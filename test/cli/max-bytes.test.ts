import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { DEFAULT_MATERIAL } from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { multiField, sphereField } from '../fixtures/fields.ts';
import { sphere } from '../surface/check-meshes.ts';
import { runNsdf } from './run-nsdf.ts';
import { spawnNsdf } from './spawn-nsdf.ts';

const BALL = sphereField({ cells: [4, 16], thresholds: [0.4], radius: 0.6 });
const CREDITS = 'Somebody who is to be named. '.repeat(20);

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsdf-max-bytes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Mean of |f| of one field at the vertices of another's surface: about the distance, where f is one. */
async function apart(from: FieldAsset, to: FieldAsset): Promise<number> {
  const { mesh } = await deriveMesh(from, { tolerance: 1e-3, cache: false });
  const values = new Float64Array(mesh.positions.length / 3);
  createCpuField(to).evaluate(Float64Array.from(mesh.positions), values);
  return values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
}

describe('nsdf pack --compact --max-bytes', () => {
  const material = { ...DEFAULT_MATERIAL, name: 'brass', baseColorFactor: [0.8, 0.6, 0.3, 1] } as const;

  it.each([
    [3600, 1e-2],
    [4600, 5e-3],
  ])(
    'writes files of at most %i bytes, credits and material included, %f off at most',
    async (most, least) => {
      await writeFile(at('ball.nsdf'), writeNsdf(sceneOf(BALL, { material, copyright: CREDITS })));
      const out = at(`ball-${most}.nsdf`);
      const args = ['--compact', '--max-bytes', `${most}`, '--json'];
      const packed = await runNsdf('pack', ...args, at('ball.nsdf'), out);
      expect(packed).toMatchObject({ code: 0, err: '' });
      const report = JSON.parse(packed.out);
      const file = await readFile(out);
      expect(report).toMatchObject({ bytes: file.length, dtype: 'compact' });
      expect(file.length).toBeLessThanOrEqual(most);
      expect(file.length).toBeGreaterThan(0.94 * most);
      const measured = await apart(readField(file), BALL);
      expect(measured).toBeLessThan(least);
      expect(report.compact[0].error).toBeGreaterThan(0.5 * measured);
      expect(report.compact[0].error).toBeLessThan(2 * measured);
    },
  );

  it('says how small it came where that is too large, and writes nothing', async () => {
    await writeFile(at('ball.nsdf'), writeNsdf(sceneOf(BALL, { material, copyright: CREDITS })));
    const ask = (most: number) =>
      runNsdf('pack', '--compact', '--max-bytes', `${most}`, at('ball.nsdf'), at('tight.nsdf'), '--json');
    const refused = await ask(1000);
    expect(refused).toMatchObject({ code: 1, out: '' });
    const { error } = JSON.parse(refused.err);
    expect(error).toMatchObject({ code: 'budget', name: 'NsdfBudgetError', available: 1000 });
    expect(error.message).toContain(`the smallest file that was reached has ${error.needed}`);
    await expect(stat(at('tight.nsdf'))).rejects.toThrow(/ENOENT/);
    expect((await ask(error.needed)).code).toBe(0);
    expect((await stat(at('tight.nsdf'))).size).toBeLessThanOrEqual(error.needed);
  });

  it('refuses what no one size can be given for', async () => {
    await writeFile(at('two.nsdf'), writeNsdf([BALL, multiField()]));
    const two = await runNsdf('pack', '--compact', '--max-bytes', '9000', at('two.nsdf'), at('x.nsdf'));
    expect(two).toMatchObject({ code: 2, out: '' });
    expect(two.err).toMatch(/has 2 fields/);
    const args = ['pack', '--compact', '--partition', '--max-bytes', '9000', at('ball.nsdf'), at('x.nsdf')];
    const both = await runNsdf(...args);
    expect(both).toMatchObject({ code: 2, out: '' });
    expect(both.err).toMatch(/--max-bytes.* cannot be used with option '--partition'/);
  });
});

describe('nsdf train --max-bytes', () => {
  const QUICK = ['--levels', '4,8,16', '--features', '1', '--hidden', '8', '--json'];
  const train = (out: string, ...args: string[]) =>
    ['train', at('ball.obj'), out, ...QUICK, '--copyright', CREDITS, ...args] as const;
  beforeAll(() => writeFile(at('ball.obj'), objOf(sphere(3))));

  it('trains, and packs what came out to a file of that size', async () => {
    const { code, out, err } = await spawnNsdf(
      ...train(at('small.nsdf'), '--steps', '60', '--max-bytes', '3600', '--workers', '1'),
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const report = JSON.parse(out);
    const file = await readFile(at('small.nsdf'));
    expect(report.bytes).toBe(file.length);
    expect(file.length).toBeLessThanOrEqual(3600);
    expect(file.length).toBeGreaterThan(0.94 * 3600);
    // A hundredth of the ball's radius.
    expect(report.distance.toInput.mean).toBeLessThan(5e-3);
    expect(report.distance.fromInput.mean).toBeLessThan(5e-3);
    expect(report.components).toMatchObject({ result: 1 });
  });

  it('says how small it came where that is too large, and writes nothing', async () => {
    const refused = await runNsdf(
      ...train(at('none.nsdf'), '--steps', '20', '--max-bytes', '1200', '--workers', '0'),
    );
    expect(refused).toMatchObject({ code: 1, out: '' });
    const { error } = JSON.parse(refused.err);
    expect(error).toMatchObject({ code: 'budget', available: 1200 });
    expect(error.needed).toBeGreaterThan(1200);
    await expect(stat(at('none.nsdf'))).rejects.toThrow(/ENOENT/);
  });
});

describe('nsdf train --dtype compact', () => {
  it('adds at most a twentieth to the error, for a fraction of the bytes', async () => {
    await writeFile(at('ball.obj'), objOf(sphere(3)));
    const train = async (dtype: string) => {
      const args = ['--levels', '4,8,16', '--steps', '60', '--workers', '0', '--dtype', dtype, '--json'];
      const { code, out } = await runNsdf('train', at('ball.obj'), at(`${dtype}.nsdf`), ...args);
      expect(code).toBe(0);
      return JSON.parse(out);
    };
    const [plain, compact] = [await train('f32'), await train('compact')];
    expect(compact.bytes).toBeLessThan(plain.bytes / 5);
    for (const way of ['toInput', 'fromInput'])
      expect(compact.distance[way].mean).toBeLessThanOrEqual(1.05 * plain.distance[way].mean);
  });
});

function objOf({ positions, indices }: { positions: ArrayLike<number>; indices: ArrayLike<number> }): string {
  const rows = (mark: string, values: number[]): string[] =>
    Array.from({ length: values.length / 3 }, (_, i) => [mark, ...values.slice(3 * i, 3 * i + 3)].join(' '));
  return [
    ...rows('v', [...Array.from(positions)]),
    ...rows(
      'f',
      Array.from(indices, (v) => v + 1),
    ),
  ].join('\n');
}
