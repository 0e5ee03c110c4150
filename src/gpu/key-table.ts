import { type GpuArena, USAGE } from './arena.ts';
import type { GpuContext } from './context.ts';
import type { ItemCount } from './item-count.ts';
import { createItemKernel } from './item-kernel.ts';
import type { Kernel } from './kernel.ts';
import insertWgsl from './key-insert.wgsl';
import ownWgsl from './key-own.wgsl';
import resolveWgsl from './key-resolve.wgsl';
import sealWgsl from './key-seal.wgsl';
import tableWgsl from './key-table.wgsl';
import type { Program } from './program.ts';
import { SCAN_READ_WGSL, type Scan, type ScanResult } from './scan.ts';
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
  /** u32[capacity], scratch. */
  readonly isOwner: GPUBuffer;
  /** Scratch of that capacity. */
  readonly scan: ScanResult;
  /** u32[capacity], written: the number of each request's key. */
  readonly numbers: GPUBuffer;
  /** Indices in the items' counts: numbers before; numbers after and what came in between, which are written. */
  readonly before: number;
  readonly after: number;
  readonly added?: number;
}

export interface KeyTables {
  /** Numbers the keys of a round. Numbers go by the order of the first requests, so that they are the same every time. */
  add(program: Program, arena: GpuArena, table: KeyTable, requests: KeyRequests): void;
}

/** Compiles the table's kernels, or finds them compiled. */
export async function createKeyTables(context: GpuContext, scan: Scan): Promise<KeyTables> {
  const compile = (entry: string, code: string): Promise<Kernel> =>
    createItemKernel(context, {
      label: `keys.${entry}`,
      code: RANGE.wgsl + code,
      entry,
      count: 'counts[range.requests]',
    });
  const [insert, own, seal, resolve] = await Promise.all([
    compile('insertKey', tableWgsl + insertWgsl),
    compile('ownKey', ownWgsl),
    compile('sealKey', SCAN_READ_WGSL + sealWgsl),
    compile('resolveKey', resolveWgsl),
  ]);
  return {
    add(program, arena, { slots, knownKeys }, round) {
      const { items, keys, isOwner, numbers, before, after } = round;
      const { counts, at } = items;
      const range = arena.upload('keys.range', RANGE.pack({ requests: at, base: before }), USAGE.uniform);
      program.each(insert, items, range, counts, keys, knownKeys, slots, numbers);
      program.each(own, items, range, counts, slots, numbers, isOwner);
      const totals = { base: before, to: after, ...(round.added !== undefined && { sum: round.added }) };
      scan.add(program, arena, items, isOwner, round.scan, totals);
      const { offsets, sums } = round.scan;
      program.each(seal, items, range, counts, keys, isOwner, offsets, sums, knownKeys, slots, numbers);
      program.each(resolve, items, range, counts, slots, numbers);
    },
  };
}
