import { join } from 'node:path';
import type { RootState } from '@react-three/fiber';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { countDrawnPixels, type ExampleSite, openPage, serveExample } from './example-page.ts';

declare global {
  /** React Three Fiber's state, as the example leaves it. */
  var __r3f: RootState | undefined;
  /** Vertices of every field in the scene. */
  var __counts: (() => number[]) | undefined;
}

let site: ExampleSite;
let browser: Browser;
beforeAll(async () => {
  site = await serveExample('r3f');
  browser = await launchBrowser({ hasWebgpu: false });
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** Where the two bunnies stand. */
const LEFT = { x: 20, y: 60, width: 470, height: 500 };
const RIGHT = { x: 492, y: 205, width: 280, height: 300 };

async function nVertices(page: Page): Promise<number> {
  await page.waitForSelector('#vertices');
  await page.waitForFunction(() => /\d/.test(document.querySelector('#vertices')?.textContent ?? ''));
  return Number.parseInt(await page.$eval('#vertices', (element) => element.textContent ?? ''), 10);
}

async function setTolerance(page: Page, exponent: number): Promise<void> {
  await page.$eval(
    '#tolerance',
    (element, value) => {
      const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
      set.call(element, value);
      element.dispatchEvent(new Event('input', { bubbles: true }));
    },
    String(exponent),
  );
}

describe('<NSDF> in StrictMode', () => {
  let page: Page;
  let errors: string[];
  let nFirst = 0;
  beforeAll(async () => {
    ({ page, errors } = await openPage(browser, site.url));
    nFirst = await nVertices(page);
    await page.evaluate(() => {
      globalThis.__counts = () => {
        const found: number[] = [];
        globalThis.__r3f!.scene.traverse((object) => {
          if ('isNSDFObject' in object && 'stats' in object) {
            found.push((object.stats as { nVertices: number }).nVertices);
          }
        });
        return found;
      };
    });
  });

  it('shows two of one file, at a tolerance each', async () => {
    await page.screenshot({ path: join(site.output, 'two.png') });
    expect(await countDrawnPixels(page, LEFT)).toBeGreaterThan(50_000);
    expect(await countDrawnPixels(page, RIGHT)).toBeGreaterThan(20_000);
    // The coarse one begins as a clone of the fine one, which the cache holds.
    await page.waitForFunction((n) => globalThis.__counts!()[1] < n / 2, {}, nFirst);
    const counts = await page.evaluate(() => globalThis.__counts!());
    expect(counts).toHaveLength(2);
    expect(counts[0]).toBe(nFirst);
  });

  it('derives again where the tolerance changes', async () => {
    await setTolerance(page, -1.5);
    await page.waitForFunction(
      (before) => Number.parseInt(document.querySelector('#vertices')?.textContent ?? '', 10) < before / 2,
      {},
      nFirst,
    );
    await page.screenshot({ path: join(site.output, 'coarse.png') });
    expect(await countDrawnPixels(page, LEFT)).toBeGreaterThan(50_000);
  });

  it('leaves nothing on the GPU when it is unmounted, and comes back', async () => {
    const nGeometries = () => page.evaluate(() => globalThis.__r3f!.gl.info.memory.geometries);
    expect(await nGeometries()).toBe(2);
    await page.click('#shown');
    await page.waitForFunction(() => globalThis.__r3f!.gl.info.memory.geometries === 0);
    expect(await countDrawnPixels(page, LEFT)).toBe(0);
    await page.click('#shown');
    await page.waitForFunction(() => globalThis.__r3f!.gl.info.memory.geometries === 2);
    await nVertices(page);
    expect(await countDrawnPixels(page, LEFT)).toBeGreaterThan(50_000);
    expect(errors).toEqual([]);
  });
});

it('hands a file that is not there to the error boundary', async () => {
  const { page } = await openPage(browser, `${site.url}?asset=/assets/nothing.nsdf`);
  const alert = await page.waitForSelector('[role="alert"]');
  expect(await alert?.evaluate((element) => element.textContent)).toMatch(/nothing\.nsdf.*404/);
  await page.close();
});
