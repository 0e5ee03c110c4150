import { type GpuArena, USAGE } from './arena.ts';
import type { GpuContext } from './context.ts';
import { COUNT_ZERO, GROUPS_WGSL, type ItemCount, SCAN_BLOCK } from './item-count.ts';
import { type Bound, createKernel, type KernelSource } from './kernel.ts';
import type { Program } from './program.ts';
import scanWgsl from './scan.wgsl';
import smallWgsl from './scan-small.wgsl';
import { defineStruct } from './struct.ts';

const SCAN_GROUP = 64;
/** Invocations of a scan by one workgroup. */
const SMALL_GROUP = 256;

const PARAMS = defineStruct('ScanParams', {
  /** counts[values] values are scanned, at most so many. */
  values: 'u32',
  room: 'u32',
  /** counts[sum] = their sum, counts[to] = counts[base] + their sum. */
  base: 'u32',
  sum: 'u32',
  to: 'u32',
  /** Of each value these bits count; what is larger than `most` counts as that. */
  mask: 'u32',
  most: 'u32',
  /** Of a scan by one workgroup: whether items are listed, and how many there is room for. */
  isList: 'u32',
  capacity: 'u32',
  /** Of a scan by one workgroup: counts[peak] becomes the largest sum of all runs, unless it is 0. */
  peak: 'u32',
});

const headOf = (group: number): string => `
const BLOCK = ${SCAN_BLOCK}u;
const GROUP = ${group}u;
${PARAMS.wgsl}
/// The sums before each invocation, and of all.
var<workgroup> partial: array<u32, GROUP + 1u>;

/// The sum of what the invocations before this one bring. One invocation adds them all up: two barriers instead of the
/// twelve of a tree, which is what a scan costs in software, and a microsecond on a GPU.
fn sumBefore(own: u32, t: u32) -> u32 {
  partial[t] = own;
  workgroupBarrier();
  if (t == 0u) {
    var sum = 0u;
    for (var i = 0u; i < GROUP; i++) {
      let value = partial[i];
      partial[i] = sum;
      sum += value;
    }
    partial[GROUP] = sum;
  }
  workgroupBarrier();
  return partial[t];
}

/// The sum of all that the invocations bring, after \`sumBefore\`.
fn wholeSum() -> u32 { return partial[GROUP]; }
`;

/** WGSL: the sum before value i, from the two arrays that a scan writes; they have to be bound by these names. */
export const SCAN_READ_WGSL = `
fn sumBefore(i: u32) -> u32 {
  return offsets[i] + sums[i / ${SCAN_BLOCK}u];
}
`;

/** What a scan adds up and where that goes: indices in the items' `counts`, u32. */
export interface ScanTotals {
  /** What is added to the sum. Default: nothing. */
  readonly base?: number;
  /** Where that goes. */
  readonly to: number;
  /** Where the sum alone goes. Default: nowhere. */
  readonly sum?: number;
  /** Count the values of which a bit of this mask is set, instead of adding them up. */
  readonly mask?: number;
  /** Of a scan by one workgroup: where the largest of several sums goes. Default: nowhere. */
  readonly peak?: number;
}

/** Where a scan's results go: u32[capacity] and u32[capacity / SCAN_BLOCK]. */
export interface ScanResult {
  readonly offsets: GPUBuffer;
  readonly sums: Bound;
}

/** Exclusive prefix sums: every item's place in the output, in the order of the items. */
export interface Scan {
  /**
   * Adds the scan of `values`, u32 each, to a program. The sum before value i is offsets[i] + sums[i / SCAN_BLOCK]. `sums` and
   * the counts of the totals have to be zeros before.
   */
  add(
    program: Program,
    arena: GpuArena,
    items: ItemCount,
    values: GPUBuffer,
    result: ScanResult,
    totals: ScanTotals,
  ): void;
  /**
   * Adds a scan by one workgroup, for few values (its time grows with their number: 256 of them take as long as one).
   * @param result of a scan; of a list its items, in `offsets`.
   * @param groups receives arguments for dispatches over as many items as the sum says, at most `capacity`.
   */
  addSmall(
    program: Program,
    arena: GpuArena,
    items: ItemCount,
    values: GPUBuffer,
    result: ScanResult,
    groups: GPUBuffer,
    capacity: number,
    isList: boolean,
    totals: ScanTotals,
  ): void;
}

const VALUES_WGSL = 'fn valueAt(i: u32) -> u32 { return min(values[i] & params.mask, params.most); }\n';

/** A scan of what `valueAt` makes of each value: WGSL that may bind what else it needs from binding 5 on. */
export function scanSource(label: string, valueAt: string): KernelSource {
  return { label, code: headOf(SCAN_GROUP) + valueAt + scanWgsl, entryPoint: 'scanBlocks' };
}

/** The uniform of a scan. */
export function scanParams(arena: GpuArena, items: ItemCount, totals: ScanTotals): GPUBuffer {
  return arena.upload('scan.params', packParams(items, totals, false, 0), USAGE.uniform);
}

/** Compiles the scan, or finds it compiled. */
export async function createScan(context: GpuContext): Promise<Scan> {
  const [blocks, small] = await Promise.all([
    createKernel(context, scanSource('scan.blocks', VALUES_WGSL)),
    createKernel(context, {
      label: 'scan.small',
      code: headOf(SMALL_GROUP) + GROUPS_WGSL + smallWgsl,
      entryPoint: 'scanSmall',
    }),
  ]);
  return {
    add(program, arena, items, values, { offsets, sums }, totals) {
      const params = scanParams(arena, items, totals);
      program.eachBlock(blocks, items, params, items.counts, values, offsets, sums);
    },
    addSmall(program, arena, items, values, result, groups, capacity, isList, totals) {
      const params = packParams(items, totals, isList, capacity);
      const struct = arena.upload('scan.params', params, USAGE.uniform);
      program.dispatch(small, [1, 1], struct, items.counts, values, result.offsets, groups, result.sums);
    },
  };
}

function packParams(
  { at, capacity: room }: ItemCount,
  { base = COUNT_ZERO, to, sum = to, mask, peak = COUNT_ZERO }: ScanTotals,
  isList: boolean,
  capacity: number,
): ArrayBuffer {
  return PARAMS.pack({
    values: at,
    room,
    base,
    to,
    sum,
    mask: mask ?? 0xffffffff,
    most: mask === undefined ? 0xffffffff : 1,
    isList: isList ? 1 : 0,
    capacity,
    peak,
  });
}
