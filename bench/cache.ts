// `npm run bench:cache`: the bunny in a real browser, cold and from the cache. Medians of five launches each.
import { openPage, Profile, servePage } from '../test/e2e/built-page.ts';

const N_LAUNCHES = 5;
const OPTIONS = { tolerance: 1e-3 };
const FINER = { tolerance: 5e-4 };

type Times = Record<
  'cold' | 'coldAgain' | 'memory' | 'reload' | 'relaunch' | 'finerCold' | 'finerSeeded',
  number
>;

const LABELS: Readonly<Record<keyof Times, string>> = {
  cold: 'cold, first derivation of a page (worker start included)',
  coldAgain: 'cold again, same worker',
  memory: 'mesh in memory',
  reload: 'mesh in IndexedDB, page reloaded',
  relaunch: 'mesh in IndexedDB, browser relaunched',
  finerCold: 'a finer level (5e-4), cold',
  finerSeeded: 'a finer level (5e-4), from the regions of the coarser one',
};

async function measureOnce(url: string): Promise<Times> {
  const profile = new Profile();
  try {
    let page = await openPage(await profile.relaunch(), url);
    const time = async (options: object) =>
      (await page.evaluate((given) => globalThis.app.derive(given), options)).stats.totalTimeMs;
    const cold = await time(OPTIONS);
    const coldAgain = await time({ ...OPTIONS, cache: false });
    const memory = await time(OPTIONS);
    const finerCold = await time({ ...FINER, cache: false });
    const finerSeeded = await time(FINER);
    await page.evaluate(() => globalThis.app.settle());
    await page.reload();
    await page.waitForFunction('globalThis.app');
    const reload = await time(OPTIONS);
    page = await openPage(await profile.relaunch(), url);
    const relaunch = await time(OPTIONS);
    return { cold, coldAgain, memory, reload, relaunch, finerCold, finerSeeded };
  } finally {
    await profile.dispose();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

const site = await servePage('cache-page', 'bench-cache');
try {
  const runs: Times[] = [];
  for (let i = 0; i < N_LAUNCHES; i++) runs.push(await measureOnce(site.url));
  console.log('| bunny-S, tolerance 1e-3 | ms, median (least to most) | faster than cold |\n|---|---|---|');
  for (const [key, label] of Object.entries(LABELS) as [keyof Times, string][]) {
    const times = runs.map((run) => run[key]);
    const base = key.startsWith('finer') ? 'finerCold' : 'cold';
    const ratio = median(runs.map((run) => run[base] / run[key]));
    const spread = `${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)}`;
    console.log(`| ${label} | ${median(times).toFixed(1)} (${spread}) | ${ratio.toFixed(1)} x |`);
  }
} finally {
  await site.close();
}
