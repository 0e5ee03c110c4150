import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'puppeteer';
import { build, createServer, type InlineConfig, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const APP = join(ROOT, 'test-output', 'consumer');
const config: InlineConfig = { root: APP, configFile: false, logLevel: 'warn' };
const POLICY = "default-src 'self'; img-src data:";

let browser: Browser;

/** Installs the packed package in an application of its own, as npm would. */
function installConsumer(): void {
  if (!existsSync(join(ROOT, 'dist/index.js')))
    throw new Error('there is no dist: run `npm run build` first');
  const installed = join(APP, 'node_modules', 'nsdf-loader');
  rmSync(APP, { recursive: true, force: true });
  cpSync(join(ROOT, 'test/e2e/consumer'), APP, { recursive: true });
  mkdirSync(installed, { recursive: true });
  mkdirSync(join(APP, 'public'));
  copyFileSync(join(ROOT, 'examples/assets/bunny.nsdf'), join(APP, 'public/bunny.nsdf'));
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', APP], { cwd: ROOT });
  const [{ filename }] = JSON.parse(packed.toString());
  execFileSync('tar', ['xzf', join(APP, filename), '-C', installed, '--strip-components=1']);
}

interface Derived {
  readonly backend: string;
  readonly reason: string;
  readonly nVertices: number;
  readonly isClosed: boolean;
  readonly error?: string;
}

/** Opens the page and calls the application. */
async function inPage<T>(url: string, call: string): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    await page.waitForFunction('globalThis.app');
    return (await page.evaluate(call)) as T;
  } finally {
    await page.close();
  }
}

/** Serves the built application under a content security policy while `use` runs. */
async function withPolicy(policy: string, use: (url: string) => Promise<void>): Promise<void> {
  const headers = { 'Content-Security-Policy': policy };
  const server = await preview({ ...config, preview: { port: 0, headers } });
  try {
    await use(server.resolvedUrls?.local[0] as string);
  } finally {
    await server.close();
  }
}

beforeAll(async () => {
  installConsumer();
  await build(config);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(APP, { recursive: true, force: true });
});

describe('an application that installed the package', () => {
  test('derives in the worker under a strict policy, the same in place and through three', async () => {
    await withPolicy(POLICY, async (url) => {
      const there = await inPage<Derived>(url, 'app.derive({})');
      expect(there).toMatchObject({ backend: 'worker', isClosed: true });
      const here = await inPage<Derived>(url, 'app.derive({ backend: "cpu" })');
      expect(here).toMatchObject({ backend: 'cpu', isClosed: true, nVertices: there.nVertices });
      expect(await inPage<number>(url, 'app.load()')).toBe(there.nVertices);
    });
  });

  test('falls back where the policy allows no worker, and says so', async () => {
    await withPolicy(`${POLICY}; worker-src 'none'`, async (url) => {
      const derived = await inPage<Derived>(url, 'app.derive({})');
      expect(derived).toMatchObject({ backend: 'cpu', isClosed: true });
      expect(derived.reason).toMatch(/^fallback to cpu \(worker: /);
    });
  });

  test("needs 'wasm-unsafe-eval' for a vertex budget only", async () => {
    await withPolicy(`${POLICY}; script-src 'self' 'wasm-unsafe-eval'`, async (url) => {
      const derived = await inPage<Derived>(url, 'app.derive({ maxVertices: 1000 })');
      expect(derived).toMatchObject({ backend: 'worker', isClosed: true });
      expect(derived.nVertices).toBeLessThanOrEqual(1000);
    });
    await withPolicy(POLICY, async (url) => {
      const refused = await inPage<Derived>(url, 'app.derive({ maxVertices: 1000 })');
      expect(refused.error).toContain('WebAssembly');
    });
  });

  test('finds the worker in the development server too', async () => {
    const server = await createServer({ ...config, server: { port: 0 } });
    await server.listen();
    try {
      const url = server.resolvedUrls?.local[0] as string;
      expect(await inPage<Derived>(url, 'app.derive({})')).toMatchObject({
        backend: 'worker',
        isClosed: true,
      });
    } finally {
      await server.close();
    }
  });
});
