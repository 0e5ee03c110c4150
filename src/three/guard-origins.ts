import type { Loader } from 'three';
import type { GLTFParser } from 'three/addons/loaders/GLTFLoader.js';
import { isForeignOrigin } from '../plugin/foreign-origin.ts';

/** What of a parser three's types leave out. */
interface ParserLoaders {
  readonly fileLoader: Loader;
  readonly textureLoader: Loader;
  readonly options: { readonly path: string };
}

/**
 * Has a parser ask other origins than its file's without the loader's headers and credentials: three sends them to
 * whatever address the buffers and images of a file name.
 */
export function guardOrigins(parser: GLTFParser): void {
  const { fileLoader, textureLoader, options } = parser as unknown as ParserLoaders;
  for (const loader of [fileLoader, textureLoader]) if (loader) guard(loader, options?.path ?? '');
}

function guard(loader: Loader, fileUrl: string): void {
  const { load } = loader;
  const bare: Loader = Object.create(loader, {
    requestHeader: { value: {} },
    withCredentials: { value: false },
    crossOrigin: { value: 'anonymous' },
  });
  loader.load = (url, ...listeners) => {
    load.call(isForeignOrigin(url, fileUrl) ? bare : loader, url, ...listeners);
  };
}
