import { describe, expect, it } from 'vitest';
import { createLattice } from '../../src/partition/corners.ts';
import { halve, planTile, wholeRange, wholeTile } from '../../src/surface/gpu/tiles.ts';

const axis = (n: number) => Float64Array.from({ length: n + 1 }, (_, i) => -1 + (2 * i) / n);
const lattice = createLattice([axis(40), axis(20), axis(16)]);
const bounds = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
const plan = {
  lattice,
  bounds,
  domain: bounds,
  tolerances: { counts: [1, 1, 1], tolerances: [1e-3] },
} as const;

describe('tiles', () => {
  it('halve across the longest axis, down to where they would be all margin', () => {
    const whole = wholeRange(lattice);
    expect(whole).toEqual({ first: [0, 0, 0], end: [40, 20, 16] });
    expect(halve(whole)).toEqual([
      { first: [0, 0, 0], end: [20, 20, 16] },
      { first: [20, 0, 0], end: [40, 20, 16] },
    ]);
    expect(halve({ first: [3, 0, 0], end: [18, 15, 15] })).toBeUndefined();
    expect(halve({ first: [3, 0, 0], end: [19, 15, 15] })).toEqual([
      { first: [3, 0, 0], end: [11, 15, 15] },
      { first: [11, 0, 0], end: [19, 15, 15] },
    ]);
  });

  it('have a margin of one box where another tile goes on, and seams there', () => {
    const { lattice: part, tile } = planTile(plan, { first: [20, 0, 8], end: [40, 20, 16] });
    expect(part.planes.map((planes) => planes.length - 1)).toEqual([21, 20, 9]);
    expect(part.planes[0][0]).toBe(lattice.planes[0][19]);
    expect(part.subBits).toBe(lattice.subBits);
    expect(tile).toMatchObject({ first: [1, 0, 1], end: [21, 20, 9] });
    expect(tile?.seams.min[0]).toBe(Math.fround(lattice.planes[0][20]));
    expect(tile?.seams.min[2]).toBe(0);
    expect(Math.min(...tile!.seams.max)).toBeGreaterThan(1e38);
    expect(tile?.seams.min[1]).toBeLessThan(-1e38);
  });

  it('of all boxes has no seams', () => {
    const { lattice: all, tile } = planTile(plan, wholeRange(lattice));
    expect(all.planes).toEqual(lattice.planes);
    expect(tile).toEqual(wholeTile(lattice));
  });
});
