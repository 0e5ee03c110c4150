import { describe, expect, it } from 'vitest';
import { NsdfArgumentError, NsdfFormatError } from '../../src/errors.ts';
import { TriangleTree } from '../../src/surface/triangle-tree.ts';
import { prepareMesh } from '../../src/train/training-mesh.ts';
import { join, sphere, typed } from '../surface/check-meshes.ts';

const flipped = (mesh: { positions: number[]; indices: number[] }) => ({
  positions: mesh.positions,
  indices: mesh.indices.map((_, i) => mesh.indices[i % 3 === 0 ? i : i % 3 === 1 ? i + 1 : i - 1]),
});

/** The winding number in the middle of what was prepared. */
function windingAt(meshes: Parameters<typeof prepareMesh>[0], point: readonly number[]): number {
  const { triangles, domain } = prepareMesh(meshes);
  const half = (domain.max[0] - domain.min[0]) / 2;
  const [x, y, z] = point.map((p, k) => (p - domain.min[k]) / half - 1);
  return new TriangleTree(triangles).windingNumber(x, y, z);
}

describe('prepareMesh', () => {
  it('fits a mesh in the cube with a ninth of its side free', () => {
    const { triangles, domain } = prepareMesh([typed(sphere(2, 3, [10, -5, 2]))]);
    expect(domain.max[0] - domain.min[0]).toBeCloseTo(6 / 0.9, 1);
    expect(Math.max(...triangles.positions)).toBeLessThanOrEqual(0.9 + 1e-9);
  });

  it('turns a sphere that is inside out, and single triangles that run against their neighbours', () => {
    const mesh = sphere(2, 1);
    expect(windingAt([typed(flipped(mesh))], [0, 0, 0])).toBeCloseTo(1, 1);
    const mixed = { positions: mesh.positions, indices: mesh.indices.slice() };
    for (const t of [3, 20, 41]) {
      [mixed.indices[t * 3], mixed.indices[t * 3 + 1]] = [mixed.indices[t * 3 + 1], mixed.indices[t * 3]];
    }
    expect(prepareMesh([typed(mixed)]).nTurned).toBe(3);
    expect(windingAt([typed(mixed)], [0, 0, 0])).toBeCloseTo(1, 1);
  });

  it('keeps a hollow that lies inside of another component', () => {
    const hollow = join(sphere(2, 1), flipped(sphere(2, 0.5)));
    expect(prepareMesh([typed(hollow)]).nTurned).toBe(0);
    expect(windingAt([typed(hollow)], [0, 0, 0])).toBeCloseTo(0, 1);
    expect(windingAt([typed(hollow)], [0.75, 0, 0])).toBeCloseTo(1, 1);
  });

  it('counts components and open edges, and drops triangles without area', () => {
    const mesh = join(sphere(1, 1), sphere(1, 0.3, [2, 0, 0]));
    mesh.indices.push(0, 0, 1);
    mesh.indices.splice(0, 3);
    const { nComponents, nOpenEdges, nDropped } = prepareMesh([typed(mesh)]);
    expect({ nComponents, nOpenEdges, nDropped }).toEqual({ nComponents: 2, nOpenEdges: 3, nDropped: 1 });
  });

  it('reads several meshes as one', () => {
    const { nComponents } = prepareMesh([typed(sphere(1, 1)), typed(sphere(1, 1, [3, 0, 0]))]);
    expect(nComponents).toBe(2);
  });

  it.each([
    { name: 'no triangle', mesh: { positions: [0, 0, 0], indices: [] }, ErrorClass: NsdfFormatError },
    {
      name: 'no area',
      mesh: { positions: [0, 0, 0, 1, 1, 1], indices: [0, 1, 1] },
      ErrorClass: NsdfFormatError,
    },
    {
      name: 'a number that is none',
      mesh: { positions: [0, 0, Number.NaN, 1, 0, 0, 0, 1, 0], indices: [0, 1, 2] },
      ErrorClass: NsdfFormatError,
    },
    {
      name: 'an index out of range',
      mesh: { positions: [0, 0, 0, 1, 0, 0], indices: [0, 1, 2] },
      ErrorClass: NsdfFormatError,
    },
  ])('refuses $name', ({ mesh, ErrorClass }) => {
    expect(() => prepareMesh([typed(mesh)])).toThrow(ErrorClass);
  });

  it('refuses a domain that does not hold the mesh', () => {
    const domain = { min: [-0.5, -0.5, -0.5], max: [0.5, 0.5, 0.5] } as const;
    expect(() => prepareMesh([typed(sphere(1, 1))], domain)).toThrow(NsdfArgumentError);
  });
});
