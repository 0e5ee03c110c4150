import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'puppeteer';
import { build, type InlineConfig, preview } from 'vite';
import { exampleAssets } from '../../examples/example-assets.ts';
import { stampAlgorithm } from '../../scripts/algorithm-version.ts';
import { textModules } from '../../scripts/text-modules.ts';
import { launchBrowser } from '../browser/launch.ts';
import type { App } from './cache-page/main.ts';

declare global {
  var app: App;
}

const here = dirname(fileURLToPath(import.meta.url));

/** The page, built and served as an application would be. */
export async function serveCachePage(name: string): Promise<{ url: string; close: () => Promise<void> }> {
  const outDir = resolve(here, '../../test-output', name);
  const config: InlineConfig = {
    root: join(here, 'cache-page'),
    configFile: false,
    logLevel: 'error',
    plugins: [textModules(), stampAlgorithm(), exampleAssets()],
    build: { outDir, emptyOutDir: true, target: 'es2022' },
    worker: { format: 'es' },
  };
  await build(config);
  const server = await preview({ ...config, preview: { port: 0 } });
  return {
    url: server.resolvedUrls?.local[0] as string,
    close: async () => {
      await server.close();
      rmSync(outDir, { recursive: true, force: true });
    },
  };
}

/** A browser profile on disk: browsers are launched with it one after the other. */
export class Profile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nsdf-profile-'));
  #browser: Browser | undefined;

  /** Closes the browser that runs, if one does, and launches another one. */
  async relaunch(): Promise<Browser> {
    await this.#browser?.close();
    this.#browser = await launchBrowser({ userDataDir: this.#folder, hasWebgpu: false });
    return this.#browser;
  }

  async dispose(): Promise<void> {
    await this.#browser?.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Opens the page in a new tab. */
export async function openCachePage(browser: Browser | BrowserContext, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction('globalThis.app');
  return page;
}
