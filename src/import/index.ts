export type { ImportOptions } from './import-safetensors.ts';
export { importSafetensors } from './import-safetensors.ts';
export type { SafeTensor, SafeTensors } from './safetensors.ts';
export { parseSafetensors, tensorValues } from './safetensors.ts';
export type { GridLevelShape, TinyCudaNnGrid } from './tiny-cuda-nn.ts';
export { deriveLevelShapes } from './tiny-cuda-nn.ts';
