import { NsdfUnsupportedError } from '../../errors.ts';
import type { FieldAsset } from '../../format/asset.ts';
import { GpuArena, USAGE } from '../../gpu/arena.ts';
import { type GpuContext, guarded } from '../../gpu/context.ts';
import { createKernel, GROUP_SIZE, groupsFor, type Kernel } from '../../gpu/kernel.ts';
import { createFrame, type DomainFrame } from '../frame.ts';
import { createNetwork } from '../mlp.ts';
import { type BlockBounds, boundBlocks, type PlaneSet } from './block-bounds.ts';
import { createResources, type FieldResources, isHalfTable, tableBuffers, uploadTable } from './resources.ts';
import { evaluateCode, FRAME } from './wgsl-evaluate.ts';

/**
 * A neural field on the GPU, in single precision: what `CpuField` computes in batches, asynchronously.
 * Values differ from the CPU's by rounding only (test/conformance has the tolerances); bounds hold what the CPU's
 * evaluation in double precision gives.
 */
export interface GpuField {
  readonly asset: FieldAsset;
  readonly context: GpuContext;
  readonly resources: FieldResources;
  /** f at n points. @param pointsLocal f32[3n], local units. @returns f32[n] */
  evaluate(pointsLocal: Float32Array): Promise<Float32Array>;
  /** f (f32[n]) and its gradient in local units (f32[3n]); at kinks one-sided, as `CpuField` gives it. */
  evaluateWithGradient(
    pointsLocal: Float32Array,
  ): Promise<{ readonly values: Float32Array; readonly gradients: Float32Array }>;
  /**
   * Certified intervals of f over blocks of a lattice.
   * @param planes local coordinates of the lattice's planes, a sorted array an axis.
   * @param blocks i32[3n]: each block's first plane along x, y and z.
   * @param size boxes an axis of a block; the lattice's end cuts it.
   */
  boundBlocks(planes: PlaneSet, blocks: Int32Array, size: number): Promise<BlockBounds>;
  /** Bytes on the GPU. */
  readonly nBytes: number;
  /** Frees everything on the GPU but the device. */
  dispose(): void;
}

/** Points of one dispatch: within the default limits, and short enough for other users of the device. */
const MAX_POINTS = 1 << 20;

/**
 * Uploads a field. Kernels are compiled when they are first needed.
 * @param isHalf keep the table in half precision. Default: where nothing is lost by that.
 * @throws {NsdfUnsupportedError} if the network is too large for generated kernels, or reads coordinates far from zero
 * @throws {NsdfGpuError} if the device's limits are exceeded or it is lost
 */
export async function createGpuField(
  asset: FieldAsset,
  context: GpuContext,
  isHalf = isHalfTable(asset),
): Promise<GpuField> {
  const { encoding } = asset;
  if (encoding.kind === 'none' && encoding.origin !== undefined) {
    const at = encoding.origin.join(', ');
    throw new NsdfUnsupportedError(
      'local coordinates far from zero',
      `the network reads coordinates around [${at}], which single precision cannot tell apart finely enough`,
    );
  }
  const isGrid = encoding.kind === 'hash-grid';
  const nInputs = isGrid ? encoding.levels.length * encoding.nFeaturesPerLevel : 3;
  const network = createNetwork(asset, nInputs);
  const frame = createFrame(asset);
  const arena = new GpuArena(context);
  try {
    const resources = await guarded(context, 'field', () => createResources(arena, asset, network, isHalf));
    await uploadTable(arena, resources);
    return wrap(resources, frame, arena);
  } catch (error) {
    arena.dispose();
    throw error;
  }
}

function wrap(resources: FieldResources, frame: DomainFrame, arena: GpuArena): GpuField {
  const { context } = arena;
  const { asset } = resources;
  return {
    asset,
    context,
    resources,
    evaluate: async (points) => (await evaluateAll(resources, frame, context, points, false)).values,
    evaluateWithGradient: (points) => evaluateAll(resources, frame, context, points, true),
    boundBlocks: (planes, blocks, size) => boundBlocks(resources, context, planes, blocks, size),
    nBytes: arena.nBytes,
    dispose: () => arena.dispose(),
  };
}

async function evaluateAll(
  resources: FieldResources,
  frame: DomainFrame,
  context: GpuContext,
  points: Float32Array,
  hasGradient: boolean,
): Promise<{ values: Float32Array; gradients: Float32Array }> {
  const kernel = await createKernel(context, {
    label: hasGradient ? 'field.gradient' : 'field.evaluate',
    code: evaluateCode(resources, hasGradient),
    entryPoint: 'evaluate',
  });
  const n = Math.floor(points.length / 3);
  const values = new Float32Array(n);
  const gradients = new Float32Array(hasGradient ? n * 3 : 0);
  for (let start = 0; start < n; start += MAX_POINTS) {
    const end = Math.min(n, start + MAX_POINTS);
    const part = await evaluatePart(kernel, resources, frame, context, points.subarray(start * 3, end * 3));
    values.set(part.values, start);
    if (part.gradients) gradients.set(part.gradients, start * 3);
  }
  return { values, gradients };
}

async function evaluatePart(
  kernel: Kernel,
  resources: FieldResources,
  frame: DomainFrame,
  context: GpuContext,
  points: Float32Array,
): Promise<{ values: Float32Array; gradients: Float32Array | undefined }> {
  const hasGradient = kernel.label === 'field.gradient';
  const n = points.length / 3;
  const arena = new GpuArena(context);
  try {
    const { values, gradients } = await guarded(context, kernel.label, () => {
      const out = USAGE.storage | USAGE.copySource;
      const values = arena.create('field.values', n * 4, out);
      const gradients = hasGradient ? arena.create('field.gradients', n * 12, out) : undefined;
      const group = kernel.bind(
        arena.upload('field.frame', FRAME.pack({ ...frame, nPoints: n }), USAGE.uniform),
        arena.upload('field.points', points, USAGE.storage),
        values,
        ...(gradients ? [gradients] : []),
        resources.weights,
        ...tableBuffers(resources),
      );
      const encoder = context.device.createCommandEncoder({ label: `nsdf.${kernel.label}` });
      const pass = encoder.beginComputePass({ label: `nsdf.${kernel.label}` });
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...groupsFor(n, GROUP_SIZE));
      pass.end();
      context.device.queue.submit([encoder.finish()]);
      return { values, gradients };
    });
    return {
      values: new Float32Array(await arena.read(values, n * 4, kernel.label)),
      gradients: gradients && new Float32Array(await arena.read(gradients, n * 12, kernel.label)),
    };
  } finally {
    arena.dispose();
  }
}
