/**
 * nsdf-loader: neural signed distance fields as 3D assets. This entry holds no engine; `nsdf-loader/three` and
 * `nsdf-loader/babylon` are the plugins for three.js and Babylon.js.
 */
export { PartitionCache } from './cache/partition-cache.ts';
export type { CacheOptions, CacheStatistics } from './cache/record-cache.ts';
export type { CacheStore, StoreUsage } from './cache/store.ts';
export * from './errors.ts';
export { type CpuAttribute, createAttribute } from './field/attribute-field.ts';
export { type CpuField, createCpuField } from './field/cpu-field.ts';
export * from './format/index.ts';
export type {
  Backend,
  DeriveOptions,
  DeriveProgress,
  DeriveStage,
  WorkerLimit,
} from './options.ts';
export { configureWorkers, disposeWorkers, type WorkerConfig } from './pipeline/backend-worker.ts';
export { defaultCache, setDefaultCache } from './pipeline/default-cache.ts';
export { deriveGpuMesh, deriveMesh, disposeGpu, prepareGpu } from './pipeline/derive.ts';
export type { CacheUse, DeriveResult, DeriveStats, DeriveStops } from './pipeline/figures.ts';
export type { GpuMesh, GpuMeshBuffers, GpuMeshOptions } from './pipeline/gpu-mesh.ts';
export {
  type LoadFieldsOptions,
  loadMeshFields,
  loadNeuralField,
  loadNsdfPrefix,
} from './pipeline/load-fields.ts';
export {
  type FieldQuality,
  flatnessError,
  measureQuality,
  QUALITY_DEFAULTS,
  type QualityOptions,
} from './pipeline/measure-quality.ts';
export type { WorkerLike } from './pipeline/worker-host.ts';
export * from './surface/check.ts';
export type { ToleranceBlocks } from './surface/detail-map.ts';
export type { EmptyReason } from './surface/explain-empty.ts';
export type { SurfaceMesh } from './surface/mesh.ts';
export type { RegionStructure } from './surface/structure.ts';
