import { describe, expect, it } from 'vitest';
import type { CornerTable } from '../../src/partition/corners.ts';
import { type CullResult, cullBoxes } from '../../src/partition/cull.ts';
import { emptyField, FIELD_CASES } from '../fixtures/fields.ts';
import { makeTable } from './regions.ts';

/** Samples an axis and box of the oracle. */
const N_SAMPLES = 4;

function runCull(table: CornerTable): { result: CullResult; fractions: number[] } {
  const fractions: number[] = [];
  const steps = cullBoxes(table.field, table.lattice, table);
  for (;;) {
    const step = steps.next();
    if (step.done) return { result: step.value, fractions };
    fractions.push(step.value);
  }
}

const keyOf = (x: number, y: number, z: number): number => x + 4096 * (y + 4096 * z);

/** Whether samples of f in a box, its faces included, differ in sign. */
function hasSurface({ field, lattice, isoOffset }: CornerTable, box: readonly number[]): boolean {
  const n = N_SAMPLES ** 3;
  const points = Float64Array.from({ length: n * 3 }, (_, i) => {
    const axis = i % 3;
    const step = Math.floor(Math.floor(i / 3) / N_SAMPLES ** axis) % N_SAMPLES;
    const planes = lattice.planes[axis];
    return planes[box[axis]] + (step / (N_SAMPLES - 1)) * (planes[box[axis] + 1] - planes[box[axis]]);
  });
  const f = new Float64Array(n);
  field.evaluate(points, f);
  const nPositive = f.reduce((sum, value) => sum + (value + isoOffset >= 0 ? 1 : 0), 0);
  return nPositive > 0 && nPositive < n;
}

function* allBoxes({ lattice }: CornerTable): Generator<[number, number, number]> {
  const [nx, ny, nz] = lattice.planes.map((p) => p.length - 1);
  for (let i = 0; i < nx * ny * nz; i++) yield [i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)];
}

describe.each(FIELD_CASES.filter(({ name }) => name !== 'random mlp 8x32'))(
  'culling $name',
  ({ make, isEmpty }) => {
    const { table } = makeTable(make(), 12);
    const { result, fractions } = runCull(table);
    const surviving = new Set<number>();
    for (let i = 0; i < result.nBoxes; i++) {
      surviving.add(keyOf(result.boxes[i * 3], result.boxes[i * 3 + 1], result.boxes[i * 3 + 2]));
    }

    it('loses no box with surface', () => {
      const lost = [...allBoxes(table)].filter(
        (box) => !surviving.has(keyOf(...box)) && hasSurface(table, box),
      );
      expect(lost).toEqual([]);
      expect(result.nBoxes > 0).toBe(isEmpty !== true);
    });

    it('counts what it did, and keeps each box once', () => {
      const counts = table.lattice.planes.map((p) => p.length - 1);
      expect(result.nTotal).toBe(counts[0] * counts[1] * counts[2]);
      expect(result.boxes).toHaveLength(result.nBoxes * 3);
      expect(surviving.size).toBe(result.nBoxes);
      expect(result.nTested).toBeGreaterThanOrEqual(result.nBoxes);
      result.boxes.forEach((index, i) => {
        if (index < 0 || index >= counts[i % 3]) throw new Error(`box index ${index} on axis ${i % 3}`);
      });
    });

    it('yields fractions that never fall', () => {
      expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
      expect(fractions.every((fraction) => fraction >= 0 && fraction <= 1)).toBe(true);
    });
  },
);

describe('cullBoxes', () => {
  it('keeps nothing where there is no surface', () => {
    for (const isInside of [false, true]) {
      expect(runCull(makeTable(emptyField({ isInside })).table).result.nBoxes).toBe(0);
    }
  });

  it('keeps few boxes without surface: at most a fifth more', () => {
    for (const name of ['sphere', 'multi', 'blob mlp', 'random hashed']) {
      const { make } = FIELD_CASES.find(
        (candidate) => candidate.name === name,
      ) as (typeof FIELD_CASES)[number];
      const { table } = makeTable(make(), 24);
      const { boxes, nBoxes } = runCull(table).result;
      let nWithSurface = 0;
      for (let i = 0; i < nBoxes; i++)
        if (hasSurface(table, [...boxes.subarray(i * 3, i * 3 + 3)])) nWithSurface++;
      expect(nBoxes / nWithSurface, name).toBeLessThan(1.2);
    }
  });
});
