import { describe, expect, it } from 'vitest';
import { distanceFromBestPlane } from '../../src/surface/structure-collector.ts';
import { between, seededRandom } from '../fixtures/random.ts';

/** Columns of points given row by row, turned by a fixed rotation and moved. */
function columns(rows: readonly (readonly number[])[]): [number[], number[], number[]] {
  const turned = rows.map(([x, y, z]) => [
    0.36 * x + 0.48 * y - 0.8 * z + 5,
    -0.8 * x + 0.6 * y - 7,
    0.48 * x + 0.64 * y + 0.6 * z + 2,
  ]);
  return [0, 1, 2].map((k) => turned.map((p) => p[k])) as [number[], number[], number[]];
}

describe('distanceFromBestPlane', () => {
  it('is zero for points of a plane, of a line, for one point many times, and for fewer than four', () => {
    const random = seededRandom(1);
    const plane = Array.from({ length: 50 }, () => [between(random, -1, 1), between(random, -1, 1), 0]);
    const line = plane.map(([x]) => [x, 0, 0]);
    const point = plane.map(() => [1, 2, 3]);
    for (const rows of [plane, line, point]) {
      expect(distanceFromBestPlane(...columns(rows), rows.length)).toBeLessThan(1e-14);
    }
    expect(
      distanceFromBestPlane(
        ...columns([
          [0, 0, 0],
          [1, 0, 0],
          [0, 1, 1],
        ]),
        3,
      ),
    ).toBe(0);
    expect(distanceFromBestPlane([], [], [], 0)).toBe(0);
  });

  it('is the height of a saddle over its plane', () => {
    const saddle = [
      [1, 1, 0.1],
      [-1, 1, -0.1],
      [-1, -1, 0.1],
      [1, -1, -0.1],
    ];
    expect(distanceFromBestPlane(...columns(saddle), 4)).toBeCloseTo(0.1, 12);
  });

  it('finds the plane by least squares: no turned plane has a smaller sum of squares', () => {
    const random = seededRandom(2);
    const rows = Array.from({ length: 200 }, () => [
      between(random, -1, 1),
      between(random, -1, 1),
      between(random, -0.05, 0.05),
    ]);
    const most = distanceFromBestPlane(...columns(rows), rows.length);
    expect(most).toBeGreaterThan(0.045);
    expect(most).toBeLessThan(0.07);
  });

  it('takes the first n points only', () => {
    const [x, y, z] = columns([
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 0],
      [0, 0, 9],
    ]);
    expect(distanceFromBestPlane(x, y, z, 4)).toBeLessThan(1e-15);
    expect(distanceFromBestPlane(x, y, z, 5)).toBeGreaterThan(0.1);
  });
});
