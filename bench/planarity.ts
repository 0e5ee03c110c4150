// `npm run bench:planarity -- MESH [--steps N] [--eikonal 0,1e-2] [--planarity 0,3e-6]`: what the weights of the eikonal loss and of the
// in-cell second derivatives do to the flatness error, the eikonal error, the vertices and the distance of the mesh from its input (Kim
// 2024 shows the eikonal weight against the flatness error). Writes bench/results/planarity-NAME.csv, and its table in docs/theory.md.
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { distancesTo } from '../src/cli/compressed-meshes.ts';
import { readTriangles } from '../src/cli/files.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { qualityOf } from '../src/pipeline/measure-quality.ts';
import { createRandom } from '../src/surface/check-random.ts';
import { sampleMesh } from '../src/surface/distance-samples.ts';
import { localPositions } from '../src/surface/mesh.ts';
import { type Triangles, TriangleTree } from '../src/surface/triangle-tree.ts';
import { trainField } from '../src/train/index.ts';
import { aboutThisRun, writeResults } from './results-file.ts';

/** Points at which each distance is measured. */
const SAMPLES = 20_000;
/** Share of the domain's half side. */
const TOLERANCE = 1e-3;
const COLUMNS = [
  'eikonal weight',
  'planarity weight',
  'flatness error',
  'eikonal error',
  'vertices',
  'mesh to input',
  'input to mesh',
];

/** Trains with these weights, alone on this thread, so that rows differ in nothing else. Lengths over the half side. */
async function measure(input: Triangles, steps: number, eikonal: number, curvature: number) {
  const { asset } = await trainField(input, { steps, nWorkers: 0, weights: { eikonal, curvature } });
  const half = (asset.domain.max[0] - asset.domain.min[0]) / 2;
  const derived = await deriveMesh(asset, { tolerance: TOLERANCE * half, structure: true, cache: false });
  const quality = await qualityOf(asset, derived);
  const mesh = { positions: localPositions(derived.mesh), indices: derived.mesh.indices };
  const toInput = distancesTo(new TriangleTree(input), sampleMesh(mesh, SAMPLES, createRandom(2)));
  const fromInput = distancesTo(new TriangleTree(mesh), sampleMesh(input, SAMPLES, createRandom(1)));
  const figures = [quality.flatness.mean / half, quality.eikonal.mean, derived.stats.nVertices];
  const shown = [...figures, toInput.mean / half, fromInput.mean / half].map((x) =>
    Number.isInteger(x) ? `${x}` : x.toExponential(2),
  );
  return [`${eikonal}`, `${curvature}`, ...shown];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string', default: '250' },
    eikonal: { type: 'string', default: '0,0.003,0.01,0.03,0.1' },
    planarity: { type: 'string', default: '1e-6,3e-6,1e-5,1e-4' },
  },
});
const [path] = positionals;
if (path === undefined) throw new Error('expected a mesh: npm run bench:planarity -- bunny.ply');
const [input] = await readTriangles(path);
const numbers = (text: string): number[] => text.split(',').map(Number);
// One weight at a time, the other at 0.
const pairs = [
  ...numbers(values.eikonal).map((weight) => [weight, 0]),
  ...numbers(values.planarity).map((weight) => [0, weight]),
];
const rows: string[][] = [];
for (const [eikonal, curvature] of pairs) {
  rows.push(await measure(input, Number(values.steps), eikonal, curvature));
  console.log(rows[rows.length - 1].join('  '));
}
writeResults(`planarity-${basename(path).replace(/\.[^.]*$/, '')}`, {
  about: {
    ...aboutThisRun(),
    measured: `${values.steps} steps, seed 1; lengths over half the domain's side; mesh at a tolerance of ${TOLERANCE}; means`,
  },
  columns: COLUMNS,
  rows,
});
