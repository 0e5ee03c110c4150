/**
 * nsdf-loader: neural signed distance fields as 3D assets. This entry holds no engine; `nsdf-loader/three` is the
 * plugin for three.js.
 */
export * from './errors.ts';
export type { CpuField } from './field/cpu-field.ts';
export { createCpuField } from './field/cpu-field.ts';
export type * from './format/asset.ts';
export { type DecodedField, decodeNeuralField, neuralFieldBufferViews } from './format/decode-field.ts';
export * from './format/extension.ts';
export { contentHash } from './format/hash.ts';
export type { NsdfIssue, NsdfIssueCode, NsdfPlace, NsdfSeverity } from './format/issues.ts';
export { readField, readNsdf } from './format/read.ts';
export * from './format/scene.ts';
export { validateNsdf, verifyNsdf } from './format/validate.ts';
export type { WorkerConfig } from './pipeline/backend-worker.ts';
export { configureWorkers, deriveMesh, disposeWorkers } from './pipeline/derive.ts';
export type * from './pipeline/options.ts';
export * from './surface/check.ts';
export type { SurfaceMesh } from './surface/mesh.ts';
