import { expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { leavingField } from '../fixtures/fields.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { DERIVATION_CASES, fiveSpheres } from './cases.ts';
import { compareCurves, findCurvesHere, findCurvesThere } from './curves.ts';

const caseOf = (name: string) => () => DERIVATION_CASES.find((each) => each.name === name)!.make();
const bunny = async () =>
  readField(await (await fetch(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url))).arrayBuffer());

/** Roots that single precision finds this share of the diagonal apart are one; f is nearly flat along some edges. */
const WITHIN = 2e-4;

/**
 * Curves whose ends are joined otherwise, or that cross neurons in another order: two that cross at one point. The box's faces
 * meet on planes of the lattice.
 */
it.each<[string, () => FieldAsset | Promise<FieldAsset>, nOtherPairs: number, nOtherNeurons: number]>([
  ['five spheres', fiveSpheres, 0, 0],
  ['a sphere that leaves the domain', () => leavingField(), 0, 0],
  ['a box', caseOf('box mlp'), 44, 0],
  ['three layers', caseOf('blob mlp, three layers'), 0, 1],
  ['colliding hashes', caseOf('hashed, colliding'), 0, 0],
  ['random weights', caseOf('random, one layer'), 0, 0],
  ['the bunny', bunny, 0, 12],
])(
  'CPU and GPU join the same zeros on faces, across the same neurons: %s',
  async (_name, make, nOtherPairs, nOtherNeurons) => {
    const asset = await make();
    const { min, max } = asset.domain;
    const diagonal = Math.hypot(...[0, 1, 2].map((k) => max[k] - min[k]));
    const [here, there] = [findCurvesHere(asset), await findCurvesThere(asset, sharedGpu)];
    const found = compareCurves(here, there, WITHIN * diagonal);
    expect(found.nRects).toBeGreaterThan(500);
    // Bisections are decided by bounds, which differ a little.
    expect(found.nUnshared).toBeLessThan(found.nRects);
    expect(found.nOtherRoots).toBeLessThanOrEqual(nOtherPairs);
    expect(found.nOtherPairs).toBeLessThanOrEqual(nOtherPairs);
    expect(found.nOtherNeurons).toBeLessThanOrEqual(nOtherNeurons);
  },
);
