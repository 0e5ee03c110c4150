import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import {
  CornerTable,
  createLattice,
  type Lattice,
  latticeCoordinate,
  middleOf,
  rootCounts,
} from '../../src/partition/corners.ts';
import { cullBoxes, onRoots } from '../../src/partition/cull.ts';
import { Forest, NODE_EMPTY, NODE_SETTLED } from '../../src/partition/forest.ts';
import { chooseRootBits } from '../../src/partition/root-size.ts';
import { Settler } from '../../src/partition/settle.ts';
import { multiField, sphereField, withFineLevels } from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { runSteps } from './run-steps.ts';

const FINE = withFineLevels(sphereField({ cells: [4, 8, 16] }), 3, { cells: [64, 128], amplitude: 1e-4 });
const ALLOWANCE = 2e-3;

function latticeOf(asset = FINE, rootBits = 0): Lattice {
  const field = createCpuField(asset);
  return { ...createLattice([field.marks(0), field.marks(1), field.marks(2)]), rootBits };
}

describe('bisection', () => {
  test('comes to base planes before it divides base boxes, whatever the length', () => {
    const visit = (low: number, high: number, seen: number[]): void => {
      if (high - low <= 8) return;
      const middle = middleOf(low, high);
      seen.push(middle);
      visit(low, middle, seen);
      visit(middle, high, seen);
    };
    for (const nBoxes of [2, 3, 5, 7, 8]) {
      const seen: number[] = [];
      visit(0, nBoxes * 8, seen);
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: nBoxes - 1 }, (_, i) => (i + 1) * 8));
    }
    expect(middleOf(16, 18)).toBe(17);
  });
});

describe('the size of the roots', () => {
  const choose = (asset: typeof FINE, allowance: number): number =>
    runSteps(chooseRootBits(createCpuField(asset), latticeOf(asset), () => allowance));

  test('grows with the allowance, and is one box where planes bend the surface more', () => {
    expect(choose(FINE, 1e-7)).toBe(0);
    expect(choose(FINE, ALLOWANCE)).toBeGreaterThanOrEqual(1);
    expect(choose(FINE, 10 * ALLOWANCE)).toBeGreaterThanOrEqual(choose(FINE, ALLOWANCE));
    const rough = withFineLevels(sphereField({ cells: [4, 8, 16] }), 3, { cells: [48], amplitude: 0.3 });
    expect(choose(rough, ALLOWANCE)).toBe(0);
  });
});

describe('with roots of several boxes', () => {
  const lattice = latticeOf(FINE, 2);
  const field = createCpuField(FINE);
  const table = new CornerTable(field, lattice);
  const { boxes } = runSteps(cullBoxes(field, lattice, table));
  const forest = new Forest(lattice, boxes);
  runSteps(new Settler(table, forest, () => ALLOWANCE).run());

  test('every base box that may hold surface lies in a root', () => {
    const base = latticeOf(FINE);
    const found = runSteps(cullBoxes(field, base, new CornerTable(field, base)));
    const roots = new Set<string>();
    for (let i = 0; i < boxes.length; i += 3) roots.add(boxes.subarray(i, i + 3).join());
    const wanted = onRoots(found, lattice);
    expect(wanted.nBoxes).toBeGreaterThan(10);
    for (let i = 0; i < wanted.boxes.length; i += 3)
      expect(roots).toContain(wanted.boxes.subarray(i, i + 3).join());
    expect(Math.max(...boxes)).toBeLessThan(Math.max(...rootCounts(lattice)));
  });

  test('some leaves are settled as they are, across planes', () => {
    const large = [...Array(forest.nNodes).keys()].filter(
      (node) => forest.state[node] === NODE_SETTLED && forest.hasPlanes(node),
    );
    expect(large.length).toBeGreaterThan(10);
  });

  const at = (node: number, i: number) => latticeCoordinate(lattice, i % 3, forest.box[node * 6 + i]);

  test('f has no zero in an empty leaf; in a settled one f keeps its sign an allowance from where it crosses', () => {
    const random = seededRandom(11);
    let nCrossed = 0;
    for (let node = 0; node < forest.nNodes; node++) {
      const state = forest.state[node];
      if (state !== NODE_EMPTY && !(state === NODE_SETTLED && forest.hasPlanes(node))) continue;
      const [min, max] = [[0, 1, 2].map((i) => at(node, i)), [3, 4, 5].map((i) => at(node, i))];
      if (state === NODE_EMPTY) {
        const points = Float64Array.from({ length: 90 }, (_, i) => between(random, min[i % 3], max[i % 3]));
        const f = new Float64Array(30);
        field.evaluate(points, f);
        expect(f.every((value) => value >= 0 === f[0] >= 0)).toBe(true);
        continue;
      }
      // Along the direction all changes of sign lie within twice the allowance of one another.
      const d = forest.direction.subarray(node * 3, node * 3 + 3);
      for (let line = 0; line < 3; line++) {
        const from = [0, 1, 2].map((k) => between(random, min[k], max[k]));
        const ends = [-1, 1].map((sign) =>
          Math.min(
            ...[0, 1, 2].map((k) =>
              d[k] === 0
                ? Number.POSITIVE_INFINITY
                : ((sign * d[k] > 0 ? max[k] : min[k]) - from[k]) / (sign * d[k]),
            ),
          ),
        );
        const n = 200;
        const s = Float64Array.from({ length: n }, (_, i) => -ends[0] + ((ends[0] + ends[1]) * i) / (n - 1));
        const points = Float64Array.from(
          { length: n * 3 },
          (_, i) => from[i % 3] + s[Math.floor(i / 3)] * d[i % 3],
        );
        const f = new Float64Array(n);
        field.evaluate(points, f);
        const changes = [...Array(n - 1).keys()].filter((i) => f[i] >= 0 !== f[i + 1] >= 0);
        if (changes.length === 0) continue;
        nCrossed++;
        expect(s[changes.at(-1) as number] - s[changes[0] + 1]).toBeLessThanOrEqual(2 * ALLOWANCE);
        expect(f[0]).toBeLessThan(f[n - 1]);
      }
    }
    expect(nCrossed).toBeGreaterThan(20);
  });
});

test('candidates come to their roots once each, in their order', () => {
  const lattice = latticeOf(multiField(), 1);
  const boxes = Int32Array.of(4, 4, 4, 5, 4, 4, 2, 0, 0, 4, 5, 5, 3, 1, 1);
  const found = onRoots({ boxes, nBoxes: 5, nTotal: 4096, nTested: 9 }, lattice);
  expect([...found.boxes]).toEqual([2, 2, 2, 1, 0, 0]);
  expect(found).toMatchObject({ nBoxes: 2, nTotal: 4096, nTested: 9 });
});
