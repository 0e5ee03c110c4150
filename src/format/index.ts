export type * from './asset.ts';
export type { BytesSource } from './bytes.ts';
export type { FieldPlace, GetBufferView } from './decode-neural-field.ts';
export { decodeFieldHints, decodeNeuralField, neuralFieldBufferViews } from './decode-neural-field.ts';
export type { EncodingJson, GridLevelJson, MlpLayerJson, NeuralFieldJson, WeightType } from './extension.ts';
export { EXTENSION_NAME, EXTENSION_VERSION } from './extension.ts';
export { glbByteLength } from './glb.ts';
export { inlineBuffers, isBesideFile, listExternalBuffers } from './gltf-buffers.ts';
export { contentHash } from './hash.ts';
export type { NsdfIssue, NsdfIssueCode, NsdfSeverity } from './issues.ts';
export { originOf } from './local-origin.ts';
export { type PackedWeights, packWeights } from './packed-weights.ts';
export type { MeshFields, NsdfPrefix } from './read.ts';
export { readField, readMeshFields, readNsdf, readNsdfPrefix, validateNsdf, verifyNsdf } from './read.ts';
export type {
  FallbackMesh,
  NsdfField,
  NsdfFieldInstance,
  NsdfMaterial,
  NsdfMesh,
  NsdfNode,
  NsdfScene,
} from './scene.ts';
export { DEFAULT_MATERIAL, IDENTITY_NODE, listFields } from './scene.ts';
export { TableStore } from './table-store.ts';
export { sceneOf, type WriteOptions, writeNsdf, writeNsdfHashed } from './write.ts';
