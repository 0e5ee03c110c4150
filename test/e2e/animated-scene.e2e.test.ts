import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { openSite } from './shared-site.ts';
import { maskOf, ViewerPage } from './three-viewer-page.ts';

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
  let viewer: ViewerPage;
  let first: Awaited<ReturnType<ViewerPage['pixels']>>;
  const nMoved = async () => {
    await viewer.settle();
    return maskOf(await viewer.pixels(), first).filter(Boolean).length;
  };

  beforeAll(async () => {
    const url = `${site.url}?engine=${engine}&src=/assets/clockwork.nsdf&tolerance=1.5`;
    viewer = await ViewerPage.open(browser, url);
    first = await viewer.pixels();
  });
  afterAll(() => viewer?.page.close());

  it('is three fields that stand still for those who asked for less motion', async () => {
    expect((await viewer.totals).nFields).toBe(3);
    await viewer.screenshot(`clockwork-${engine}-still`);
    for (let look = 0; look < 3; look++) expect(await nMoved()).toBe(0);
  });

  it('turns as soon as nobody does', async () => {
    await viewer.askForMotion('no-preference');
    let most = 0;
    for (let look = 0; look < N_LOOKS && most < N_MOVED; look++) most = await nMoved();
    await viewer.screenshot(`clockwork-${engine}-turned`);
    expect(most).toBeGreaterThanOrEqual(N_MOVED);
    await viewer.askForMotion('reduce');
    first = await viewer.pixels();
    for (let look = 0; look < 3; look++) expect(await nMoved()).toBe(0);
    expect(viewer.errors).toEqual([]);
  });
});
