import { expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { grownCapacities } from '../../src/surface/gpu/capacities.ts';
import { COUNTS } from '../../src/surface/gpu/structs.ts';
import { randomField } from '../fixtures/fields.ts';
import { estimateFor, partitionOnGpu } from './partition-on-gpu.ts';

const asset = randomField(12, { T: 7, L: 4, finest: 12 });
const estimate = estimateFor(asset);

it('tells that nodes found no room, and more room is made', async () => {
  const { nPreActivations } = createCpuField(asset);
  const whole = await partitionOnGpu(asset, estimate);
  const nNodes = whole.count('nodes');
  expect(whole.count('nodesWanted')).toBe(nNodes);
  for (const nodes of [whole.count('roots'), nNodes - 2]) {
    const capacities = { ...estimate, nodes };
    const { count, counts } = await partitionOnGpu(asset, capacities);
    expect(count('nodes')).toBeLessThanOrEqual(nodes);
    expect(count('nodesWanted')).toBeGreaterThan(nodes);
    expect(grownCapacities(capacities, counts, nPreActivations)?.nodes).toBeGreaterThan(nodes);
  }
});

it('makes no more room than the budget of nodes that the worker has, too', () => {
  const counts = new Uint32Array(COUNTS.byteLength / 4);
  counts[COUNTS.at.roots] = 100;
  counts[COUNTS.at.nodesWanted] = 1e6;
  const grown = grownCapacities(estimate, counts, 40);
  expect(grown?.nodes).toBe(12 * 100 + 65536);
  expect(grownCapacities({ ...estimate, nodes: 12 * 100 + 65536 }, counts, 40)).toBeUndefined();
});
