import type { GpuContext } from '../../gpu/context.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import type { Kernel } from '../../gpu/kernel.ts';
import { defineStruct } from '../../gpu/struct.ts';
import { BETA1, BETA2, EPSILON } from '../adam.ts';
import { CURVATURE_REACH, DISTANCE_SCALE, FAR, FAR_SHARE, NORMAL_REACH, SAMPLE_STRIDE } from '../gradient.ts';
import adamWgsl from './adam.wgsl';
import stepNetworkWgsl from './step-network.wgsl';
import stepTableWgsl from './step-table.wgsl';
import sumProductsWgsl from './sum-products.wgsl';
import trainSamplesWgsl from './train-samples.wgsl';
import {
  CHUNK_SAMPLES,
  LAYER,
  LEVEL,
  MAX_SHARE,
  N_ERRORS,
  shapeWgsl,
  type TrainShape,
} from './train-shape.ts';

/** What changes from step to step, and what all steps of a training have in common. */
export const BATCH = defineStruct('TrainBatch', {
  nSamples: 'u32',
  /** No other step's, and not 0: entries that bear it were met in this one. */
  stamp: 'u32',
  normal: 'f32',
  eikonal: 'f32',
  curvature: 'f32',
  highUnit: 'f32',
  lowUnit: 'f32',
  perHighUnit: 'f32',
  perLowUnit: 'f32',
  tableRate: 'f32',
  mlpRate: 'f32',
  correct2: 'f32',
});

/** The kernels of a step, in the order in which they run. */
export type TrainKernels = Readonly<
  Record<'trainSamples' | 'sumProducts' | 'stepTable' | 'stepNetwork', Kernel>
>;

/** The recipe's constants, as TypeScript has them. */
const CONSTANTS_WGSL = `
const SAMPLE_STRIDE = ${SAMPLE_STRIDE}u;
const CHUNK_SAMPLES = ${CHUNK_SAMPLES}u;
const N_ERRORS = ${N_ERRORS}u;
const NORMAL_REACH = f32(${NORMAL_REACH});
const CURVATURE_REACH = f32(${CURVATURE_REACH});
const DISTANCE_SCALE = f32(${DISTANCE_SCALE});
const FAR = f32(${FAR});
const FAR_SHARE = f32(${FAR_SHARE});
const MAX_SHARE = f32(${MAX_SHARE});
const BETA1 = f32(${BETA1});
const BETA2 = f32(${BETA2});
const EPSILON = f32(${EPSILON});
`;

/**
 * Compiles the kernels of trainings of a shape, or finds them compiled.
 * @throws {NsdfGpuError} if the GPU refuses them
 */
export function createTrainKernels(context: GpuContext, shape: TrainShape): Promise<TrainKernels> {
  const common = BATCH.wgsl + LEVEL.wgsl + LAYER.wgsl + CONSTANTS_WGSL + shapeWgsl(shape);
  return compileKernels(context, 'train', {
    trainSamples: [common + trainSamplesWgsl, 'trainSample', 'batch.nSamples'],
    sumProducts: [common + sumProductsWgsl, 'sumProducts', 'arrayLength(&partials)'],
    stepTable: [common + adamWgsl + stepTableWgsl, 'stepTable', 'nTouched[0]'],
    stepNetwork: [common + adamWgsl + stepNetworkWgsl, 'stepNetwork', 'arrayLength(&mlpMoments) + N_ERRORS'],
  });
}
