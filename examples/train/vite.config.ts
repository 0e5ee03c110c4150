import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { stampAlgorithm } from '../../scripts/algorithm-version.ts';
import { textModules } from '../../scripts/text-modules.ts';
import { exampleAssets } from '../example-assets.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Nothing from elsewhere, nothing inline; WebAssembly, which a training without workers would do without. `blob:` and `data:` are what three's glTF loader reads buffers from. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' blob: data:";

/** Writes the policy into built pages; vite's own server needs inline styles. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

export default defineConfig({
  root: here,
  // The page lies in a folder of the viewer's.
  base: './',
  appType: 'mpa',
  plugins: [textModules(), stampAlgorithm(), exampleAssets(), contentSecurityPolicy()],
  server: { fs: { allow: [resolve(here, '../..')] } },
  build: { outDir: join(here, '../dist/train'), emptyOutDir: true, target: 'es2022' },
  worker: { format: 'es' },
});
