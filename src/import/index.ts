export { deriveLevelShapes, type GridLevelShape, type TinyCudaNnGrid } from './grid-levels.ts';
export { type ImportOptions, importSafetensors } from './import-safetensors.ts';
export { parseSafetensors, type SafeTensor, type SafeTensors, tensorValues } from './safetensors.ts';
