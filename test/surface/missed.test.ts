import { describe, expect, it } from 'vitest';
import { MissedFinder } from '../../src/surface/missed.ts';
import { octahedronMlp, planeMlp } from '../fixtures/fields.ts';
import { octahedron } from './tiny-mesh.ts';
import { patchOf } from './tiny-patch.ts';

/** So large that samples of the box lie inside, those at (±0.25, ±0.25, ±0.25). */
const R = 0.875;
const UP = [0, 0, 1] as const;

/** A box around the whole octahedron, with some of its triangles. */
function search(isThere: (triangle: readonly number[]) => boolean, tolerance: number) {
  const patch = patchOf(octahedronMlp(R), [-1, -1, -1], [2, 2, 2], UP);
  const { points, triangles } = octahedron(R);
  points.forEach(([x, y, z], id) => {
    patch.addVertex(100 + id, x, y, z, -1);
  });
  patch.triangles.push(...triangles.filter(isThere).flat());
  const finder = new MissedFinder(patch);
  finder.find(tolerance);
  const { landmarks } = finder;
  return Array.from({ length: landmarks.n }, (_, i) => ({
    point: [...landmarks.positions.subarray(i * 3, i * 3 + 3)],
    near: landmarks.near[i],
  }));
}

describe('MissedFinder', () => {
  it('finds nothing where all of the zero set has triangles', () => {
    expect(search(() => true, 0.05)).toEqual([]);
  });

  it('finds points of the sheet that has none, on the zero set', () => {
    const missed = search((triangle) => triangle.includes(4), 0.05);
    expect(missed.length).toBeGreaterThan(4);
    for (const { point, near } of missed) {
      expect(Math.abs(point[0]) + Math.abs(point[1]) + Math.abs(point[2]) - R).toBeCloseTo(0, 12);
      expect(point[2]).toBeLessThan(0);
      expect(near).toBe(100);
    }
  });

  it('takes what is nearer than the tolerance for found, and boxes that are smaller for whole', () => {
    expect(search((triangle) => triangle.includes(4), 1)).toEqual([]);
    expect(search(() => false, 2 * Math.sqrt(3))).toEqual([]);
  });

  it('finds nothing where f has one sign', () => {
    const patch = patchOf(planeMlp([0, 0, 1], 0.5), [-1, -1, -1], [2, 2, 0.5], UP);
    const finder = new MissedFinder(patch);
    finder.find(1e-3);
    expect(finder.landmarks.n).toBe(0);
  });

  it('does the same each time', () => {
    const isThere = (triangle: readonly number[]) => triangle.includes(0);
    expect(search(isThere, 0.05)).toEqual(search(isThere, 0.05));
  });
});
