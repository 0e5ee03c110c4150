// What more workers bring: the wall time of a derivation by one, two ... up to as many workers as there are cores.
// `npm run build && npx tsx bench/workers.ts [more.nsdf or more.safetensors ...]`, on a machine that does nothing else.
import { availableParallelism, loadavg } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { pageWorker } from '../src/cli/node-workers.ts';
import { configureWorkers, disposeWorkers } from '../src/pipeline/backend-worker.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { fieldOf } from './gpu/fields.ts';
import { aboutThisRun, type Results, toBlock, writeResults } from './results-file.ts';

const RUNS = 5;
const BUILT_WORKER = new URL('../dist/cli/node-worker.js', import.meta.url);
const BUNNY = fileURLToPath(new URL('../test/fixtures/bunny-S.nsdf', import.meta.url));

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const rows: string[][] = [];
for (const file of [BUNNY, ...process.argv.slice(2)]) {
  const asset = fieldOf(file);
  const walls: number[] = [];
  for (let nWorkers = 1; nWorkers <= availableParallelism(); nWorkers++) {
    configureWorkers({ createWorker: () => pageWorker(new Worker(BUILT_WORKER)), maxWorkers: nWorkers });
    const times: number[] = [];
    let nVertices = 0;
    // The first two runs are for the compiler of each thread.
    for (let run = -2; run < RUNS; run++) {
      const startMs = performance.now();
      const { stats } = await deriveMesh(asset, { backend: 'worker', cache: false });
      nVertices = stats.nVertices;
      if (run >= 0) times.push(performance.now() - startMs);
    }
    disposeWorkers();
    walls.push(median(times));
    const seconds = (median(times) / 1000).toPrecision(3);
    rows.push([
      basename(file),
      `${nVertices}`,
      `${nWorkers}`,
      `${seconds} s`,
      (walls[0] / median(times)).toFixed(2),
    ]);
  }
}
const results: Results = {
  about: { ...aboutThisRun(), runs: `median of ${RUNS}, warm`, load: (loadavg()[0] as number).toFixed(1) },
  columns: ['field', 'vertices', 'workers', 'wall', 'faster than one'],
  rows,
};
writeResults('workers', results);
console.log(toBlock('workers', results));
