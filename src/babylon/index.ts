/** The plugin for Babylon.js: `nsdf-loader/babylon`. Importing it registers nothing. */

export type { FieldSamples, SampleTarget } from '../plugin/field-sampler.ts';
export type { NSDFPreviewNote } from '../plugin/file-preview.ts';
export type { DeriveSettings, NSDFProgress } from '../plugin/settings.ts';
export type { NSDFSupport } from '../plugin/support.ts';
export type { NSDFFallbackNote } from './gltf-nsdf-extension.ts';
export { NSDFFileLoaderMetadata } from './metadata.ts';
export { NSDFObject, nsdfOf } from './nsdf-object.ts';
export type { GLTFNSDFOptions, NSDFLevelEvent, NSDFLodOptions, NSDFPluginOptions } from './options.ts';
export { registerNSDFGLTFExtension } from './register-gltf-extension.ts';
export { registerNSDFLoader } from './register-nsdf-loader.ts';
export { detectSupport } from './scene.ts';
