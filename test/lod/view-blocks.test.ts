import { describe, expect, it } from 'vitest';
import { NsdfArgumentError } from '../../src/errors.ts';
import type { Box3 } from '../../src/format/asset.ts';
import { measureOnScreen, sameBlocks, viewBlocks } from '../../src/lod/index.ts';
import { EYE, translation } from './fake-levels.ts';

const DOMAIN: Box3 = { min: [-1, -1, -1], max: [1, 1, 1] };
const TOLERANCES = [0.001, 0.1, 0.0275, 0.022];

describe('viewBlocks', () => {
  // The eye looks down -z, 2 units before the domain's near face.
  const world = translation(0, 0, -3);
  const blocks = viewBlocks(DOMAIN, [EYE], world, { counts: [1, 1, 4], tolerances: TOLERANCES });

  it('gives near blocks the finer tolerance', () => {
    const list = Array.from(blocks.tolerances);
    expect(list).toEqual([...list].sort((a, b) => b - a));
    expect(new Set(list).size).toBeGreaterThan(1);
  });

  it('keeps the error on screen of every block', () => {
    const scale = { pixelsPerUnit: 0, diameter: 0, isInView: false };
    for (let z = 0; z < 4; z++) {
      measureOnScreen(EYE, world, [-1, -1, -1 + z / 2, 1, 1, -0.5 + z / 2], scale);
      const tolerance = blocks.tolerances[z];
      const isFinest = tolerance === 0.001;
      expect(isFinest || tolerance * scale.pixelsPerUnit <= 1).toBe(true);
      const coarser = TOLERANCES.filter((t) => t > tolerance);
      expect(coarser.every((t) => t * scale.pixelsPerUnit > 1)).toBe(true);
    }
  });

  it('spends nothing on what no eye sees', () => {
    const behind = viewBlocks(DOMAIN, [EYE], translation(0, 0, 30), { tolerances: TOLERANCES });
    expect(Array.from(behind.tolerances)).toEqual(Array(64).fill(0.1));
    expect(new Set(Array.from(viewBlocks(DOMAIN, [], world, { tolerances: TOLERANCES }).tolerances))).toEqual(
      new Set([0.1]),
    );
  });

  it('takes the finest that any of several eyes asks for', () => {
    const far = viewBlocks(DOMAIN, [EYE], translation(0, 0, -300), { tolerances: TOLERANCES });
    expect(new Set(Array.from(far.tolerances))).toEqual(new Set([0.1]));
    const closer: typeof EYE = { ...EYE, viewportHeight: 100_000 };
    const both = viewBlocks(DOMAIN, [EYE, closer], translation(0, 0, -300), { tolerances: TOLERANCES });
    expect(both.tolerances[0]).toBeLessThan(0.1);
  });

  it('refuses a choice among nothing', () => {
    expect(() => viewBlocks(DOMAIN, [EYE], world, { tolerances: [] })).toThrow(NsdfArgumentError);
  });
});

describe('sameBlocks', () => {
  const one = { counts: [1, 1, 2], tolerances: [1, 2] } as const;
  it('compares counts and tolerances', () => {
    expect(sameBlocks(one, { counts: [1, 1, 2], tolerances: Float64Array.of(1, 2) })).toBe(true);
    expect(sameBlocks(one, { counts: [1, 2, 1], tolerances: [1, 2] })).toBe(false);
    expect(sameBlocks(one, { counts: [1, 1, 2], tolerances: [1, 3] })).toBe(false);
    expect(sameBlocks(one, null)).toBe(false);
    expect(sameBlocks(null, null)).toBe(true);
  });
});
