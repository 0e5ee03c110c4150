import { type Bounder, type BoundSetup, type BoundUse, createBounder } from '../field/gpu/block-bounds.ts';
import { createGpuField } from '../field/gpu/gpu-field.ts';
import { BLOCK_WGSL, LATTICE } from '../field/gpu/wgsl-encode-boxes.ts';
import type { FieldAsset } from '../format/asset.ts';
import { GpuArena, USAGE } from '../gpu/arena.ts';
import { type GpuContext, guarded } from '../gpu/context.ts';
import { createKernel, GROUP_SIZE, groupsFor, ITEM_INDEX_WGSL, type Kernel } from '../gpu/kernel.ts';
import { type BoundScan, createScan, SCAN_READ_WGSL, type Scan } from '../gpu/scan.ts';
import { createTimestamps } from '../gpu/timestamps.ts';
import type { Lattice } from './corners.ts';
import { type Candidates, largestBlock } from './cull.ts';

export interface GpuCullOptions {
  /** What the derivation adds to f: see `CornerTable.isoOffset`. */
  readonly isoOffset: number;
  readonly signal?: AbortSignal | undefined;
  /** Called between submissions with the fraction done. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Blocks that are bounded together. Default: 2^19, which keeps everything within 300 MB. */
  readonly maxBlocks?: number;
  /** Measure GPU times of the passes, where the adapter has timestamps. */
  readonly isTimed?: boolean;
}

/** What survives, and what it took. */
export interface GpuCullResult extends Candidates {
  /** Most bytes that were allocated on the GPU at once. */
  readonly nBytes: number;
  /** Milliseconds on the GPU by pass; empty unless they were asked for and the adapter has timestamps. */
  readonly gpuTimeMs: Readonly<Record<string, number>>;
}

const MAX_BLOCKS = 1 << 19;
/** Timed passes of one submission. */
const MAX_TIMED = 512;

/** How many blocks each block is divided into: none where f has one sign, one where it is a single box that stays. */
const CHILDREN: BoundUse = {
  label: 'cull.bound',
  outType: 'u32',
  outBytes: 4,
  body: `  let isTold = interval.x > 0.0 || interval.y + lattice.isoOffset < 0.0;
  let second = select(vec3<u32>(0u), vec3<u32>(1u), block + lattice.size / 2u < lattice.counts);
  let n = select((1u + second.x) * (1u + second.y) * (1u + second.z), 1u, lattice.size == 1u);
  out[item] = select(n, 0u, isTold);`,
};

const DIVIDE_CODE = `${LATTICE.wgsl}
@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> nChildren: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read_write> children: array<vec2<u32>>;
${ITEM_INDEX_WGSL}${BLOCK_WGSL}${SCAN_READ_WGSL}
@compute @workgroup_size(${GROUP_SIZE})
fn divide(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = itemIndex(group, nGroups, local);
  if (i >= arrayLength(&nChildren) || nChildren[i] == 0u) { return; }
  var at = sumBefore(i);
  if (lattice.size == 1u) {
    children[at] = blocks[i];
    return;
  }
  let block = blockAt(blocks[i]);
  for (var c = 0u; c < 8u; c++) {
    let child = block + (vec3<u32>(c, c >> 1u, c >> 2u) & vec3<u32>(1u)) * (lattice.size / 2u);
    if (any(child >= lattice.counts)) { continue; }
    children[at] = vec2<u32>(child.x | (child.y << 16u), child.z);
    at++;
  }
}
`;

/**
 * Certified culling on the GPU: blocks of boxes are bounded, those that may hold surface are divided, down to single
 * boxes. What it gives is a superset of the boxes with surface, in the order of {@link cullBoxes}, which bounds it anew
 * in double precision.
 *
 * The host asks after every level how many blocks there are: buffers then fit exactly, no submission is long, and
 * there are five such questions of about a millisecond. Lists longer than `maxBlocks` are divided and each part is
 * followed down to the boxes before the next, so that memory stays bounded and the order stays the same.
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
    const [bounder, divide, scan] = await Promise.all([
      createBounder(field.resources, context, CHILDREN),
      createKernel(context, { label: 'cull.divide', code: DIVIDE_CODE, entryPoint: 'divide' }),
      createScan(context),
    ]);
    options.signal?.throwIfAborted();
    const setup = await guarded(context, 'cull', () => bounder.setup(arena, lattice.planes));
    const descent = new Descent(
      { context, bounder, divide, scan, setup, options },
      field.nBytes + arena.nBytes,
    );
    await descent.start();
    return descent.result();
  } finally {
    arena.dispose();
    field.dispose();
  }
}

interface Tools {
  readonly context: GpuContext;
  readonly bounder: Bounder;
  readonly divide: Kernel;
  readonly scan: Scan;
  readonly setup: BoundSetup;
  readonly options: GpuCullOptions;
}

/** Two words a block. */
const BLOCK_BYTES = 8;

class Descent {
  readonly #tools: Tools;
  readonly #found: Uint32Array[] = [];
  readonly #gpuTimeMs: Record<string, number> = {};
  readonly #maxBlocks: number;
  #nTested = 0;
  #nBytes: number;
  #mostBytes: number;

  constructor(tools: Tools, nBytes: number) {
    this.#tools = tools;
    // Parts begin where a binding may: at multiples of 256 bytes.
    this.#maxBlocks = Math.ceil((tools.options.maxBlocks ?? MAX_BLOCKS) / 32) * 32;
    this.#nBytes = nBytes;
    this.#mostBytes = nBytes;
  }

