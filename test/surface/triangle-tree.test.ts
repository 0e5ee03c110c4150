import { describe, expect, it } from 'vitest';
import { WindingTree } from '../../src/train/winding-tree.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { join, type PlainMesh, sphere, torus, typed } from './check-meshes.ts';

/** The nearest point of a triangle by refining barycentric samples: slow, and independent of the code under test. */
function bruteForce(mesh: PlainMesh, p: number[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let t = 0; t < mesh.indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) =>
      mesh.positions.slice(mesh.indices[t + k] * 3, mesh.indices[t + k] * 3 + 3),
    );
    const at = (u: number, v: number) =>
      Math.hypot(...[0, 1, 2].map((k) => a[k] + u * (b[k] - a[k]) + v * (c[k] - a[k]) - p[k]));
    let [u, v, step] = [1 / 3, 1 / 3, 1 / 3];
    let value = at(u, v);
    while (step > 1e-7) {
      let isBetter = false;
      for (const [du, dv] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
        [1, -1],
        [-1, 1],
      ]) {
        const nu = Math.min(1, Math.max(0, u + du * step));
        const nv = Math.min(1 - nu, Math.max(0, v + dv * step));
        if (at(nu, nv) < value) {
          [u, v, value, isBetter] = [nu, nv, at(nu, nv), true];
        }
      }
      if (!isBetter) step /= 2;
    }
    best = Math.min(best, value);
  }
  return best;
}

describe('TriangleTree', () => {
  it.each([
    { name: 'one triangle', mesh: { positions: [0, 0, 0, 1, 0, 0.2, 0.3, 0.8, -0.1], indices: [0, 1, 2] } },
    { name: 'torus', mesh: torus(8) },
    { name: 'two spheres', mesh: join(sphere(1, 0.4), sphere(1, 0.2, [0.7, 0.1, 0])) },
  ])('agrees with brute force: $name', ({ mesh }) => {
    const tree = new WindingTree(typed(mesh));
    const random = seededRandom(4);
    for (let i = 0; i < 30; i++) {
      const p = [0, 0, 0].map(() => between(random, -1.2, 1.2));
      expect(tree.closest(p[0], p[1], p[2]), `point ${p}`).toBeCloseTo(bruteForce(mesh, p), 5);
    }
  });

  it('is zero at the vertices and at the centroids', () => {
    const mesh = typed(sphere(3));
    const tree = new WindingTree(mesh);
    for (let t = 0; t < mesh.indices.length; t += 3) {
      const corners = [0, 1, 2].map((k) => mesh.indices[t + k] * 3);
      const centroid = [0, 1, 2].map((k) => corners.reduce((s, c) => s + mesh.positions[c + k] / 3, 0));
      expect(tree.closest(centroid[0], centroid[1], centroid[2])).toBeLessThan(1e-7);
      const [x, y, z] = mesh.positions.subarray(corners[0], corners[0] + 3);
      expect(tree.closest(x, y, z)).toBe(0);
    }
  });

  it('measures collapsed triangles by their edges', () => {
    const tree = new WindingTree(
      typed({ positions: [0, 0, 0, 1, 0, 0, 2, 0, 0], indices: [0, 1, 2, 0, 0, 0] }),
    );
    expect(tree.closest(1.5, 3, 0)).toBe(3);
    expect(tree.closest(-3, 4, 0)).toBe(5);
  });

  it('an empty mesh is infinitely far', () => {
    const tree = new WindingTree(typed({ positions: [], indices: [] }));
    expect(tree.closest(0, 0, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('many triangles with one centroid still make a tree', () => {
    const indices = Array.from({ length: 3000 }, (_, i) => i % 3);
    const tree = new WindingTree(typed({ positions: [0, 0, 0, 1, 0, 0, 0, 1, 0], indices }));
    expect(tree.closest(0.25, 0.25, 2)).toBe(2);
  });
});
