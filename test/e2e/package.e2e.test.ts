import type { Browser } from 'puppeteer';
import { build, createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { ConsumerApp, POLICY, inPage as runInPage } from './consumer-app.ts';

let browser: Browser;
let app: ConsumerApp;

interface Derived {
  readonly backend: string;
  readonly reason: string;
  readonly nVertices: number;
  readonly isClosed: boolean;
  readonly error?: string;
}

/** Opens the page and calls the application. */
async function inPage<T>(url: string, call: string): Promise<T> {
  return (await runInPage<T>(browser, url, call)).result;
}

beforeAll(async () => {
  app = new ConsumerApp('consumer');
  await build(app.config);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  app?.remove();
});

describe('an application that installed the package', () => {
  test('derives in the worker under a strict policy, the same in place and through three', async () => {
    await app.withPolicy(POLICY, async (url) => {
      const there = await inPage<Derived>(url, 'app.derive({})');
      expect(there).toMatchObject({ backend: 'worker', isClosed: true });
      const here = await inPage<Derived>(url, 'app.derive({ backend: "cpu" })');
      expect(here).toMatchObject({ backend: 'cpu', isClosed: true, nVertices: there.nVertices });
      expect(await inPage<number>(url, 'app.load()')).toBe(there.nVertices);
    });
  });

  test('falls back where the policy allows no worker, and says so', async () => {
    await app.withPolicy(`${POLICY}; worker-src 'none'`, async (url) => {
      const derived = await inPage<Derived>(url, 'app.derive({})');
      expect(derived).toMatchObject({ backend: 'cpu', isClosed: true });
      expect(derived.reason).toMatch(/^fallback to cpu \(worker: /);
    });
  });

  test('keeps a vertex budget under the strict policy too, in the worker and in place', async () => {
    await app.withPolicy(POLICY, async (url) => {
      for (const backend of ['worker', 'cpu']) {
        const derived = await inPage<Derived>(
          url,
          `app.derive({ maxVertices: 1000, backend: "${backend}" })`,
        );
        expect(derived).toMatchObject({ backend, isClosed: true, nVertices: 1000 });
      }
    });
  });

  test('finds the worker in the development server too', async () => {
    const server = await createServer({ ...app.config, server: { port: 0 } });
    await server.listen();
    try {
      const url = server.resolvedUrls?.local[0] as string;
      expect(await inPage<Derived>(url, 'app.derive({})')).toMatchObject({
        backend: 'worker',
        isClosed: true,
      });
    } finally {
      await server.close();
    }
  });
});
