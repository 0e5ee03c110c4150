import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { Decimator } from '../../src/surface/decimate.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { divide, meshOf, octahedron, openSides } from './tiny-mesh.ts';

const R = 0.625;
const FIELD = createCpuField(octahedronMlp(R));

/** Runs a decimation to its end. */
function decimate(mesh: ReturnType<typeof octahedron>, tolerance: number) {
  const { raw, editor, at } = meshOf(mesh.points, mesh.triangles);
  const before = raw.positions.slice();
  const tolerances = new Float64Array(raw.nVertices).fill(tolerance);
  const decimator = new Decimator(editor, FIELD, at.normals, at.slopes, tolerances);
  const fractions = [...decimator.run()];
  const indices = editor.compactIndices();
  return { raw, before, indices, fractions, nRemoved: decimator.nRemoved };
}

describe('Decimator', () => {
  const fine = divide(divide(octahedron(R)));

  it('leaves of flat sides what their corners need, and moves nothing', () => {
    const { raw, before, indices, nRemoved } = decimate(fine, 1e-3);
    const left = new Set(indices);
    expect(fine.points).toHaveLength(66);
    expect(left.size).toBeLessThan(12);
    expect(nRemoved).toBe(66 - left.size);
    for (let corner = 0; corner < 6; corner++) expect(left).toContain(corner);
    expect(raw.positions).toEqual(before);
    expect(openSides(indices)).toEqual([]);
  });

  it('removes nothing that the tolerance needs', () => {
    expect(decimate(octahedron(R), 0.5 * R).nRemoved).toBe(0);
    // Every vertex but the corners stands off by a step beyond the largest share that may be lost.
    const rough = { ...fine, points: fine.points.map((p, i) => (i < 6 ? p : p.map((x) => x * 1.05))) };
    const { nRemoved } = decimate(rough, 1e-3);
    expect(nRemoved).toBe(0);
  });

  it('asks the field: triangles that are flat where the surface is not are left', () => {
    // The mesh is of a smaller octahedron than the field: every new triangle is off.
    const small = divide(octahedron(0.5 * R));
    expect(decimate(small, 1e-3).nRemoved).toBe(0);
  });

  it('keeps vertices on the faces of the bounds', () => {
    const { raw, editor, at } = meshOf(fine.points, fine.triangles);
    editor.faces.fill(1);
    const tolerances = new Float64Array(raw.nVertices).fill(1e-3);
    const decimator = new Decimator(editor, FIELD, at.normals, at.slopes, tolerances);
    for (const _ of decimator.run());
    expect(decimator.nRemoved).toBe(0);
  });

  it('does the same each time, and says how far it is', () => {
    const [a, b] = [decimate(fine, 1e-3), decimate(fine, 1e-3)];
    expect(a.indices).toEqual(b.indices);
    expect(a.fractions).toEqual([...a.fractions].sort((x, y) => x - y));
    expect(a.fractions.every((x) => x >= 0 && x < 1)).toBe(true);
  });
});
