import type { Browser } from 'puppeteer';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { ConsumerApp, inPage, POLICY } from './consumer-app.ts';

let browser: Browser;
let app: ConsumerApp;

interface Loaded {
  readonly backend: string;
  readonly nVertices: number;
  readonly nShown: number;
  readonly nLevels: number;
  readonly error?: string;
}

beforeAll(async () => {
  app = new ConsumerApp('consumer-babylon');
  // Babylon.js alone is larger than vite's warning limit.
  await build({ ...app.config, build: { chunkSizeWarningLimit: 4000 } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  app?.remove();
});

describe('a Babylon.js application that installed the package', () => {
  test('registers by an import, and fetches the loader with the first file, under a strict policy', async () => {
    await app.withPolicy(POLICY, async (url) => {
      const { result, scriptsBefore, scriptsAfter } = await inPage<Loaded>(browser, url, 'app.load()');
      expect(result).toMatchObject({ backend: 'worker', nLevels: 0 });
      expect(result.nVertices).toBeGreaterThan(1000);
      expect(result.nShown).toBe(result.nVertices);
      const isLoader = (script: string): boolean => /nsdf-file-loader/.test(script);
      expect(scriptsBefore.some(isLoader)).toBe(false);
      expect(scriptsAfter.some(isLoader)).toBe(true);
      expect(scriptsAfter.some((script) => /load-first-level/.test(script))).toBe(false);
    });
  });

  test('fetches what levels of detail need only for them', async () => {
    await app.withPolicy(POLICY, async (url) => {
      const { result, scriptsAfter } = await inPage<Loaded>(browser, url, 'app.load({ lod: true })');
      expect(result.nLevels).toBeGreaterThan(2);
      expect(scriptsAfter.some((script) => /load-first-level/.test(script))).toBe(true);
    });
  });
});
