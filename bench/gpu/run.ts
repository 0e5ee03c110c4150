import { copyFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { stampAlgorithm } from '../../scripts/algorithm-version.ts';
import { textModules } from '../../scripts/text-modules.ts';
import { launchBrowser } from '../../test/browser/launch.ts';
import { measureInDawn, measureScaling, type Settings, tableName } from './in-dawn.ts';
import type { GpuRow } from './measure.ts';
import { showRow, writeDocTable, writeTable } from './table.ts';

const USAGE = `npm run bench:gpu -- [options] [FIELD.nsdf, FIELD.safetensors or, in Dawn, colliding]
  --dawn              in Node through Dawn (npm install webgpu), not in the browser
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

/** Serves the page with vite and runs it in the tests' browser. */
async function inBrowser(path: string, settings: Settings): Promise<GpuRow[]> {
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
    await page.goto(server.resolvedUrls?.local[0] as string);
    await page.waitForFunction(() => 'bench' in globalThis);
    const { rows } = await page.evaluate((url, o) => globalThis.bench.measure(url, o), `/${asset}`, settings);
    return rows;
  } finally {
    await browser.close();
    await server.close();
    rmSync(copy);
  }
}

function bundledBunny(): string {
  return fileURLToPath(new URL('../../examples/assets/bunny.nsdf', import.meta.url));
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
      name: { type: 'string' },
      doc: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const path = positionals[0] ?? bundledBunny();
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
      : await inBrowser(path, settings);
  const measured = `medians of ${settings.runs} runs after warm-ups`;
  writeTable(values.name ?? `gpu-${where}-${what}-rows`, measured, rows);
  if (values.doc !== undefined) writeDocTable(values.doc, measured, rows);
  process.exit(0); // Dawn's threads outlive its device
}

await main();
