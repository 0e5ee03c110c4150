// `npm start`: builds the viewer and serves it, then prints its address. PORT chooses the port.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const configFile = join(ROOT, 'examples', 'vite.config.ts');
const port = Number(process.env.PORT ?? 4173);

await build({ configFile, logLevel: 'warn' });
const server = await preview({ configFile, preview: { port, strictPort: process.env.PORT !== undefined } });
console.log(`Viewer: ${server.resolvedUrls?.local[0]}`);
console.log('Ctrl+C stops it.');
