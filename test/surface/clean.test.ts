import { describe, expect, it } from 'vitest';
import { cleanMesh } from '../../src/surface/clean.ts';
import type { RawMesh } from '../../src/surface/finish.ts';
import { runSteps } from '../partition/run-steps.ts';
import { CUBE } from './analytic-fields.ts';
import { meshOf, octahedron, openSides } from './tiny-mesh.ts';

const FRAME = { bounds: CUBE, diagonal: Math.sqrt(12), keepsBorder: false };
const R = 0.625;

function clean(mesh: ReturnType<typeof octahedron>): RawMesh {
  const { raw } = meshOf(mesh.points, mesh.triangles);
  expect(runSteps(cleanMesh(raw, FRAME))).toBeUndefined(); // nothing was held against a field
  return raw;
}

const used = ({ indices, nTriangles }: RawMesh) => new Set(indices.subarray(0, nTriangles * 3));
const place = ({ positions }: RawMesh, v: number) => positions.slice(v * 3, v * 3 + 3).join();

describe('cleanMesh', () => {
  it('rounds positions to single precision, and leaves a sound mesh as it is', () => {
    const mesh = octahedron(0.6);
    const { positions, indices, nTriangles } = clean(mesh);
    expect(positions).toEqual(Float64Array.from(mesh.points.flat(), Math.fround));
    expect(nTriangles).toBe(8);
    expect([...indices]).toEqual(mesh.triangles.flat());
  });

  it('collapses edges that single precision cannot tell from points', () => {
    // A side of the octahedron is cut by two vertices next to its first corner.
    const { points, triangles } = octahedron(R);
    points.push([R - 1e-9, 1e-9, 0]);
    const cut = triangles.flatMap(([a, b, c]) => {
      if (a === 0 && b === 1) return [[0, 6, c], [6, 1, c]]; // biome-ignore format: one line
      if (a === 1 && b === 0) return [[1, 6, c], [6, 0, c]]; // biome-ignore format: one line
      return [[a, b, c]];
    });
    const raw = clean({ points, triangles: cut });
    expect(raw.nTriangles).toBe(8);
    expect(used(raw).size).toBe(6);
    expect(openSides(raw.indices)).toEqual([]);
  });

  it('flips triangles without area away', () => {
    // The cut's middle lies on the side: one of its triangles, given to the wrong neighbour, is a line.
    const { points, triangles } = octahedron(R);
    points.push([0.5 * R, 0.5 * R, 0]);
    const split = triangles.flatMap(([a, b, c]) => {
      if (a === 0 && b === 1) return [[0, 1, c]];
      if (a === 1 && b === 0) return [[1, 6, c], [6, 0, c]]; // biome-ignore format: one line
      return [[a, b, c]];
    });
    split.push([1, 0, 6]);
    expect(openSides(split.flat())).toEqual([]);
    const raw = clean({ points, triangles: split });
    expect(openSides(raw.indices)).toEqual([]);
    expect(raw.nTriangles).toBe(10);
    for (let t = 0; t < raw.nTriangles; t++) {
      const [a, b, c] = raw.indices.subarray(t * 3, t * 3 + 3);
      expect([a, b, c].sort().join()).not.toBe('0,1,6');
    }
  });

  it('parts vertices at one place that cannot be merged', () => {
    // Two octahedra that touch at a corner: merged they would be no manifold.
    const one = octahedron(0.25);
    const left = one.points.map(([x, y, z]) => [x - 0.25, y, z]);
    const right = one.points.map(([x, y, z]) => [x + 0.25, y, z]);
    const triangles = [...one.triangles, ...one.triangles.map((t) => t.map((v) => v + 6))];
    const raw = clean({ points: [...left, ...right], triangles });
    expect(raw.nTriangles).toBe(16);
    const places = [...used(raw)].map((v) => place(raw, v));
    expect(new Set(places).size).toBe(12);
    expect(openSides(raw.indices)).toEqual([]);
    const [a, b] = [raw.positions.subarray(0, 3), raw.positions.subarray(24, 27)];
    expect(Math.hypot(...a.map((x, k) => x - b[k]))).toBeLessThan(1e-6);
  });

  it('does the same each time', () => {
    const one = octahedron(1 / 3);
    expect(clean(one)).toEqual(clean(one));
  });
});
