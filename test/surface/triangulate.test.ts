import { describe, expect, it } from 'vitest';
import { Triangulator } from '../../src/surface/triangulate.ts';
import { octahedronMlp, planeMlp } from '../fixtures/fields.ts';
import { addPolygon, patchOf, trianglesOf } from './tiny-patch.ts';

const UP = [0, 0, 1] as const;
const flat = () => patchOf(planeMlp([0, 0, 1], 0), [-1, -1, -1], [2, 2, 2], UP);

/** A regular polygon in the plane z = 0. */
const ring = (n: number) =>
  Array.from({ length: n }, (_, i) => {
    const angle = (2 * Math.PI * i) / n;
    return [0.5 * Math.cos(angle), 0.5 * Math.sin(angle), 0];
  });

describe('Triangulator', () => {
  it('fills a polygon by its own vertices, none turned over', () => {
    for (const n of [3, 4, 7, 24]) {
      const patch = flat();
      new Triangulator().triangulate(patch, addPolygon(patch, ring(n)), 1e-3);
      expect([patch.triangles.length / 3, patch.nVertices]).toEqual([n - 2, n]);
      expect(patch.isFilledSoundly()).toBe(true);
    }
  });

  it('leaves two vertices alone', () => {
    const patch = flat();
    new Triangulator().triangulate(patch, addPolygon(patch, ring(2)), 1e-3);
    expect(patch.triangles).toEqual([]);
  });

  it('draws no diagonal out of a polygon that is not convex', () => {
    const arrow = [[-0.5, 0, 0], [0.5, -0.5, 0], [0, 0, 0], [0.5, 0.5, 0]]; // biome-ignore format: one line
    const patch = flat();
    new Triangulator().triangulate(patch, addPolygon(patch, arrow), 1e-3);
    expect(trianglesOf(patch)).toEqual(['0 1 2', '0 2 3']);
    expect(patch.isFilledSoundly()).toBe(true);
  });

  it('draws the diagonal that lies on the surface, however the shapes are', () => {
    const R = 0.625;
    const ridge = [[0.4, 0, R - 0.4], [0.3, 0.2, R - 0.5], [0.1, 0, R - 0.1], [0.3, -0.2, R - 0.5]]; // biome-ignore format: one line
    const patch = patchOf(octahedronMlp(R), [0, -1, 0], [1, 2, 1], UP);
    new Triangulator().triangulate(patch, addPolygon(patch, ridge), 1e-3);
    expect(trianglesOf(patch)).toEqual(['0 1 2', '0 2 3']);
  });

  it('draws none between vertices that share a side or a chord', () => {
    const patch = flat();
    const square = addPolygon(patch, ring(4));
    patch.markChord(square[0], 40);
    patch.markChord(square[2], 40);
    new Triangulator().triangulate(patch, square, 1e-3);
    expect(trianglesOf(patch)).toEqual(['0 1 3', '1 2 3']);
  });

  it('fans what has no triangulation of its own, or too many vertices, around a vertex on the zero set', () => {
    const fanned = (points: number[][], prepare: (patch: ReturnType<typeof flat>) => void = () => {}) => {
      const patch = flat();
      const polygon = addPolygon(
        patch,
        points.map(([x, y]) => [x, y, 0]),
      );
      prepare(patch);
      new Triangulator().triangulate(patch, polygon, 1e-3);
      expect([patch.triangles.length / 3, patch.nVertices]).toEqual([points.length, points.length + 1]);
      expect(patch.z[points.length]).toBeCloseTo(0, 12);
      return patch;
    };
    expect(fanned(ring(97)).isFilledSoundly()).toBe(true);
    const sharing = fanned(ring(4), ({ maskA }) => maskA.fill(1));
    expect(sharing.isFilledSoundly()).toBe(true);
    // Clockwise: it is filled as it lies, and told to be turned over.
    expect(fanned(ring(5).reverse()).isFilledSoundly()).toBe(false);
  });

  it('does the same each time, whatever it did before', () => {
    const used = new Triangulator();
    const big = flat();
    used.triangulate(big, addPolygon(big, ring(40)), 1e-3);
    const [a, b] = [flat(), flat()];
    used.triangulate(a, addPolygon(a, ring(9)), 1e-3);
    new Triangulator().triangulate(b, addPolygon(b, ring(9)), 1e-3);
    expect(a.triangles).toEqual(b.triangles);
  });
});