  /** Follows all blocks of the largest size. */
  async start(): Promise<void> {
    const { context, setup } = this.#tools;
    const { counts } = setup;
    const size = largestBlock(counts);
    const words = allBlocks(counts, size);
    const arena = new GpuArena(context);
    try {
      const blocks = await guarded(context, 'cull', () => arena.upload('cull.blocks', words, USAGE.storage));
      await this.#holding(arena, () => this.#follow(blocks, words.length / 2, size, 0, 1));
    } finally {
      arena.dispose();
    }
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

  /** Follows `n` blocks in parts of at most `maxBlocks`; they take the progress from `from` to `to`. */
  async #follow(blocks: GPUBuffer, n: number, size: number, from: number, to: number): Promise<void> {
    const { signal, onProgress } = this.#tools.options;
    for (let first = 0; first < n; first += this.#maxBlocks) {
      signal?.throwIfAborted();
      onProgress?.(from + ((to - from) * first) / n);
      const count = Math.min(this.#maxBlocks, n - first);
      const start = from + ((to - from) * first) / n;
      const end = from + ((to - from) * (first + count)) / n;
      const part = { buffer: blocks, offset: first * BLOCK_BYTES, size: count * BLOCK_BYTES };
      await this.#followPart(part, count, size, start, end);
    }
  }

  async #followPart(
    blocks: GPUBufferBinding,
    count: number,
    size: number,
    from: number,
    to: number,
  ): Promise<void> {
    const { context } = this.#tools;
    const arena = new GpuArena(context);
    const children = new GpuArena(context);
    this.#nTested += count;
    try {
      const level = await guarded(context, 'cull', () => this.#bound(arena, blocks, count, size));
      const total = new Uint32Array(await arena.read(level.scan.total, 4, 'cull'))[0];
      const times = await level.readTimes();
      for (const [label, timeMs] of Object.entries(times)) {
        this.#gpuTimeMs[label] = (this.#gpuTimeMs[label] ?? 0) + timeMs;
      }
      if (total === 0) return;
      const next = await this.#holding(arena, () =>
        guarded(context, 'cull', () => this.#divide(arena, children, level, blocks, count, total)),
      );
      arena.dispose();
      await this.#holding(children, async () => {
        if (size > 1) return this.#follow(next, total, size / 2, from, to);
        this.#found.push(new Uint32Array(await children.read(next, total * BLOCK_BYTES, 'cull')));
      });
    } finally {
      arena.dispose();
      children.dispose();
    }
  }

  #bound(arena: GpuArena, blocks: GPUBufferBinding, count: number, size: number): BoundedLevel {
    const { context, bounder, scan, setup, options } = this.#tools;
    const { counts, firstPlane } = setup;
    // Rounded up: the sum with it must not round below zero where f + isoOffset is not.
    const isoOffset = options.isoOffset * 1.000001;
    const struct = LATTICE.pack({ counts, size, firstPlane, isoOffset });
    const params = arena.upload('cull.lattice', struct, USAGE.uniform);
    const nChildren = arena.create('cull.children', count * 4, USAGE.storage);
    const bound = scan.prepare(arena, 'cull.scan', nChildren, count);
    const times = options.isTimed ? createTimestamps(arena, 'cull', MAX_TIMED) : undefined;
    const encoder = context.device.createCommandEncoder({ label: 'nsdf.cull' });
    const describe = (label: string) => times?.pass(label) ?? { label: `nsdf.${label}` };
    bounder.encode(encoder, setup, params, blocks, nChildren, count, describe);
    const pass = encoder.beginComputePass(describe('cull.scan'));
    bound.encode(pass);
    pass.end();
    times?.resolve(encoder);
    context.device.queue.submit([encoder.finish()]);
    return { params, nChildren, scan: bound, readTimes: async () => (await times?.read()) ?? {} };
  }

  #divide(
    arena: GpuArena,
    children: GpuArena,
    { params, nChildren, scan }: BoundedLevel,
    blocks: GPUBufferBinding,
    count: number,
    total: number,
  ): GPUBuffer {
    const { context, divide } = this.#tools;
    const out = children.create('cull.blocks', total * BLOCK_BYTES, USAGE.storage | USAGE.copySource);
    const encoder = context.device.createCommandEncoder({ label: 'nsdf.cull.divide' });
    const pass = encoder.beginComputePass({ label: 'nsdf.cull.divide' });
    pass.setPipeline(divide.pipeline);
    pass.setBindGroup(0, divide.bind(params, blocks, nChildren, scan.offsets, scan.sums, out));
    pass.dispatchWorkgroups(...groupsFor(count, GROUP_SIZE));
    pass.end();
    context.device.queue.submit([encoder.finish()]);
    this.#note(arena.nBytes + children.nBytes);
    return out;
  }

  /** Counts an arena's bytes while `work` runs. */
  async #holding<T>(arena: GpuArena, work: () => Promise<T>): Promise<T> {
    const { nBytes } = arena;
    this.#nBytes += nBytes;
    this.#note(0);
    try {
      return await work();
    } finally {
      this.#nBytes -= nBytes;
    }
  }

  #note(more: number): void {
    this.#mostBytes = Math.max(this.#mostBytes, this.#nBytes + more);
  }
}

interface BoundedLevel {
  readonly params: GPUBuffer;
  readonly nChildren: GPUBuffer;
  readonly scan: BoundScan;
  readonly readTimes: () => Promise<Readonly<Record<string, number>>>;
}

/** The blocks that divide the lattice, x fastest, as `cullBoxes` begins. */
function allBlocks(counts: readonly number[], size: number): Uint32Array<ArrayBuffer> {
  const [nx, ny, nz] = counts.map((n) => Math.ceil(n / size));
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
  return words;
}
