import { describe, expect, it } from 'vitest';
import { addArcPoints, farthest, Polyline, simplifyPolyline } from '../../src/surface/curves.ts';
import { between, seededRandom } from '../fixtures/random.ts';

/** Distance of a point from the polyline through the kept points. */
function distanceTo(line: Polyline, kept: readonly number[], x: number, y: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k + 1 < kept.length; k++) {
    const [a, b] = [kept[k], kept[k + 1]];
    const [dx, dy] = [line.x[b] - line.x[a], line.y[b] - line.y[a]];
    const [px, py] = [x - line.x[a], y - line.y[a]];
    const t = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(px - t * dx, py - t * dy));
  }
  return least;
}

describe('addArcPoints', () => {
  it('keeps the arc within the tolerance of its points, which lie on it', () => {
    const random = seededRandom(1);
    let nArcs = 0;
    while (nArcs < 200) {
      // a + b x + c y + d x y = 0 through two points of the unit square, on one branch.
      const [b, c, d] = [between(random, 0.2, 1), between(random, 0.2, 1), between(random, -3, 3)];
      const [x0, x1] = [between(random, 0, 0.3), between(random, 0.7, 1)];
      const y0 = random();
      const a = -(b * x0 + c * y0 + d * x0 * y0);
      const y1 = -(a + b * x1) / (c + d * x1);
      if (!((c + d * x0) * (c + d * x1) > 0) || !(y1 >= 0 && y1 <= 1)) continue;
      nArcs++;
      const [sx, sy] = [between(random, 0.5, 2), between(random, 0.5, 2)];
      const line = new Polyline();
      line.push(x0 * sx, y0 * sy, -1, false);
      addArcPoints(line, [a, b, c, d], x0, y0, x1, y1, sx, sy, 2e-3);
      line.push(x1 * sx, y1 * sy, -1, false);
      const all = line.x.map((_, i) => i);
      for (let i = 1; i + 1 < all.length; i++) {
        const [x, y] = [line.x[i] / sx, line.y[i] / sy];
        expect(Math.abs(a + b * x + c * y + d * x * y)).toBeLessThan(1e-12);
      }
      for (let t = 0; t <= 1; t += 0.01) {
        const x = x0 + t * (x1 - x0);
        const y = -(a + b * x) / (c + d * x);
        expect(distanceTo(line, all, x * sx, y * sy)).toBeLessThan(2.1e-3);
      }
    }
  });

  it('adds nothing to a straight line', () => {
    const line = new Polyline();
    addArcPoints(line, [-0.5, 0.5, 0.5, 0], 0, 1, 1, 0, 1, 1, 1e-9);
    expect(line.x).toEqual([]);
  });
});

describe('simplifyPolyline', () => {
  it('stays within the tolerance, keeps the ends and what is fixed, and drops what it can', () => {
    const random = seededRandom(2);
    for (let run = 0; run < 100; run++) {
      const line = new Polyline();
      for (let i = 0; i < 40; i++)
        line.push(i / 39, 0.2 * Math.sin(i / 6) + 0.01 * random(), -1, random() < 0.1);
      const tolerance = 0.03;
      const kept = simplifyPolyline(line, tolerance);
      expect(kept[0]).toBe(0);
      expect(kept.at(-1)).toBe(39);
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
      line.isFixed.forEach((isFixed, i) => {
        if (isFixed) expect(kept).toContain(i);
      });
      line.x.forEach((x, i) => {
        expect(distanceTo(line, kept, x, line.y[i])).toBeLessThanOrEqual(tolerance);
      });
      expect(kept.length).toBeLessThan(30);
    }
  });

  it('keeps only ends and fixed points where the tolerance is infinite', () => {
    const line = new Polyline();
    for (let i = 0; i < 9; i++) line.push(i, i % 2, -1, i === 4);
    expect(simplifyPolyline(line, Number.POSITIVE_INFINITY)).toEqual([0, 4, 8]);
    expect(simplifyPolyline(line, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('farthest', () => {
  it('is the point of the largest height, or -1 where there is none between', () => {
    const line = new Polyline();
    [0, 1, 3, 2, 0].forEach((y, x) => {
      line.push(x, y, -1, false);
    });
    expect(farthest(line, 0, 4)).toBe(2);
    expect(farthest(line, 1, 2)).toBe(-1);
  });

  it('measures from the first point where the chord has no length', () => {
    const line = new Polyline();
    for (const [x, y] of [
      [0, 0],
      [1, 0],
      [0, 2],
      [0, 0],
    ])
      line.push(x, y, -1, false);
    expect(farthest(line, 0, 3)).toBe(2);
  });
});
