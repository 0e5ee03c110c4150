import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const assets = fileURLToPath(new URL('./assets', import.meta.url));

/** Serves examples/assets at /assets/ and copies the fields there into a build. */
export function exampleAssets(): Plugin {
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
