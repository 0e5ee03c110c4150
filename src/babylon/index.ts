/** The plugin for Babylon.js: `nsdf-loader/babylon`. Importing it registers nothing. */
export type { DeriveSettings, NSDFProgress } from '../plugin/derive-settings.ts';
export type { FieldSamples, SampleTarget } from '../plugin/field-sampler.ts';
export type { NSDFPreviewNote } from '../plugin/file-preview.ts';
export type { NSDFSupport } from '../plugin/support.ts';
export { detectSupport } from './detect-support.ts';
export type { NSDFFallbackNote } from './gltf-nsdf-extension.ts';
export type { NSDFLevelEvent, NSDFLodOptions } from './lod-options.ts';
export { NSDFFileLoaderMetadata } from './metadata.ts';
export { NSDFObject, nsdfOf } from './nsdf-object.ts';
export type { GLTFNSDFOptions, NSDFPluginOptions } from './options.ts';
export { registerNSDFGLTFExtension } from './register-gltf-extension.ts';
export { registerNSDFLoader } from './register-nsdf-loader.ts';
