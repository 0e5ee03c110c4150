import { createCpuField } from '../../src/field/cpu-field.ts';
import { uploadPlanes } from '../../src/field/gpu/block-bounds.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { GpuArena } from '../../src/gpu/arena.ts';
import { guarded } from '../../src/gpu/context.ts';
import { createProgramTools, ProgramBuilder } from '../../src/gpu/program-builder.ts';
import { isoOffsetOf } from '../../src/partition/corners.ts';
import { countFirst, createCuller } from '../../src/partition/gpu/cull-program.ts';
import { createPartitioner, type NodeRoom } from '../../src/partition/gpu/forest-program.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { estimateCapacities, type SurfaceCapacities } from '../../src/surface/gpu/capacities.ts';
import { COUNTS, type SurfaceCount } from '../../src/surface/gpu/structs.ts';
import { ISO_OFFSETS } from '../../src/surface/gpu/surface-program.ts';
import { submitFrom } from '../conformance/on-gpu.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { runSteps } from './run-steps.ts';

/** What a partition left on the GPU, read back. */
export interface PartitionThere {
  readonly count: (name: SurfaceCount) => number;
  readonly counts: Uint32Array;
  /** Four words a node, see nodes.wgsl. */
  readonly nodes: Uint32Array;
  /** Sixteen words a root: its box, a gap, its extents, a gap, its corners. */
  readonly roots: Uint32Array;
  readonly nodeBounds: Float32Array;
  readonly rects: Uint32Array;
  readonly rectCorners: Uint32Array;
  /** Two words a corner. */
  readonly corners: Uint32Array;
}

/** The lattice that tests divide a field by. */
export const latticeOf = (asset: FieldAsset) => makePlan(createCpuField(asset), { tolerance: 1e-3 }).lattice;

/** The room that a derivation begins with. */
export const estimateFor = (asset: FieldAsset): SurfaceCapacities =>
  estimateCapacities(latticeOf(asset).planes.map((axis) => axis.length - 1));

/**
 * Searches and settles a field on the tests' device.
 * @param nodeRoom nodes that there may be. Default: as many as in the worker.
 */
export async function partitionOnGpu(
  asset: FieldAsset,
  capacities = estimateFor(asset),
  nodeRoom?: NodeRoom,
): Promise<PartitionThere> {
  const lattice = latticeOf(asset);
  const field = await createGpuField(asset, sharedGpu);
  const { resources } = field;
  const arena = new GpuArena(sharedGpu);
  try {
    const [tools, culler, partitioner] = await Promise.all([
      createProgramTools(sharedGpu),
      createCuller(resources, sharedGpu),
      createPartitioner(resources, sharedGpu, nodeRoom),
    ]);
    const { builder, partition } = await guarded(sharedGpu, 'test', () => {
      const builder = new ProgramBuilder(tools, arena, COUNTS);
      const isoOffset = ISO_OFFSETS * isoOffsetOf(asset);
      const table = uploadPlanes(resources, arena, lattice.planes);
      const blocks = culler.add(builder, table, countFirst(table.counts), capacities, isoOffset);
      const partition = runSteps(partitioner.add(builder, table, lattice, blocks, capacities, isoOffset));
      submitFrom(table.counts, builder, arena);
      return { builder, partition };
    });
    const counts = new Uint32Array(await arena.read(builder.counts, COUNTS.byteLength, 'test'));
    const count = (name: SurfaceCount): number => counts[COUNTS.at[name]];
    const read = async (buffer: GPUBuffer, n: number, nBytes: number): Promise<ArrayBuffer> =>
      arena.read(buffer, Math.min(buffer.size, n * nBytes), 'test');
    const { nodes, nodeBounds, roots, rects, rectCorners, corners } = partition;
    return {
      counts,
      count,
      nodes: new Uint32Array(await read(nodes, count('nodes'), 16)),
      roots: new Uint32Array(await read(roots, count('roots'), 64)),
      nodeBounds: new Float32Array(await read(nodeBounds, count('nodes'), 16)),
      rects: new Uint32Array(await read(rects, count('rects'), 16)),
      rectCorners: new Uint32Array(await read(rectCorners, count('rects'), 16)),
      corners: new Uint32Array(await read(corners.knownKeys, count('corners'), 8)),
    };
  } finally {
    arena.dispose();
    field.dispose();
  }
}

/** As in nodes.wgsl. */
export const NODE_THERE = { pending: 0, empty: 1, settled: 2, unsettled: 3, split: 4 } as const;

/** A node as it is packed there. */
export function nodeThere(nodes: Uint32Array, id: number) {
  const [root, begin, form, child] = nodes.subarray(id * 4, id * 4 + 4);
  return {
    root,
    begin: [begin & 1023, (begin >>> 10) & 1023, (begin >>> 20) & 1023],
    depth: [form & 15, (form >>> 4) & 15, (form >>> 8) & 15],
    state: (form >>> 12) & 7,
    axis: (form >>> 15) & 3,
    child,
  };
}
