import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nodeResolve from '@rollup/plugin-node-resolve';
import { build as esbuild } from 'esbuild';
import type { Browser } from 'puppeteer';
import { rollup } from 'rollup';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { ConsumerApp, inPage, POLICY } from './consumer-app.ts';

// The recipes of docs/guides/bundlers.md: an application and the package's worker are two entries, and the application
// says where the worker is.
const START = `
import { configureWorkers } from 'nsdf-loader';
import './main.js';
configureWorkers({
  createWorker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
});
`;

let browser: Browser;
let app: ConsumerApp;

beforeAll(async () => {
  app = new ConsumerApp('consumer', 'consumer-bundlers');
  writeFileSync(join(app.folder, 'start.js'), START);
  // Without one of its own it would be a part of this package, whose modules have no side effects.
  writeFileSync(join(app.folder, 'package.json'), '{ "private": true, "type": "module" }');
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  app?.remove();
});

/** Bundlers that leave index.html alone: it is put beside their output, and so is what it loads. */
function finish(outDir: string): void {
  const html = readFileSync(join(app.folder, 'index.html'), 'utf8').replace(
    /src="[^"]*"/,
    'src="./start.js"',
  );
  writeFileSync(join(outDir, 'index.html'), html);
  copyFileSync(join(app.folder, 'public/bunny.nsdf'), join(outDir, 'bunny.nsdf'));
}

async function expectWorker(): Promise<void> {
  await app.withPolicy(POLICY, async (url) => {
    const { result } = await inPage<{ backend: string; reason: string }>(browser, url, 'app.derive({})');
    expect(result).toMatchObject({ backend: 'worker', isClosed: true });
  });
}

describe('the worker is found', () => {
  const entries = () => ({
    start: join(app.folder, 'start.js'),
    worker: join(app.folder, 'node_modules/nsdf-loader/dist/worker.js'),
  });

  test('with esbuild', async () => {
    const outdir = join(app.folder, 'dist');
    await esbuild({
      entryPoints: entries(),
      bundle: true,
      format: 'esm',
      splitting: true,
      outdir,
      logLevel: 'error',
    });
    finish(outdir);
    await expectWorker();
  });

  test('with Rollup', async () => {
    const dir = join(app.folder, 'dist');
    const bundle = await rollup({ input: entries(), plugins: [nodeResolve()], onwarn: () => {} });
    await bundle.write({ dir, format: 'es', entryFileNames: '[name].js' });
    await bundle.close();
    finish(dir);
    await expectWorker();
  });
});
