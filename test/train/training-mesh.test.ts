import { describe, expect, it } from 'vitest';
import { NsdfArgumentError, NsdfFormatError } from '../../src/errors.ts';
import { MeshSource } from '../../src/train/distance-source.ts';
import { SAMPLE_STRIDE } from '../../src/train/gradient.ts';
import { prepareMesh } from '../../src/train/training-mesh.ts';
import { WindingTree } from '../../src/train/winding-tree.ts';
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
  return new WindingTree(triangles).windingNumber(x, y, z);
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

  it('keeps one of two triangles on the same corners, however they face, and counts no vertex without a triangle', () => {
    const mesh = sphere(2, 1);
    const twice = {
      positions: [...mesh.positions, 9, 9, 9],
      indices: [...mesh.indices, ...flipped(mesh).indices],
    };
    twice.positions.splice(-3, 3, 0.5, 0, 0);
    expect(prepareMesh([typed(twice)])).toMatchObject({ nDropped: mesh.indices.length / 3, nComponents: 1 });
    expect(windingAt([typed(twice)], [0, 0, 0])).toBeCloseTo(1, 1);
  });

  it('takes the union of parts that overlap, and of one inside another, for the surface', () => {
    const pair = join(sphere(2, 1), sphere(2, 1, [0.9, 0.2, 0]));
    const { triangles, surface, buriedShare, domain } = prepareMesh([typed(pair)]);
    // Each cap beyond the plane between the centres: 1/2 - d/4 of its sphere.
    expect(buriedShare).toBeCloseTo(0.5 - Math.hypot(0.9, 0.2) / 4, 1);
    const source = new MeshSource(triangles, surface);
    const half = (domain.max[0] - domain.min[0]) / 2;
    const sample = new Float64Array(SAMPLE_STRIDE);
    // On the wall of one sphere in the middle of the other: 0.55 inside, not 0.
    sample.set([0, 0, 0].map((x, k) => ((k === 0 ? 0.45 : k === 1 ? 0.1 : x) - domain.min[k]) / half - 1));
    source.complete(sample, 0);
    expect(sample[3] * half).toBeLessThan(-0.45);
    const inside = prepareMesh([typed(join(sphere(2, 1), sphere(1, 0.4)))]);
    expect(inside.buriedShare).toBeCloseTo(0.16 / 1.16, 1);
  });

  it('leaves a mesh with a hole whole', () => {
    const mesh = sphere(3, 1);
    mesh.indices.splice(0, 60);
    const { surface, triangles, buriedShare } = prepareMesh([typed(mesh)]);
    expect(surface).toBe(triangles);
    expect(buriedShare).toBe(0);
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
      name: 'one triangle, which has no inside',
      mesh: { positions: [0, 0, 0, 1, 0, 0, 0, 1, 0], indices: [0, 1, 2] },
      ErrorClass: NsdfFormatError,
    },
    {
      name: 'no extent',
      mesh: { positions: [1, 1, 1, 1, 1, 1, 1, 1, 1], indices: [0, 1, 2] },
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
