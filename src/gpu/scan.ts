import { type GpuArena, USAGE } from './arena.ts';
import type { GpuContext } from './context.ts';
import { createKernel, groupsFor, type Kernel } from './kernel.ts';
import scanWgsl from './scan.wgsl';
import sumsWgsl from './scan-sums.wgsl';
import { defineStruct } from './struct.ts';

/** Values that one workgroup scans. */
export const SCAN_BLOCK = 1024;
const SCAN_GROUP = 64;

const PARAMS = defineStruct('ScanParams', { count: 'u32' });
const HEAD = `
const BLOCK = ${SCAN_BLOCK}u;
const GROUP = ${SCAN_GROUP}u;
${PARAMS.wgsl}
var<workgroup> partial: array<u32, GROUP>;

/// The sum of what the invocations before this one bring.
fn sumBefore(own: u32, t: u32) -> u32 {
  partial[t] = own;
  workgroupBarrier();
  for (var step = 1u; step < GROUP; step <<= 1u) {
    var before = 0u;
    if (t >= step) { before = partial[t - step]; }
    workgroupBarrier();
    partial[t] += before;
    workgroupBarrier();
  }
  return partial[t] - own;
}
`;

/** WGSL: the sum before value i, from the two arrays that a scan writes; they have to be bound by these names. */
export const SCAN_READ_WGSL = `
fn sumBefore(i: u32) -> u32 {
  return offsets[i] + sums[i / ${SCAN_BLOCK}u];
}
`;

/** Exclusive prefix sums: every item's place in the output, in the order of the items. */
export interface Scan {
  /** Buffers to scan `values`, u32[count]; they belong to the arena. */
  prepare(arena: GpuArena, label: string, values: GPUBuffer, count: number): BoundScan;
}

/** A scan of one buffer. The sum before value i is offsets[i] + sums[i / SCAN_BLOCK]. */
export interface BoundScan {
  readonly offsets: GPUBuffer;
  readonly sums: GPUBuffer;
  /** u32: the sum of all values. */
  readonly total: GPUBuffer;
  encode(pass: GPUComputePassEncoder): void;
}

/** Compiles the scan, or finds it compiled. */
export async function createScan(context: GpuContext): Promise<Scan> {
  const [blocks, sums] = await Promise.all([
    createKernel(context, { label: 'scan.blocks', code: HEAD + scanWgsl, entryPoint: 'scanBlocks' }),
    createKernel(context, { label: 'scan.sums', code: HEAD + sumsWgsl, entryPoint: 'scanSums' }),
  ]);
  return { prepare: (arena, label, values, count) => bindScan(blocks, sums, arena, label, values, count) };
}

function bindScan(
  blocksKernel: Kernel,
  sumsKernel: Kernel,
  arena: GpuArena,
  label: string,
  values: GPUBuffer,
  count: number,
): BoundScan {
  const nBlocks = Math.ceil(count / SCAN_BLOCK);
  const params = arena.upload(`${label}.params`, PARAMS.pack({ count }), USAGE.uniform);
  const offsets = arena.create(`${label}.offsets`, count * 4, USAGE.storage | USAGE.copySource);
  const sums = arena.create(`${label}.sums`, nBlocks * 4, USAGE.storage | USAGE.copySource);
  const total = arena.create(`${label}.total`, 4, USAGE.storage | USAGE.copySource);
  const inBlocks = blocksKernel.bind(params, values, offsets, sums);
  const overBlocks = sumsKernel.bind(params, sums, total);
  return {
    offsets,
    sums,
    total,
    encode(pass) {
      pass.setPipeline(blocksKernel.pipeline);
      pass.setBindGroup(0, inBlocks);
      pass.dispatchWorkgroups(...groupsFor(nBlocks, 1));
      pass.setPipeline(sumsKernel.pipeline);
      pass.setBindGroup(0, overBlocks);
      pass.dispatchWorkgroups(1);
    },
  };
}
