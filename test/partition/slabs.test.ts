import { describe, expect, test } from 'vitest';
import { createLattice } from '../../src/partition/corners.ts';
import { forestData, forestOf, gatherTrees, NODE_SPLIT } from '../../src/partition/forest.ts';
import { cutIntoSlabs } from '../../src/partition/slabs.ts';
import { randomField, sphereField } from '../fixtures/fields.ts';
import { settleField } from './settled.ts';

const axisOf = (n: number) => Float64Array.from({ length: n + 1 }, (_, i) => i / n);

/** Every box of nx by ny by nz, x fastest. */
const allBoxes = (nx: number, ny: number, nz: number) =>
  Int32Array.from({ length: nx * ny * nz * 3 }, (_, i) => {
    const box = Math.floor(i / 3);
    return [box % nx, Math.floor(box / nx) % ny, Math.floor(box / nx / ny)][i % 3];
  });

describe('cutIntoSlabs', () => {
  test('cuts across the axis with the most layers, in equal parts, and keeps the order of the boxes', () => {
    const lattice = createLattice([axisOf(20), axisOf(40), axisOf(10)]);
    const { axis, cuts, boxes } = cutIntoSlabs(lattice, allBoxes(20, 40, 10));
    expect(axis).toBe(1);
    expect(cuts).toEqual([0, 7, 13, 20, 27, 33, 40]);
    for (const [i, slab] of boxes.entries()) {
      const expected = allBoxes(20, 40, 10).filter((_, k, all) => {
        const layer = all[k - (k % 3) + 1];
        return layer >= cuts[i] && layer < cuts[i + 1];
      });
      expect(slab).toEqual(expected);
    }
  });

  test('leaves few layers whole, and makes no more slabs than there may be', () => {
    const cutsOf = (n: number) =>
      cutIntoSlabs(createLattice([axisOf(4), axisOf(n), axisOf(4)]), new Int32Array(0)).cuts;
    expect(cutsOf(11)).toEqual([0, 11]);
    expect(cutsOf(12)).toEqual([0, 6, 12]);
    expect(cutsOf(1000)).toHaveLength(33);
  });
});

describe('trees that are gathered', () => {
  const { table, forest } = settleField(randomField(31, { finest: 8 }), { tolerance: 0.01 });
  const { lattice } = table;

  test('are those that they were, in the order of breadth', () => {
    const roots = [...Array(forest.nRoots).keys()].filter((root) => root % 3 === 1);
    const gathered = gatherTrees(lattice, [{ forest, roots }]);
    expect(gathered.nRoots).toBe(roots.length);
    expect(gathered.nNodes).toBeGreaterThan(gathered.nRoots);
    const leaves = (of: typeof forest, isIn: (root: number) => boolean) =>
      [...Array(of.nNodes).keys()]
        .filter((node) => isIn(of.root[node]) && of.state[node] !== NODE_SPLIT)
        .map((node) => `${of.box.subarray(node * 6, node * 6 + 6)} ${of.state[node]} ${of.errorSpan[node]}`)
        .sort();
    expect(leaves(gathered, () => true)).toEqual(leaves(forest, (root) => root % 3 === 1));
    const children = [...Array(gathered.nNodes).keys()]
      .filter((node) => gathered.state[node] === NODE_SPLIT)
      .map((node) => gathered.child[node]);
    expect(children).toEqual([...children].sort((a, b) => a - b));
  });

  test('go through a message and come out as they were', () => {
    const gathered = gatherTrees(lattice, [{ forest }]);
    const data = forestData(gathered, lattice);
    expect(forestData(forestOf(lattice, structuredClone(data)), lattice)).toEqual(data);
  });

  test('of a forest without bisections are its roots', () => {
    const { table: flat, forest: roots } = settleField(sphereField({ cells: [4] }), { tolerance: 0.1 });
    const data = forestData(gatherTrees(flat.lattice, [{ forest: roots }]), flat.lattice);
    expect(data.boxes).toHaveLength(roots.nRoots * 3);
  });
});
