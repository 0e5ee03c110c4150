/**
 * `nsdf-loader/babylon/pure`: the loader and the glTF extension as classes, for applications that register them
 * themselves. Importing it registers neither.
 */
export { GLTFNSDFExtension } from './gltf-nsdf-extension.ts';
export { NSDFFileLoader } from './nsdf-file-loader.ts';
