import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TilesView } from '../../examples/tiles/tiles-view.ts';
import { launchBrowser } from '../browser/launch.ts';
import { countDrawnPixels, type ExampleSite, openPage, serveExample } from './example-page.ts';

declare global {
  /** What the example's page offers to whoever looks. */
  var __tiles: (TilesView & { readonly shown: () => string[] }) | undefined;
}

let site: ExampleSite;
let browser: Browser;
beforeAll(async () => {
  site = await serveExample('tiles');
  browser = await launchBrowser({ hasWebgpu: false });
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

const LEFT_OF_PANEL = { x: 0, y: 0, width: 640, height: 600 };

/** Waits until the tiles shown have stayed the same, with nothing that loads, is queued or was just asked for, for 30 frames. */
async function settle(page: Page): Promise<string[]> {
  await page.waitForFunction(async () => {
    const state = () => {
      const { tiles, shown } = globalThis.__tiles!;
      const { isLoading } = tiles as unknown as { readonly isLoading: boolean }; // not in its types
      return isLoading || tiles.loadProgress < 1 ? '' : shown().sort().join();
    };
    const before = state();
    for (let i = 0; i < 30; i++) {
      await new Promise((done) => requestAnimationFrame(done));
      if (state() !== before) return false;
    }
    return before !== '';
  });
  return page.evaluate(() => globalThis.__tiles!.shown());
}

const look = (page: Page, target: [number, number, number], distance: number) =>
  page.evaluate((to, from) => globalThis.__tiles!.look(to, from), target, distance);

describe.each(['three', 'babylon'])('3d-tiles-renderer in %s', (engine) => {
  let page: Page;
  let errors: string[];
  const requests: string[] = [];
  const open = async (tileset: string) => {
    await page?.close();
    ({ page, errors } = await openPage(browser, `${site.url}?engine=${engine}&tileset=${tileset}`));
    requests.length = 0;
    page.on('request', (request) => requests.push(request.url()));
    await page.waitForFunction(() => globalThis.__tiles !== undefined);
  };
  const screenshot = (name: string) =>
    page.screenshot({ path: join(site.output, `${engine}-${name}.png`) as `${string}.png` });
  const problem = () => page.$eval('#problem', (element) => element.textContent);

  it('shows one large field as one tile from afar', async () => {
    await open('field');
    await look(page, [0, 0, 0], 20);
    expect(await settle(page)).toEqual(['bunny/0-0-0-0.glb']);
    await screenshot('far');
    expect(await countDrawnPixels(page, LEFT_OF_PANEL)).toBeGreaterThan(500);
  });

  it('replaces it by finer tiles of the regions that are seen, as the camera comes near', async () => {
    await look(page, [0, 0, 0], 4.5);
    const middle = await settle(page);
    await screenshot('middle');
    expect(middle).not.toContain('bunny/0-0-0-0.glb');
    expect(middle.length).toBeGreaterThan(4);
    const nFar = await page.evaluate(() => globalThis.__tiles!.countTriangles());
    await look(page, [-0.4, 0.3, 0.2], 1.1);
    const near = await settle(page);
    await screenshot('near');
    expect(near.filter((address) => address.startsWith('bunny/2-')).length).toBeGreaterThan(2);
    expect(near.length).toBeLessThan(30);
    expect(nFar).toBeGreaterThan(500);
    expect(await countDrawnPixels(page, LEFT_OF_PANEL)).toBeGreaterThan(60_000);
  });

  it('goes back to the coarse tile, and draws as before', async () => {
    await look(page, [0, 0, 0], 20);
    expect(await settle(page)).toEqual(['bunny/0-0-0-0.glb']);
    expect(requests.filter((url) => url.endsWith('.glb')).length).toBeGreaterThan(5);
    expect(requests.filter((url) => url.endsWith('weights.bin')).length).toBeLessThan(2);
    expect(await problem()).toBe('');
    expect(errors).toEqual([]);
  });

  it('streams many fields, near ones finer than far ones', async () => {
    await open('many');
    await look(page, [0, 0, 5.2], 4);
    const shown = await settle(page);
    await screenshot('many');
    const levels = new Set(shown.map((address) => address.replace(/^.*\/(\d).*$/, '$1')));
    expect(shown.length).toBeGreaterThan(10);
    expect(levels.size).toBeGreaterThan(1);
    expect(await problem()).toBe('');
    expect(errors).toEqual([]);
    await page.close();
  });
});
