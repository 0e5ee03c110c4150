import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { GROUP_SIZE } from '../../src/gpu/kernel.ts';
import { octahedronMlp, randomField, sphereField } from '../fixtures/fields.ts';
import {
  estimateFor,
  NODE_THERE,
  nodeThere,
  type PartitionThere,
  partitionOnGpu,
} from './partition-on-gpu.ts';
import { settleField } from './settled.ts';

const CASES: readonly { name: string; make: () => FieldAsset }[] = [
  { name: 'a sphere', make: () => sphereField({ cells: [6, 12] }) },
  { name: 'an octahedron', make: () => octahedronMlp(0.57) },
  { name: 'colliding hashes', make: () => randomField(12, { T: 7, L: 4, finest: 12 }) },
  { name: 'three layers', make: () => deep() },
];

/** With large trees: more nodes than its workgroup has lanes. */
const deep = (): FieldAsset => randomField(18, { layers: [8, 8, 8], L: 2, finest: 8 });
const roomFor = (asset: FieldAsset) => ({ ...estimateFor(asset), nodes: 65_536 });

/** A tree as text: along which axis each node is bisected, what each leaf is; of a root's box. */
type Trees = ReadonlyMap<string, string>;

function treesThere({ nodes, roots, count }: PartitionThere): Trees {
  const show = (id: number): string => {
    const { state, axis, child } = nodeThere(nodes, id);
    return state === NODE_THERE.split ? `(${axis}${show(child)}${show(child + 1)})` : `${state}`;
  };
  const boxes = Array.from({ length: count('roots') }, (_, r) => roots.subarray(16 * r, 16 * r + 3).join());
  return new Map(boxes.map((box, r) => [box, show(r)]));
}

function treesHere(asset: FieldAsset): Trees {
  const { forest, plan } = settleField(asset, { tolerance: 1e-3 });
  const side = 1 << plan.lattice.subBits;
  const show = (id: number): string => {
    const child = forest.child[id];
    return forest.state[id] === NODE_THERE.split
      ? `(${forest.axis[id]}${show(child)}${show(child + 1)})`
      : `${forest.state[id]}`;
  };
  const boxOf = (r: number): string => [0, 1, 2].map((k) => forest.box[6 * r + k] / side).join();
  return new Map(Array.from({ length: forest.nRoots }, (_, r) => [boxOf(r), show(r)]));
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((x, i) => Object.is(x, b[i]));
}

/** Nodes of each root. */
function sizesOf({ nodes, count }: PartitionThere): number[] {
  const sizes = new Array<number>(count('roots')).fill(0);
  for (let id = 0; id < count('nodes'); id++) sizes[nodeThere(nodes, id).root]++;
  return sizes;
}

it.each(CASES.slice(0, 2))('bisects $name as the CPU does', async ({ make }) => {
  const asset = make();
  const [here, there] = [treesHere(asset), treesThere(await partitionOnGpu(asset, roomFor(asset)))];
  const shared = [...here.keys()].filter((box) => there.has(box));
  expect(shared.length).toBeGreaterThan(0.97 * here.size);
  // In single precision, with another offset to f, few regions are decided otherwise.
  const same = shared.filter((box) => here.get(box) === there.get(box));
  expect(same.length).toBeGreaterThan(0.97 * shared.length);
});

describe.each(CASES)('settling $name on the GPU', ({ make }) => {
  it('leaves whole trees: the roots first, each child of one node, nothing undecided', async () => {
    const asset = make();
    const { nodes, count } = await partitionOnGpu(asset, roomFor(asset));
    const [nNodes, nRoots] = [count('nodes'), count('roots')];
    expect(count('nodesWanted')).toBe(nNodes);
    const nParents = new Uint8Array(nNodes);
    for (let id = 0; id < nNodes; id++) {
      const node = nodeThere(nodes, id);
      expect(node.state).not.toBe(NODE_THERE.pending);
      if (id < nRoots) expect(node).toMatchObject({ root: id, begin: [0, 0, 0], depth: [0, 0, 0] });
      if (node.state !== NODE_THERE.split) continue;
      for (const child of [node.child, node.child + 1]) {
        expect(child).toBeGreaterThanOrEqual(nRoots);
        nParents[child]++;
        const { root, depth } = nodeThere(nodes, child);
        expect(root).toBe(node.root);
        expect(depth).toEqual(node.depth.map((d, k) => d + (k === node.axis ? 1 : 0)));
      }
    }
    expect(nParents.subarray(nRoots).every((n) => n === 1)).toBe(true);
  });
});

// Which workgroup comes first changes from run to run.
it('gives the same bytes every time, deep trees included', async () => {
  const asset = deep();
  const first = await partitionOnGpu(asset, roomFor(asset));
  expect(Math.max(...sizesOf(first))).toBeGreaterThan(4 * GROUP_SIZE);
  const second = await partitionOnGpu(asset, roomFor(asset));
  for (const name of ['nodes', 'nodeBounds', 'rects', 'rectCorners', 'corners'] as const) {
    expect(isSame(first[name], second[name]), name).toBe(true);
  }
});

it('ends trees at the limit on nodes, the same ones every time', async () => {
  const asset = deep();
  const whole = await partitionOnGpu(asset, roomFor(asset));
  const nodeRoom = { perRoot: 2, beside: 4096 };
  const nodes = 2 * whole.count('roots') + 4096;
  expect(whole.count('nodes')).toBeGreaterThan(nodes);
  const [first, second] = [
    await partitionOnGpu(asset, { ...roomFor(asset), nodes }, nodeRoom),
    await partitionOnGpu(asset, { ...roomFor(asset), nodes }, nodeRoom),
  ];
  expect(first.count('nodesWanted')).toBe(first.count('nodes'));
  expect(first.count('nodes')).toBeLessThanOrEqual(nodes);
  expect(first.count('unsettled')).toBeGreaterThan(whole.count('unsettled'));
  expect(isSame(first.nodes, second.nodes)).toBe(true);
});
