import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import { launchBrowser } from '../browser/launch.ts';
import { sphereField } from '../fixtures/fields.ts';
import { octahedronSafetensors } from './safetensors.ts';
import { openSite } from './shared-site.ts';
import {
  maskOf,
  meanColor,
  OUTPUT,
  type Picture,
  runsByRow,
  SCREEN,
  ViewerPage,
} from './three-viewer-page.ts';

let site: { readonly url: string };

beforeAll(async () => {
  site = await openSite('viewer');
});

const count = (mask: readonly boolean[]) => mask.filter(Boolean).length;

describe.each([
  ['webgl', false],
  ['webgpu', true],
] as const)('the viewer on %s', (kind, hasWebgpu) => {
  let browser: Browser;
  let viewer: ViewerPage;
  let background: Picture;
  let bunny: Picture;
  let mask: boolean[];

  beforeAll(async () => {
    browser = await launchBrowser({ hasWebgpu });
    // At half its size WebGPURenderer was seen to complain of a canvas without pixels (2026-11-29).
    // And the default tolerance is WebGL's to show: a picture of so many triangles takes WebGPU in software a second.
    const url = hasWebgpu ? `${site.url}?tolerance=0.5` : site.url;
    viewer = await ViewerPage.open(browser, url, { ...SCREEN, deviceScaleFactor: hasWebgpu ? 1 : 0.5 });
    bunny = await viewer.pixels();
    background = await viewer.background();
    mask = maskOf(bunny, background);
  });
  afterAll(() => browser?.close());

  it('loads the bunny and says what it did', async () => {
    await viewer.screenshot(`bunny-${kind}`);
    expect(await viewer.page.evaluate(() => globalThis.__viewer!.stage.kind)).toBe(kind);
    expect(await viewer.totals).toMatchObject({ isClosed: true, isManifold: true, backend: 'worker' });
    const text = await viewer.page.$eval('#results', (element) => (element as HTMLElement).innerText);
    expect(text).toMatch(/Vertices\s+[\d,]{5,}/);
    expect(text).toMatch(/Closed\s+yes/);
    expect(text).toMatch(/File\s+18(\.\d)? kB/);
    expect(await viewer.page.$eval('#file-note', (element) => element.textContent)).toMatch(/Stanford/);
  });

  it('draws something like a bunny: one body in clay colours, wider below, with two ears', () => {
    const covered = count(mask) / mask.length;
    expect(covered).toBeGreaterThan(0.2);
    expect(covered).toBeLessThan(0.7);
    const rows = runsByRow(mask, bunny.width);
    const top = rows.findIndex((runs) => runs.length > 0);
    const bottom = rows.findLastIndex((runs) => runs.length > 0);
    const height = bottom - top;
    expect(height).toBeGreaterThan(bunny.height * 0.5);
    const ears = rows.slice(top, top + Math.round(height * 0.25));
    expect(ears.filter((runs) => runs.length === 2).length).toBeGreaterThan(8);
    const body = rows.slice(bottom - Math.round(height * 0.4), bottom - Math.round(height * 0.2));
    expect(Math.min(...body.map((runs) => Math.max(...runs)))).toBeGreaterThan(3 * Math.max(...ears[9]));
    const [r, g, b] = meanColor(bunny, mask);
    expect(r).toBeGreaterThan(g);
    expect(g).toBeGreaterThan(b);
    expect(r).toBeGreaterThan(110);
  });

  it('lays a wireframe over it, and takes it off again', async () => {
    await viewer.act(() => viewer.page.click('#wireframe'));
    await viewer.screenshot(`wireframe-${kind}`);
    const wired = await viewer.pixels();
    expect(meanColor(wired, mask)[0]).toBeLessThan(meanColor(bunny, mask)[0] - 12);
    await viewer.act(() => viewer.page.click('#wireframe'));
    const changed = maskOf(await viewer.pixels(), bunny);
    expect(count(changed)).toBeLessThan(mask.length * 0.01);
  });

  it('shows normals as colours', async () => {
    const saturation = (picture: Picture) => {
      const [r, g, b] = meanColor(
        picture,
        mask.map((isSet, i) => isSet && i % picture.width < picture.width / 2),
      );
      return Math.max(r, g, b) - Math.min(r, g, b);
    };
    await viewer.act(() => viewer.page.click('input[value=normals]'));
    await viewer.screenshot(`normals-${kind}`);
    expect(saturation(await viewer.pixels())).toBeGreaterThan(saturation(bunny) + 20);
    await viewer.act(() => viewer.page.click('input[value=shaded]'));
  });

  it('derives again when a slider is moved, by keyboard too', async () => {
    const before = await viewer.totals;
    await viewer.page.focus('#tolerance');
    await viewer.act(() => viewer.page.keyboard.press('End'), 'deriving');
    const coarse = await viewer.totals;
    expect(coarse.nVertices).toBeLessThan(before.nVertices / 1.2);
    expect(coarse).toMatchObject({ isClosed: true, isManifold: true });
    expect(count(maskOf(await viewer.pixels(), background)) / count(mask)).toBeCloseTo(1, 1);
    await viewer.act(() => viewer.page.click('input[value=resolution]'), 'deriving');
    expect((await viewer.totals).nVertices).not.toBe(coarse.nVertices);
  });

  it('derives on the GPU where that is asked for', async () => {
    const choose = async (backend: string): Promise<void> => {
      await viewer.page.select('#backend', backend);
    };
    await viewer.act(() => choose('gpu'), 'deriving');
    const totals = await viewer.totals;
    expect(totals).toMatchObject({ isClosed: true, isManifold: true });
    expect(kind === 'webgpu' ? ['gpu'] : ['gpu', 'worker']).toContain(totals.backend);
    if (totals.backend === 'gpu') expect(totals.backendReason).toMatch(/^asked for; derived on /);
    expect(count(maskOf(await viewer.pixels(), background)) / count(mask)).toBeCloseTo(1, 1);
    await viewer.act(() => choose('worker'), 'deriving');
    expect((await viewer.totals).backend).toBe('worker');
  });

  it('chooses the level by its error on screen, and says which one is shown', async () => {
    const single = await viewer.totals;
    await viewer.act(() => viewer.page.click('input[value=lod]'));
    const levelText = () => viewer.page.$eval('#level', (element) => element.textContent ?? '');
    await expect.poll(levelText).toMatch(/^resolution \d+ · error 0\.\d+$/);
    await viewer.settle();
    await viewer.screenshot(`levels-${kind}`);
    const chosen = await viewer.totals;
    expect(chosen.nVertices).not.toBe(single.nVertices);
    expect(chosen).toMatchObject({ isClosed: true, isManifold: true });
    expect(count(maskOf(await viewer.pixels(), background)) / count(mask)).toBeCloseTo(1, 1);
    await viewer.page.focus('#screen-error');
    await viewer.act(() => viewer.page.keyboard.press('End'));
    await expect.poll(async () => (await viewer.totals).nVertices).toBeLessThan(chosen.nVertices);
    // A single mesh again, from here on; of the next file, which takes the place of this one's.
    await viewer.page.click('input[value=resolution]');
  });

  it('takes a .nsdf file and a .safetensors file by drag and drop', async () => {
    await viewer.drop('ball.nsdf', writeNsdf(sphereField({ cells: [4] })));
    expect(await viewer.page.$eval('#file-name', (element) => element.textContent)).toBe('ball.nsdf');
    expect(await viewer.page.$eval('#drop', (element) => (element as HTMLElement).hidden)).toBe(true);
    const ball = maskOf(await viewer.pixels(), background);
    expect(count(ball)).toBeGreaterThan(0.15 * ball.length);
    await viewer.drop('gem.safetensors', octahedronSafetensors());
    expect(await viewer.page.$eval('#file-name', (element) => element.textContent)).toBe('gem.safetensors');
    expect((await viewer.totals).isClosed).toBe(true);
  });

  it('says what is wrong with a file, and keeps what it shows', async () => {
    const before = await viewer.totals;
    await viewer.drop('broken.nsdf', new TextEncoder().encode('not a field'));
    const alert = await viewer.errorText();
    expect(alert).toMatch(/Opening broken\.nsdf failed/);
    expect(alert).toMatch(/not a neural field that can be read/);
    expect(alert).toMatch(/not a GLB/);
    await viewer.screenshot(`error-${kind}`);
    expect(await viewer.totals).toEqual(before);
    await viewer.page.click('#error button');
    expect(await viewer.page.$eval('#error', (element) => (element as HTMLElement).hidden)).toBe(true);
  });

  it('wrote no error to the console', () => {
    expect(viewer.errors).toEqual([]);
  });
});

