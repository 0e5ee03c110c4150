import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { checkMesh } from '../../src/surface/check.ts';
import {
  blobMlp,
  boxMlp,
  multiField,
  octahedronMlp,
  randomField,
  randomMlp,
  slabField,
  sphereField,
} from '../fixtures/fields.ts';
import { derive, deriveAndCheck, expectOnZeroSet, expectWithin, SOUND, WAYS } from './derive.ts';

describe('known surfaces', () => {
  it.each(WAYS)('multi has its five parts: $name', async ({ options }) => {
    const { report } = await deriveAndCheck(multiField(), options, 0);
    expect(report.nComponents).toBe(5);
    expect(report.eulerCharacteristic).toBe(10);
  });

  it.each([...WAYS, { name: 'in 100 vertices', options: { maxVertices: 100 } }])(
    'the slab has both sheets: $name',
    async ({ options }) => {
      const { report, surface } = await deriveAndCheck(slabField(), options, 0);
      expect(report).toMatchObject({ nComponents: 1, genus: 0 });
      const share = report.signedVolume / (1.2 * 1.2 * 0.02);
      expect(Math.abs(share - 1)).toBeLessThan(options.exact ? 1e-4 : 0.05);
      expect(report.area).toBeGreaterThan(2 * 1.2 * 1.2);
      const heights = new Set(
        Array.from(surface.mesh.positions, (z, i) => (i % 3 === 2 ? z.toFixed(4) : '')),
      );
      expect(heights).toContain('0.1470');
      expect(heights).toContain('0.1270');
    },
  );

  it.each(WAYS)('the box and the octahedron have their volumes: $name', async ({ options }) => {
    const digits = options.resolution === undefined ? 3 : 2;
    const box = await deriveAndCheck(boxMlp([0.5, 0.4, 0.3]), options, 0);
    expect(box.report).toMatchObject({ nComponents: 1, genus: 0 });
    expect(box.report.signedVolume).toBeCloseTo(0.48, options.exact ? 5 : digits);
    const octahedron = await deriveAndCheck(octahedronMlp(0.7), options, 0);
    expect(octahedron.report).toMatchObject({ nComponents: 1, genus: 0 });
    expect(octahedron.report.signedVolume).toBeCloseTo((4 / 3) * 0.7 ** 3, options.exact ? 5 : digits);
  });

  it('a tenth of the tolerance comes ten times nearer', async () => {
    const asset = sphereField({ cells: [8] });
    for (const tolerance of [1e-2, 1e-3]) {
      const { report } = await deriveAndCheck(asset, { tolerance });
      expectWithin(tolerance, report);
      expect(report).toMatchObject({ ...SOUND, genus: 0, nComponents: 1 });
    }
  });

  it('finds a part smaller than a cell between the planes', async () => {
    const small = multiField({ cells: [6] });
    const { report } = await deriveAndCheck(small, {});
    expect(report).toMatchObject(SOUND);
    expectWithin(1e-3, report);
  });
});

describe('units and mirrors', () => {
  const scaled = (s: number): FieldAsset =>
    sphereField({
      cells: [4, 8],
      domain: { min: [-s, -s, -s], max: [s, s, s] },
      center: [0.05 * s, -0.03 * s, 0.02 * s],
      radius: 0.6 * s,
      thresholds: [-0.11 * s, 0.02 * s, 0.17 * s],
    });

  it.each([1e-3, 1, 1000])('a domain of size %d gives the same mesh in its units', async (s) => {
    const reference = (await derive(scaled(1))).mesh;
    const { mesh, stats } = await derive(scaled(s));
    expect(stats.toleranceLocal / s).toBeCloseTo(1e-3, 6);
    const topology = await checkMesh(mesh, { domain: scaled(s).domain });
    expect(topology).toMatchObject({ ...SOUND, genus: 0, nComponents: 1 });
    const share = mesh.positions.length / reference.positions.length;
    expect(share).toBeGreaterThan(0.98);
    expect(share).toBeLessThan(1.02);
  });

  it('a mirrored field gives a mesh of the same topology and volume', async () => {
    const volumes: number[] = [];
    for (const side of [1, -1]) {
      const asset = sphereField({ cells: [4, 8], center: [side * 0.13, side * 0.07, -side * 0.05] });
      const { report } = await deriveAndCheck(asset, { tolerance: 2e-3 }, 0);
      expect(report).toMatchObject({ ...SOUND, genus: 0 });
      volumes.push(report.signedVolume);
    }
    expect(volumes[0]).toBeCloseTo(volumes[1], 2);
  });
});

describe('determinism', () => {
  it.each([
    ['sphere', () => sphereField(), {}],
    ['blob', () => blobMlp(21), { exact: true }],
    ['random', () => randomField(12, { T: 7, L: 4, finest: 16 }), { resolution: 12 }],
    ['multi', () => multiField(), { maxVertices: 200 }],
    ['random mlp', () => randomMlp(24, [12, 12]), { exact: true, structure: true, creaseAngle: 20 }],
  ] as const)('two runs on %s give the same bytes', async (_name, make, options) => {
    const first = await derive(make(), options);
    const second = await derive(make(), options);
    expect(first.mesh.indices.length).toBeGreaterThan(0);
    expect(second.mesh).toEqual(first.mesh);
    expect(second.structure).toEqual(first.structure);
  });
});

describe('deep and wide networks', () => {
  it.each([
    ['6 x 12', () => randomMlp(25, [12, 12, 12, 12, 12, 12])],
    ['1 x 120', () => randomMlp(26, [120])],
    ['3 x 8 behind a hash grid', () => randomField(27, { layers: [8, 8, 8], finest: 8 })],
  ] as const)('%s', async (_name, make) => {
    const { report, surface } = await deriveAndCheck(make(), { tolerance: 5e-3 });
    expect(report).toMatchObject(SOUND);
    expectOnZeroSet(report);
    expectWithin(surface.stats.toleranceLocal, report);
  });
});
