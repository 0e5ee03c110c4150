import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { textModules } from '../scripts/text-modules.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const assets = join(here, 'assets');

/** Serves examples/assets at /assets/ and copies the fields there into a build. */
function exampleAssets(): Plugin {
  return {
    name: 'example-assets',
    configureServer(server) {
      server.middlewares.use('/assets/', (request, response, next) => {
        const name = basename(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
        const size = statSync(join(assets, name), { throwIfNoEntry: false })?.size;
        if (!name.endsWith('.nsdf') || size === undefined) return next();
        sendFile(response, join(assets, name), size);
      });
    },
    generateBundle() {
      for (const name of readdirSync(assets).filter((entry) => entry.endsWith('.nsdf'))) {
        this.emitFile({
          type: 'asset',
          fileName: `assets/${name}`,
          source: readFileSync(join(assets, name)),
        });
      }
    },
  };
}

function sendFile(response: ServerResponse, path: string, size: number): void {
  response.setHeader('Content-Type', 'model/gltf-binary');
  response.setHeader('Content-Length', size);
  createReadStream(path).pipe(response);
}

export default defineConfig({
  root: join(here, 'viewer'),
  // A file that is not there is a 404, and not the page again.
  appType: 'mpa',
  plugins: [textModules(), exampleAssets()],
  // Found while the page runs, they would make vite reload it.
  optimizeDeps: {
    include: [
      'meshoptimizer/simplifier',
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