describe('the viewer', () => {
  let browser: Browser;
  /** A page that has found nothing to show. */
  let empty: Page;
  beforeAll(async () => {
    browser = await launchBrowser({ hasWebgpu: true });
    ({ page: empty } = await ViewerPage.open(browser, `${site.url}?src=/assets/nothing.nsdf`));
  });
  afterAll(() => browser?.close());

  it('takes WebGLRenderer where asked to, and saves GLB and USDZ', async () => {
    const { page, errors, totals } = await ViewerPage.open(
      browser,
      `${site.url}?renderer=webgl&tolerance=0.5`,
    );
    expect(await page.evaluate(() => globalThis.__viewer!.stage.kind)).toBe('webgl');
    const client = await page.createCDPSession();
    await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: OUTPUT });
    for (const [button, name, magic] of [
      ['#save-glb', 'bunny.glb', 'glTF'],
      ['#save-usdz', 'bunny.usdz', 'PK'],
    ]) {
      const path = join(OUTPUT, name);
      rmSync(path, { force: true });
      await page.click(button);
      await expect.poll(() => existsSync(path)).toBe(true);
      const bytes = readFileSync(path);
      expect(bytes.subarray(0, magic.length).toString('latin1')).toBe(magic);
      // Positions and normals alone are 24 bytes a vertex.
      expect(bytes.length).toBeGreaterThan((await totals).nVertices * 24);
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  it('shows a failed download, and no picture', async () => {
    const alert = await empty.$eval('#error', (element) => (element as HTMLElement).innerText);
    expect(alert).toMatch(/Opening nothing\.nsdf failed/);
    expect(alert).toMatch(/404/);
    expect(await empty.$eval('#save-glb', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
  });

  it('names every control for a screen reader', async () => {
    const tree = await empty.accessibility.snapshot();
    const names: string[] = [];
    const visit = (node: NonNullable<typeof tree>): void => {
      if (/button|radio$|slider|checkbox|switch|combobox/.test(node.role))
        names.push(`${node.role}: ${node.name ?? ''}`);
      node.children?.forEach(visit);
    };
    if (tree) visit(tree);
    expect(names.length).toBeGreaterThanOrEqual(14);
    expect(names.filter((name) => name.endsWith(': '))).toEqual([]);
  });
});
