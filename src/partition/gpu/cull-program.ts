import { type Bounder, type BoundUse, createBounder, type PlaneTable } from '../../field/gpu/block-bounds.ts';
import type { FieldResources } from '../../field/gpu/resources.ts';
import { BLOCK_WGSL, LATTICE } from '../../field/gpu/wgsl-encode-boxes.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { createItemKernel } from '../../gpu/item-kernel.ts';
import type { Kernel } from '../../gpu/kernel.ts';
import type { ProgramBuilder } from '../../gpu/program-builder.ts';
import { SCAN_READ_WGSL } from '../../gpu/scan.ts';
import { expectRoom, largestBlock } from '../cull.ts';
import divideWgsl from './divide.wgsl';

/** Names of the counts of a search: blocks of each size, then the boxes that are left. */
export const CULL_COUNTS = ['blocks16', 'blocks8', 'blocks4', 'blocks2', 'blocks1', 'roots'] as const;
export type CullCount = (typeof CULL_COUNTS)[number];
const SIZES = [16, 8, 4, 2, 1];

/** How many blocks each block is divided into: none where f has one sign, one where it is a single box that stays. */
const CHILDREN: BoundUse = {
  label: 'cull.bound',
  outType: 'u32',
  body: `  let isTold = interval.x > 0.0 || interval.y + lattice.isoOffset < 0.0;
  let second = select(vec3<u32>(0u), vec3<u32>(1u), block + lattice.size / 2u < lattice.counts);
  let n = select((1u + second.x) * (1u + second.y) * (1u + second.z), 1u, lattice.size == 1u);
  out[item] = select(n, 0u, isTold);`,
};

/** How many of each there is room for. */
export type CullCapacities = Readonly<Record<CullCount, number>>;

/** The search on the GPU. */
export interface Culler {
  /**
   * Adds the search to a program: blocks of boxes are bounded, those that may hold surface are divided, down to single
   * boxes. What is left is a superset of the boxes with surface, in the order of `cullBoxes`. Before a run the count of
   * {@link firstBlocks} has to be set.
   * @param blocks of the largest size; two words each, see `BLOCK_WGSL`.
   * @param isoOffset what the derivation adds to f.
   * @returns the boxes that are left, as the blocks
   */
  add(
    builder: ProgramBuilder<CullCount>,
    table: PlaneTable,
    blocks: GPUBuffer,
    capacities: CullCapacities,
    isoOffset: number,
  ): GPUBuffer;
}

/** @throws {NsdfUnsupportedError} if the network is too large for generated kernels */
export async function createCuller(resources: FieldResources, context: GpuContext): Promise<Culler> {
  const [bounder, divide] = await Promise.all([
    createBounder(resources, context, CHILDREN),
    createItemKernel(context, {
      label: 'cull.divide',
      code: LATTICE.wgsl + BLOCK_WGSL + SCAN_READ_WGSL + divideWgsl,
      entry: 'divide',
      count: 'min(counts[lattice.listed], arrayLength(&blocks))',
    }),
  ]);
  return {
    add: (builder, table, blocks, capacities, isoOffset) =>
      builder.scope(() => addSearch({ bounder, divide, builder, table }, blocks, capacities, isoOffset)),
  };
}

/** What a search begins with. */
export interface FirstBlocks {
  /** The count to set. */
  readonly name: CullCount;
  /** Boxes an axis of each. */
  readonly size: number;
  /** Two words a block, x fastest, as `cullBoxes` begins: see `BLOCK_WGSL`. */
  readonly words: Uint32Array<ArrayBuffer>;
}

/**
 * The blocks that divide a lattice.
 * @param counts boxes along x, y, z.
 * @throws {NsdfBudgetError} if there are too many.
 */
export function firstBlocks(counts: readonly [number, number, number]): FirstBlocks {
  const size = largestBlock(counts);
  const [nx, ny, nz] = counts.map((n) => Math.ceil(n / size));
  expectRoom(nx * ny * nz);
  const words = new Uint32Array(nx * ny * nz * 2);
  let at = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        words[at++] = (x * size) | ((y * size) << 16);
        words[at++] = z * size;
      }
    }
  }
  return { name: `blocks${size}` as CullCount, size, words };
}

interface Search {
  readonly bounder: Bounder;
  readonly divide: Kernel;
  readonly builder: ProgramBuilder<CullCount>;
  readonly table: PlaneTable;
}

function addSearch(
  { bounder, divide, builder, table }: Search,
  first: GPUBuffer,
  capacities: CullCapacities,
  isoOffset: number,
): GPUBuffer {
  const { arena } = builder;
  const largest = largestBlock(table.counts);
  const inputs = bounder.reserve(arena);
  let blocks = first;
  for (const size of SIZES.filter((each) => each <= largest)) {
    const name = `blocks${size}` as CullCount;
    const next = size === 1 ? 'roots' : (`blocks${size / 2}` as CullCount);
    const capacity = Math.min(capacities[name], blocks.size / 8);
    builder.stage('cull');
    const items = builder.items(name, capacity);
    const nChildren = builder.create('cull.nChildren', capacity * 4);
    // Rounded up: the sum with it must not round below zero where f + isoOffset is not.
    bounder.add(builder, table, { blocks, size, name, items }, inputs, nChildren, isoOffset * 1.000001);
    const { offsets, sums } = builder.scan('cull.scan', items, nChildren, { to: next });
    const { counts: nBoxes, firstPlane } = table;
    const struct = { counts: nBoxes, firstPlane, size, isoOffset, first: 0, listed: items.at };
    const params = builder.uniform('cull.lattice', LATTICE.pack(struct));
    const children = builder.create(`cull.${next}`, capacities[next] * 8);
    builder.each(divide, items, params, builder.counts, blocks, nChildren, offsets, sums, children);
    blocks = children;
  }
  return blocks;
}
