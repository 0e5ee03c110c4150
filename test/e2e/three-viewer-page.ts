import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page, Viewport } from 'puppeteer';
import type { Stage } from '../../examples/viewer/stage.ts';
import type { ThreeStage } from '../../examples/viewer/three/stage.ts';
import type { Viewer } from '../../examples/viewer/viewer.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Screenshots and downloads of these tests. */
export const OUTPUT = join(ROOT, 'test-output', 'three-viewer');
mkdirSync(OUTPUT, { recursive: true });

declare global {
  /** What the page offers to whoever looks. */
  var __viewer: Viewer<Stage & Pick<ThreeStage, 'scene'>> | undefined;
}

/** A desk's screen, drawn at half its size: what takes the time is pixels, and pictures are looked at in that size. */
export const SCREEN = { width: 1000, height: 640, deviceScaleFactor: 0.5 };

/** The viewer in a browser: opens it, waits for it, looks at it. */
export class ViewerPage {
  readonly page: Page;
  /** Errors that the page wrote or threw. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, viewport: Viewport = SCREEN): Promise<ViewerPage> {
    const page = await browser.newPage();
    page.setDefaultTimeout(0); // a test's own is the only limit
    // These tests want every derivation to be one: without IndexedDB the page has no cache.
    await page.evaluateOnNewDocument(() =>
      Object.defineProperty(globalThis, 'indexedDB', { value: undefined }),
    );
    await page.setViewport(viewport);
    const viewer = new ViewerPage(page);
    await viewer.askForMotion('reduce'); // what rests can be compared
    await page.goto(url);
    await viewer.settle();
    return viewer;
  }

  /** As a system's settings do, before or while the page is open. */
  askForMotion(value: 'reduce' | 'no-preference'): Promise<void> {
    return this.page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value }]);
  }

  /** Waits until nothing is loading and what is there has been drawn. */
  async settle(): Promise<void> {
    await this.page.waitForFunction(() => ['ready', 'error'].includes(globalThis.__viewer?.status ?? ''));
    await this.page.evaluate(async () => {
      const stage = globalThis.__viewer!.stage;
      const nBefore = stage.nFrames;
      stage.invalidate();
      while (stage.nFrames < nBefore + 1) await new Promise((done) => requestAnimationFrame(done));
    });
  }

  /** Does something that starts work, and waits for its end. */
  async act(
    action: () => Promise<void>,
    begins: 'loading' | 'deriving' | 'drawing' = 'drawing',
  ): Promise<void> {
    const nBefore = await this.page.evaluate(() => globalThis.__viewer!.nTasks);
    await action();
    if (begins !== 'drawing')
      await this.page.waitForFunction((n) => globalThis.__viewer!.nTasks > n, {}, nBefore);
    await this.settle();
  }

  get totals() {
    return this.page.evaluate(() => globalThis.__viewer!.totals!);
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(OUTPUT, `${name}.png`) });
  }

  /** RGBA of what lies left of the panel, a pixel for two by two of the page's; the title is left out. */
  async pixels(): Promise<Picture> {
    const clip = { x: 0, y: 90, width: 640, height: 540 };
    const png = await this.page.screenshot({ encoding: 'base64', clip });
    const { width, data } = await this.page.evaluate(async (encoded) => {
      const blob = await (await fetch(`data:image/png;base64,${encoded}`)).blob();
      const bitmap = await createImageBitmap(blob, { resizeWidth: 320, resizeHeight: 270 });
      const context = new OffscreenCanvas(320, 270).getContext('2d')!;
      context.drawImage(bitmap, 0, 0);
      return { width: 320, data: [...context.getImageData(0, 0, 320, 270).data] };
    }, png);
    return { width, height: data.length / 4 / width, data };
  }

  /** The same picture without what was loaded: its ground and wireframe go with it. */
  async background(): Promise<Picture> {
    await this.#showScene(false);
    const picture = await this.pixels();
    await this.#showScene(true);
    return picture;
  }

  async #showScene(isVisible: boolean): Promise<void> {
    await this.page.evaluate((visible) => {
      const { scene } = globalThis.__viewer!.stage;
      for (const child of scene.children) child.visible = visible;
    }, isVisible);
    await this.settle();
  }

  /** How much of a part of the page, in its own pixels, differs clearly when what was loaded is gone from the picture. */
  async countShown(clip: { x: number; y: number; width: number; height: number }): Promise<number> {
    const shoot = () => this.page.screenshot({ encoding: 'base64', clip });
    const withContent = await shoot();
    await this.page.evaluate(() => {
      const view = document.getElementById('view') as HTMLElement;
      view.style.visibility = 'hidden';
    });
    const without = await shoot();
    await this.page.evaluate(() => {
      const view = document.getElementById('view') as HTMLElement;
      view.style.visibility = '';
    });
    const share = await this.page.evaluate(
      async (...encoded) => {
        const [a, b] = await Promise.all(
          encoded.map(async (png) => {
            const bitmap = await createImageBitmap(
              await (await fetch(`data:image/png;base64,${png}`)).blob(),
            );
            const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
            context.drawImage(bitmap, 0, 0);
            return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
          }),
        );
        let nDifferent = 0;
        for (let i = 0; i < a.length; i += 4) {
          const difference =
            Math.abs(a[i] - b[i]) + Math.abs(a[i + 1] - b[i + 1]) + Math.abs(a[i + 2] - b[i + 2]);
          if (difference > 90) nDifferent++;
        }
        return (4 * nDifferent) / a.length;
      },
      withContent,
      without,
    );
    return share * clip.width * clip.height;
  }

  /** Drops a file on the page, as a person would from a folder. */
  async drop(name: string, bytes: Uint8Array): Promise<void> {
    await this.page.evaluate(
      (fileName, encoded) => {
        const data = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([data], fileName));
        dispatchEvent(new DragEvent('dragenter', { dataTransfer, bubbles: true }));
        dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      },
      name,
      Buffer.from(bytes).toString('base64'),
    );
    await this.settle();
  }

  /** What the page says is wrong, once it says so: a dropped file is read before anything is busy. */
  async errorText(): Promise<string> {
    await this.page.waitForSelector('#error', { visible: true });
    return this.page.$eval('#error', (element) => (element as HTMLElement).innerText);
  }
}

/** Pixels of a picture, RGBA. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: readonly number[];
}

/** Which pixels of two pictures differ clearly. */
export function maskOf(picture: Picture, background: Picture): boolean[] {
  const { data } = picture;
  return Array.from({ length: data.length / 4 }, (_, i) => {
    const difference = [0, 1, 2].reduce(
      (sum, c) => sum + Math.abs(data[i * 4 + c] - background.data[i * 4 + c]),
      0,
    );
    return difference > 60;
  });
}

/** Runs of set pixels in each row, short ones left out. */
export function runsByRow(mask: readonly boolean[], width: number): number[][] {
  return Array.from({ length: mask.length / width }, (_, row) => {
    const runs: number[] = [];
    let length = 0;
    for (let x = 0; x <= width; x++) {
      if (x < width && mask[row * width + x]) length++;
      else {
        if (length >= 4) runs.push(length);
        length = 0;
      }
    }
    return runs;
  });
}

/** Mean colour of the pixels that a mask selects. */
export function meanColor({ data }: Picture, mask: readonly boolean[]): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  let count = 0;
  mask.forEach((isSet, i) => {
    if (!isSet) return;
    count++;
    for (let c = 0; c < 3; c++) sum[c] += data[i * 4 + c];
  });
  return sum.map((value) => value / count) as [number, number, number];
}
