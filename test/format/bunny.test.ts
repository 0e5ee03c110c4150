import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readNsdf, verifyNsdf } from '../../src/format/read.ts';
import { evaluateReference } from '../fixtures/fields.ts';
import { khronosIssues } from './glb-tools.ts';

describe('bunny-S', async () => {
  const file = await readFile(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url));
  const { copyright, nodes } = readNsdf(file);
  const [{ asset, material }] = nodes[0].mesh?.fields ?? [];

  it('is sound and says where it comes from', async () => {
    expect(await verifyNsdf(file)).toEqual([]);
    expect(await khronosIssues(file)).toEqual([]);
    expect(copyright).toMatch(/Stanford Computer Graphics Laboratory/);
    expect(material).toMatchObject({ name: 'clay', metallicFactor: 0 });
  });

  it('is the trained field', () => {
    if (asset.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    expect(asset.encoding.levels.map(({ resolution, isDense }) => [resolution, isDense])).toEqual([
      [2, true],
      [6, true],
      [13, true],
      [32, true],
    ]);
    // From the training program's own float64 evaluation.
    expect(
      evaluateReference(asset, [0.25019094347953796, 0.7944275736808777, 0.5513713955879211]),
    ).toBeCloseTo(0.6221227260730956, 9);
    expect(
      evaluateReference(asset, [-0.06413009762763977, -0.3939351439476013, -0.44314876198768616]),
    ).toBeCloseTo(0.01430548772737776, 9);
  });
});
