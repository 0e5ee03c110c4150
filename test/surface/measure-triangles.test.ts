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

const sidesOf = (triangles: TriangleSet): number[] => [
  ...runSteps(measureTriangles(FIELD, { kind: 'measure', triangles, spacing: 1 })),
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
