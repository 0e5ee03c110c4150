import { type PlaneTable, uploadPlanes } from '../../field/gpu/block-bounds.ts';
import { createGpuField } from '../../field/gpu/gpu-field.ts';
import type { FieldResources } from '../../field/gpu/resources.ts';
import type { FieldAsset } from '../../format/asset.ts';
import { GpuArena } from '../../gpu/arena.ts';
import { type GpuContext, guarded } from '../../gpu/context.ts';
import { defineCounts } from '../../gpu/counts.ts';
import { createProgramTools, ProgramBuilder, type ProgramTools } from '../../gpu/program-builder.ts';
import { createTimestamps } from '../../gpu/timestamps.ts';
import type { Lattice } from '../corners.ts';
import type { Candidates } from '../cull.ts';
import {
  CULL_COUNTS,
  type CullCapacities,
  type CullCount,
  type Culler,
  countFirst,
  createCuller,
  searchOf,
} from './cull-program.ts';

export interface GpuCullOptions {
  /** What the derivation adds to f: see `CornerTable.isoOffset`. */
  readonly isoOffset: number;
  readonly signal?: AbortSignal | undefined;
  /** Called between submissions with the fraction done. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Blocks of all sizes, and boxes left, that there is room for at once. Default: 2^22, which are 64 MB. */
  readonly maxBlocks?: number;
  /** Measure GPU times of the kernels, where the adapter has timestamps. */
  readonly isTimed?: boolean;
}

/** What survives, and what it took. */
export interface GpuCullResult extends Candidates {
  /** Most bytes that were allocated on the GPU at once. */
  readonly nBytes: number;
  /** Milliseconds on the GPU by kernel; empty unless they were asked for and the adapter has timestamps. */
  readonly gpuTimeMs: Readonly<Record<string, number>>;
}

const MAX_BLOCKS = 1 << 22;
/** Room that a search begins with. */
const FIRST_CAPACITY = 1 << 17;
/** Timed passes of one submission. */
const MAX_TIMED = 2048;
const COUNTS = defineCounts(CULL_COUNTS);
const NAMES = ['blocks', 'roots'] as const;

/**
 * Certified culling on the GPU: blocks of boxes are bounded, those that may hold surface are divided, down to single
 * boxes. What it gives is a superset of the boxes with surface, in the order of `cullBoxes`, which bounds it anew in
 * double precision.
 *
 * The host asks once how many blocks of each size there were. Where they had no room there is made more, up to
 * `maxBlocks`; beyond that the largest blocks are searched in parts one after the other, so that memory stays bounded and
 * the order stays the same.
 *
 * @throws {NsdfUnsupportedError} if the network is too large for generated kernels
 * @throws {NsdfGpuError} if the device's limits are exceeded, or it is lost
 * @throws `options.signal.reason` when aborted
 */
export async function cullOnGpu(
  context: GpuContext,
  asset: FieldAsset,
  lattice: Lattice,
  options: GpuCullOptions,
): Promise<GpuCullResult> {
  const field = await createGpuField(asset, context);
  const arena = new GpuArena(context);
  try {
    const [tools, culler] = await Promise.all([
      createProgramTools(context),
      createCuller(field.resources, context),
    ]);
    options.signal?.throwIfAborted();
    const table = await guarded(context, 'cull', () => uploadPlanes(field.resources, arena, lattice.planes));
    const parts = { context, tools, culler, table, resources: field.resources, options };
    const search = new PartedSearch(parts, field.nBytes + arena.nBytes);
    try {
      await search.run();
    } finally {
      search.dispose();
    }
    return search.result();
  } finally {
    arena.dispose();
    field.dispose();
  }
}

interface Parts {
  readonly context: GpuContext;
  readonly tools: ProgramTools;
  readonly culler: Culler;
  readonly table: PlaneTable;
  readonly resources: FieldResources;
  readonly options: GpuCullOptions;
}

interface Built {
  readonly builder: ProgramBuilder<CullCount>;
  readonly boxes: GPUBuffer;
}

class PartedSearch {
  readonly #parts: Parts;
  readonly #maxBlocks: number;
  readonly #nFirst: number;
  readonly #baseBytes: number;
  readonly #found: Uint32Array[] = [];
  readonly #gpuTimeMs: Record<string, number> = {};
  #arena: GpuArena;
  #built: Built | undefined;
  #capacities: CullCapacities;
  #nTested = 0;
  #mostBytes = 0;

