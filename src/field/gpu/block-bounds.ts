import { GpuArena, USAGE } from '../../gpu/arena.ts';
import { type GpuContext, guarded } from '../../gpu/context.ts';
import { createKernel, GROUP_SIZE, type Kernel } from '../../gpu/kernel.ts';
import { createFrame } from '../frame.ts';
import { buildPlaneTable, type PlaneSet } from './plane-table.ts';
import { type FieldResources, tableBuffers } from './resources.ts';
import { boundWgsl } from './wgsl-bound.ts';
import {
  BATCH_SIZE,
  BLOCK_WGSL,
  chunkCount,
  encodeBoxesCode,
  INPUT_VECTORS,
  LATTICE,
} from './wgsl-encode-boxes.ts';

/** Bytes of a block: two words. */
const BLOCK_BYTES = 8;

/** A lattice on the GPU, and room for one batch of boxes' inputs. */
export interface BoundSetup {
  readonly planes: GPUBuffer;
  readonly firstPlane: readonly [number, number, number];
  readonly counts: readonly [number, number, number];
  readonly inputs: GPUBuffer;
}

/** What to do with each block's interval: WGSL that sees `block`, `interval`, `item` and `lattice` and writes `out[item]`. */
export interface BoundUse {
  readonly label: string;
  /** WGSL type of an element of `out`. */
  readonly outType: string;
  readonly outBytes: number;
  readonly body: string;
}

/** Bounds f over blocks of a lattice, batch by batch. */
export interface Bounder {
  setup(arena: GpuArena, planes: PlaneSet): BoundSetup;
  /**
   * Bounds `n` blocks.
   * @param params a `LATTICE` struct.
   * @param blocks two words a block.
   * @param out one element a block.
   */
  encode(
    encoder: GPUCommandEncoder,
    setup: BoundSetup,
    params: GPUBuffer,
    blocks: GPUBufferBinding,
    out: GPUBuffer,
    n: number,
    describePass: (label: string) => GPUComputePassDescriptor,
  ): void;
}

function codeFor(resources: FieldResources, { outType, body }: BoundUse): string {
  const { shape, weightSpace, nRowVectors } = resources;
  return `${LATTICE.wgsl}
@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<${outType}>;
@group(0) @binding(4) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
${BLOCK_WGSL}${boundWgsl(shape)}
@compute @workgroup_size(${GROUP_SIZE})
fn boundBlocks(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if (item >= min(arrayLength(&blocks), ${BATCH_SIZE}u)) { return; }
  let block = blockAt(blocks[item]);
  let interval = boundItem(item);
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
  const [encodeBoxes, bound] = await Promise.all([
    createKernel(context, {
      label: 'bound.inputs',
      code: encodeBoxesCode(resources),
      entryPoint: 'encodeBoxes',
    }),
    createKernel(context, { label: use.label, code: codeFor(resources, use), entryPoint: 'boundBlocks' }),
  ]);
  return {
    setup: (arena, planes) => setUp(resources, arena, planes),
    encode(encoder, setup, params, blocks, out, n, describePass) {
      const dispatch = (kernel: Kernel, group: GPUBindGroup, nItems: number, y: number): void => {
        const pass = encoder.beginComputePass(describePass(kernel.label));
        pass.setPipeline(kernel.pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(Math.ceil(nItems / GROUP_SIZE), y);
        pass.end();
      };
      for (let first = 0; first < n; first += BATCH_SIZE) {
        const nItems = Math.min(BATCH_SIZE, n - first);
        const part = (buffer: GPUBuffer, bytes: number, offset = 0): GPUBufferBinding => ({
          buffer,
          offset: offset + first * bytes,
          size: nItems * bytes,
        });
        const these = part(blocks.buffer, BLOCK_BYTES, blocks.offset);
        const { planes, inputs } = setup;
        dispatch(
          encodeBoxes,
          encodeBoxes.bind(params, planes, these, inputs, ...tableBuffers(resources)),
          nItems,
          chunkCount(resources.shape),
        );
        dispatch(
          bound,
          bound.bind(params, these, inputs, part(out, use.outBytes), resources.rows),
          nItems,
          1,
        );
      }
    },
  };
}

function setUp({ asset, shape }: FieldResources, arena: GpuArena, planes: PlaneSet): BoundSetup {
  const inputSpace = asset.encoding.kind === 'none' ? asset.encoding.inputSpace : 'unit';
  const { words, firstPlane } = buildPlaneTable(asset, createFrame(asset.domain, inputSpace), planes);
  return {
    planes: arena.upload('bound.planes', words, USAGE.storage),
    firstPlane,
    counts: planes.map((axis) => axis.length - 1) as [number, number, number],
    inputs: arena.create('bound.inputs', BATCH_SIZE * shape.nInputs * INPUT_VECTORS * 16, USAGE.storage),
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
  outBytes: 8,
  body: '  _ = lattice.size;\n  out[item] = interval;',
};

/** See `GpuField.boundBlocks`. */
export async function boundBlocks(
  resources: FieldResources,
  context: GpuContext,
  planes: PlaneSet,
  blocks: Int32Array,
  size: number,
): Promise<BlockBounds> {
  const bounder = await createBounder(resources, context, INTERVALS);
  const n = blocks.length / 3;
  const words = new Uint32Array(n * 2);
  for (let i = 0; i < n; i++) {
    words[i * 2] = blocks[i * 3] | (blocks[i * 3 + 1] << 16);
    words[i * 2 + 1] = blocks[i * 3 + 2];
  }
  const arena = new GpuArena(context);
  try {
    const out = await guarded(context, INTERVALS.label, () => {
      const setup = bounder.setup(arena, planes);
      const { counts, firstPlane } = setup;
      const params = LATTICE.pack({ counts, size, firstPlane, isoOffset: 0 });
      const out = arena.create('bound.out', n * 8, USAGE.storage | USAGE.copySource);
      const encoder = context.device.createCommandEncoder({ label: 'nsdf.bound' });
      bounder.encode(
        encoder,
        setup,
        arena.upload('bound.lattice', params, USAGE.uniform),
        { buffer: arena.upload('bound.blocks', words, USAGE.storage) },
        out,
        n,
        (label) => ({ label: `nsdf.${label}` }),
      );
      context.device.queue.submit([encoder.finish()]);
      return out;
    });
    const pairs = new Float32Array(await arena.read(out, n * 8, INTERVALS.label));
    return { lo: pairs.filter((_, i) => i % 2 === 0), hi: pairs.filter((_, i) => i % 2 === 1) };
  } finally {
    arena.dispose();
  }
}
