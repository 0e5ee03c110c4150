import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { ThinTask } from '../../src/surface/mesh-tasks.ts';
import { thinMesh, thinPiece } from '../../src/surface/thin-pieces.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';
import { divide, meshOf, octahedron, openSides } from './tiny-mesh.ts';

const R = 0.625;
const FIELD = createCpuField(octahedronMlp(R));
/** 4,098 vertices: two pieces. */
const FINE = divide(divide(divide(divide(divide(octahedron(R))))));

/** Thins the fine mesh; its pieces are done in the order given by `sort`, each `times` times. */
function thin(sort: (ids: number[]) => number[], times = 1) {
  const { editor, at } = meshOf(FINE.points, FINE.triangles);
  const tolerances = new Float64Array(editor.nVertices).fill(1e-3);
  const tasks: ThinTask[] = [];
  const steps = thinMesh(editor, FIELD, at, tolerances);
  for (let step = steps.next(); !step.done; step = steps.next()) {
    if (typeof step.value === 'number') continue;
    const batch = step.value;
    for (const id of sort([...batch.tasks.keys()])) {
      const task = batch.tasks[id] as ThinTask;
      tasks[id] = task;
      for (let i = 0; i < times; i++) batch.results[id] = runSteps(thinPiece(FIELD, task));
    }
  }
  return { tasks, indices: editor.compactIndices() };
}

const volume = (R ** 3 * 4) / 3;

describe('a mesh that is thinned in pieces', () => {
  const { tasks, indices } = thin((ids) => ids);

  test('stays closed, and keeps what its corners need', () => {
    expect(tasks).toHaveLength(2);
    expect(openSides(indices)).toEqual([]);
    const left = new Set(indices);
    for (let corner = 0; corner < 6; corner++) expect(left).toContain(corner);
    expect(left.size).toBeLessThan(40);
  });

  test('is the same whoever does which piece when, and however often', () => {
    expect(thin((ids) => ids.reverse()).indices).toEqual(indices);
    expect(thin((ids) => ids, 2).indices).toEqual(indices);
  });

  test('loses of a piece no vertex that has a neighbour in another one', () => {
    const pairs = tasks.map((task) => {
      const { collapses } = runSteps(thinPiece(FIELD, task));
      expect(collapses.length).toBeGreaterThan(1000);
      return collapses.filter((_, i) => i % 2 === 0).every((v) => task.mayGo[v] === 1);
    });
    expect(pairs).toEqual([true, true]);
    // A piece has its own vertices and all their neighbours.
    const [first, second] = tasks.map(({ positions, mayGo }) =>
      [...mayGo].map((may, v) => ({ may, place: positions.subarray(v * 3, v * 3 + 3).join() })),
    );
    const ofSecond = new Set(second.map(({ place }) => place));
    const shared = first.filter(({ place }) => ofSecond.has(place));
    expect(shared.length).toBeGreaterThan(50);
    expect(shared.filter(({ may }) => may === 1)).toEqual([]);
  });

  test('may lose together what the whole may', () => {
    const most = tasks.reduce((sum, { volumes }) => sum + volumes.most.reduce((a, b) => a + b, 0), 0);
    expect(most).toBeCloseTo(0.9 * 6 * volume, 9);
    for (const { volumes } of tasks) expect(volumes.most[0]).toBeGreaterThan(0.4 * most);
  });
});
