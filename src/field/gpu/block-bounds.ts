import type { FieldAsset } from '../../format/asset.ts';
import { GpuArena, USAGE } from '../../gpu/arena.ts';
import { type GpuContext, guarded } from '../../gpu/context.ts';
import { createItemKernel } from '../../gpu/item-kernel.ts';
import { Program } from '../../gpu/program.ts';
import { createFrame, type DomainFrame, toInput } from '../frame.ts';
import { snapDistance } from '../level-boxes.ts';
import { type FieldResources, tableBuffers } from './resources.ts';
import { boundWgsl } from './wgsl-bound.ts';
import { BLOCK_WGSL, chunkCount, LATTICE } from './wgsl-encode-boxes.ts';
import { tableBindings } from './wgsl-evaluate.ts';

/** A lattice on the GPU: where its planes lie in the field's grids. */
export interface PlaneTable {
  /** vec4<u32>, see `buildPlaneTable`. */
  readonly planes: GPUBuffer;
  /** Where each axis begins. */
  readonly firstPlane: readonly [number, number, number];
  /** Boxes along each axis. */
  readonly counts: readonly [number, number, number];
}

/** WGSL: the kernel that bounds listed blocks of one size. */
function boundBlocksCode(resources: FieldResources): string {
  const { shape, weightSpace, nRowVectors } = resources;
  return `${LATTICE.wgsl}
@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> planes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec2<f32>>;
@group(0) @binding(4) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
${tableBindings(shape, 5)}${BLOCK_WGSL}${boundWgsl(shape)}
fn boundItem(item: u32) { out[item] = boundBlock(blockAt(blocks[item]), lattice.size); }
`;
}

/** The uniform of a lattice's blocks. */
export function packLattice(
  { shape }: FieldResources,
  { counts, firstPlane }: PlaneTable,
  size: number,
  isoOffset: number,
): ArrayBuffer {
  return LATTICE.pack({ counts, firstPlane, size, isoOffset, nChunks: chunkCount(shape) });
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

/** See `GpuField.boundBlocks`. */
export async function boundBlocks(
  resources: FieldResources,
  context: GpuContext,
  planes: PlaneSet,
  blocks: Int32Array,
  size: number,
): Promise<BlockBounds> {
  const kernel = await createItemKernel(context, {
    label: LABEL,
    code: boundBlocksCode(resources),
    entry: 'boundItem',
    count: 'arrayLength(&blocks)',
  });
  const n = blocks.length / 3;
  const words = new Uint32Array(n * 2);
  for (let i = 0; i < n; i++) {
    words[i * 2] = blocks[i * 3] | (blocks[i * 3 + 1] << 16);
    words[i * 2 + 1] = blocks[i * 3 + 2];
  }
  const arena = new GpuArena(context);
  try {
    const out = await guarded(context, LABEL, () => {
      const out = arena.create('bound.out', n * 8, USAGE.storage | USAGE.copySource);
      const table = uploadPlanes(resources, arena, planes);
      const lattice = packLattice(resources, table, size, 0);
      const params = arena.upload('bound.lattice', lattice, USAGE.uniform);
      const listed = arena.upload('bound.blocks', words, USAGE.storage);
      const program = new Program();
      const read = [params, table.planes, listed, out, resources.rows, ...tableBuffers(resources)];
      program.eachOf(kernel, n, ...read);
      const encoder = context.device.createCommandEncoder({ label: 'nsdf.bound' });
      program.encode(encoder);
      context.device.queue.submit([encoder.finish()]);
      return out;
    });
    const pairs = new Float32Array(await arena.read(out, n * 8, LABEL));
    return { lo: pairs.filter((_, i) => i % 2 === 0), hi: pairs.filter((_, i) => i % 2 === 1) };
  } finally {
    arena.dispose();
  }
}

const LABEL = 'bound.intervals';

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
