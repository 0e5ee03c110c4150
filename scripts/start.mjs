// `npm start`: builds the viewer and the training page, serves both and prints their addresses. PORT chooses the port.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const configFile = join(ROOT, 'examples', 'vite.config.ts');
const port = Number(process.env.PORT ?? 4173);

// three.js and Babylon.js alone are larger than vite's warning limit.
for (const page of [configFile, join(ROOT, 'examples', 'train', 'vite.config.ts')]) {
  await build({ configFile: page, logLevel: 'warn', build: { chunkSizeWarningLimit: 4000 } });
}
const server = await preview({ configFile, preview: { port, strictPort: process.env.PORT !== undefined } });
const address = server.resolvedUrls?.local[0];
console.log(`Viewer: ${address}`);
console.log(`in Babylon.js: ${address}?engine=babylon`);
console.log(`training page: ${address}train/`);
console.log('Ctrl+C stops it.');
