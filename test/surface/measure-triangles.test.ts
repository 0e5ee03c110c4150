import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { TriangleSet } from '../../src/surface/mesh-tasks.ts';
import { measureTriangles } from '../../src/surface/triangle-sampler.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';

const R = 0.625;
const FIELD = createCpuField(octahedronMlp(R));
const TOLERANCE = 1e-2;

/** Triangles by their corners. */
function setOf(triangles: readonly (readonly (readonly number[])[])[]): TriangleSet {
  const n = triangles.length;
  return {
    corners: Float32Array.from(triangles.flat(2)),
    slopes: new Float64Array(n).fill(Math.sqrt(3)),
    tolerances: new Float64Array(n).fill(TOLERANCE),
  };
}

const sidesOf = (triangles: TriangleSet, isClose = false): number[] => [
  ...runSteps(measureTriangles(FIELD, { kind: 'measure', triangles, spacing: 1, isClose })),
];

describe('measured triangles', () => {
  const [x, y, z] = [[R, 0, 0], [0, R, 0], [0, 0, R]]; // biome-ignore format: one line
  const back = [0, 0, -R];
  // The side from z to back runs through the middle of the octahedron.
  const inside = [z, back, x];
  const across = [[R / 2, R / 2, 0], [0, R / 2, R / 2], [R, 0, 0]]; // biome-ignore format: one line

  test('on the zero set do not stand off', () => {
    expect(sidesOf(setOf([[x, y, z], across]))).toEqual([-1, -1]);
  });

  test('are to be divided at the side that stands off', () => {
    expect(sidesOf(setOf([inside, [x, z, back], [back, x, z]]))).toEqual([0, 1, 2]);
  });

  test('stand off where f is much steeper at their corners than between', () => {
    // One and a half tolerances inside, which at the corners' slope would be 0.15.
    const inner = [x, y, z].map((p) => p.map((k) => k - (1.5 * TOLERANCE) / Math.sqrt(3)));
    const set = setOf([inner, [x, y, z]]);
    set.slopes.fill(10 * Math.sqrt(3));
    expect(sidesOf(set).map((side) => side >= 0)).toEqual([true, false]);
  });

  test('are looked at all over where they are known to stand off', () => {
    // A corner just beyond an edge of the octahedron: of a side only the last twentieth is there, where it is the farthest inside.
    const set = setOf([[[0.3075, -0.01, 0.3075], [0.4, 0.19, 0.035], [0.035, 0.19, 0.4]]]); // biome-ignore format: one line
    set.tolerances.fill(1.184e-2);
    expect(sidesOf(set)).toEqual([-1]);
    const [side] = sidesOf(set, true);
    expect(side).toBeGreaterThanOrEqual(0);
  });

  test('are measured one by one: where a set is cut does not matter', () => {
    const all = Array.from({ length: 1500 }, (_, i) => {
      const s = ((i * 37) % 101) / 101;
      if (i % 4 === 0) return i % 8 === 0 ? inside : [inside[2], inside[0], inside[1]];
      return [x, [0, R * s, R * (1 - s)], i % 2 === 0 ? back : y];
    });
    const sides = sidesOf(setOf(all));
    expect(new Set(sides).size).toBeGreaterThan(2);
    for (const at of [1, 700, 1023])
      expect([...sidesOf(setOf(all.slice(0, at))), ...sidesOf(setOf(all.slice(at)))]).toEqual(sides);
  });
});
