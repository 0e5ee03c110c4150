import { expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { derive } from '../surface/derive.ts';
import { judgeMesh } from '../surface/judge-mesh.ts';
import { judgeDensely } from './dense-judge.ts';
import { surveyField } from './fields.ts';

// `npm run survey` asks many more. A judge's figure is the next of steps of 2 %.
test.each([
  [
    'a ridge beside which the slope changes threefold: the largest |f| of a triangle is not its largest distance',
    'colliding',
    50,
  ],
  ['ridges between vertices that are gone', 'colliding', 72],
  ['a curved acute edge of 59 tolerances in one box', 'lens', 219],
] as const)('what the figures say is so: %s', async (_what, kind, seed) => {
  const { asset, options } = surveyField(seed, kind);
  const { mesh, stats } = await derive(asset, options);
  const field = createCpuField(asset);
  expect(judgeMesh(mesh, field, asset.domain)).toEqual([]);
  const { forth, back } = judgeDensely(mesh, field, asset.domain, options.tolerance, seed);
  const told = stats.isWithinTolerance ? 1 : (stats.errorLocal ?? 0) / options.tolerance;
  expect(Math.max(forth, back)).toBeLessThanOrEqual(1.02 * told);
});
