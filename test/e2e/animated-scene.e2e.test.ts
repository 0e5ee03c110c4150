import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { openSite } from './shared-site.ts';
import { maskOf, SCREEN, ViewerPage } from './three-viewer-page.ts';

/** Pixels of a quarter-size picture that differ clearly where wheels have turned; the picture has 86,400. */
const N_MOVED = 400;
/** Looks at a scene that plays before it counts as still. */
const N_LOOKS = 20;

let site: { readonly url: string };
let browser: Browser;
beforeAll(async () => {
  site = await openSite('viewer');
  browser = await launchBrowser({ hasWebgpu: false });
});
afterAll(() => browser?.close());

describe.each(['three', 'babylon'])('the clockwork in %s', (engine) => {
  const url = () => `${site.url}?engine=${engine}&src=/assets/clockwork.nsdf&tolerance=1.5`;
  const open = (motion: 'reduce' | 'no-preference') => ViewerPage.open(browser, url(), SCREEN, motion);
  const nMoved = async (viewer: ViewerPage, first: Awaited<ReturnType<ViewerPage['pixels']>>) => {
    await viewer.settle();
    return maskOf(await viewer.pixels(), first).filter(Boolean).length;
  };

  it('is three fields that turn', async () => {
    const viewer = await open('no-preference');
    expect((await viewer.totals).nFields).toBe(3);
    const first = await viewer.pixels();
    await viewer.screenshot(`clockwork-${engine}-first`);
    let most = 0;
    for (let look = 0; look < N_LOOKS && most < N_MOVED; look++) most = await nMoved(viewer, first);
    await viewer.screenshot(`clockwork-${engine}-later`);
    expect(most).toBeGreaterThanOrEqual(N_MOVED);
    expect(viewer.errors).toEqual([]);
    await viewer.page.close();
  });

  it('stands still for those who asked for less motion', async () => {
    const viewer = await open('reduce');
    const first = await viewer.pixels();
    for (let look = 0; look < 3; look++) expect(await nMoved(viewer, first)).toBe(0);
    await viewer.page.close();
  });
});
