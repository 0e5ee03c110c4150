import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import nodeResolve from '@rollup/plugin-node-resolve';
import { build as esbuild } from 'esbuild';
import type { Browser } from 'puppeteer';
import { rollup } from 'rollup';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { serve } from '../three/serve.ts';
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

/** Bundlers that are no dependencies of ours are installed, and tried, where that is asked for: `npm run test:bundlers`. */
const isThorough = process.env.NSDF_BUNDLERS !== undefined;
const MODULES = resolve(dirname(fileURLToPath(import.meta.url)), '../../node_modules');

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

async function expectWorkerAt(url: string): Promise<void> {
  const { result } = await inPage<{ backend: string; reason: string }>(browser, url, 'app.derive({})');
  expect(result).toMatchObject({ backend: 'worker', isClosed: true });
}

const expectWorker = (): Promise<void> => app.withPolicy(POLICY, expectWorkerAt);

const MEDIA_TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** Serves an application as it lies there, with what it installed, under a policy that allows the import map in its page. */
async function withoutBundler(importMap: string, use: (url: string) => Promise<void>): Promise<void> {
  const hash = createHash('sha256').update(importMap).digest('base64');
  const policy = `${POLICY}; script-src 'self' 'sha256-${hash}'`;
  const page = readFileSync(join(app.folder, 'index.html'), 'utf8').replace(
    '<script',
    () => `<script type="importmap">${importMap}</script>\n  <script`,
  );
  const server = await serve(({ url = '/' }, response) => {
    const path = new URL(url, 'http://localhost').pathname;
    const found = [app.folder, join(app.folder, 'public'), dirname(MODULES)]
      .map((folder) => join(folder, path))
      .find((file) => path !== '/' && existsSync(file));
    if (path !== '/' && found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = MEDIA_TYPES[extname(found ?? 'index.html')] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy });
    response.end(found === undefined ? page : readFileSync(found));
  });
  try {
    await use(server.url);
  } finally {
    await server.close();
  }
}

/** Installs a bundler beside the application, which is then a project of its own with `package.json` as given, and a lock file. */
function install(packageJson: object, ...names: string[]): void {
  writeFileSync(join(app.folder, 'package.json'), JSON.stringify({ private: true, ...packageJson }));
  const args = ['install', '--no-audit', '--no-fund'];
  // What is there already is the package as npm packed it; npm would take it away.
  const own = join(app.folder, 'node_modules/nsdf-loader');
  const aside = join(app.folder, 'installed');
  execFileSync('mv', [own, aside]);
  try {
    execFileSync('npm', [...args, `three@${THREE}`, ...names], { cwd: app.folder, stdio: 'pipe' });
  } finally {
    mkdirSync(dirname(own), { recursive: true });
    rmSync(own, { recursive: true, force: true });
    execFileSync('mv', [aside, own]);
  }
}

const THREE: string = JSON.parse(readFileSync(join(MODULES, 'three/package.json'), 'utf8')).version;

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

  test('without a bundler, by an import map', async () => {
    const guide = readFileSync(join(dirname(MODULES), 'docs/guides/bundlers.md'), 'utf8');
    const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(guide)?.[1];
    await withoutBundler(importMap as string, expectWorkerAt);
  });

  test.runIf(isThorough)(
    'with webpack',
    async () => {
      install({}, 'webpack@5', 'webpack-cli@6');
      // As an application has it: one entry, the worker is followed.
      const config = `module.exports = { mode: 'production', entry: './main.js', output: { filename: 'start.js' } };`;
      writeFileSync(join(app.folder, 'webpack.config.cjs'), config);
      rmSync(join(app.folder, 'dist'), { recursive: true, force: true });
      execFileSync('npx', ['webpack', '--config', 'webpack.config.cjs'], { cwd: app.folder, stdio: 'pipe' });
      finish(join(app.folder, 'dist'));
      await expectWorker();
    },
    600_000,
  );

  test.runIf(isThorough)(
    'with Parcel',
    async () => {
      install({ '@parcel/resolver-default': { packageExports: true } }, 'parcel@2');
      rmSync(join(app.folder, 'dist'), { recursive: true, force: true });
      const page = readFileSync(join(app.folder, 'index.html'), 'utf8');
      writeFileSync(join(app.folder, 'page.html'), page.replace('/main.js', './main.js'));
      const args = ['parcel', 'build', 'page.html', '--no-cache', '--no-source-maps'];
      execFileSync('npx', args, { cwd: app.folder, stdio: 'pipe' });
      copyFileSync(join(app.folder, 'dist/page.html'), join(app.folder, 'dist/index.html'));
      copyFileSync(join(app.folder, 'public/bunny.nsdf'), join(app.folder, 'dist/bunny.nsdf'));
      // Parcel writes an import map into the page.
      await app.withPolicy(`${POLICY}; script-src 'self' 'unsafe-inline'`, expectWorkerAt);
    },
    600_000,
  );
});
