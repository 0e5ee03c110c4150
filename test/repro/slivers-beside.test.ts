import { expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { measureMeshError } from '../../src/surface/mesh-error.ts';
import { runSteps } from '../partition/run-steps.ts';
import { runHere } from '../pipeline/run-here.ts';
import { judgeDensely } from '../survey/dense-judge.ts';
import { surveyField } from '../survey/fields.ts';

// Untrained fields whose meshes were 4, 39 and 35 % beyond the tolerance: a side stood off and could not be divided, because the triangle on
// its other side was so low that the new vertex lay beyond its apex. The side is turned then. The last one was 40 % over and said 6:
// f was five times as steep at a triangle's corners as in its middle, and the corners' slope was gone by.
test.each([365, 546, 557, 556])('the field of seed %i keeps its tolerance', async (seed) => {
  const { asset, options } = surveyField(seed);
  const { mesh, stats } = await runHere(asset, options);
  expect(stats.isWithinTolerance).toBe(true);
  // What is told is of the mesh as it is given out, after the last side was turned.
  const measured = runSteps(measureMeshError(mesh, createCpuField(asset), asset.domain));
  expect(stats.errorLocal).toBeGreaterThanOrEqual(measured);
  const { forth, back } = judgeDensely(mesh, createCpuField(asset), asset.domain, options.tolerance, seed);
  expect(Math.max(forth, back)).toBeLessThanOrEqual(1);
});
