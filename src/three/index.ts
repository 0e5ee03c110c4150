/** The plugin for three.js: `nsdf-loader/three`. */
export type { DeriveSettings, NSDFProgress } from '../plugin/derive-settings.ts';
export type { FieldSamples, SampleTarget } from '../plugin/field-sampler.ts';
export type { NSDFPreviewNote } from '../plugin/file-preview.ts';
export type { FieldSettings, LodSettings } from '../plugin/lod-settings.ts';
export type { NSDFSupport } from '../plugin/support.ts';
export type { LevelGeometry } from './create-levels.ts';
export { detectSupport } from './detect-support.ts';
export { type FollowedView, type FollowViewOptions, followView } from './follow-view.ts';
export { GLTFNSDFExtension, type GLTFNSDFOptions, type NSDFFallbackNote } from './gltf-nsdf-extension.ts';
export { NSDFGroup } from './nsdf-group.ts';
export type { NSDFObjectEventMap } from './nsdf-levels.ts';
export { NSDFLoader, type NSDFLoadOptions } from './nsdf-loader.ts';
export { type LevelsOptions, NSDFObject } from './nsdf-object.ts';
export { objectFromAsset } from './object-from-asset.ts';
export type { NSDFMesh } from './shown-mesh.ts';
