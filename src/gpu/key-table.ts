import { type GpuArena, USAGE } from './arena.ts';
import type { GpuContext } from './context.ts';
import { COUNT_ZERO, type ItemCount } from './item-count.ts';
import { createItemKernel } from './item-kernel.ts';
import { createKernel, type Kernel } from './kernel.ts';
import insertWgsl from './key-insert.wgsl';
import ownersWgsl from './key-owners.wgsl';
import resolveWgsl from './key-resolve.wgsl';
import tableWgsl from './key-table.wgsl';
import type { Program } from './program.ts';
import { SCAN_READ_WGSL, type ScanResult, type ScanTotals, scanParams, scanSource } from './scan.ts';
import { defineStruct } from './struct.ts';

const RANGE = defineStruct('KeyRange', {
  /** counts[requests] keys are asked for. */
  requests: 'u32',
  /** New keys are numbered from counts[base] on. */
  base: 'u32',
});

/** WGSL: a key's first slot, and the words that slots hold. */
export const KEY_TABLE_WGSL = tableWgsl;

/** WGSL: `findKey(key)`, a key's number or NOT_FOUND; `slots` and `knownKeys` have to be bound. */
export const FIND_KEY_WGSL = `${tableWgsl}
fn findKey(key: vec2<u32>) -> u32 {
  let nSlots = slotCount();
  var slot = firstSlot(key);
  for (var step = 0u; step < MAX_PROBES; step++) {
    let held = slots[slot];
    if (held == EMPTY) { return NOT_FOUND; }
    if (all(knownKeys[held & ~SEALED] == key)) { return held & ~SEALED; }
    slot = (slot + 1u) & (nSlots - 1u);
  }
  return NOT_FOUND;
}
`;

/** A table of keys (two words each) and their numbers 0, 1, 2, ... on the GPU. */
export interface KeyTable {
  /** u32[a power of two], at most half of it taken; to be cleared before the first round of requests. */
  readonly slots: GPUBuffer;
  /** vec2<u32>[capacity]: the key of every number. */
  readonly knownKeys: GPUBuffer;
}

/** One round of requests: keys that are numbered if they are not yet. */
export interface KeyRequests {
  readonly items: ItemCount;
  /** vec2<u32>[capacity] */
  readonly keys: GPUBuffer;
  /** Scratch of that capacity; its sums are zeros. */
  readonly scan: ScanResult;
  /** u32[capacity], written: the number of each request's key. */
  readonly numbers: GPUBuffer;
  /** Numbers there were before, `base`; numbers after, `to`, and what came in between, `sum`, which are zeros before. */
  readonly totals: ScanTotals;
}

export interface KeyTables {
  /** Numbers the keys of a round. Numbers go by the order of the first requests, so that they are the same every time. */
  add(program: Program, arena: GpuArena, table: KeyTable, requests: KeyRequests): void;
}

/** Compiles the table's kernels, or finds them compiled. */
export async function createKeyTables(context: GpuContext): Promise<KeyTables> {
  const compile = (entry: string, code: string): Promise<Kernel> =>
    createItemKernel(context, {
      label: `keys.${entry}`,
      code: RANGE.wgsl + tableWgsl + code,
      entry,
      count: 'counts[range.requests]',
    });
  const [insert, scanOwners, resolve] = await Promise.all([
    compile('insertKey', insertWgsl),
    createKernel(context, scanSource('keys.scanOwners', tableWgsl + ownersWgsl)),
    compile('resolveKey', SCAN_READ_WGSL + resolveWgsl),
  ]);
  return {
    add(program, arena, { slots, knownKeys }, { items, keys, numbers, scan, totals }) {
      const { counts, at } = items;
      const { base = COUNT_ZERO } = totals;
      const range = arena.upload('keys.range', RANGE.pack({ requests: at, base }), USAGE.uniform);
      program.each(insert, items, range, counts, keys, knownKeys, slots, numbers);
      const params = scanParams(arena, items, totals);
      program.eachBlock(scanOwners, items, params, counts, numbers, scan.offsets, scan.sums, slots);
      const placed = [scan.offsets, scan.sums, knownKeys, slots, numbers];
      program.each(resolve, items, range, counts, keys, ...placed);
    },
  };
}
