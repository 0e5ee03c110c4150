import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { stampAlgorithm } from '../scripts/algorithm-version.ts';
import { textModules } from '../scripts/text-modules.ts';
import { exampleAssets } from './example-assets.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: join(here, 'viewer'),
  // A file that is not there is a 404, and not the page again.
  appType: 'mpa',
  plugins: [textModules(), stampAlgorithm(), exampleAssets()],
  // Found while the page runs, they would make vite reload it.
  optimizeDeps: {
    include: [
      'three',
      'three/addons/exporters/GLTFExporter.js',
      'three/addons/exporters/USDZExporter.js',
      'three/webgpu',
    ],
  },
  server: { fs: { allow: [resolve(here, '..')] } },
  build: { outDir: join(here, 'dist'), emptyOutDir: true, target: 'es2022' },
  worker: { format: 'es' },
});
