import { createGpuMarchingCubes } from '../bench/gpu/marching-cubes.ts';
import { createGpuField } from '../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../src/format/asset.ts';
import type { GpuContext } from '../src/gpu/context.ts';
import type { KernelSource } from '../src/gpu/kernel.ts';
import { compileSurface } from '../src/surface/gpu/surface-program.ts';
import { createTrainKernels } from '../src/train/gpu/train-kernels.ts';
import { trainShapeOf } from '../src/train/gpu/train-shape.ts';
import { FIELD_SHAPE_DEFAULTS, TrainableField } from '../src/train/trainable-field.ts';

/** A whole WGSL program, as a device would get it. */
export type WgslProgram = Omit<KernelSource, 'entryPoint'>;

/** Networks to train whose programs differ: what is written into them are numbers alone. */
const TRAINED = [FIELD_SHAPE_DEFAULTS, { resolutions: [5], nFeaturesPerLevel: 1, hidden: [3] }];

/**
 * All programs that GPU work on these fields hands to a device, each text once: evaluation, bounds, whole derivations in every
 * variant, the benchmark's marching cubes, and trainings. They are composed by the code that runs them, on a device that only takes notes.
 */
export async function composePrograms(assets: readonly FieldAsset[]): Promise<WgslProgram[]> {
  const programs = new Map<string, WgslProgram>();
  const take = (program: WgslProgram): void => {
    programs.set(program.code, program);
  };
  for (const asset of assets) {
    for (const isSoftware of [false, true]) {
      const context = notingContext(isSoftware, take);
      for (const isHalf of [false, true]) {
        const field = await createGpuField(asset, context, isHalf);
        await field.evaluate(new Float32Array(3));
        await field.evaluateWithGradient(new Float32Array(3));
        const planes = asset.domain.min.map((low, k) => Float64Array.of(low, asset.domain.max[k]));
        await field.boundBlocks(planes as [Float64Array, Float64Array, Float64Array], new Int32Array(3), 1);
        await compileSurface(field.resources, context);
        await createGpuMarchingCubes(field);
      }
    }
  }
  for (const shape of TRAINED) {
    await createTrainKernels(notingContext(false, take), trainShapeOf(new TrainableField(shape), 4096));
  }
  return [...programs.values()];
}

/** A context whose device computes nothing, and tells what shaders it is given. */
export function notingContext(isSoftware: boolean, take: (program: WgslProgram) => void): GpuContext {
  const buffer = ({ size }: { size: number }) => ({
    size,
    mapState: 'unmapped',
    mapAsync: async () => {},
    getMappedRange: () => new ArrayBuffer(size),
    destroy: () => {},
  });
  const pass = new Proxy({}, { get: () => () => {} });
  const device = {
    limits: new Proxy({}, { get: () => Number.MAX_SAFE_INTEGER }),
    features: new Set<string>(),
    lost: new Promise(() => {}),
    queue: { writeBuffer: () => {}, submit: () => {}, onSubmittedWorkDone: async () => {} },
    pushErrorScope: () => {},
    popErrorScope: async () => null,
    createBuffer: buffer,
    createShaderModule: ({ label, code }: { label: string; code: string }) => take({ label, code }),
    createComputePipelineAsync: async () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => ({
      beginComputePass: () => pass,
      copyBufferToBuffer: () => {},
      clearBuffer: () => {},
      finish: () => ({}),
    }),
  };
  return {
    device: device as unknown as GPUDevice,
    adapterName: 'none',
    isSoftware,
    hasTimestamps: false,
    isOwned: true,
    lossReason: () => undefined,
  };
}
