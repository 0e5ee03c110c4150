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

/** A site that was built into a folder and is served from there. */
export interface BuiltSite {
  readonly url: string;
  readonly folder: string;
  /** Ends it, and removes the folder. */
  readonly close: () => Promise<void>;
}

/** Builds the viewer and serves it, as `npm start` does. */
export function serveViewer(): Promise<BuiltSite> {
  const configFile = resolve(here, '../../examples/vite.config.ts');
  const outDir = resolve(here, '../../test-output/viewer-site');
  return serveBuilt({ configFile, logLevel: 'error', build: { outDir } }, outDir);
}

/** One of the pages beside this file, built and served as an application would be. */
export function servePage(folder: string, name = folder): Promise<BuiltSite> {
  const outDir = resolve(here, '../../test-output', name);
  const config: InlineConfig = {
    root: join(here, folder),
    configFile: false,
    logLevel: 'error',
    plugins: [textModules(), stampAlgorithm(), exampleAssets()],
    build: { outDir, emptyOutDir: true, target: 'es2022' },
    worker: { format: 'es' },
  };
  return serveBuilt(config, outDir);
}

async function serveBuilt(config: InlineConfig, folder: string): Promise<BuiltSite> {
  await build(config);
  const server = await preview({ ...config, preview: { port: 0 } });
  return {
    url: server.resolvedUrls?.local[0] as string,
    folder,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
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

/** Opens a page in a new tab; it is ready when its application is there. */
export async function openPage(
  browser: Browser | BrowserContext,
  url: string,
  application = 'app',
): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0); // a test's own is the only limit
  await page.goto(url);
  await page.waitForFunction(`globalThis.${application}`);
  return page;
}
