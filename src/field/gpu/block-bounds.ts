import type { FieldAsset } from '../../format/asset.ts';
import { GpuArena, USAGE } from '../../gpu/arena.ts';
import { type GpuContext, guarded } from '../../gpu/context.ts';
import { defineCounts } from '../../gpu/counts.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import { createKernel, GROUP_SIZE } from '../../gpu/kernel.ts';
import { createProgramTools, ProgramBuilder } from '../../gpu/program-builder.ts';
import { createFrame, type DomainFrame, toInput } from '../frame.ts';
import { snapDistance } from '../level-boxes.ts';
import { type FieldResources, tableBuffers } from './resources.ts';
import { boundWgsl } from './wgsl-bound.ts';
import {
  BATCH_SIZE,
  BLOCK_WGSL,
  chunkCount,
  encodeBoxesCode,
  IN_BATCH_WGSL,
  INPUT_VECTORS,
  LATTICE,
} from './wgsl-encode-boxes.ts';

/** A lattice on the GPU: where its planes lie in the field's grids. */
export interface PlaneTable {
  /** vec4<u32>, see `buildPlaneTable`. */
  readonly planes: GPUBuffer;
  /** Where each axis begins. */
  readonly firstPlane: readonly [number, number, number];
  /** Boxes along each axis. */
  readonly counts: readonly [number, number, number];
}

/** Blocks of a lattice on the GPU. */
interface BlockList<K extends string> {
  /** The count of how many there are. */
  readonly name: K;
  /** Two words a block, see `BLOCK_WGSL`. */
  readonly blocks: GPUBuffer;
  /** Boxes an axis of each. */
  readonly size: number;
  readonly items: ItemCount;
}

/** What to do with each block's interval: WGSL that sees `block`, `interval` and `lattice` and writes `out[item]`. */
export interface BoundUse {
  readonly label: string;
  /** WGSL type of an element of `out`. */
  readonly outType: string;
  readonly body: string;
}

/** Bounds f over blocks of a lattice, batch by batch. */
export interface Bounder {
  /** Room for one batch of boxes' inputs. */
  reserve(arena: GpuArena): GPUBuffer;
  /**
   * Adds the bounds of all blocks of a list to a program.
   * @param inputs from `reserve`.
   * @param out one element a block.
   */
  add<K extends string>(
    builder: ProgramBuilder<K>,
    table: PlaneTable,
    list: BlockList<K>,
    inputs: GPUBuffer,
    out: GPUBuffer,
    isoOffset: number,
  ): void;
}

function codeFor(resources: FieldResources, { outType, body }: BoundUse): string {
  const { shape, weightSpace, nRowVectors } = resources;
  return `${LATTICE.wgsl}
@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<${outType}>;
@group(0) @binding(4) var<storage, read> counts: array<u32>;
@group(0) @binding(5) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
${BLOCK_WGSL}${IN_BATCH_WGSL}${boundWgsl(shape)}
@compute @workgroup_size(${GROUP_SIZE})
fn boundBlocks(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= countInBatch()) { return; }
  let item = lattice.first + id.x;
  let block = blockAt(blocks[item]);
  let interval = boundItem(id.x);
${body}
}
`;
}

/** Compiles the kernels, or finds them compiled. */
export async function createBounder(
  resources: FieldResources,
  context: GpuContext,
  use: BoundUse,
): Promise<Bounder> {
  const { shape } = resources;
  const [encodeBoxes, bound] = await Promise.all([
    createKernel(context, {
      label: 'bound.inputs',
      code: encodeBoxesCode(resources),
      entryPoint: 'encodeBoxes',
    }),
    createKernel(context, { label: use.label, code: codeFor(resources, use), entryPoint: 'boundBlocks' }),
  ]);
  return {
    reserve: (arena) =>
      arena.create('bound.inputs', BATCH_SIZE * shape.nInputs * INPUT_VECTORS * 16, USAGE.storage),
    add(builder, { planes, firstPlane, counts: nBoxes }, list, inputs, out, isoOffset) {
      const { blocks, size, name, items } = list;
      const { counts } = builder;
      for (let first = 0; first < items.capacity; first += BATCH_SIZE) {
        const struct = { counts: nBoxes, size, firstPlane, isoOffset, first, listed: items.at };
        const params = builder.uniform('bound.lattice', LATTICE.pack(struct));
        const n = Math.min(BATCH_SIZE, items.capacity - first);
        const batch = builder.items(name, n, { first });
        const chunks = builder.items(name, n, { first, layers: chunkCount(shape) });
        const read = [params, planes, blocks, inputs, counts, ...tableBuffers(resources)];
        builder.each(encodeBoxes, chunks, ...read);
        builder.each(bound, batch, params, blocks, inputs, out, counts, resources.rows);
      }
    },
  };
}

