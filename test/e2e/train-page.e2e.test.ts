import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trainer } from '../../examples/train/trainer.ts';
import { listFields, readNsdf } from '../../src/index.ts';
import { launchBrowser } from '../browser/launch.ts';
import { openPage } from './example-page.ts';
import { openSite } from './shared-site.ts';

declare global {
  /** What the page offers to whoever looks. */
  var __trainer: Trainer | undefined;
  /** What the page said of its triangles, and the files that it handed to the browser. */
  var __seen: { triangles: string[]; files: Blob[] };
}

const configFile = resolve(dirname(fileURLToPath(import.meta.url)), '../../examples/train/vite.config.ts');
const OCTAHEDRON = [
  ...['v 1 0 0', 'v -1 0 0', 'v 0 1 0', 'v 0 -1 0', 'v 0 0 1', 'v 0 0 -1'],
  ...['f 1 3 5', 'f 3 2 5', 'f 2 4 5', 'f 4 1 5', 'f 3 1 6', 'f 2 3 6', 'f 4 2 6', 'f 1 4 6'],
].join('\n');

let site: { readonly url: string };
let browser: Browser;
beforeAll(async () => {
  const viewer = await openSite('viewer');
  site = viewer;
  await build({ configFile, logLevel: 'error', build: { outDir: join(viewer.folder, 'train') } });
  browser = await launchBrowser({ hasWebgpu: false });
});
afterAll(async () => {
  await browser?.close();
});

describe('the training page', () => {
  let page: Page;
  let errors: string[];
  const foreign: string[] = [];
  const until = (condition: string) => page.waitForFunction(condition);

  it('opens from the viewer', async () => {
    ({ page, errors } = await openPage(browser, `${site.url}?tolerance=1.5`));
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url) && !/^(data|blob):/.test(request.url()))
        foreign.push(request.url());
    });
    await page.evaluateOnNewDocument(() => {
      globalThis.__seen = { triangles: [], files: [] };
      const { createObjectURL } = URL;
      URL.createObjectURL = (blob: Blob) => {
        globalThis.__seen.files.push(blob);
        return createObjectURL(blob);
      };
    });
    await page.click('#tools a');
    await until('globalThis.__trainer?.status === "empty"');
    expect(page.url()).toBe(`${site.url}train/`);
    expect(await page.$eval('#welcome', (welcome) => (welcome as HTMLElement).hidden)).toBe(false);
  });

  it('learns a mesh that is dropped, rests when it is stopped, and goes on', async () => {
    await page.evaluate((obj) => {
      for (const [name, value] of Object.entries({ steps: '1.6', finest: '16', hidden: '4' })) {
        (document.getElementById(name) as HTMLInputElement).value = value;
      }
      const triangles = document.getElementById('triangles') as HTMLElement;
      new MutationObserver(() => globalThis.__seen.triangles.push(triangles.textContent ?? '')).observe(
        triangles,
        { childList: true },
      );
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([obj], 'octahedron.obj'));
      dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, OCTAHEDRON);
    await until('__trainer.status === "training"');
    await page.keyboard.press('Escape');
    await until('__trainer.status === "paused"');
    expect(await page.$eval('#start', (button) => button.textContent)).toBe('Resume');
    await page.click('#start');
    await until('["done", "error"].includes(__trainer.status) && __trainer.surfaceError !== null');
    const { status, error, seen } = await page.evaluate(() => ({
      status: globalThis.__trainer!.surfaceError,
      error: String(globalThis.__trainer!.error),
      seen: globalThis.__seen.triangles.filter((text) => /\d/.test(text)),
    }));
    expect(error).toBe('null');
    expect(status).toBeLessThan(0.05);
    expect(new Set(seen).size).toBeGreaterThan(1);
    await page.click('[name=heat]');
    expect(await page.$eval('#legend', (legend) => (legend as HTMLElement).hidden)).toBe(false);
  });

  it('gives a file that is read again', async () => {
    await page.evaluate(() => {
      globalThis.__seen.files.length = 0;
    });
    await page.$eval('#download', (button) => (button as HTMLButtonElement).click());
    await until('__seen.files.length > 0');
    const encoded = await page.evaluate(async () => {
      const bytes = new Uint8Array(await globalThis.__seen.files[0].arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    });
    const [{ field }] = listFields(readNsdf(Buffer.from(encoded, 'base64')));
    expect(field.asset.name).toBe('octahedron');
  });

  it('opens it in the viewer, with nothing from elsewhere and no complaint', async () => {
    const opened = new Promise<Page | null>((done) => page.once('popup', done));
    await page.$eval('#view-it', (button) => (button as HTMLButtonElement).click());
    const viewer = (await opened) as Page;
    await viewer.waitForFunction('["ready", "error"].includes(globalThis.__viewer?.status)');
    expect(await viewer.$eval('#file-name', (name) => name.textContent)).toBe('octahedron.nsdf');
    expect(await viewer.evaluate(() => globalThis.__viewer!.totals!.nTriangles)).toBeGreaterThan(7);
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  });
});
