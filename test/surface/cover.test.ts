import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { Coverer } from '../../src/surface/cover.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
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

  function cover(nMore: number, tolerance: number) {
    const { raw, editor, at } = meshOf(points, triangles, nMore);
    raw.landmarks = { positions: Float64Array.of(0, 0, R, 0.25, 0.375, 0), near: Int32Array.of(4, -1), n: 2 };
    const detail = DetailMap.uniform(tolerance, DOMAIN);
    return { raw, editor, coverer: new Coverer(editor, raw, at, { field, detail, spacing: 1 }, frame) };
  }

  test('that the mesh is far from are told, and become vertices', () => {
    const { raw, editor, coverer } = cover(4, 0.1);
    expect(runSteps(coverer.measure())).toBeCloseTo(R, 12);
    expect(runSteps(coverer.mend())).toHaveLength(4);
    expect([...raw.positions.subarray(15, 18)]).toEqual([0, 0, R]);
    expect(editor.liveTriangles()).toHaveLength(8);
    for (const t of editor.liveTriangles())
      for (let k = 0; k < 3; k++)
        expect(editor.triangleOf(editor.indices[t + ((k + 1) % 3)], editor.indices[t + k])).not.toBe(-1);
    expect(runSteps(coverer.measure())).toBe(0);
    expect(coverer.nRefused).toBe(0);
  });

  test('that there is no room for stay told', () => {
    const { editor, coverer } = cover(0, 0.1);
    expect(runSteps(coverer.mend())).toEqual([]);
    expect(coverer.nRefused).toBe(1);
    expect(editor.nVertices).toBe(5);
    expect(runSteps(coverer.measure())).toBeCloseTo(R, 12);
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
    const coverer = new Coverer(editor, raw, at, { field, detail, spacing: 1 }, frame);
    expect(editor.standingFor(5)).toBe(1);
    expect(runSteps(coverer.measure())).toBeCloseTo(R, 12);
  });
});
