import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { CheckField } from '../../src/surface/check-field.ts';
import { createRandom } from '../../src/surface/check-random.ts';
import { sampleZeroSet } from '../../src/surface/distance-samples.ts';
import { distancesToZeroSet } from '../../src/surface/distance-to-zero-set.ts';
import { randomField } from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { analyticField, ball, CUBE, cube } from './analytic-fields.ts';

type Scalar = (x: number, y: number, z: number) => number;

function pointsWhere(n: number, seed: number, isWanted: (p: number[]) => boolean): Float64Array {
  const random = seededRandom(seed);
  const points: number[] = [];
  while (points.length < n * 3) {
    const p = [0, 0, 0].map(() => between(random, -1, 1));
    if (isWanted(p)) points.push(...p);
  }
  return Float64Array.from(points);
}

/** Found distance over true distance at points near the zero set, ascending. */
function ratios(f: Scalar, distance: Scalar, reach: number, seed = 3, search = 1): number[] {
  const points = pointsWhere(400, seed, ([x, y, z]) => Math.abs(distance(x, y, z)) < reach);
  const found = distancesToZeroSet(analyticField(f), points, CUBE, createRandom(search));
  return Array.from(found, (d, i) => {
    const [x, y, z] = points.subarray(i * 3, i * 3 + 3);
    return d / Math.abs(distance(x, y, z));
  }).sort((a, b) => a - b);
}

/** The distance of the nearest of 21³ places within `reach` whose sign is another, or the reach: an upper bound of the distance. */
function latticeDistance(field: CheckField, p: Float64Array, reach: number): number {
  const n = 10;
  const places: number[] = [];
  for (let x = -n; x <= n; x++) {
    for (let y = -n; y <= n; y++) {
      for (let z = -n; z <= n; z++) {
        const at = [x, y, z].map((i, k) => p[k] + (i * reach) / n);
        if (at.every((c) => Math.abs(c) <= 1)) places.push(...at);
      }
    }
  }
  const points = Float64Array.from([...p, ...places]);
  const values = new Float64Array(points.length / 3);
  field.evaluate(points, values);
  let least = reach;
  for (let i = 1; i < values.length; i++) {
    if (values[i] >= 0 === values[0] >= 0) continue;
    least = Math.min(least, Math.hypot(...[0, 1, 2].map((k) => points[i * 3 + k] - p[k])));
  }
  return least;
}

function expectTight(sorted: number[], worst: number): void {
  expect(sorted[0]).toBeGreaterThan(1 - 1e-4);
  expect(sorted[Math.floor(sorted.length * 0.95)]).toBeLessThan(1 + worst / 3);
  expect(sorted[sorted.length - 1]).toBeLessThan(1 + worst);
}

