import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage, Profile } from './built-page.ts';
import type { Derived } from './cache-page/main.ts';
import { openSite } from './shared-site.ts';

const OPTIONS = { tolerance: 4e-3 };
let site: { readonly url: string };
let profile: Profile;
let browser: Browser;
let cold: Derived;

const derive = (page: Page, options: object = OPTIONS) =>
  page.evaluate((given) => globalThis.app.derive(given), options);
const settle = (page: Page) => page.evaluate(() => globalThis.app.settle());
const open = () => openPage(browser, site.url);

beforeAll(async () => {
  site = await openSite('cache-page');
  profile = new Profile();
  browser = await profile.relaunch();
  const page = await open();
  cold = await derive(page);
  await settle(page);
  await page.close();
});
afterAll(async () => {
  await profile?.dispose();
});

describe('the default cache of a page', () => {
  test('derives cold once, then finds the mesh in memory, after a reload, and after a relaunch', async () => {
    expect(cold.stats).toMatchObject({ backend: 'worker', cache: { use: 'miss', reason: '' } });
    const page = await open();
    const reloaded = await derive(page);
    const again = await derive(page);
    browser = await profile.relaunch();
    const relaunched = await derive(await open());
    for (const [found, use] of [
      [reloaded, 'store'],
      [again, 'memory'],
      [relaunched, 'store'],
    ] as const) {
      expect(found.stats).toMatchObject({ backend: 'cache', cache: { use } });
      expect(found.meshHash).toBe(cold.meshHash);
    }
    expect(await (await open()).evaluate((given) => globalThis.app.check(given), OPTIONS)).toEqual({
      use: 'store',
      isClosed: true,
      isManifold: true,
    });
  });

  test('two tabs at once agree', async () => {
    const tabs = await Promise.all([open(), open()]);
    const options = { tolerance: 8e-3 };
    const results = await Promise.all(tabs.map((tab) => derive(tab, options)));
    expect(results[1].meshHash).toBe(results[0].meshHash);
    await Promise.all(tabs.map(settle));
    const third = await derive(await open(), options);
    expect(third).toMatchObject({ meshHash: results[0].meshHash, stats: { cache: { use: 'store' } } });
  });

  test.each([
    ['a corrupted record', 5000, 255, 'nDamaged'],
    ['a record of another version', 4, 99, 'nStale'],
  ])('drops %s and makes it again', async (_what, byte, value, count) => {
    const page = await open();
    expect(
      await page.evaluate((at, to) => globalThis.app.tamper('surface', at, to), byte, value),
    ).toBeGreaterThan(0);
    const repaired = await derive(page);
    expect(repaired.meshHash).toBe(cold.meshHash);
    expect(repaired.stats.cache.use).toBe('regions');
    expect((await settle(page)).statistics).toMatchObject({ [count]: 1 });
    expect((await derive(await open())).stats.cache.use).toBe('store');
  });

  test('sees nothing of it in a private window', async () => {
    const context = await browser.createBrowserContext();
    const page = await openPage(context, site.url);
    expect((await derive(page)).stats.cache.use).toBe('miss');
    expect((await derive(page)).stats.cache.use).toBe('memory');
    await context.close();
  });

  test('goes on in memory where the browser gives no room, and says so', async () => {
    const context = await browser.createBrowserContext();
    const page = await openPage(context, site.url);
    const session = await page.createCDPSession();
    const { origin } = new URL(site.url);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20_000 });
    const first = await derive(page);
    expect(first.stats.cache.use).toBe('miss');
    const { statistics } = await settle(page);
    expect(statistics.storeProblem).toMatch(/quota/i);
    const second = await derive(page);
    expect(second).toMatchObject({ meshHash: first.meshHash, stats: { cache: { use: 'memory' } } });
    await context.close();
  });
});
