// `npm run bench:training -- MESH... [--preset default] [--steps N]`: how near the mesh of a trained field comes to its input, with how many
// vertices, in how much processor time. Trains on this thread. Adds to bench/results/training.csv, and its table in docs/theory.md.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { distancesTo } from '../src/cli/compressed-meshes.ts';
import { readTriangles } from '../src/cli/files.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { createRandom } from '../src/surface/check-random.ts';
import { checkTopology } from '../src/surface/check-topology.ts';
import { sampleMesh } from '../src/surface/distance-samples.ts';
import { localPositions } from '../src/surface/mesh.ts';
import { TriangleTree } from '../src/surface/triangle-tree.ts';
import { TRAIN_PRESETS, type TrainOptions, trainField } from '../src/train/index.ts';
import { aboutThisRun, parseCsv, resultsUrl, writeResults } from './results-file.ts';

/** Points at which each distance is measured. */
const SAMPLES = 30_000;
/** Share of the domain's half side. */
const TOLERANCE = 1e-3;
const COLUMNS = [
  'mesh',
  'preset',
  'mesh to input',
  'input to mesh',
  'input to mesh, 99 %',
  'vertices',
  'components',
  'processor time',
];

async function measure(path: string, preset: keyof typeof TRAIN_PRESETS, steps: number): Promise<string[]> {
  const [input] = await readTriangles(path);
  const start = process.cpuUsage();
  const options: TrainOptions = { preset, steps, nWorkers: 0 };
  const { asset, stats } = await trainField(input, options);
  const { user, system } = process.cpuUsage(start);
  const half = (asset.domain.max[0] - asset.domain.min[0]) / 2;
  const derived = await deriveMesh(asset, { tolerance: TOLERANCE * half, cache: false });
  const mesh = { positions: localPositions(derived.mesh), indices: derived.mesh.indices };
  const toInput = distancesTo(new TriangleTree(input), sampleMesh(mesh, SAMPLES, createRandom(2)));
  const fromInput = distancesTo(new TriangleTree(mesh), sampleMesh(input, SAMPLES, createRandom(1)));
  const { nComponents } = checkTopology(derived.mesh, asset.domain);
  const shown = [toInput.mean, fromInput.mean, fromInput.p99].map((x) => (x / half).toExponential(2));
  return [
    basename(path).replace(/\.[^.]*$/, ''),
    steps === TRAIN_PRESETS[preset].steps ? preset : `${preset}, ${steps} steps`,
    ...shown,
    `${derived.stats.nVertices}`,
    `${nComponents} of ${stats.mesh?.nComponents ?? 0}`,
    `${((user + system) / 1e6).toFixed(0)} s`,
  ];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { preset: { type: 'string', default: 'default' }, steps: { type: 'string' } },
});
if (positionals.length === 0)
  throw new Error('expected meshes: npm run bench:training -- bunny.ply gear.ply');
const preset = values.preset as keyof typeof TRAIN_PRESETS;
let rows = existsSync(resultsUrl('training'))
  ? parseCsv(readFileSync(resultsUrl('training'), 'utf8')).rows
  : [];
for (const path of positionals) {
  const row = await measure(path, preset, Number(values.steps ?? TRAIN_PRESETS[preset].steps));
  console.log(row.join('  '));
  const other = rows.filter(([mesh, how]) => mesh !== row[0] || how !== row[1]);
  rows = [...other, row];
}
writeResults('training', {
  about: {
    ...aboutThisRun(),
    measured: `one thread, seed 1; means unless it says so, over half the domain's side; mesh at a tolerance of ${TOLERANCE}`,
  },
  columns: COLUMNS,
  rows,
});
