import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { createRandom } from '../../src/surface/check-random.ts';
import { Coverer } from '../../src/surface/cover.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
import type { MeshEditor } from '../../src/surface/mesh-editor.ts';
import { measureBack } from '../../src/surface/mesh-error.ts';
import { TriangleTree } from '../../src/surface/triangle-tree.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';
import { meshOf } from './tiny-mesh.ts';

const DOMAIN = { min: [-1, -1, -1], max: [1, 1, 1] } as const;

describe('landmarks', () => {
  // An octahedron that lacks its upper half: a square lies where its tip should be.
  const R = 0.625;
  const points = [[R, 0, 0], [0, R, 0], [-R, 0, 0], [0, -R, 0], [0, 0, -R]]; // biome-ignore format: one line
  const triangles = [[0, 1, 2], [0, 2, 3], [1, 0, 4], [2, 1, 4], [3, 2, 4], [0, 3, 4]]; // biome-ignore format: one line
  const field = createCpuField(octahedronMlp(R));
  const frame = { bounds: DOMAIN, diagonal: Math.sqrt(12), keepsBorder: false };

  /** How far the farthest point that is known is from the mesh, and those within a millionth around it. */
  function missed(editor: MeshEditor, coverer: Coverer): number {
    const tree = new TriangleTree({
      positions: editor.positions,
      indices: Uint32Array.from(editor.compactIndices()),
    });
    return runSteps(measureBack(tree, field, DOMAIN, [coverer.known()], 1e-6, createRandom(1)));
  }

  function cover(nMore: number, tolerance: number) {
    const { raw, editor, at } = meshOf(points, triangles, nMore);
    raw.landmarks = { positions: Float64Array.of(0, 0, R, 0.25, 0.375, 0), near: Int32Array.of(4, -1), n: 2 };
    const detail = DetailMap.uniform(tolerance, DOMAIN);
    return {
      raw,
      editor,
      coverer: new Coverer(editor, raw, at, { field, detail, spacing: 1, nMeasured: 0 }, frame),
    };
  }

  test('that the mesh is far from are told, and become vertices', () => {
    const { raw, editor, coverer } = cover(4, 0.1);
    expect(missed(editor, coverer)).toBeCloseTo(R, 6);
    expect(runSteps(coverer.mend())).toHaveLength(4);
    expect([...raw.positions.subarray(15, 18)]).toEqual([0, 0, R]);
    expect(editor.liveTriangles()).toHaveLength(8);
    for (const t of editor.liveTriangles())
      for (let k = 0; k < 3; k++)
        expect(editor.triangleOf(editor.indices[t + ((k + 1) % 3)], editor.indices[t + k])).not.toBe(-1);
    expect(missed(editor, coverer)).toBeLessThan(1e-6);
    expect(coverer.nRefused).toBe(0);
  });

  test('that there is no room for stay told', () => {
    const { editor, coverer } = cover(0, 0.1);
    expect(runSteps(coverer.mend())).toEqual([]);
    expect(coverer.nRefused).toBe(1);
    expect(editor.nVertices).toBe(5);
    expect(missed(editor, coverer)).toBeCloseTo(R, 6);
  });

  test('within the tolerance change nothing', () => {
    const { editor, coverer } = cover(4, 0.7);
    expect(runSteps(coverer.mend())).toEqual([]);
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
    const coverer = new Coverer(editor, raw, at, { field, detail, spacing: 1, nMeasured: 0 }, frame);
    expect(editor.standingFor(5)).toBe(1);
    expect(missed(editor, coverer)).toBeCloseTo(R, 6);
  });
});
