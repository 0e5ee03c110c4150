import { mkdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../browser/launch.ts';
import { serve, type TestServer } from '../three/serve.ts';
import { openPage, servePage } from './built-page.ts';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const BUNNY = readFileSync(join(ROOT, 'test/fixtures/bunny-S.nsdf'));
const OUTPUT = join(ROOT, 'test-output', 'streaming');
/** Pieces of 16 kB, each when the one before was sent; after this share of a file the rest waits until something is on screen. */
const PIECE_BYTES = 16_384;
const FIRST_SHARE = 0.65;

let site: Awaited<ReturnType<typeof servePage>>;
let files: TestServer;
let browser: Browser;

/** By path: ends when the rest may be sent, and what ends it. */
const gates = new Map<string, { readonly isOpen: Promise<void>; readonly open: () => void }>();

function gateOf(path: string) {
  let open = (): void => {};
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  const gate = gates.get(path) ?? { isOpen, open };
  gates.set(path, gate);
  return gate;
}

/** Sends a body piece by piece, the last of them when it may. */
async function sendSlowly(path: string, response: ServerResponse, body: Uint8Array): Promise<void> {
  for (let from = 0; from < body.length && !response.destroyed; from += PIECE_BYTES) {
    if (from >= FIRST_SHARE * body.length) await gateOf(path).isOpen;
    await new Promise((done) => response.write(body.subarray(from, from + PIECE_BYTES), done));
  }
  response.end();
}

function answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  if (url.startsWith('/length')) response.setHeader('Content-Length', BUNNY.length);
  const body = url.startsWith('/gzip') ? gzipSync(BUNNY) : BUNNY;
  if (body !== BUNNY) response.setHeader('Content-Encoding', 'gzip').setHeader('Content-Length', body.length);
  void sendSlowly(url, response, body);
}

beforeAll(async () => {
  mkdirSync(OUTPUT, { recursive: true });
  [site, files, browser] = await Promise.all([
    servePage('stream-page'),
    serve(answer),
    launchBrowser({ hasWebgpu: false }),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await files?.close();
  await site?.close();
});

test.each(['length', 'chunked', 'gzip'])(
  'from a slow server (%s) something is on screen before the rest has come, and never gone again',
  async (kind) => {
    const page = await openPage(browser, site.url, 'streamApp');
    const url = `${files.url}/${kind}.nsdf`;
    const loading = page.evaluate((address) => globalThis.streamApp.load(address), url);
    await page.waitForFunction(() => globalThis.streamApp.isSeen());
    await page.screenshot({ path: join(OUTPUT, `preview-${kind}.png`) as `${string}.png` });
    gateOf(new URL(url).pathname).open();
    const seen = await loading;
    await page.screenshot({ path: join(OUTPUT, `final-${kind}.png`) as `${string}.png` });
    // The server had not sent more.
    expect(seen.firstFraction).toBeLessThan(0.75);
    expect(Math.min(...seen.coverage)).toBeGreaterThan(200);
    // What is seen early has about the size of what comes: it is the bunny's, not a blob's.
    const last = seen.coverage.at(-1) as number;
    expect(seen.coverage[0] / last).toBeGreaterThan(0.6);
    expect(seen.coverage[0] / last).toBeLessThan(1.6);
    expect(seen.phases).toEqual(['download', 'derive']);
    expect(seen.isPreviewGone).toBe(true);
    await page.close();
  },
);
