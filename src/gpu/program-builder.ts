import { type GpuArena, USAGE } from './arena.ts';
import combineCountsWgsl from './combine-counts.wgsl';
import type { GpuContext } from './context.ts';
import type { Counts } from './counts.ts';
import {
  COUNT_ZERO,
  createGroups,
  createItemCounter,
  type ItemCount,
  type ItemCounter,
  type ItemRange,
  SCAN_BLOCK,
} from './item-count.ts';
import { createItemKernel } from './item-kernel.ts';
import { type Bound, createKernel, type Kernel } from './kernel.ts';
import { createKeyTables, type KeyTable, type KeyTables } from './key-table.ts';
import listItemsWgsl from './list-items.wgsl';
import { Program } from './program.ts';
import { createScan, SCAN_READ_WGSL, type Scan, type ScanResult, type ScanTotals } from './scan.ts';
import { defineStruct } from './struct.ts';

const LIST = defineStruct('ListParams', { at: 'u32', mask: 'u32' });
const COMBINE = defineStruct('CombineParams', {
  at: 'vec4<u32>',
  factors: 'vec4<u32>',
  to: 'u32',
  isMost: 'u32',
});

/** The kernels that every program is made of. */
export interface ProgramTools {
  readonly context: GpuContext;
  readonly scan: Scan;
  readonly keys: KeyTables;
  readonly counter: ItemCounter;
  /** See {@link createItemCounter}. */
  readonly isDirect: boolean;
  readonly list: Kernel;
  readonly combine: Kernel;
}

/** Compiles them, or finds them compiled. */
export async function createProgramTools(
  context: GpuContext,
  isDirect = !context.isSoftware,
): Promise<ProgramTools> {
  const [scan, keys, counter, list, combine] = await Promise.all([
    createScan(context),
    createKeyTables(context),
    createItemCounter(context, isDirect),
    createItemKernel(context, {
      label: 'items.list',
      code: LIST.wgsl + SCAN_READ_WGSL + listItemsWgsl,
      entry: 'listItem',
      count: 'counts[list.at]',
    }),
    createKernel(context, {
      label: 'items.combine',
      code: COMBINE.wgsl + combineCountsWgsl,
      entryPoint: 'combineCounts',
    }),
  ]);
  return { context, scan, counter, isDirect, list, combine, keys };
}

/** What to add up, and where that goes. */
export interface Totals<K extends string> {
  readonly to: K;
  /** What is added to the sum. */
  readonly base?: K;
  /** Where the sum alone goes. */
  readonly sum?: K;
  /** Where the largest of several sums goes, for counts that are used again and again. */
  readonly peak?: K;
  /** Values are so few that one workgroup does it. */
  readonly isSmall?: boolean;
}

/** What to list, and where the number of items goes. */
export interface Listing<K extends string> {
  readonly to: K;
  /** Items that there is room for. Default: all. */
  readonly capacity?: number;
  /** The bits of a word of which one has to be set. Default: any. */
  readonly mask?: number;
  readonly peak?: K;
  readonly isSmall?: boolean;
}

/** Items that were listed: their numbers, u32 each, and how many there are. */
export interface Listed {
  readonly list: GPUBuffer;
  readonly items: ItemCount;
}

/** A free buffer is taken for one that is wanted if it is at most this much larger. */
const MOST_WASTE = 4;

/** Bytes of zeros that are cleared at a time, and what each part of them begins at a multiple of. */
const ZEROS_BYTES = 32_768;
const ZEROS_ALIGNMENT = 256;

/**
 * Puts a program together, with its buffers and its counts. Buffers that are made within {@link ProgramBuilder.scope} are
 * used again by what comes after it, so that they hold what others left there: whoever needs zeros clears them.
 */
export class ProgramBuilder<K extends string> {
  #program = new Program();
  readonly arena: GpuArena;
  readonly counts: GPUBuffer;
  readonly #tools: ProgramTools;
  readonly #at: Readonly<Record<K, number>>;
  /** Where arguments go that nobody reads. */
  readonly #spareGroups: GPUBuffer | undefined;
  readonly #free: GPUBuffer[] = [];
  /** Buffers of the scopes that are open, the innermost last. */
  readonly #scopes: GPUBuffer[][] = [];

  /** See {@link ProgramBuilder.zeros}; and how many bytes of them are taken. */
  #zeros: GPUBuffer | undefined;
  #nTaken = 0;
  /** Counts that a scan has added to. */
  readonly #added = new Set<number>();

  /** @param arena what the program's buffers belong to. */
  constructor(tools: ProgramTools, arena: GpuArena, counts: Counts<K>) {
    this.#tools = tools;
    this.#at = counts.at;
    this.arena = arena;
    this.counts = this.create('program.counts', counts.byteLength);
    this.#spareGroups = tools.isDirect ? createGroups(arena) : undefined;
  }

