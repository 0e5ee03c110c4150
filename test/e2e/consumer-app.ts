import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'puppeteer';
import { type InlineConfig, preview } from 'vite';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const POLICY = "default-src 'self'; img-src data:";

/** An application that installed the packed package, as npm would have it; the bunny is its only asset. */
export class ConsumerApp {
  readonly folder: string;
  readonly config: InlineConfig;

  /**
   * @param source a folder beside this file, which the application is made of
   * @param name of the application in test-output
   */
  constructor(source: string, name = source) {
    if (!existsSync(join(ROOT, 'dist/index.js')))
      throw new Error('there is no dist: run `npm run build` first');
    this.folder = join(ROOT, 'test-output', name);
    this.config = { root: this.folder, configFile: false, logLevel: 'warn' };
    const installed = join(this.folder, 'node_modules', 'nsdf-loader');
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(join(ROOT, 'test/e2e', source), this.folder, { recursive: true });
    mkdirSync(installed, { recursive: true });
    mkdirSync(join(this.folder, 'public'));
    copyFileSync(join(ROOT, 'test/fixtures/bunny-S.nsdf'), join(this.folder, 'public/bunny.nsdf'));
    const packed = execFileSync(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', this.folder],
      {
        cwd: ROOT,
      },
    );
    const [{ filename }] = JSON.parse(packed.toString());
    execFileSync('tar', ['xzf', join(this.folder, filename), '-C', installed, '--strip-components=1']);
  }

  /** Serves the built application under a content security policy while `use` runs. */
  async withPolicy(policy: string, use: (url: string) => Promise<void>): Promise<void> {
    const headers = { 'Content-Security-Policy': policy };
    const server = await preview({ ...this.config, preview: { port: 0, headers } });
    try {
      await use(server.resolvedUrls?.local[0] as string);
    } finally {
      await server.close();
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a page did: the result of the call, and the scripts that it fetched before and for it. */
export interface PageRun<T> {
  readonly result: T;
  readonly scriptsBefore: readonly string[];
  readonly scriptsAfter: readonly string[];
}

/** Opens the page and calls the application. */
export async function inPage<T>(browser: Browser, url: string, call: string): Promise<PageRun<T>> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0); // a test's own is the only limit
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  try {
    await page.goto(url);
    await page.waitForFunction('globalThis.app');
    const scriptsBefore = [...scripts];
    const result = (await page.evaluate(call)) as T;
    return { result, scriptsBefore, scriptsAfter: scripts.slice(scriptsBefore.length) };
  } finally {
    await page.close();
  }
}
