import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BabylonStage } from '../../examples/viewer/babylon/stage.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { launchBrowser } from '../browser/launch.ts';
import { sphereField } from '../fixtures/fields.ts';
import { octahedronSafetensors } from './safetensors.ts';
import { openSite } from './shared-site.ts';
import { maskOf, meanColor, OUTPUT, type Picture, runsByRow, ViewerPage } from './three-viewer-page.ts';

let site: { readonly url: string };
const browsers: Browser[] = [];
const pages = new Map<boolean, Promise<ViewerPage>>();

beforeAll(async () => {
  site = await openSite('viewer');
});
afterAll(() => Promise.all(browsers.map((browser) => browser.close())));

/** The bunny with or without WebGPU, in a page that later tests go on in. */
function openBunny(hasWebgpu: boolean): Promise<ViewerPage> {
  const open = async (): Promise<ViewerPage> => {
    const browser = await launchBrowser({ hasWebgpu });
    browsers.push(browser);
    return ViewerPage.open(browser, `${site.url}?engine=babylon`);
  };
  const page = pages.get(hasWebgpu) ?? open();
  pages.set(hasWebgpu, page);
  return page;
}

const count = (mask: readonly boolean[]) => mask.filter(Boolean).length;

/** The picture without what was loaded and its ground. */
async function backgroundOf(viewer: ViewerPage): Promise<Picture> {
  const show = (isShown: boolean) =>
    viewer.page.evaluate((isEnabled) => {
      const { scene } = globalThis.__viewer!.stage as unknown as BabylonStage;
      for (const node of scene.rootNodes)
        if (node.getClassName() === 'Mesh' || node.getClassName() === 'GroundMesh')
          node.setEnabled(isEnabled);
    }, isShown);
  await show(false);
  await viewer.settle();
  const picture = await viewer.pixels();
  await show(true);
  await viewer.settle();
  return picture;
}

describe.each([
  ['webgl', false],
  ['webgpu', true],
] as const)('the viewer in Babylon.js on %s', (kind, hasWebgpu) => {
  let viewer: ViewerPage;
  let bunny: Picture;
  let background: Picture;
  let mask: boolean[];

  beforeAll(async () => {
    viewer = await openBunny(hasWebgpu);
    bunny = await viewer.pixels();
    background = await backgroundOf(viewer);
    mask = maskOf(bunny, background);
  });

  it('loads the bunny, says what it did, and draws it: one body in clay colours with two ears', async () => {
    await viewer.screenshot(`babylon-${kind}`);
    expect(await viewer.page.evaluate(() => globalThis.__viewer!.stage.kind)).toBe(kind);
    expect(await viewer.totals).toMatchObject({ isClosed: true, isManifold: true });
    const text = await viewer.page.$eval('#results', (element) => (element as HTMLElement).innerText);
    expect(text).toMatch(/Vertices\s+[\d,]{5,}/);
    expect(text).toMatch(new RegExp(`Renderer\\s+Babylon\\.js, ${kind}`));
    expect(await viewer.page.$eval('#file-note', (element) => element.textContent)).toMatch(/Stanford/);
    expect(count(mask) / mask.length).toBeGreaterThan(0.2);
    const rows = runsByRow(mask, bunny.width);
    const top = rows.findIndex((runs) => runs.length > 0);
    const ears = rows.slice(top, top + Math.round(bunny.height * 0.15));
    expect(ears.filter((runs) => runs.length === 2).length).toBeGreaterThan(8);
    const [r, g, b] = meanColor(bunny, mask);
    expect(r).toBeGreaterThan(g);
    expect(g).toBeGreaterThan(b);
    expect(r).toBeGreaterThan(110);
  });

  it('lays a wireframe over it, takes it off again, and shows normals', async () => {
    await viewer.act(() => viewer.page.click('#wireframe'));
    expect(meanColor(await viewer.pixels(), mask)[0]).toBeLessThan(meanColor(bunny, mask)[0] - 10);
    await viewer.act(() => viewer.page.click('#wireframe'));
    expect(count(maskOf(await viewer.pixels(), bunny))).toBeLessThan(mask.length * 0.01);
    await viewer.act(() => viewer.page.click('input[value=normals]'));
    await viewer.screenshot(`babylon-normals-${kind}`);
    expect(count(maskOf(await viewer.pixels(), bunny))).toBeGreaterThan(count(mask) * 0.7);
    await viewer.act(() => viewer.page.click('input[value=shaded]'));
  });

  it('wrote no error to the console', () => {
    expect(viewer.errors).toEqual([]);
  });
});

