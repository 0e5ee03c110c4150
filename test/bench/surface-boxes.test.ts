import { expect, it } from 'vitest';
import { countSurfaceBoxes } from '../../bench/surface-boxes.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { emptyField, randomField, sphereField } from '../fixtures/fields.ts';

/** The same count by looking at every box, and nothing but its 6³ points. */
function bruteForce(field: ReturnType<typeof createCpuField>): number {
  const marks = ([0, 1, 2] as const).map((axis) => field.marks(axis));
  const [nx, ny, nz] = marks.map((m) => m.length - 1);
  const out = new Float64Array(1);
  let n = 0;
  for (let box = 0; box < nx * ny * nz; box++) {
    const cell = [box % nx, Math.floor(box / nx) % ny, Math.floor(box / (nx * ny))];
    const signs = new Set<boolean>();
    for (let i = 0; i < 216; i++) {
      const steps = [i % 6, Math.floor(i / 6) % 6, Math.floor(i / 36)];
      const p = cell.map(
        (c, axis) => marks[axis][c] + (steps[axis] / 5) * (marks[axis][c + 1] - marks[axis][c]),
      );
      field.evaluate(Float64Array.from(p), out);
      signs.add(out[0] >= 0);
    }
    if (signs.size === 2) n++;
  }
  return n;
}

it.each([
  ['sphere', sphereField({ cells: [6] })],
  ['random', randomField(11, { finest: 6 })],
])('counts the boxes that contain surface: %s', (_, asset) => {
  const field = createCpuField(asset);
  expect(countSurfaceBoxes(field)).toBe(bruteForce(field));
});

it('counts none where there is no surface', () => {
  expect(countSurfaceBoxes(createCpuField(emptyField()))).toBe(0);
});
