import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { servePage } from './built-page.ts';
import type { FirstPicture } from './lod-page/main.ts';

declare global {
  var firstPicture: (url: string, hasLevels: boolean) => Promise<FirstPicture>;
}

let site: Awaited<ReturnType<typeof servePage>>;
let browser: Browser;

beforeAll(async () => {
  [site, browser] = await Promise.all([servePage('lod-page'), launchBrowser({ hasWebgpu: false })]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** In a page of its own: no worker runs yet and nothing is compiled. */
async function loadInNewPage(hasLevels: boolean): Promise<FirstPicture> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0); // a test's own is the only limit
  await page.goto(site.url, { waitUntil: 'networkidle0' });
  const seen = await page.evaluate(
    (levels) => globalThis.firstPicture('/assets/bunny.nsdf', levels),
    hasLevels,
  );
  await page.close();
  return seen;
}

test('the first geometry is on screen after one small job, not after the final level, on a page that has just opened', async () => {
  const first = await loadInNewPage(true);
  const whole = await loadInNewPage(false);
  expect(first).toMatchObject({ isPreview: true, nMade: 1 });
  expect(first.nTriangles).toBeGreaterThan(3000);
  expect(whole.nTriangles).toBeGreaterThan(40_000);
});
