export type { Triangles } from '../surface/triangle-tree.ts';
export type { SignedDistance } from './function-source.ts';
export type { LossWeights } from './gradient.ts';
export { TRAIN_PRESETS, type TrainOptions, type TrainProgress } from './options.ts';
export { type PackedField, type PackFieldOptions, packField } from './pack-field.ts';
export type { TrainingState } from './replica.ts';
export { type TrainResult, type TrainStats, trainField } from './train-field.ts';
export type { FieldShape } from './trainable-field.ts';
export type { TrainingMesh } from './training-mesh.ts';
