import puppeteer, { type Browser } from 'puppeteer';
import { findBrowser } from './find-browser.mjs';
import { WEBGL_ONLY_FLAGS, WEBGPU_FLAGS } from './flags.ts';

export interface LaunchOptions {
  /** Without it `requestAdapter()` gives null, as in browsers that have WebGL only. Default true. */
  readonly hasWebgpu?: boolean;
  /** Profile folder: IndexedDB persists over relaunches with the same one. Default: a new one. */
  readonly userDataDir?: string;
}

/** Starts a headless Chromium for a whole-page test; the caller closes it. */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return puppeteer.launch({
    executablePath: await findBrowser(),
    headless: true,
    args: (options.hasWebgpu ?? true) ? WEBGPU_FLAGS : WEBGL_ONLY_FLAGS,
    ...(options.userDataDir === undefined ? {} : { userDataDir: options.userDataDir }),
  });
}
