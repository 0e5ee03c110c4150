/** `nsdf-loader/babylon/register`: importing it registers the loader of `.nsdf` files and the glTF extension. */
import { registerNSDFGLTFExtension } from './register-gltf-extension.ts';
import { registerNSDFLoader } from './register-nsdf-loader.ts';

registerNSDFLoader();
registerNSDFGLTFExtension();

export { registerNSDFGLTFExtension, registerNSDFLoader };
