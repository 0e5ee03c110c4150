import { RegisterSceneLoaderPlugin } from '@babylonjs/core/Loading/sceneLoader.js';
import { NSDFFileLoaderMetadata } from './metadata.ts';
import type {} from './options.ts';

/**
 * Tells Babylon's scene loader about `.nsdf` files. The loader itself is fetched with the first of them.
 * @example
 * registerNSDFLoader();
 * await ImportMeshAsync('bunny.nsdf', scene, { pluginOptions: { nsdf: { tolerance: 1e-3 } } });
 */
export function registerNSDFLoader(): void {
  RegisterSceneLoaderPlugin({
    ...NSDFFileLoaderMetadata,
    createPlugin: async (options) => {
      const { NSDFFileLoader } = await import('./nsdf-file-loader.ts');
      return new NSDFFileLoader(options[NSDFFileLoaderMetadata.name]);
    },
  });
}