  constructor(parts: Parts, baseBytes: number) {
    this.#parts = parts;
    this.#baseBytes = baseBytes;
    this.#maxBlocks = parts.options.maxBlocks ?? MAX_BLOCKS;
    this.#nFirst = countFirst(parts.table.counts);
    this.#arena = new GpuArena(parts.context);
    const capacity = Math.min(FIRST_CAPACITY, this.#maxBlocks);
    this.#capacities = { blocks: capacity, roots: capacity };
  }

  async run(): Promise<void> {
    const { signal, onProgress } = this.#parts.options;
    const total = this.#nFirst;
    let size = Math.min(total, this.#capacities.blocks);
    for (let at = 0; at < total; ) {
      signal?.throwIfAborted();
      onProgress?.(at / total);
      const n = Math.min(size, total - at);
      const counts = await this.#search(at, n);
      signal?.throwIfAborted();
      if (this.#hasRoom(counts)) {
        await this.#take(counts);
        at += n;
        continue;
      }
      if (this.#grow(counts)) continue;
      if (n > 1) {
        size = Math.ceil(n / 2);
        continue;
      }
      // One block of the largest size has at most 16³ boxes: room for it is always found.
      this.#capacities = grown(this.#capacities, counts, Number.POSITIVE_INFINITY);
      this.#rebuild();
    }
    onProgress?.(1);
  }

  result(): GpuCullResult {
    const n = this.#found.reduce((sum, words) => sum + words.length / 2, 0);
    const boxes = new Int32Array(n * 3);
    let at = 0;
    for (const words of this.#found) {
      for (let i = 0; i < words.length; i += 2) {
        boxes[at++] = words[i] & 0xffff;
        boxes[at++] = words[i] >>> 16;
        boxes[at++] = words[i + 1];
      }
    }
    return { boxes, nTested: this.#nTested, nBytes: this.#mostBytes, gpuTimeMs: this.#gpuTimeMs };
  }

  dispose(): void {
    this.#arena.dispose();
  }

  /** Searches `n` of the first blocks; gives the counts. */
  async #search(at: number, n: number): Promise<Uint32Array> {
    const { context, options } = this.#parts;
    const arena = this.#arena;
    const built = this.#built ?? (await guarded(context, 'cull', () => this.#build()));
    this.#built = built;
    const { builder } = built;
    const times = options.isTimed ? createTimestamps(arena, 'cull', MAX_TIMED) : undefined;
    await guarded(context, 'cull', () => {
      const counts = new Uint32Array(COUNTS.byteLength / 4);
      const search = searchOf(this.#parts.table.counts, at, at + n);
      for (const name of CULL_COUNTS)
        if (name in search) counts[COUNTS.at[name]] = search[name as keyof typeof search];
      arena.write(builder.counts, counts);
      const encoder = context.device.createCommandEncoder({ label: 'nsdf.cull' });
      builder.program.encode(encoder, times && ((label) => times.pass(label)), times !== undefined);
      times?.resolve(encoder);
      context.device.queue.submit([encoder.finish()]);
    });
    this.#mostBytes = Math.max(this.#mostBytes, this.#baseBytes + arena.nBytes);
    const counts = new Uint32Array(await arena.read(builder.counts, COUNTS.byteLength, 'cull'));
    for (const [label, timeMs] of Object.entries((await times?.read()) ?? {})) {
      this.#gpuTimeMs[label] = (this.#gpuTimeMs[label] ?? 0) + timeMs;
    }
    return counts;
  }

  #build(): Built {
    const { tools, culler, table, options } = this.#parts;
    const builder = new ProgramBuilder(tools, this.#arena, COUNTS);
    const boxes = culler.add(builder, table, this.#nFirst, this.#capacities, options.isoOffset);
    return { builder, boxes };
  }

  #rebuild(): void {
    this.#arena.dispose();
    this.#arena = new GpuArena(this.#parts.context);
    this.#built = undefined;
  }

  #hasRoom(counts: Uint32Array): boolean {
    return NAMES.every((name) => counts[COUNTS.at[name]] <= this.#capacities[name]);
  }

  /** Makes more room, if there may be more. */
  #grow(counts: Uint32Array): boolean {
    const larger = grown(this.#capacities, counts, this.#maxBlocks);
    if (NAMES.every((name) => larger[name] === this.#capacities[name])) return false;
    this.#capacities = larger;
    this.#rebuild();
    return true;
  }

  async #take(counts: Uint32Array): Promise<void> {
    this.#nTested += counts[COUNTS.at.tested];
    const n = counts[COUNTS.at.roots];
    if (n === 0 || this.#built === undefined) return;
    this.#found.push(new Uint32Array(await this.#arena.read(this.#built.boxes, n * 8, 'cull')));
  }
}

/** Room for what there was no room for, and for what may come of it. */
function grown(capacities: CullCapacities, counts: Uint32Array, most: number): CullCapacities {
  const entries = NAMES.map((name) => {
    const needed = counts[COUNTS.at[name]];
    const isShort = needed > capacities[name];
    return [name, isShort ? Math.min(most, Math.ceil(1.25 * needed)) : capacities[name]];
  });
  return Object.fromEntries(entries) as CullCapacities;
}
