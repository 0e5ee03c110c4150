import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import {
  CornerTable,
  createLattice,
  type Lattice,
  latticeCoordinate,
  MAX_SPLIT_DEPTH,
} from '../../src/partition/corners.ts';
import { OBLONG_DOMAIN, randomField, sphereField } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';

const uniform = (n: number): Float64Array => Float64Array.from({ length: n + 1 }, (_, i) => -1 + (2 * i) / n);

const latticeOf = (n: number): Lattice => createLattice([uniform(n), uniform(n), uniform(n)]);

describe('createLattice', () => {
  it('gives every corner of the deepest bisections a key below 2^53', () => {
    for (const n of [1, 8, 32, 89, 489, 4096, 20_000]) {
      const { planes, subBits } = latticeOf(n);
      const side = ((planes[0].length - 1) << subBits) + 1;
      expect(side ** 3).toBeLessThan(2 ** 53);
      expect(subBits).toBeLessThanOrEqual(MAX_SPLIT_DEPTH);
      expect(subBits).toBeGreaterThanOrEqual(0);
    }
    expect(latticeOf(489).subBits).toBeGreaterThan(5);
  });
});

describe('latticeCoordinate', () => {
  const planes = createCpuField(randomField(1, { domain: OBLONG_DOMAIN })).marks(0);
  const lattice = createLattice([planes, uniform(3), uniform(5)]);

  it('gives the planes themselves, exactly', () => {
    planes.forEach((plane, i) => {
      expect(latticeCoordinate(lattice, 0, i << lattice.subBits)).toBe(plane);
    });
  });

  it('rises strictly, and halves intervals', () => {
    const nSub = 1 << lattice.subBits;
    const end = (planes.length - 1) * nSub;
    for (let i = 1; i <= end; i++) {
      expect(latticeCoordinate(lattice, 0, i)).toBeGreaterThan(latticeCoordinate(lattice, 0, i - 1));
    }
    const [a, b, middle] = [3 * nSub, 4 * nSub, 3 * nSub + nSub / 2].map((i) =>
      latticeCoordinate(lattice, 0, i),
    );
    expect(middle).toBeCloseTo((a + b) / 2, 14);
  });
});

describe('CornerTable', () => {
  const field = createCpuField(sphereField({ cells: [4] }));
  const lattice = createLattice([field.marks(0), field.marks(1), field.marks(2)]);
  const top = (lattice.planes[0].length - 1) << lattice.subBits;

  it('knows each corner once', () => {
    const table = new CornerTable(field, lattice);
    const random = seededRandom(2);
    const seen = new Map<string, number>();
    for (let i = 0; i < 4000; i++) {
      const [x, y, z] = [0, 1, 2].map(() => Math.floor(random() * 4) * (top / 4));
      const key = `${x} ${y} ${z}`;
      expect(table.find(x, y, z)).toBe(seen.get(key) ?? -1);
      const id = table.add(x, y, z);
      expect(id).toBe(seen.get(key) ?? seen.size);
      seen.set(key, id);
    }
    expect(table.count).toBe(seen.size);
    expect(table.find(top, top, top)).toBe(-1);
  });

  it('holds what the field gives there, f raised by the iso offset; batches change nothing', () => {
    const random = seededRandom(3);
    const [whole, parts] = [new CornerTable(field, lattice), new CornerTable(field, lattice)];
    for (let i = 0; i < 300; i++) {
      const [x, y, z] = [0, 1, 2].map(() => Math.floor(random() * (top + 1)));
      whole.add(x, y, z);
      parts.add(x, y, z);
      if (i % 40 === 0) whole.flush();
    }
    whole.flush();
    for (let left = parts.flush(7); left > 0; left = parts.flush(7));
    expect(parts.flush()).toBe(0);
    const n = whole.count;
    expect(parts.values.subarray(0, n * parts.stride)).toEqual(whole.values.subarray(0, n * whole.stride));
    const points = Float64Array.from({ length: n * 3 }, (_, i) => whole.coordinate(Math.floor(i / 3), i % 3));
    const expected = new Float64Array(n * whole.stride);
    field.preActivations(points, expected, n);
    for (let i = 0; i < n; i++) {
      const row = i * whole.stride;
      const last = row + whole.stride - 1;
      expect(whole.f(i)).toBe(expected[last] + whole.isoOffset);
      expect(whole.values.subarray(row, last)).toEqual(expected.subarray(row, last));
    }
    expect(whole.isoOffset).toBeGreaterThan(0);
    expect(whole.isoOffset).toBeLessThan(1e-7);
  });
});
