import type { Browser } from 'puppeteer';
import { beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { openPage } from './built-page.ts';
import { openSite } from './shared-site.ts';

let site: { readonly url: string };
let browser: Browser;

beforeAll(async () => {
  site = await openSite('cache-page');
});

/** Derives the bunny in a page of a browser with or without WebGPU. */
async function deriveIn(hasWebgpu: boolean, backend: 'gpu' | 'auto', tolerance = 2e-3) {
  browser = await launchBrowser({ hasWebgpu });
  try {
    const page = await openPage(browser, site.url);
    return await page.evaluate((options) => globalThis.app.derive(options), {
      tolerance,
      backend,
      cache: false as const,
    });
  } finally {
    await browser.close();
  }
}

describe('a built page that asks for the GPU', () => {
  test('gets a mesh as good from the worker where the browser has WebGL only, and is told why', async () => {
    const without = await deriveIn(false, 'gpu');
    const withGpu = await deriveIn(true, 'gpu');
    expect(without.stats.backend).toBe('worker');
    expect(without.stats.backendReason).toBe('fallback to worker (gpu: WebGPU has no adapter here.)');
    expect(withGpu.stats.backend).toBe('gpu');
    expect(withGpu.stats.backendReason).toMatch(/^asked for; derived on google swiftshader/);
    for (const { stats } of [without, withGpu]) {
      expect(stats.nTriangles).toBeGreaterThan(10_000);
      expect(stats.errorLocal).toBeLessThan(stats.toleranceLocal);
    }
  });

  test('is not slowed by asking for nothing', async () => {
    const { stats } = await deriveIn(false, 'auto', 2e-2);
    expect(stats.backendReason).toBe('auto: a module worker keeps this thread free');
  });
});
