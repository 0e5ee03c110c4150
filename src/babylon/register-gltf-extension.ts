import {
  registerGLTFExtension,
  unregisterGLTFExtension,
} from '@babylonjs/loaders/glTF/2.0/glTFLoaderExtensionRegistry.js';
import type {} from './options.ts';

/**
 * The extension's name, as in the core. Written out: registering must not load the core, and a test holds both
 * together.
 */
export const GLTF_EXTENSION_NAME = 'NSDF_neural_field';

/**
 * Teaches Babylon's glTF loader the `NSDF_neural_field` extension: meshes that carry a field get the derived surface.
 * The extension itself is fetched with the first file that uses it.
 * @example
 * registerNSDFGLTFExtension();
 * await AppendSceneAsync('gallery.glb', scene);
 */
export function registerNSDFGLTFExtension(): void {
  unregisterGLTFExtension(GLTF_EXTENSION_NAME);
  registerGLTFExtension(GLTF_EXTENSION_NAME, true, async (loader) => {
    const { GLTFNSDFExtension } = await import('./gltf-nsdf-extension.ts');
    return new GLTFNSDFExtension(loader);
  });
}
