import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import { launchBrowser } from '../browser/launch.ts';
import { sphereField } from '../fixtures/fields.ts';
import { openSite } from './shared-site.ts';
import { SCREEN, ViewerPage } from './three-viewer-page.ts';

let site: { readonly url: string };
let browser: Browser;

beforeAll(async () => {
  site = await openSite('viewer');
  browser = await launchBrowser({ hasWebgpu: false });
});
afterAll(() => browser?.close());

declare global {
  /** How often a preview was drawn before its mesh was begun. */
  var __nFramesOfPreview: number | undefined;
}

const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true };
/** Above the sheet, below the title. */
const UPPER_HALF = { x: 0, y: 80, width: 390, height: 310 };

// One visit an engine: what is checked in it goes on from what was checked before.
describe.each(['three', 'babylon'])('the viewer in %s, as it is used', (engine) => {
  let viewer: ViewerPage;
  const evaluate = <T>(task: () => T) => viewer.page.evaluate(task);
  const setValue = (id: string, value: string) =>
    viewer.page.evaluate(
      (of, wanted) => {
        const control = document.getElementById(of) as HTMLInputElement | HTMLSelectElement;
        control.value = wanted;
        control.dispatchEvent(new Event('input', { bubbles: true }));
      },
      id,
      value,
    );

  beforeAll(async () => {
    viewer = await ViewerPage.open(browser, `${site.url}?engine=${engine}&tolerance=1.5`, PHONE);
  });
  afterAll(() => viewer?.page.close());

  it('keeps the model in sight when the panel is closed and opened twice on a phone', async () => {
    const before = await viewer.countShown(UPPER_HALF);
    expect(before).toBeGreaterThan(8_000);
    for (let i = 0; i < 4; i++) {
      await viewer.act(() => viewer.page.tap('#panel-toggle'));
      const isOpen = i % 2 === 1;
      expect(
        await viewer.page.$eval('#panel', (panel) => getComputedStyle(panel).visibility === 'visible'),
      ).toBe(isOpen);
      if (isOpen)
        expect(Math.abs((await viewer.countShown(UPPER_HALF)) - before)).toBeLessThan(before * 0.02);
    }
  });

  it('is as tall as a finger wherever it is pressed on a phone, all of it within reach', async () => {
    const small = await evaluate(() => {
      for (const part of document.querySelectorAll('details')) part.open = true;
      const all = [...document.querySelectorAll('a, button, select, input, summary')];
      return all
        .filter((element) => element.checkVisibility({ visibilityProperty: true }))
        .map(
          (element) => [element.id || element.textContent, element.getBoundingClientRect().height] as const,
        )
        .filter(([, height]) => height > 0 && height < 43.99);
    });
    expect(small).toEqual([]);
    await viewer.page.$eval('#save-glb', (button) => button.scrollIntoView());
    const isReached = await evaluate(() => {
      const { left, top, width, height } = document.getElementById('save-glb')!.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, top + height / 2)?.id;
    });
    expect(isReached).toBe('save-glb');
  });

  it('has nothing to scroll sideways, and can put the panel away, at every size', async () => {
    for (const [width, height] of [
      [768, 1024],
      [1366, 768],
      [1920, 1080],
      [390, 844],
    ]) {
      await viewer.page.setViewport({ width, height, deviceScaleFactor: 0.5 });
      await viewer.settle(); // another kind of screen loads the page anew
      const overflow = await evaluate(() => {
        const panel = document.getElementById('panel') as HTMLElement;
        return [
          document.documentElement.scrollWidth - innerWidth,
          panel.scrollWidth - panel.clientWidth,
          panel.getBoundingClientRect().bottom > innerHeight,
        ];
      });
      expect(overflow).toEqual([0, 0, false]);
      await viewer.page.click('#panel-toggle');
      expect(await viewer.page.$eval('#panel', (panel) => getComputedStyle(panel).visibility)).toBe('hidden');
      await viewer.page.click('#panel-toggle');
    }
    await viewer.page.setViewport(SCREEN);
  });

  it('names the page after the file', async () => {
    expect(await viewer.page.title()).toBe('bunny.nsdf · NSDF viewer');
    await viewer.drop('ball.nsdf', writeNsdf(sphereField({ cells: [4] })));
    expect(await viewer.page.title()).toBe('ball.nsdf · NSDF viewer');
  });

  it('derives again without the cache, and where it is told to', async () => {
    await viewer.act(() => viewer.page.click('#again'), 'deriving');
    const rows = () => viewer.page.$$eval('#runs tr', (all) => all.map((row) => row.innerText));
    expect((await rows()).length).toBeGreaterThanOrEqual(2);
    await viewer.act(() => setValue('backend', 'cpu'), 'deriving');
    expect(await viewer.totals).toMatchObject({ backend: 'cpu', cache: 'off' });
    expect((await rows())[0]).toMatch(/^cpu\s/);
  });

  it('cuts the model open, and says the distance on the cut', async () => {
    await setValue('slice', 'z');
    expect(await evaluate(() => location.search)).toMatch(/[?&]slice=z/);
    await viewer.page.$eval('#probing', (box) => (box as HTMLInputElement).click());
    await viewer.settle();
    // The middle of what the panel leaves free: the middle of the ball.
    const x = (await evaluate(() => document.getElementById('panel')!.getBoundingClientRect().left - 16)) / 2;
    await viewer.page.mouse.move(x, 320);
    expect(await viewer.page.$eval('#probe', (label) => label.textContent)).toMatch(
      /distance -0\.\d+ \(inside\)/,
    );
    await setValue('slice', 'off');
    expect(await evaluate(() => location.search)).not.toMatch(/slice=/);
    await viewer.page.mouse.move(x + 2, 322);
    const text = (await viewer.page.$eval('#probe', (label) => label.textContent)) ?? '';
    const distance = Number(/distance (\S+)/.exec(text)?.[1]);
    expect(Math.abs(distance)).toBeLessThan((await viewer.totals).toleranceLocal * 1.5);
  });

  it('gives a link that brings back the file, the settings and the camera', async () => {
    await viewer.act(async () => void (await viewer.page.select('#sample', 'bunny')), 'loading');
    await setValue('background', 'light');
    await viewer.page.focus('#view');
    for (let i = 0; i < 3; i++) await viewer.page.keyboard.press('+');
    await viewer.settle();
    const pose = await evaluate(() => globalThis.__viewer!.stage.getPose());
    await viewer.page.click('#share');
    await viewer.page.waitForFunction(() => location.search.includes('camera='));
    await viewer.page.reload();
    await viewer.settle();
    const again = await evaluate(() => globalThis.__viewer!.stage.getPose());
    again.position.forEach((value, i) => {
      expect(value).toBeCloseTo(pose.position[i], 2);
    });
    expect(await viewer.page.$eval('#background', (select) => (select as HTMLSelectElement).value)).toBe(
      'light',
    );
  });

  it('shows a preview before the mesh, and keeps it when that is cancelled', async () => {
    await viewer.page.evaluateOnNewDocument(() => {
      let opened: typeof globalThis.__viewer;
      Object.defineProperty(globalThis, '__viewer', {
        get: () => opened,
        set: (made: NonNullable<typeof opened>) => {
          const { stage } = made;
          const derive = stage.derive.bind(stage);
          const placeGround = stage.placeGround.bind(stage);
          let nFramesBefore = 0;
          stage.placeGround = () => {
            nFramesBefore = stage.nFrames;
            placeGround();
          };
          stage.derive = (...all) => {
            globalThis.__nFramesOfPreview = stage.nFrames - nFramesBefore;
            return derive(...all);
          };
          opened = made;
        },
      });
    });
    // So fine that nobody waits for it.
    await viewer.page.goto(`${site.url}?engine=${engine}&tolerance=-1`);
    await viewer.page.waitForFunction(
      () => globalThis.__viewer?.shown === 'preview' && globalThis.__viewer.status === 'deriving',
    );
    expect(await evaluate(() => globalThis.__nFramesOfPreview)).toBeGreaterThanOrEqual(1);
    await viewer.page.click('#cancel');
    await viewer.settle();
    expect(await evaluate(() => globalThis.__viewer!.shown)).toBe('preview');
    expect(await viewer.countShown({ x: 100, y: 90, width: 500, height: 460 })).toBeGreaterThan(20_000);
    expect(await viewer.page.$eval('#statistics', (list) => list.textContent)).toMatch(/rough preview/);
    expect(await viewer.page.$eval('#progress', (bar) => (bar as HTMLElement).hidden)).toBe(true);
    expect(viewer.errors).toEqual([]);
  });
});
