import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAttribute } from '../../src/field/attribute-field.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { readField, readNsdf, verifyNsdf } from '../../src/format/read.ts';
import { listFields } from '../../src/format/scene.ts';
import { countNodes } from '../../src/partition/settle.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { settleField } from '../partition/settled.ts';
import { SOUND } from '../surface/sound.ts';
import { khronosIssues, unpack } from './glb-tools.ts';

const FOLDER = new URL('../../examples/assets/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, FOLDER));
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.nsdf'));

describe.each(FILES)('the sample %s', (file) => {
  const bytes = read(file);

  it('is small, valid, and what its hash says', async () => {
    expect(bytes.length).toBeLessThanOrEqual(60_000);
    expect(await verifyNsdf(bytes)).toEqual([]);
    expect(await khronosIssues(bytes)).toEqual([]);
    expect(readNsdf(bytes).copyright).toBeTruthy();
  });
});

describe.each([
  ['bunny', 1, 0],
  ['toadstool', 1, 0],
  ['knot', 1, 1],
  ['gear', 1, 1],
  ['links', 2, 2],
  ['multi', 10, 1],
  ['bowl', 1, 0],
])('the sample %s', (name, nComponents, genus) => {
  it('is closed, and has its parts and its holes', async () => {
    const asset = readField(read(`${name}.nsdf`));
    const { mesh } = await deriveMesh(asset, { resolution: 32, cache: false });
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 500,
    });
    expect(report).toMatchObject({ ...SOUND, nComponents, genus, nOpenEdgesOnDomain: 0 });
  });
});

it('the bunny leaves no box unsettled, and few of them to bisect', () => {
  const { forest } = settleField(readField(read('bunny.nsdf')), { tolerance: 1e-3 });
  const { unsettled, split } = countNodes(forest);
  expect(unsettled).toBe(0);
  expect(split).toBeLessThan(0.5 * forest.nRoots);
});

describe('the toadstool', () => {
  it('has a red cap, a pale stem and a green foot', () => {
    const colors = new Float32Array(9);
    const points = Float64Array.of(0.73, 0.3, 0.12, 0.15, -0.1, 0, 0.24, -0.74, 0);
    createAttribute(readField(read('toadstool.nsdf')), 'COLOR_0').evaluate(points, colors);
    const [red, pale, green] = [0, 3, 6].map((i) => colors.subarray(i, i + 3));
    expect(red[0]).toBeGreaterThan(5 * red[1]);
    expect(Math.min(...pale)).toBeGreaterThan(0.5);
    expect(green[1]).toBeGreaterThan(1.5 * green[2]);
  });
});

describe('the clockwork', () => {
  const bytes = read('clockwork.nsdf');

  it('is three fields, two of them of one mesh, with materials, places and an animation', () => {
    const fields = listFields(readNsdf(bytes)).map(({ field }) => field);
    expect(fields.map(({ asset }) => asset.name)).toEqual(['gear', 'gear', 'knot']);
    expect(new Set(fields.map(({ material }) => material?.name)).size).toBe(2);
    expect(fields[0]).toBe(fields[1]);
    const { json } = unpack(bytes);
    expect(json.animations).toHaveLength(1);
    expect(json.animations[0].channels).toHaveLength(3);
  });
});