/** Uploads where a lattice's planes lie in the field's grids. */
export function uploadPlanes({ asset }: FieldResources, arena: GpuArena, planes: PlaneSet): PlaneTable {
  const { words, firstPlane } = buildPlaneTable(asset, createFrame(asset), planes);
  return {
    planes: arena.upload('bound.planes', words, USAGE.storage),
    firstPlane,
    counts: planes.map((axis) => axis.length - 1) as [number, number, number],
  };
}

/** Intervals, f32[n] each. */
export interface BlockBounds {
  readonly lo: Float32Array;
  readonly hi: Float32Array;
}

const INTERVALS: BoundUse = {
  label: 'bound.intervals',
  outType: 'vec2<f32>',
  body: '  _ = lattice.size;\n  out[item] = interval;',
};

const BLOCK_COUNTS = defineCounts(['blocks']);

/** See `GpuField.boundBlocks`. */
export async function boundBlocks(
  resources: FieldResources,
  context: GpuContext,
  planes: PlaneSet,
  blocks: Int32Array,
  size: number,
): Promise<BlockBounds> {
  const [tools, bounder] = await Promise.all([
    createProgramTools(context),
    createBounder(resources, context, INTERVALS),
  ]);
  const n = blocks.length / 3;
  const words = new Uint32Array(n * 2);
  for (let i = 0; i < n; i++) {
    words[i * 2] = blocks[i * 3] | (blocks[i * 3 + 1] << 16);
    words[i * 2 + 1] = blocks[i * 3 + 2];
  }
  const arena = new GpuArena(context);
  try {
    const out = await guarded(context, INTERVALS.label, () => {
      const builder = new ProgramBuilder(tools, arena, BLOCK_COUNTS);
      const out = builder.create('bound.out', n * 8);
      const table = uploadPlanes(resources, arena, planes);
      const listed = arena.upload('bound.blocks', words, USAGE.storage);
      const list = { blocks: listed, size, name: 'blocks' as const, items: builder.items('blocks', n) };
      bounder.add(builder, table, list, bounder.reserve(arena), out, 0);
      arena.write(builder.counts, Uint32Array.of(n), BLOCK_COUNTS.at.blocks * 4);
      const encoder = context.device.createCommandEncoder({ label: 'nsdf.bound' });
      builder.program.encode(encoder);
      context.device.queue.submit([encoder.finish()]);
      return out;
    });
    const pairs = new Float32Array(await arena.read(out, n * 8, INTERVALS.label));
    return { lo: pairs.filter((_, i) => i % 2 === 0), hi: pairs.filter((_, i) => i % 2 === 1) };
  } finally {
    arena.dispose();
  }
}

/** Local coordinates of a lattice's planes, one sorted array an axis. */
export type PlaneSet = readonly [Float64Array, Float64Array, Float64Array];

/**
 * Where each plane of a lattice lies in each level's grid, found in double precision so that the kernels need no
 * rounding of coordinates: four 32-bit words a plane and level (the level fastest, axes one after the other),
 *
 *     cell and fraction (f32) of the plane as the lower end of a box; cell and fraction as the upper end.
 *
 * A plane on a grid plane, up to `snapDistance`, is the start of the cell above and the end of the cell below, as on the
 * CPU. Without a grid there is one "level", and both fractions are the encoder's input itself.
 */
function buildPlaneTable(
  { encoding }: FieldAsset,
  frame: DomainFrame,
  planes: PlaneSet,
): { readonly words: Uint32Array<ArrayBuffer>; readonly firstPlane: readonly [number, number, number] } {
  const levels = encoding.kind === 'hash-grid' ? encoding.levels : [];
  const nLevels = Math.max(1, levels.length);
  const nPlanes = planes[0].length + planes[1].length + planes[2].length;
  const words = new Uint32Array(nPlanes * nLevels * 4);
  const floats = new Float32Array(words.buffer);
  let at = 0;
  for (let axis = 0; axis < 3; axis++) {
    for (const plane of planes[axis]) {
      const input = toInput(frame, axis, plane);
      if (levels.length === 0) {
        floats[at + 1] = input;
        floats[at + 3] = input;
        at += 4;
      }
      for (const level of levels) {
        const position = input * level.scale + level.offset;
        const snap = snapDistance(level);
        const lower = Math.floor(position + snap);
        const upper = Math.max(Math.ceil(position - snap), 1) - 1;
        words[at] = lower;
        floats[at + 1] = Math.max(0, position - lower);
        words[at + 2] = upper;
        floats[at + 3] = Math.min(1, position - upper);
        at += 4;
      }
    }
  }
  return { words, firstPlane: [0, planes[0].length, planes[0].length + planes[1].length] };
}
