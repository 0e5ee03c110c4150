import { createGpuContext } from '../../src/gpu/context.ts';

/**
 * The device of all tests of the project `gpu`, which share one page: kernels are compiled once for each shape of field, not
 * once a file. It ends with the page; tests that lose or dispose devices make their own.
 */
export const sharedGpu = await createGpuContext();
