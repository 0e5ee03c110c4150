import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FieldAsset, NsdfArgumentError, readField } from '../../src/index.ts';
import { createLadder, type LadderOptions } from '../../src/lod/index.ts';
import { octahedronMlp, sphereField } from '../fixtures/fields.ts';

const BUNNY = readField(readFileSync(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url)));
const names = (asset: FieldAsset, options?: LadderOptions) =>
  createLadder(asset, options).levels.map(({ name }) => name);
const tolerances = (asset: FieldAsset, options?: LadderOptions) =>
  createLadder(asset, options).levels.map(({ toleranceLocal }) => toleranceLocal);

describe('the ladder of a field', () => {
  it("goes through the grid's own resolutions, doubled on to the default tolerance, then exact", () => {
    expect(names(BUNNY)).toEqual([
      'resolution 6',
      'resolution 13',
      'resolution 32',
      'resolution 64',
      'resolution 128',
      'resolution 256',
      'resolution 512',
      'resolution 1024',
      'exact',
    ]);
    expect(tolerances(BUNNY)[2]).toBeCloseTo(2 / 32 / 8, 12);
  });

  it('begins with a preview, which can be chosen or left out', () => {
    expect(createLadder(BUNNY).preview).toMatchObject({
      index: -1,
      isPreview: true,
      detail: { preview: 32 },
    });
    expect(createLadder(BUNNY, { preview: 16 }).preview?.detail).toEqual({ preview: 16 });
    expect(createLadder(BUNNY, { preview: false }).preview).toBeNull();
  });

  it("takes the file's hints before the grid's resolutions, and options before both", () => {
    const hinted = { ...BUNNY, lodResolutions: [5, 50] };
    expect(names(hinted)).toEqual(['resolution 5', 'resolution 50', 'exact']);
    expect(names(hinted, { resolutions: [9, 20] })).toEqual(['resolution 9', 'resolution 20', 'exact']);
    const levels = [{ resolution: 8 }, { tolerance: 0.004 }];
    expect(createLadder(hinted, { levels }).levels.map(({ detail }) => detail)).toEqual(levels);
  });

  it('ends where it is told to, without levels that are hardly coarser', () => {
    expect(names(BUNNY, { finest: { tolerance: 3e-3 } })).toEqual([
      'resolution 6',
      'resolution 13',
      'resolution 32',
      'tolerance 0.003',
    ]);
    expect(names(BUNNY, { finest: { exact: true } })).toEqual(['resolution 6', 'resolution 13', 'exact']);
    expect(names(octahedronMlp(), { finest: { exact: true } })).toEqual(names(octahedronMlp()));
  });

  it("ends with the asset's own tolerance where it names one", () => {
    expect(names({ ...BUNNY, tolerance: 0.01 })).toEqual(['resolution 6', 'resolution 13', 'tolerance 0.01']);
  });

  it('takes exact for what it is: the zero set of a field without a grid, flat faces in the boxes of one', () => {
    expect(tolerances(octahedronMlp()).at(-1)).toBe(0);
    expect(tolerances(BUNNY).at(-1)).toBeCloseTo(2 / 32 / 8, 12);
  });

  it('serves fields without a grid, grids that are coarse, and grids whose levels are close', () => {
    expect(names(octahedronMlp())[0]).toBe('resolution 8');
    expect(names(sphereField({ cells: [2] }))[0]).toBe('resolution 4');
    const dense = names(sphereField({ cells: [10, 11, 12, 24] }));
    expect(dense.slice(0, 3)).toEqual(['resolution 12', 'resolution 26', 'resolution 52']);
  });

  it('measures in the units of the domain', () => {
    const large = { ...BUNNY, domain: { min: [0, 0, 0], max: [20, 20, 20] } } as const;
    expect(tolerances(large)).toEqual(tolerances(BUNNY).map((t) => expect.closeTo(t * 10, 9)));
  });

  it('is coarse to fine, or is refused', () => {
    for (const asset of [BUNNY, octahedronMlp(), sphereField()]) {
      const all = tolerances(asset).slice(0, -1);
      expect(all).toEqual([...all].sort((a, b) => b - a));
    }
    expect(() => createLadder(BUNNY, { resolutions: [32, 8] })).toThrow(NsdfArgumentError);
    expect(() => createLadder(BUNNY, { levels: [] })).toThrow(NsdfArgumentError);
    expect(() => createLadder(BUNNY, { levels: [{ exact: true, tolerance: 1 }] })).toThrow(/exactly one/);
    expect(() => createLadder(BUNNY, { levels: [{}] })).toThrow(/exactly one/);
  });
});
