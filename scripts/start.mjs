// `npm start`: builds the viewer and serves it, then prints its address. PORT chooses the port.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const configFile = join(ROOT, 'examples', 'vite.config.ts');
const port = Number(process.env.PORT ?? 4173);

// three.js alone is larger than vite's warning limit.
await build({ configFile, logLevel: 'warn', build: { chunkSizeWarningLimit: 2000 } });
const server = await preview({ configFile, preview: { port, strictPort: process.env.PORT !== undefined } });
console.log(`Viewer: ${server.resolvedUrls?.local[0]}`);
console.log('Ctrl+C stops it.');
