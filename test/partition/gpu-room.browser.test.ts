import { expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { uploadPlanes } from '../../src/field/gpu/block-bounds.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import { GpuArena, USAGE } from '../../src/gpu/arena.ts';
import { guarded } from '../../src/gpu/context.ts';
import { createProgramTools, ProgramBuilder } from '../../src/gpu/program-builder.ts';
import { isoOffsetOf } from '../../src/partition/corners.ts';
import { createCuller, firstBlocks } from '../../src/partition/gpu/cull-program.ts';
import { createPartitioner } from '../../src/partition/gpu/forest-program.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import {
  estimateCapacities,
  grownCapacities,
  type SurfaceCapacities,
} from '../../src/surface/gpu/capacities.ts';
import { COUNTS } from '../../src/surface/gpu/structs.ts';
import { ISO_OFFSETS } from '../../src/surface/gpu/surface-program.ts';
import { submitFrom } from '../conformance/on-gpu.ts';
import { randomField } from '../fixtures/fields.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { runSteps } from './run-steps.ts';

const asset = randomField(12, { T: 7, L: 4, finest: 12 });
const { lattice } = makePlan(createCpuField(asset), { tolerance: 1e-3 });
const estimate = estimateCapacities(lattice.planes.map((axis) => axis.length - 1));

/** The counts of a partition that has so much room. */
async function partitionWith(capacities: SurfaceCapacities): Promise<Uint32Array> {
  const field = await createGpuField(asset, sharedGpu);
  const { resources } = field;
  const arena = new GpuArena(sharedGpu);
  try {
    const [tools, culler, partitioner] = await Promise.all([
      createProgramTools(sharedGpu),
      createCuller(resources, sharedGpu),
      createPartitioner(resources, sharedGpu),
    ]);
    const builder = await guarded(sharedGpu, 'test', () => {
      const made = new ProgramBuilder(tools, arena, COUNTS);
      const isoOffset = ISO_OFFSETS * isoOffsetOf(asset);
      const table = uploadPlanes(resources, arena, lattice.planes);
      const first = firstBlocks(table.counts);
      const list = arena.upload('test.blocks', first.words, USAGE.storage);
      const blocks = culler.add(made, table, list, capacities, isoOffset);
      runSteps(partitioner.add(made, table, lattice, blocks, capacities, isoOffset));
      submitFrom(first, made, arena);
      return made;
    });
    return new Uint32Array(await arena.read(builder.counts, COUNTS.byteLength, 'test'));
  } finally {
    arena.dispose();
    field.dispose();
  }
}

it('tells that nodes found no room, and more room is made', async () => {
  const { nPreActivations } = createCpuField(asset);
  type Name = 'roots' | 'nodes' | 'nodesWanted' | 'first2';
  const of = (counts: Uint32Array, name: Name) => counts[COUNTS.at[name]];
  const whole = await partitionWith(estimate);
  const nNodes = of(whole, 'nodes');
  expect(of(whole, 'nodesWanted')).toBe(nNodes);
  for (const nodes of [of(whole, 'roots'), of(whole, 'first2')]) {
    const capacities = { ...estimate, nodes };
    const counts = await partitionWith(capacities);
    expect(of(counts, 'nodes')).toBeLessThanOrEqual(nodes);
    expect(of(counts, 'nodesWanted')).toBeGreaterThan(nodes);
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
