import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { deriveMesh } from '../../src/index.ts';
import { CornerTable } from '../../src/partition/corners.ts';
import { cullBoxes } from '../../src/partition/cull.ts';
import { chooseRootBits } from '../../src/partition/root-size.ts';
import { frameOf, makePlan } from '../../src/pipeline/plan.ts';
import { checkTopology } from '../../src/surface/check-topology.ts';
import { multiField, randomField, sphereField, withFineLevels } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';
import { judgeMesh } from '../surface/judge-mesh.ts';
import { judgeDensely } from '../survey/dense-judge.ts';
import { runHere } from './run-here.ts';

const FIELDS = [
  {
    name: 'a ball',
    asset: withFineLevels(sphereField({ cells: [4, 8] }), 3, { cells: [64], amplitude: 1e-4 }),
    tolerance: 8e-3,
    nComponents: 1,
  },
  {
    name: 'several parts',
    asset: withFineLevels(multiField(), 4, { cells: [64], amplitude: 1e-4 }),
    tolerance: 6e-3,
    nComponents: 5,
  },
  {
    name: 'creases everywhere, open at the domain',
    asset: withFineLevels(randomField(6, { finest: 8 }), 5, { cells: [64], amplitude: 1e-4 }),
    tolerance: 8e-3,
    nComponents: undefined,
  },
];

describe.each(FIELDS)(
  '$name, with levels far finer than the tolerance',
  ({ asset, tolerance, nComponents }) => {
    const field = createCpuField(asset);
    const derived = deriveMesh(asset, { tolerance, backend: 'cpu' });

    test('is derived in cells larger than the boxes', async () => {
      const { lattice, allowance } = makePlan(field, { tolerance });
      expect(runSteps(chooseRootBits(field, lattice, allowance))).toBeGreaterThan(0);
      const { nBoxes } = runSteps(cullBoxes(field, lattice, new CornerTable(field, lattice)));
      const { stats } = await derived;
      expect(stats.nBoxesSurviving).toBeLessThan(nBoxes / 2);
      expect(stats.isComplete).toBe(true);
    });

    test('is the same mesh from boxes that were found elsewhere', async () => {
      const { lattice } = makePlan(field, { tolerance });
      const { boxes } = runSteps(cullBoxes(field, lattice, new CornerTable(field, lattice)));
      const { mesh } = await runHere(asset, { tolerance, candidates: { boxes, nTested: 0 } });
      expect(mesh).toEqual((await derived).mesh);
    });

    test('is sound, on the zero set, and within the tolerance both ways', async () => {
      const { mesh, stats } = await derived;
      const { bounds } = frameOf(asset, {});
      expect(judgeMesh(mesh, field, bounds)).toEqual([]);
      expect(stats.isWithinTolerance).toBe(true);
      const { forth, back } = judgeDensely(mesh, field, bounds, tolerance, 9);
      expect(forth).toBeLessThanOrEqual(1);
      expect(back).toBeLessThanOrEqual(1);
      if (nComponents !== undefined) expect(checkTopology(mesh, bounds).nComponents).toBe(nComponents);
    });
  },
);
