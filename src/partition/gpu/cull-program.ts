import { type PlaneTable, packLattice } from '../../field/gpu/block-bounds.ts';
import { type FieldResources, tableBuffers } from '../../field/gpu/resources.ts';
import { boundWgsl } from '../../field/gpu/wgsl-bound.ts';
import { BLOCK_WGSL, LATTICE } from '../../field/gpu/wgsl-encode-boxes.ts';
import { tableBindings } from '../../field/gpu/wgsl-evaluate.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { defineCounts } from '../../gpu/counts.ts';
import { createKernel, groupsFor } from '../../gpu/kernel.ts';
import type { ProgramBuilder } from '../../gpu/program-builder.ts';
import { SCAN_READ_WGSL } from '../../gpu/scan.ts';
import { expectRoom, largestBlock } from '../cull.ts';
import placeRootsWgsl from './place-roots.wgsl';
import searchWgsl from './search.wgsl';

/**
 * Names of the counts of a search: its groups, and the blocks that it begins with, the first and the one after the last, which
 * the host sets; then blocks of all sizes that there would be with room for all, bounds that were computed, and the boxes that are
 * left.
 */
export const CULL_COUNTS = ['searches', 'searchFrom', 'searchEnd', 'blocks', 'tested', 'roots'] as const;
export type CullCount = (typeof CULL_COUNTS)[number];

/** How many of each there is room for. */
export type CullCapacities = Readonly<Record<'blocks' | 'roots', number>>;

/** Lanes of a workgroup, and boxes of the blocks that it begins with, together: or those of one block, where that has more. */
const GROUP = 64;
const BOXES_PER_GROUP = 512;

/** The search on the GPU. */
export interface Culler {
  /**
   * Adds the search to a program: blocks of boxes are bounded, those that may hold surface are divided, down to single
   * boxes. What is left is a superset of the boxes with surface, in the order of `cullBoxes`. Before a run the counts of
   * {@link searchOf} have to be set.
   * @param nBlocks the search begins with, at most.
   * @param isoOffset what the derivation adds to f.
   * @returns the boxes that are left, two words each, see `BLOCK_WGSL`
   */
  add(
    builder: ProgramBuilder<CullCount>,
    table: PlaneTable,
    nBlocks: number,
    capacities: CullCapacities,
    isoOffset: number,
  ): GPUBuffer;
}

/** @throws {NsdfUnsupportedError} if the network is too large for generated kernels */
export async function createCuller(resources: FieldResources, context: GpuContext): Promise<Culler> {
  const head = `${defineCounts(CULL_COUNTS).wgsl}const GROUP = ${GROUP}u;\n`;
  const [search, place] = await Promise.all([
    createKernel(context, {
      label: 'cull.search',
      code: head + searchCode(resources),
      entryPoint: 'searchBlocks',
    }),
    createKernel(context, {
      label: 'cull.place',
      code: head + SCAN_READ_WGSL + placeRootsWgsl,
      entryPoint: 'placeRoots',
    }),
  ]);
  return {
    add: (builder, table, nBlocks, capacities, isoOffset) =>
      builder.scope(() => {
        const { program, counts } = builder;
        builder.stage('cull');
        const size = largestBlock(table.counts);
        const nGroups = Math.ceil(nBlocks / blocksPerGroup(size));
        const params = packLattice(resources, table, size, isoOffset * ROUNDED_UP);
        const lattice = builder.uniform('cull.lattice', params);
        const found = builder.create('cull.found', capacities.blocks * 8);
        const pool = builder.zeros(8);
        const begins = builder.create('cull.begins', nGroups * 4);
        const totals = builder.create('cull.totals', nGroups * 4);
        const boxes = builder.create('cull.boxes', capacities.roots * 8);
        const read = [lattice, counts, table.planes, found, pool, begins, totals];
        const groups = groupsFor(nGroups, 1);
        program.dispatch(search, groups, ...read, resources.rows, ...tableBuffers(resources));
        const items = builder.items('searches', nGroups);
        const { offsets, sums } = builder.scan('cull.roots', items, totals, { to: 'roots' });
        program.dispatch(place, groups, counts, found, pool, begins, totals, offsets, sums, boxes);
        return boxes;
      }),
  };
}

/** The sum of f's bound with the offset must not round below zero where f + isoOffset is not. */
const ROUNDED_UP = 1.000001;

function searchCode({ shape, weightSpace, nRowVectors }: FieldResources): string {
  return `${LATTICE.wgsl}
@group(0) @binding(7) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
${tableBindings(shape, 8)}${BLOCK_WGSL}${boundWgsl(shape)}
const BOXES_PER_GROUP = ${BOXES_PER_GROUP}u;
${searchWgsl}`;
}

function blocksPerGroup(size: number): number {
  return Math.max(1, Math.floor(BOXES_PER_GROUP / size ** 3));
}

/** Blocks that a search of the whole lattice begins with. @throws {NsdfBudgetError} if there are too many. */
export function countFirst(counts: readonly number[]): number {
  const size = largestBlock(counts);
  const n = counts.reduce((product, each) => product * Math.ceil(each / size), 1);
  expectRoom(n);
  return n;
}

/**
 * The counts to set before a search.
 * @param counts boxes along x, y, z.
 * @param from the first of the blocks that it begins with, x fastest. @param end the one after the last.
 */
export function searchOf(
  counts: readonly number[],
  from = 0,
  end = countFirst(counts),
): Readonly<Record<'searches' | 'searchFrom' | 'searchEnd', number>> {
  const searches = Math.ceil((end - from) / blocksPerGroup(largestBlock(counts)));
  return { searches, searchFrom: from, searchEnd: end };
}
