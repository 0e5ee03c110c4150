import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { type CornerTable, latticeCoordinate } from '../../src/partition/corners.ts';
import { cullBoxes } from '../../src/partition/cull.ts';
import { Forest, NODE_EMPTY, NODE_SETTLED, NODE_SPLIT, NODE_UNSETTLED } from '../../src/partition/forest.ts';
import { countNodes, Settler } from '../../src/partition/settle.ts';
import {
  blobMlp,
  boxMlp,
  multiField,
  octahedronMlp,
  randomField,
  slabField,
  sphereField,
} from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { makeTable } from './regions.ts';
import { runSteps } from './run-steps.ts';

const CASES: readonly { readonly name: string; readonly make: () => FieldAsset }[] = [
  { name: 'sphere', make: () => sphereField({ cells: [4, 8] }) },
  { name: 'multi', make: () => multiField({ cells: [8] }) },
  { name: 'slab', make: () => slabField({ cells: [4, 8] }) },
  { name: 'octahedron', make: () => octahedronMlp() },
  { name: 'box', make: () => boxMlp() },
  { name: 'blob', make: () => blobMlp(21) },
  { name: 'random', make: () => randomField(31, { finest: 8 }) },
];

function settle(asset: FieldAsset): { table: CornerTable; forest: Forest } {
  const { table } = makeTable(asset);
  const { boxes } = runSteps(cullBoxes(table.field, table.lattice, table));
  const forest = new Forest(table.lattice, boxes);
  runSteps(new Settler(table, forest).run());
  return { table, forest };
}

const volume = (forest: Forest, node: number): number =>
  [0, 1, 2].reduce((v, k) => v * (forest.box[node * 6 + 3 + k] - forest.box[node * 6 + k]), 1);

describe.each(CASES)('settling $name', ({ make }) => {
  const { table, forest } = settle(make());

  /** f and its gradients at random points of a node. */
  function sample(
    node: number,
    random: () => number,
    n: number,
  ): { f: Float64Array; gradients: Float64Array } {
    const at = (i: number) => latticeCoordinate(table.lattice, i % 3, forest.box[node * 6 + i]);
    const [min, max] = [[0, 1, 2].map(at), [3, 4, 5].map(at)];
    const points = Float64Array.from({ length: n * 3 }, (_, i) => between(random, min[i % 3], max[i % 3]));
    const f = new Float64Array(n);
    const gradients = new Float64Array(n * 3);
    table.field.evaluateWithGradient(points, f, gradients);
    return { f: f.map((value) => value + table.isoOffset), gradients };
  }

  it('leaves every node decided, split ones tiled by their two halves', () => {
    const decided = [NODE_EMPTY, NODE_SETTLED, NODE_UNSETTLED, NODE_SPLIT];
    const isChild = new Uint8Array(forest.nNodes);
    for (let node = 0; node < forest.nNodes; node++) {
      expect(decided).toContain(forest.state[node]);
      if (forest.state[node] !== NODE_SPLIT) continue;
      const child = forest.child[node];
      expect(volume(forest, child) + volume(forest, child + 1)).toBe(volume(forest, node));
      const axis = forest.axis[node];
      expect(forest.box[child * 6 + 3 + axis]).toBe(forest.middle[node]);
      expect(forest.box[(child + 1) * 6 + axis]).toBe(forest.middle[node]);
      for (const c of [child, child + 1]) {
        expect(forest.root[c]).toBe(forest.root[node]);
        expect(isChild[c]).toBe(0);
        isChild[c] = 1;
      }
    }
    expect(isChild.subarray(0, forest.nRoots).every((c) => c === 0)).toBe(true);
    expect(isChild.subarray(forest.nRoots).every((c) => c === 1)).toBe(true);
    const counts = countNodes(forest);
    expect(counts.empty + counts.settled + counts.unsettled + counts.split).toBe(forest.nNodes);
    expect(counts.settled).toBeGreaterThan(0);
  });

  it('calls nothing empty that holds surface', () => {
    const random = seededRandom(71);
    for (let node = 0; node < forest.nNodes; node++) {
      if (forest.state[node] !== NODE_EMPTY) continue;
      const { f } = sample(node, random, 30);
      expect(new Set(f.map((value) => Math.sign(value))).size).toBe(1);
    }
  });

  it('lets f fall nowhere along the direction of a settled node', () => {
    const random = seededRandom(72);
    for (let node = 0; node < forest.nNodes; node++) {
      if (forest.state[node] !== NODE_SETTLED || node % 3 > 0) continue;
      const d = forest.direction.subarray(node * 3, node * 3 + 3);
      const { gradients } = sample(node, random, 20);
      for (let i = 0; i < gradients.length; i += 3) {
        const slope = d[0] * gradients[i] + d[1] * gradients[i + 1] + d[2] * gradients[i + 2];
        if (!(slope > -1e-6)) throw new Error(`slope ${slope} in node ${node}`);
      }
    }
  });

  it('finds its roots by their indices', () => {
    const { subBits } = table.lattice;
    for (let root = 0; root < forest.nRoots; root++) {
      const [x, y, z] = [0, 1, 2].map((k) => forest.box[root * 6 + k] >> subBits);
      expect(forest.findRoot(x, y, z)).toBe(root);
    }
    expect(forest.findRoot(-1, 0, 0)).toBe(-1);
    expect(forest.findRoot(0, table.lattice.planes[1].length, 0)).toBe(-1);
  });
});

describe('Settler', () => {
  it('settles smooth fields without a rest', () => {
    for (const make of [() => sphereField(), () => multiField()]) {
      const { forest } = settle(make());
      expect(countNodes(forest).unsettled).toBe(0);
    }
  });

  it('bisects a settled node that is asked for again, until its coordinates end', () => {
    const { table } = makeTable(sphereField({ cells: [4] }));
    const forest = new Forest(table.lattice, Int32Array.of(0, 0, 0));
    const settler = new Settler(table, forest);
    runSteps(settler.run());
    let node = 0;
    let nSplits = 0;
    while (settler.resplit(node)) {
      node = forest.child[node];
      nSplits++;
    }
    expect(nSplits).toBe(3 * table.lattice.subBits);
    expect(forest.state[node]).toBe(NODE_UNSETTLED);
  });
});
