import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'puppeteer';
import { createServer } from 'vite';
import { stampAlgorithm } from '../../scripts/algorithm-version.ts';
import { textModules } from '../../scripts/text-modules.ts';
import { launchBrowser } from '../../test/browser/launch.ts';
import { takeCensus } from './census.ts';
import { fieldOf } from './fields.ts';
import { measureInDawn, measureScaling, tableName } from './in-dawn.ts';
import { showCensus, showRow, writeCompileTable, writeDocTable, writeTable } from './table.ts';

const USAGE = `npm run bench:gpu -- [options] [FIELD.nsdf, FIELD.safetensors or, in Dawn, colliding]
  --dawn              in Node through Dawn (npm install webgpu), not in the browser
  --compile           only what compiling each kernel costs, cold, in Chromium on Linux
  --count             only how many dispatches and kernels a derivation is, without a GPU
  --scaling           balls on one level of 32, 64, 128, 256 cells instead, in Dawn
  --runs N            timed runs of each method after warm-ups (3)
  --samples N         points for the distances (20000), 0 for none
  --resolutions LIST  boxes an axis of marching cubes (64,128)
  --tolerances LIST   of our derivation (1e-3,1.4e-3,3.6e-4: the latter two have the mean errors of marching cubes 128, 256)
  --no-cpu            without what computes on the processor
  --name NAME         of the file in bench/results
  --doc NAME          of a table of docs/guides/webgpu.md, which this writes anew`;
const DEFAULT_TOLERANCES = '1e-3,1.4e-3,3.6e-4';

const HERE = dirname(fileURLToPath(import.meta.url));

/** Serves the page with vite and runs it in the tests' browser. @param run is given the page and the field's URL there. */
async function inBrowser<T>(path: string, run: (page: Page, url: string) => Promise<T>): Promise<T> {
  const asset = `field${path.endsWith('.safetensors') ? '.safetensors' : '.nsdf'}`;
  const copy = join(HERE, asset);
  copyFileSync(path, copy);
  const server = await createServer({
    root: HERE,
    configFile: false,
    logLevel: 'error',
    plugins: [textModules(), stampAlgorithm()],
    // A file that changes must not reload the page in the middle of a measurement.
    server: { port: 0, hmr: false, watch: null, fs: { allow: [join(HERE, '../..')] } },
    worker: { format: 'es' },
  });
  const browser = await launchBrowser();
  try {
    await server.listen();
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.exposeFunction('reportRow', showRow);
    await page.exposeFunction('processorMs', () => processorMsOf(browser.process()?.pid));
    await page.goto(server.resolvedUrls?.local[0] as string);
    await page.waitForFunction(() => 'bench' in globalThis);
    return await run(page, `/${asset}`);
  } finally {
    await browser.close();
    await server.close();
    rmSync(copy);
  }
}

/** Processor time of a process and all that came of it, by Linux' /proc in hundredths of a second. */
function processorMsOf(root: number | undefined): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [
          readFileSync(`/proc/${pid}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ')
            .map(Number),
        ].map((fields) => ({ pid: Number(pid), parent: fields[1], ticks: fields[11] + fields[12] }));
      } catch {
        return []; // ended meanwhile
      }
    });
  const known = new Set([root]);
  for (let n = 0; n !== known.size; ) {
    n = known.size;
    for (const { pid, parent } of processes) if (known.has(parent)) known.add(pid);
  }
  return processes.reduce((sum, { pid, ticks }) => sum + (known.has(pid) ? ticks * 10 : 0), 0);
}

function bundledBunny(): string {
  return fileURLToPath(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dawn: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      samples: { type: 'string', default: '20000' },
      resolutions: { type: 'string', default: '64,128' },
      tolerances: { type: 'string', default: DEFAULT_TOLERANCES },
      'no-cpu': { type: 'boolean', default: false },
      scaling: { type: 'boolean', default: false },
      compile: { type: 'boolean', default: false },
      count: { type: 'boolean', default: false },
      name: { type: 'string' },
      doc: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const path = positionals[0] ?? bundledBunny();
  if (values.count) return showCensus(await takeCensus(fieldOf(path)));
  if (values.compile) {
    const rows = await inBrowser(path, (page, url) =>
      page.evaluate((at) => globalThis.bench.compile(at), url),
    );
    return writeCompileTable(values.name ?? `gpu-compile-${tableName(path)}`, rows);
  }
  const numbers = (list: string): number[] => list.split(',').filter(Boolean).map(Number);
  const settings = {
    runs: Number(values.runs),
    samples: Number(values.samples),
    resolutions: numbers(values.resolutions),
    tolerances: numbers(values.tolerances),
    hasCpu: !values['no-cpu'],
  };
  const where = values.dawn || values.scaling ? 'dawn' : 'chromium';
  const what = values.scaling ? 'scaling' : tableName(path);
  console.log(`${what} in ${where}: ${settings.runs} runs each after warm-ups`);
  const rows = values.scaling
    ? await measureScaling(settings, showRow)
    : values.dawn
      ? await measureInDawn(path, settings, showRow)
      : await inBrowser(path, (page, url) =>
          page.evaluate(async (at, o) => (await globalThis.bench.measure(at, o)).rows, url, settings),
        );
  const measured = `medians of ${settings.runs} runs after warm-ups`;
  writeTable(values.name ?? `gpu-${where}-${what}-rows`, measured, rows);
  if (values.doc !== undefined) writeDocTable(values.doc, measured, rows);
  process.exit(0); // Dawn's threads outlive its device
}

await main();
