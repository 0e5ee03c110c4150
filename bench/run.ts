import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type CpuField, createCpuField } from '../src/field/cpu-field.ts';
import type { FieldAsset } from '../src/format/asset.ts';
import { readField } from '../src/format/read.ts';
import { importSafetensors } from '../src/import/index.ts';
import { checkMesh } from '../src/surface/check.ts';
import { measureLevels } from './levels.ts';
import { cubes, derived, type Method, npmCubes } from './methods.ts';
import { type Row, resultsOf, toTable } from './report.ts';
import { aboutThisRun, writeResults } from './results-file.ts';
import { countSurfaceBoxes } from './surface-boxes.ts';

const USAGE = `npm run bench -- [options] [more.nsdf or more.safetensors ...]
  --runs N      timed runs of each method after one warm-up (5)
  --samples N   points for each of the two distances (50000)
  --256         marching cubes at 256, too
  --npm         isosurface of npm at 128, too
  --only TEXT   methods whose name contains it`;

/** Local units in [-1, 1]³; other domains are scaled by their diagonal. */
const TOLERANCES = [1e-3, 4e-4, 2e-4];
/** What every speed is relative to. */
const PEER = cubes(128, false).name;

interface Settings {
  readonly runs: number;
  readonly samples: number;
  readonly methods: readonly Method[];
}

function methodsFor(scale: number, has: { readonly '256': boolean; readonly npm: boolean }): Method[] {
  return [
    ...[64, 128, ...(has['256'] ? [256] : [])].flatMap((n) => [cubes(n, false), cubes(n, true)]),
    ...(has.npm ? [npmCubes(128)] : []),
    ...TOLERANCES.map((t) => derived(`tolerance ${t}`, { tolerance: t * scale })),
    derived('exact', { exact: true }),
    derived('maxVertices 4567', { maxVertices: 4567 }),
  ];
}

function readAsset(path: string): FieldAsset {
  const bytes = readFileSync(path);
  return path.endsWith('.safetensors')
    ? importSafetensors(bytes, { name: basename(path) })
    : readField(bytes);
}

/** Runs the methods in turn, `runs` times after a warm-up, so that a slow moment of the machine hits all alike. */
async function measure(field: CpuField, settings: Settings): Promise<Row[]> {
  const { methods, runs } = settings;
  const times = methods.map((): number[] => []);
  const cpuTimes = methods.map((): number[] => []);
  const results: Awaited<ReturnType<Method['run']>>[] = [];
  for (let round = 0; round <= runs; round++) {
    for (const [m, { run }] of methods.entries()) {
      const cpuStart = process.cpuUsage();
      const start = performance.now();
      results[m] = await run(field);
      if (round === 0) continue;
      times[m].push(performance.now() - start);
      const { user, system } = process.cpuUsage(cpuStart);
      cpuTimes[m].push((user + system) / 1000);
    }
  }
  const sorted = times.map((list) => list.sort((a, b) => a - b));
  const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1];
  const medians = sorted.map(median);
  const cpuMedians = cpuTimes.map(median);
  const peer = medians[methods.findIndex(({ name }) => name === PEER)] ?? Number.NaN;
  const rows: Row[] = [];
  for (const [m, { name }] of methods.entries()) {
    const { asset } = field;
    const { positions, indices, stats } = results[m];
    rows.push({
      field: asset.name,
      method: name,
      medianMs: medians[m],
      fastestMs: sorted[m][0],
      slowestMs: sorted[m][runs - 1],
      cpuMs: cpuMedians[m],
      speedup: peer / medians[m],
      boxesSurviving: stats?.nBoxesSurviving ?? null,
      report: await checkMesh(
        { positions, indices },
        { field, domain: asset.domain, samples: settings.samples },
      ),
    });
  }
  return rows;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '5' },
      samples: { type: 'string', default: '50000' },
      '256': { type: 'boolean', default: false },
      npm: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const bunny = fileURLToPath(new URL('../test/fixtures/bunny-S.nsdf', import.meta.url));
  for (const path of [bunny, ...positionals]) {
    const field = createCpuField(readAsset(path));
    const { min, max } = field.asset.domain;
    const scale = Math.hypot(...min.map((low, axis) => max[axis] - low)) / Math.hypot(2, 2, 2);
    const methods = methodsFor(scale, values).filter(
      ({ name }) => name === PEER || name.includes(values.only),
    );
    const rows = await measure(field, {
      runs: Number(values.runs),
      samples: Number(values.samples),
      methods,
    });
    const name = basename(path).replace(/\.[^.]*$/, '');
    writeResults(name, resultsOf({ ...aboutThisRun(), measured: `medians of ${values.runs} runs` }, rows));
    console.log(`\n${name}: ${values.runs} runs each after a warm-up, one thread, node ${process.version}`);
    console.log(toTable(rows));
    console.log(await measureLevels(field, name, Number(values.runs)));
    const surviving = rows.find(({ method }) => method.startsWith('tolerance'))?.boxesSurviving;
    if (surviving == null || field.asset.encoding.kind === 'none') continue;
    const needed = countSurfaceBoxes(field);
    console.log(
      `boxes: ${surviving} survive, ${needed} contain surface: ratio ${(surviving / needed).toFixed(3)} (≤ 1.2 wanted)`,
    );
  }
}

await main();