  /** What is put together at present. */
  get program(): Program {
    return this.#program;
  }

  /** Ends a program; what comes now goes in another one, which is to be run after it. */
  endProgram(): Program {
    const ended = this.#program;
    this.#program = new Program();
    // They are cleared at the beginning of what has ended.
    this.#zeros = undefined;
    return ended;
  }

  /** A storage buffer, with anything in it. @param label `stage.resource` */
  create(label: string, nBytes: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(nBytes / 4) * 4);
    const buffer = this.#take(size) ?? this.arena.create(label, size, STORAGE);
    this.#scopes.at(-1)?.push(buffer);
    return buffer;
  }

  /** The smallest free buffer that is large enough, and not much too large. */
  #take(size: number): GPUBuffer | undefined {
    let best = -1;
    this.#free.forEach(({ size: found }, i) => {
      if (found < size || found > MOST_WASTE * size + 4096) return;
      if (best < 0 || found < this.#free[best].size) best = i;
    });
    return best < 0 ? undefined : this.#free.splice(best, 1)[0];
  }

  /** Runs a part of the construction; the buffers that it makes and does not return are free afterwards. */
  scope<T>(part: () => T): T {
    this.#scopes.push([]);
    return this.#endScope(part());
  }

  /** The same for a part that gives way to other work now and then. */
  *scopeSteps<T>(part: Generator<void, T, void>): Generator<void, T, void> {
    this.#scopes.push([]);
    return this.#endScope(yield* part);
  }

  #endScope<T>(result: T): T {
    const kept = new Set<unknown>();
    collectBuffers(result, kept);
    for (const buffer of this.#scopes.pop() ?? []) {
      if (kept.has(buffer)) this.#scopes.at(-1)?.push(buffer);
      else this.#free.push(buffer);
    }
    return result;
  }

  uniform(label: string, struct: ArrayBuffer): GPUBuffer {
    return this.arena.upload(label, struct, USAGE.uniform);
  }

  /** The index of a count. */
  at(name: K): number {
    return this.#at[name];
  }

  stage(label: string): void {
    this.program.stage(label);
  }

  clear(...buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) this.program.clear(buffer);
  }

  /**
   * As many items as a count says, which no kernel changes from here on.
   * @param capacity the most that are visited.
   */
  items(name: K, capacity: number, range: ItemRange = {}): ItemCount {
    const { program, arena, counts } = this;
    return this.#tools.counter.add(program, arena, counts, this.#at[name], Math.max(1, capacity), range);
  }

  /**
   * Items whose kernel also writes the arguments for dispatches over them (`GROUPS_WGSL`).
   * @param write adds that kernel.
   */
  dispatched(at: number, capacity: number, write: (groups: GPUBuffer) => void): ItemCount {
    const groups = this.#spareGroups ?? createGroups(this.arena);
    write(groups);
    const { counts } = this;
    return { counts, at, capacity, groups: this.#tools.isDirect ? undefined : groups, layers: 1 };
  }

  /** counts[to] = the sum of up to four counts, each times its factor. */
  combine(to: K, terms: Readonly<Partial<Record<K, number>>>): void {
    const entries = Object.entries(terms) as [K, number][];
    const at = entries.map(([name]) => this.at(name));
    const factors = entries.map(([, factor]) => factor);
    this.#combine(this.at(to), at, factors, false);
  }

  #combine(to: number, at: readonly number[], factors: readonly number[], isMost: boolean): void {
    const four = (values: readonly number[], none: number) => [0, 1, 2, 3].map((k) => values[k] ?? none);
    const struct = { at: four(at, COUNT_ZERO), factors: four(factors, 0), to, isMost: isMost ? 1 : 0 };
    const params = this.uniform('program.combine', COMBINE.pack(struct));
    this.program.dispatch(this.#tools.combine, [1, 1], params, this.counts);
  }

  each(kernel: Kernel, items: ItemCount, ...resources: readonly Bound[]): void {
    this.program.each(kernel, items, ...resources);
  }

  /** Exclusive prefix sums of u32 values, one an item. */
  scan(label: string, items: ItemCount, values: GPUBuffer, totals: Totals<K>): ScanResult {
    const { capacity } = items;
    const offsets = this.create(`${label}.offsets`, capacity * 4);
    const at = this.#indices(totals);
    if (!totals.isSmall) {
      const result = { offsets, sums: this.#sumsOf(capacity) };
      this.#scan(items, values, result, at);
      return result;
    }
    const { program, arena } = this;
    const result = { offsets, sums: this.create(`${label}.sums`, Math.ceil(capacity / SCAN_BLOCK) * 4) };
    const groups = this.#spareGroups ?? createGroups(arena);
    this.#tools.scan.addSmall(program, arena, items, values, result, groups, 0, false, at);
    return result;
  }

  #scan(items: ItemCount, values: GPUBuffer, result: ScanResult, at: ScanTotals): void {
    const { to, sum = to, peak } = at;
    this.#expectZeros(at);
    this.#tools.scan.add(this.program, this.arena, items, values, result, at);
    if (peak !== undefined) this.#combine(peak, [sum], [1], true);
  }

  /** Clears the counts that a scan adds to, unless nothing was added to them yet: a run begins with zeros. */
  #expectZeros({ to, sum = to }: ScanTotals): void {
    for (const each of new Set([to, sum])) {
      if (this.#added.has(each)) this.program.clear(this.counts, each * 4, 4);
      this.#added.add(each);
    }
  }

  /** Zeros for a scan of so many values to add up blocks in. */
  #sumsOf(capacity: number): GPUBufferBinding {
    return this.zeros(Math.ceil(capacity / SCAN_BLOCK) * 4);
  }

  /** A few zeros when the program begins, for what is added up by atomics; nothing else is ever there. */
  zeros(nBytes: number): GPUBufferBinding {
    const size = Math.max(4, nBytes);
    if (this.#zeros === undefined || this.#nTaken + size > this.#zeros.size) {
      this.#zeros = this.arena.create('program.zeros', Math.max(size, ZEROS_BYTES), STORAGE);
      this.#nTaken = 0;
      this.program.clearFirst(this.#zeros);
    }
    const offset = this.#nTaken;
    this.#nTaken = Math.ceil((offset + size) / ZEROS_ALIGNMENT) * ZEROS_ALIGNMENT;
    return { buffer: this.#zeros, offset, size };
  }

  /** Lists the items of whose word a bit of the mask is set, in their order. */
  list(label: string, items: ItemCount, words: GPUBuffer, listing: Listing<K>): Listed {
    const { to, capacity = items.capacity, mask = 0xffffffff, isSmall = false, peak } = listing;
    const list = this.create(`${label}.list`, capacity * 4);
    const at = { ...this.#indices({ to, ...(peak !== undefined && { peak }) }), mask };
    const { program, arena, counts } = this;
    const tools = this.#tools;
    if (isSmall) {
      const sums = this.scope(() => this.create(`${label}.sums`, 16));
      const result = { offsets: list, sums };
      return {
        list,
        items: this.dispatched(at.to, capacity, (groups) => {
          tools.scan.addSmall(program, arena, items, words, result, groups, capacity, true, at);
        }),
      };
    }
    this.scope(() => {
      const offsets = this.create(`${label}.offsets`, items.capacity * 4);
      const sums = this.#sumsOf(items.capacity);
      this.#scan(items, words, { offsets, sums }, at);
      const params = this.uniform(`${label}.params`, LIST.pack({ at: items.at, mask }));
      this.each(tools.list, items, params, counts, words, offsets, sums, list);
    });
    return { list, items: this.items(to, capacity) };
  }

  #indices({ to, base, sum, peak }: Totals<K>): { to: number; base?: number; sum?: number; peak?: number } {
    return {
      to: this.#at[to],
      ...(base !== undefined && { base: this.#at[base] }),
      ...(sum !== undefined && { sum: this.#at[sum] }),
      ...(peak !== undefined && { peak: this.#at[peak] }),
    };
  }

  /** A table for up to `capacity` keys; it has to be cleared before its first round. */
  keyTable(label: string, capacity: number): KeyTable {
    return {
      slots: this.create(`${label}.slots`, 4 * 2 ** Math.ceil(Math.log2(Math.max(16, capacity * 2)))),
      knownKeys: this.create(`${label}.known`, capacity * 8),
    };
  }

  /**
   * Numbers keys, two words each.
   * @param totals numbers there were, and are then; how many came in between.
   * @returns u32 an item: the number of its key
   */
  number(
    label: string,
    table: KeyTable,
    items: ItemCount,
    keys: GPUBuffer,
    totals: { readonly before?: K; readonly after: K; readonly added?: K },
  ): GPUBuffer {
    const { capacity } = items;
    const { before, after, added } = totals;
    const numbers = this.create(`${label}.numbers`, capacity * 4);
    const at = this.#indices({ to: after, ...(before && { base: before }), ...(added && { sum: added }) });
    this.scope(() => {
      const offsets = this.create(`${label}.offsets`, capacity * 4);
      const scan = { offsets, sums: this.#sumsOf(capacity) };
      this.#expectZeros(at);
      this.#tools.keys.add(this.program, this.arena, table, { items, keys, numbers, scan, totals: at });
    });
    return numbers;
  }
}

const STORAGE = USAGE.storage | USAGE.copySource | USAGE.copyTarget;

function collectBuffers(value: unknown, found: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || found.has(value)) return;
  found.add(value);
  if ('mapState' in value) return;
  for (const part of Object.values(value)) collectBuffers(part, found);
}
