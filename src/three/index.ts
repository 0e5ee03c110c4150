/** The plugin for three.js: `nsdf-loader/three`. */

export type { FieldSamples, SampleTarget } from '../plugin/field-sampler.ts';
export type { NSDFPreviewNote } from '../plugin/file-preview.ts';
export type { DeriveSettings, FieldSettings, LodSettings, NSDFProgress } from '../plugin/settings.ts';
export type { NSDFSupport } from '../plugin/support.ts';
export { type FollowedView, type FollowViewOptions, followView } from './follow-view.ts';
export { GLTFNSDFExtension, type GLTFNSDFOptions, type NSDFFallbackNote } from './gltf-nsdf-extension.ts';
export type { LevelGeometry, NSDFObjectEventMap } from './levels.ts';
export { NSDFGroup } from './nsdf-group.ts';
export { detectSupport, NSDFLoader, type NSDFLoadOptions } from './nsdf-loader.ts';
export { type LevelsOptions, NSDFObject } from './nsdf-object.ts';
export { objectFromAsset } from './object-from-asset.ts';
export type { NSDFMesh } from './shown-mesh.ts';
