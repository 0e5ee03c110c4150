import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import { build, preview } from 'vite';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A built example and the folder that its test writes to. */
export interface ExampleSite {
  readonly url: string;
  /** Screenshots of this example's tests. */
  readonly output: string;
  readonly close: () => Promise<void>;
}

/** Builds examples/NAME and serves it. */
export async function serveExample(name: string): Promise<ExampleSite> {
  const configFile = join(ROOT, 'examples', name, 'vite.config.ts');
  const output = join(ROOT, 'test-output', name);
  // Of this process alone: files of tests run beside each other, some of them on the same example.
  const outDir = join(output, `site-${process.pid}`);
  mkdirSync(output, { recursive: true });
  await build({ configFile, logLevel: 'error', build: { outDir } });
  const server = await preview({ configFile, build: { outDir }, preview: { port: 0 } });
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(outDir, { recursive: true, force: true });
  };
  return { url: server.resolvedUrls?.local[0] as string, output, close };
}

/** Opens a page and gathers what it complains of. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0); // a test's own is the only limit
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.setViewport({ width: 900, height: 600 });
  await page.goto(url);
  return { page, errors };
}

/** How many pixels of a part of the page differ clearly from the one in its corner. */
export async function countDrawnPixels(
  page: Page,
  clip: { x: number; y: number; width: number; height: number },
): Promise<number> {
  const png = await page.screenshot({ encoding: 'base64', clip });
  return page.evaluate(async (encoded) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${encoded}`)).blob());
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let nDrawn = 0;
    for (let i = 0; i < data.length; i += 4) {
      const difference =
        Math.abs(data[i] - data[0]) + Math.abs(data[i + 1] - data[1]) + Math.abs(data[i + 2] - data[2]);
      if (difference > 60) nDrawn++;
    }
    return nDrawn;
  }, png);
}
