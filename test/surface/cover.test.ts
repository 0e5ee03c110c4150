import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { Coverer } from '../../src/surface/cover.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
import type { RawMesh } from '../../src/surface/finish.ts';
import { MeshEditor } from '../../src/surface/mesh-editor.ts';
import { octahedronMlp } from '../fixtures/fields.ts';

const DOMAIN = { min: [-1, -1, -1], max: [1, 1, 1] } as const;

function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** A mesh with room for `nMore` vertices, and what is known of its vertices. */
function meshOf(
  points: readonly (readonly number[])[],
  triangles: readonly (readonly number[])[],
  nMore = 0,
) {
  const nVertices = points.length;
  const room = nVertices + nMore;
  const positions = new Float64Array(room * 3);
  positions.set(points.flat());
  const normals = new Float64Array(room * 3);
  for (const [v, p] of points.entries())
    normals.set(
      p.map((x) => x / Math.hypot(...p)),
      v * 3,
    );
  const slopes = new Float64Array(room).fill(1);
  const indices = new Int32Array((triangles.length + 2 * nMore) * 3);
  indices.set(triangles.flat());
  const raw: RawMesh = {
    positions,
    normals: normals.slice(),
    slopes: new Float64Array(room * 2),
    nVertices,
    indices,
    nTriangles: triangles.length,
  };
  const editor = new MeshEditor(positions, nVertices, indices, triangles.length, new Uint8Array(room));
  return { raw, editor, at: { normals, slopes } };
}

describe('landmarks', () => {
  // An octahedron that lacks its upper half: a square lies where its tip should be.
  const R = 0.625;
  const points = [[R, 0, 0], [0, R, 0], [-R, 0, 0], [0, -R, 0], [0, 0, -R]]; // biome-ignore format: one line
  const triangles = [[0, 1, 2], [0, 2, 3], [1, 0, 4], [2, 1, 4], [3, 2, 4], [0, 3, 4]]; // biome-ignore format: one line
  const field = createCpuField(octahedronMlp(R));
  const frame = { bounds: DOMAIN, diagonal: Math.sqrt(12), keepsBorder: false };

  function cover(nMore: number, tolerance: number) {
    const { raw, editor, at } = meshOf(points, triangles, nMore);
    raw.landmarks = { positions: Float64Array.of(0, 0, R, 0.25, 0.375, 0), near: Int32Array.of(4, -1), n: 2 };
    const detail = DetailMap.uniform(tolerance, DOMAIN);
    return { raw, editor, coverer: new Coverer(editor, raw, at, { field, detail, spacing: 1 }, frame) };
  }

  test('that the mesh is far from are told, and become vertices', () => {
    const { raw, editor, coverer } = cover(4, 0.1);
    expect(finish(coverer.measure())).toBeCloseTo(R, 12);
    expect(finish(coverer.mend())).toHaveLength(4);
    expect([...raw.positions.subarray(15, 18)]).toEqual([0, 0, R]);
    expect(editor.liveTriangles()).toHaveLength(8);
    for (const t of editor.liveTriangles())
      for (let k = 0; k < 3; k++)
        expect(editor.triangleOf(editor.indices[t + ((k + 1) % 3)], editor.indices[t + k])).not.toBe(-1);
    expect(finish(coverer.measure())).toBe(0);
    expect(coverer.nRefused).toBe(0);
  });

  test('that there is no room for stay told', () => {
    const { editor, coverer } = cover(0, 0.1);
    expect(finish(coverer.mend())).toEqual([]);
    expect(coverer.nRefused).toBe(1);
    expect(editor.nVertices).toBe(5);
    expect(finish(coverer.measure())).toBeCloseTo(R, 12);
  });

  test('within the tolerance change nothing', () => {
    const { editor, coverer } = cover(4, 0.7);
    expect(finish(coverer.mend())).toEqual([]);
    expect(editor.nVertices).toBe(5);
  });

  test('that were vertices are kept in mind where they were moved to', () => {
    const { raw, editor, at } = meshOf(
      [...points, [0, 0, R]],
      [
        [0, 1, 5],
        [1, 2, 5],
        [2, 3, 5],
        [3, 0, 5],
        [1, 0, 4],
        [2, 1, 4],
        [3, 2, 4],
        [0, 3, 4], // biome-ignore format: one line
      ],
    );
    editor.collapse(5, 1);
    const detail = DetailMap.uniform(0.1, DOMAIN);
    const coverer = new Coverer(editor, raw, at, { field, detail, spacing: 1 }, frame);
    expect(editor.standingFor(5)).toBe(1);
    expect(finish(coverer.measure())).toBeCloseTo(R, 12);
  });
});