describe('distancesToZeroSet', () => {
  it.each([1, 2, 3])('a true distance field, creases, seed %d', (seed) => {
    expectTight(ratios(ball(0.6), ball(0.6), 0.3, seed, seed), 0.01);
    expectTight(ratios(cube(0.5), cube(0.5), 0.2, seed, seed), 0.1);
  });

  it('|f| far from a distance: steep, flat and cubed', () => {
    const d = ball(0.6);
    expectTight(
      ratios((x, y, z) => 40 * d(x, y, z), d, 0.3),
      0.01,
    );
    expectTight(
      ratios((x, y, z) => 1e-4 * d(x, y, z), d, 0.3),
      0.01,
    );
    expectTight(
      ratios((x, y, z) => d(x, y, z) ** 3, d, 0.3),
      0.01,
    );
  });

  it('a slope that varies over the surface and a field bent sideways', () => {
    const d = ball(0.6);
    expectTight(
      ratios((x, y, z) => d(x, y, z) * (1.2 + Math.sin(9 * x) * Math.cos(8 * y + z)), d, 0.1),
      0.05,
    );
  });

  it('creases: the nearest point is where no gradient points', () => {
    expectTight(ratios(cube(0.5), cube(0.5), 0.2), 0.1);
  });

  it('a surface that leaves the domain, from points on the face where the gradient leads out', () => {
    // f = 0 along y = 0.3 + 3 (x + 1): from below it the gradient points out through x = -1.
    const f: Scalar = (x, y) => y - 0.3 - 3 * (x + 1);
    const points = Float64Array.from(
      { length: 60 },
      (_, i) => [-1 + 1e-7, 0.29 - 0.004 * (i / 3), 0.1][i % 3],
    );
    const found = distancesToZeroSet(analyticField(f), points, CUBE, createRandom(1));
    found.forEach((d, i) => {
      expect(d).toBeLessThan(1.05 * (0.3 - points[i * 3 + 1]));
    });
  });

  it('a thin plate beside the point, behind a slope that leads away from it', () => {
    // Both planes z = 0.5 and z = 0.52 are zeros; |f| grows towards z = 0.3 from below, too.
    const f: Scalar = (_x, _y, z) => (z - 0.5) * (z - 0.52) * (1 + 4 * z * z);
    const d: Scalar = (_x, _y, z) => Math.min(Math.abs(z - 0.5), Math.abs(z - 0.52));
    expectTight(ratios(f, d, 0.2), 0.1);
  });

  it.each([1, 2, 3])(
    'a rough hashed field, seed %d: no farther than a fine lattice around the point tells',
    (seed) => {
      const field = createCpuField(
        randomField(seed + 40, { T: 5, L: 3, base: 3, finest: 14, roughness: 0.9 }),
      );
      const all = pointsWhere(400, seed, () => true);
      const values = new Float64Array(400);
      field.evaluate(all, values);
      // Near the zero set, where a mesh's points are.
      const near = [...values.keys()].sort((a, b) => Math.abs(values[a]) - Math.abs(values[b])).slice(0, 60);
      const points = Float64Array.from(near.flatMap((i) => [...all.subarray(i * 3, i * 3 + 3)]));
      const found = distancesToZeroSet(field, points, CUBE, createRandom(seed));
      for (let i = 0; i < near.length; i++) {
        const known = latticeDistance(field, points.subarray(i * 3, i * 3 + 3), found[i]);
        expect(found[i], `point ${i}`).toBeLessThan(1.5 * known);
      }
    },
  );

  it('beside the zero set f is constant: no slope leads there', () => {
    const d = ball(0.15);
    expectTight(
      ratios((x, y, z) => Math.max(-3e-9, -d(x, y, z)), d, 0.05),
      0.2,
    );
  });

  it('a point on the zero set', () => {
    const field = analyticField((x) => x);
    expect(distancesToZeroSet(field, Float64Array.of(0, 0.3, 0.2), CUBE, createRandom(1))).toEqual(
      Float64Array.of(0),
    );
  });

  it('no zero set, and one outside the domain, are infinitely far', () => {
    const points = Float64Array.of(0, 0, 0, 0.9, 0.9, 0.9);
    for (const f of [() => 1, ball(0.5, [3, 0, 0])]) {
      expect(distancesToZeroSet(analyticField(f), points, CUBE, createRandom(1))).toEqual(
        Float64Array.of(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
      );
    }
  });

  it('a point outside the domain goes by way of the domain', () => {
    const field = analyticField((x) => x - 0.75);
    const [d] = distancesToZeroSet(field, Float64Array.of(1.5, 0, 0), CUBE, createRandom(1));
    expect(d).toBeCloseTo(0.75, 3);
  });
});

it('of a plate in which f is zero the side beyond which it is negative is the surface', () => {
  // As where all neurons are off and no bias is left: `survey --kind fine`, seeds 5, 22 and 124.
  const field = analyticField((x) => Math.min(0, x + 0.213) + Math.max(0, x - 0.371));
  const places = [...sampleZeroSet(field, CUBE, 400, createRandom(1))].flatMap((points) => [...points]);
  expect(places.length).toBeGreaterThan(1200);
  for (let i = 0; i < places.length; i += 3) expect(places[i]).toBeCloseTo(-0.213, 5);
});
