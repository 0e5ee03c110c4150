import { type GpuArena, USAGE } from './arena.ts';
import type { GpuContext } from './context.ts';
import itemCountWgsl from './item-count.wgsl';
import { createKernel, GROUP_SIZE, MAX_GROUPS_X } from './kernel.ts';
import type { Program } from './program.ts';
import { defineStruct } from './struct.ts';

/** Values that one workgroup of a scan takes. */
export const SCAN_BLOCK = 1024;
/** Index in every `counts` of a value that is always zero. */
export const COUNT_ZERO = 0;

const PARAMS = defineStruct('ItemParams', { at: 'u32', first: 'u32', capacity: 'u32', layers: 'u32' });
/** Words of `groups` from which a scan's are on. */
const SCAN_GROUPS = 3;
/** Byte offset of a scan's arguments in `ItemCount.groups`. */
export const SCAN_GROUPS_OFFSET = SCAN_GROUPS * 4;

/** WGSL: `writeGroups`, which makes the arguments of an indirect dispatch; `groups` has to be bound. */
export const GROUPS_WGSL = `
const GROUP_SIZE = ${GROUP_SIZE}u;
const SCAN_BLOCK = ${SCAN_BLOCK}u;
const SCAN_GROUPS = ${SCAN_GROUPS}u;
const MAX_GROUPS_X = ${MAX_GROUPS_X}u;

fn writeGroups(at: u32, nItems: u32, perGroup: u32, layers: u32) {
  let n = (nItems + perGroup - 1u) / perGroup;
  groups[at] = min(n, MAX_GROUPS_X);
  groups[at + 1u] = layers * ((n + MAX_GROUPS_X - 1u) / MAX_GROUPS_X);
  groups[at + 2u] = 1u;
}
`;
const CODE = PARAMS.wgsl + GROUPS_WGSL + itemCountWgsl;
const INDIRECT = 0x100;

/** A number of items that is known on the GPU only. */
export interface ItemCount {
  readonly counts: GPUBuffer;
  /** Index in `counts`. */
  readonly at: number;
  /** How many there is room for. */
  readonly capacity: number;
  /** Arguments of indirect dispatches: for kernels, then for scans. Undefined where as many are dispatched as there is room for. */
  readonly groups: GPUBuffer | undefined;
  /** Workgroups along y, for kernels that take each item that often. */
  readonly layers: number;
}

/** A buffer for the arguments of dispatches. */
export function createGroups(arena: GpuArena): GPUBuffer {
  return arena.create('items.groups', 2 * SCAN_GROUPS * 4, USAGE.storage | USAGE.copySource | INDIRECT);
}

/** A part of the items. */
export interface ItemRange {
  /** Items that are left out. Default: none. */
  readonly first?: number;
  /** Workgroups along y, for kernels that take each item that often. Default: 1. */
  readonly layers?: number;
}

export interface ItemCounter {
  /** Adds to a program the making of arguments for dispatches over counts[at] items, which no kernel changes any more. */
  add(
    program: Program,
    arena: GpuArena,
    counts: GPUBuffer,
    at: number,
    capacity: number,
    range?: ItemRange,
  ): ItemCount;
}

/**
 * Compiles the counter, or finds it compiled.
 * @param isDirect dispatch for as many items as there is room for. On SwiftShader, which runs both sides of every branch, an
 * invocation that returns at once costs half of a full one. On a GPU it costs next to nothing, while Dawn checks every
 * indirect dispatch by a dispatch of its own: 25 us of the GPU's time and 50 of the processor's (H200, 2026-11-26).
 */
export async function createItemCounter(context: GpuContext, isDirect: boolean): Promise<ItemCounter> {
  const kernel = await createKernel(context, { label: 'items.count', code: CODE, entryPoint: 'countGroups' });
  return {
    add(program, arena, counts, at, capacity, { first = 0, layers = 1 } = {}) {
      if (isDirect) return { counts, at, capacity, groups: undefined, layers };
      const params = arena.upload(
        'items.params',
        PARAMS.pack({ at, first, capacity, layers }),
        USAGE.uniform,
      );
      const groups = createGroups(arena);
      program.dispatch(kernel, [1, 1], params, counts, groups);
      return { counts, at, capacity, groups, layers };
    },
  };
}