describe('the viewer in Babylon.js', () => {
  let viewer: ViewerPage;
  beforeAll(async () => {
    viewer = await openBunny(false);
  });

  it('saves GLB and USDZ of what was loaded alone', async () => {
    const client = await viewer.page.createCDPSession();
    await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: OUTPUT });
    for (const [button, name, magic] of [
      ['#save-glb', 'bunny.glb', 'glTF'],
      ['#save-usdz', 'bunny.usdz', 'PK'],
    ]) {
      const path = join(OUTPUT, name);
      rmSync(path, { force: true });
      await viewer.page.click(button);
      await expect.poll(() => existsSync(path)).toBe(true);
      const bytes = readFileSync(path);
      expect(bytes.subarray(0, magic.length).toString('latin1')).toBe(magic);
      // Positions and normals alone are 24 bytes a vertex.
      expect(bytes.length).toBeGreaterThan((await viewer.totals).nVertices * 24);
      expect(bytes.includes('ground')).toBe(false);
    }
  });

  it('derives again when a slider is moved, and takes files by drag and drop', async () => {
    const before = await viewer.totals;
    await viewer.page.focus('#tolerance');
    await viewer.act(() => viewer.page.keyboard.press('End'), 'deriving');
    expect((await viewer.totals).nVertices).toBeLessThan(before.nVertices / 1.2);
    await viewer.drop('ball.nsdf', writeNsdf(sphereField({ cells: [4] })));
    expect(await viewer.page.$eval('#file-name', (element) => element.textContent)).toBe('ball.nsdf');
    await viewer.drop('gem.safetensors', octahedronSafetensors());
    expect(await viewer.page.$eval('#file-name', (element) => element.textContent)).toBe('gem.safetensors');
    expect((await viewer.totals).isClosed).toBe(true);
  });

  it('chooses levels by their error on screen, and says which one is shown', async () => {
    await viewer.drop('ball.nsdf', writeNsdf(sphereField({ cells: [4] })));
    await viewer.act(() => viewer.page.click('input[value=lod]'));
    const level = () => viewer.page.$eval('#level', (element) => element.textContent ?? '');
    const settled = (text: string) => /^(resolution \d+|exact) · error/.test(text);
    await expect.poll(level).toSatisfy(settled);
    const fine = await level();
    await viewer.page.focus('#screen-error');
    await viewer.act(() => viewer.page.keyboard.press('End'));
    await expect.poll(level).toSatisfy((text: string) => settled(text) && text !== fine);
    await viewer.act(() => viewer.page.click('input[value=tolerance]'), 'deriving');
  });

  it('says what is wrong with a file, and keeps what it shows', async () => {
    const before = await viewer.totals;
    await viewer.drop('broken.nsdf', new TextEncoder().encode('not a field'));
    const alert = await viewer.errorText();
    expect(alert).toMatch(/Opening broken\.nsdf failed/);
    expect(alert).toMatch(/not a neural field that can be read/);
    expect(alert).toMatch(/not a GLB/);
    expect(await viewer.totals).toEqual(before);
    await viewer.page.click('#error button');
  });

  it('changes over to three.js with the file that is shown', async () => {
    const links = await viewer.page.$$eval('#engines a', (all) =>
      all.map((link) => [link.getAttribute('href'), link.getAttribute('aria-current')]),
    );
    const [three, babylon] = links;
    // What was set goes along: the slider of a test above stands at its end.
    expect(three[0]).toMatch(/^\?engine=three&.*tolerance=1\.5/);
    expect(three[1]).toBe(null);
    expect(babylon).toEqual([three[0]?.replace('three', 'babylon'), 'page']);
    expect(viewer.errors).toEqual([]);
  });
});
