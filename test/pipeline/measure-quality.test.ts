import { describe, expect, it } from 'vitest';
import { flatnessError, measureQuality } from '../../src/index.ts';
import { planeMlp } from '../fixtures/mlp-fields.ts';

const corners = (f: (x: number, y: number, z: number) => number): number[] =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((i) => f(i & 1, (i >> 1) & 1, i >> 2));

describe('flatness error', () => {
  it('is 0 for every plane through both ends of the diagonal, whatever its slope', () => {
    expect(flatnessError(corners((x, y, z) => 3 * x - 2 * y - z))).toBe(0);
    expect(flatnessError(corners((x, y, z) => 0.1 * (x + y - 2 * z)))).toBeCloseTo(0, 15);
  });

  it('of a saddle is what is found by hand', () => {
    // f = x y - z: f1 = f2 = 0, f3 = 1, f4 = -1, f5 = f6 = -1; pairs |-1| + |-1| + |0|, groups |-1| + |1 - 2|.
    expect(flatnessError(corners((x, y, z) => x * y - z))).toBeCloseTo(2 / 6 + 2 / 4, 15);
    // f = x y z - x: f1 = f3 = f5 = -1, the rest 0: each pair -1 once, groups -1 and -2.
    expect(flatnessError(corners((x, y, z) => x * y * z - x))).toBeCloseTo(3 / 6 + 3 / 4, 15);
  });
});

describe('measuring quality', () => {
  it('a plane of unit slope has no error of either kind', async () => {
    const { flatness, eikonal } = await measureQuality(planeMlp(), {
      samples: 200,
      backend: 'cpu',
    });
    expect(flatness.n).toBeGreaterThan(0);
    expect(flatness.max).toBeLessThan(1e-6);
    expect(eikonal.n).toBe(200);
    expect(eikonal.max).toBeLessThan(1e-6);
  });

  it('a scaled field has the eikonal error that its scale says', async () => {
    const asset = { ...planeMlp(), valueScale: 1.25 };
    const { flatness, eikonal } = await measureQuality(asset, { samples: 100, backend: 'cpu' });
    expect(eikonal.mean).toBeCloseTo(0.25, 6);
    expect(eikonal.p99).toBeCloseTo(0.25, 6);
    expect(flatness.max).toBeLessThan(1e-6);
  });

  it('a field without surface has nothing to measure', async () => {
    const empty = planeMlp([0.36, 0.48, 0.8], 9);
    const { flatness, eikonal } = await measureQuality(empty, { samples: 100, backend: 'cpu' });
    expect([flatness.n, eikonal.n, eikonal.max]).toEqual([0, 0, 0]);
  });
});
