import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { stampAlgorithm } from '../../scripts/algorithm-version.ts';
import { textModules } from '../../scripts/text-modules.ts';
import { openDawn } from '../../src/cli/dawn.ts';
import { readField } from '../../src/format/read.ts';
import { shareDevice } from '../../src/gpu/context.ts';
import { importSafetensors } from '../../src/import/index.ts';
import { launchBrowser } from '../../test/browser/launch.ts';
import { type GpuRow, type MeasureOptions, measure } from './measure.ts';

const USAGE = `npm run bench:gpu -- [options] [FIELD.nsdf or .safetensors]
  --dawn        in Node through Dawn (npm install webgpu), not in the browser
  --runs N      timed runs of each method after one warm-up (3)
  --samples N   points for the distances (20000)
  --256         marching cubes at 256, too`;

const HERE = dirname(fileURLToPath(import.meta.url));
const RESULTS = join(HERE, '../results');
type Settings = Omit<MeasureOptions, 'report'>;

async function inDawn(path: string, settings: Settings): Promise<GpuRow[]> {
  const dawn = await openDawn();
  const bytes = readFileSync(path);
  const asset = path.endsWith('.safetensors')
    ? importSafetensors(bytes, { name: basename(path) })
    : readField(bytes);
  const rows = await measure(shareDevice(dawn.device), asset, { ...settings, report: show });
  dawn.close();
  return rows;
}

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
    optimizeDeps: { include: ['meshoptimizer', 'meshoptimizer/simplifier'] },
    worker: { format: 'es' },
  });
  const browser = await launchBrowser();
  try {
    await server.listen();
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.exposeFunction('reportRow', show);
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

function show(row: GpuRow): void {
  const { method, adapter, medianMs, fastestMs, slowestMs, nVertices, meanError, worstError } = row;
  console.log(
    [
      method.padEnd(24),
      adapter.slice(0, 28).padEnd(28),
      `${medianMs.toFixed(0)} ms (${fastestMs.toFixed(0)}-${slowestMs.toFixed(0)})`.padEnd(24),
      `${nVertices} vertices`.padEnd(18),
      `error ${meanError?.toExponential(1) ?? '-'} mean, ${worstError?.toExponential(1) ?? '-'} worst`.padEnd(
        40,
      ),
      `${row.gpuMegabytes.toFixed(0)} MB`,
      `[${row.parts}]`,
    ].join(' '),
  );
}

function toCsv(rows: readonly GpuRow[]): string {
  const names = Object.keys(rows[0]) as (keyof GpuRow)[];
  const lines = rows.map((row) => names.map((name) => String(row[name]).replaceAll(',', ' ')).join(','));
  return `${[names.join(','), ...lines].join('\n')}\n`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dawn: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      samples: { type: 'string', default: '20000' },
      '256': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const bunny = fileURLToPath(new URL('../../examples/assets/bunny.nsdf', import.meta.url));
  const path = positionals[0] ?? bunny;
  const settings = {
    runs: Number(values.runs),
    samples: Number(values.samples),
    resolutions: [64, 128, ...(values['256'] ? [256] : [])],
    tolerances: [1e-3, 2e-4],
  };
  const where = values.dawn ? 'dawn' : 'chromium';
  console.log(`${basename(path)} in ${where}: ${settings.runs} runs each after a warm-up`);
  const rows = values.dawn ? await inDawn(path, settings) : await inBrowser(path, settings);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `gpu-${where}-${basename(path).replace(/\.[^.]*$/, '')}.csv`), toCsv(rows));
  process.exit(0); // Dawn's threads outlive its device
}

await main();
