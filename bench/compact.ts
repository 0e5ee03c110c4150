// `npm run bench:compact -- MESH.ply [--fields FOLDER]`: trains fields on a mesh, packs them at several steps and measures the written
// files against the mesh. Trained fields are kept in the folder, where one is given. Writes bench/results/compact-NAME.csv, and the bunny's table in docs/guides/training.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { meshFormatOf } from '../src/cli/mesh-files/index.ts';
import { readField } from '../src/format/read.ts';
import { writeNsdfHashed } from '../src/format/write.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { createRandom } from '../src/surface/check-random.ts';
import { sampleMesh } from '../src/surface/distance-samples.ts';
import { type Triangles, TriangleTree } from '../src/surface/triangle-tree.ts';
import { nestedResolutions, packField, trainField } from '../src/train/index.ts';
import { aboutThisRun, writeResults } from './results-file.ts';

const COLUMNS = [
  'levels',
  'steps',
  'stored as',
  'bytes',
  'mesh to input',
  'input to mesh',
  'entries kept',
  'decoding',
];
const N_SAMPLES = 40_000;
/** Decodings timed, the least of which counts. */
const N_DECODED = 5;
/** Shapes that are trained, how long, and the steps that each is rounded to, as distances. */
const CASES = [
  {
    resolutions: nestedResolutions(3, 64),
    steps: 2000,
    packings: [8.5e-4, 1.6e-3, 3e-3],
  },
  { resolutions: nestedResolutions(3, 46), steps: 1000, packings: [2e-3, 4e-3] },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string' }, fields: { type: 'string' } },
});
const [path] = positionals;
if (path === undefined) throw new Error('expected a mesh');
const mesh = meshFormatOf(path).read(new Uint8Array(readFileSync(path)));
const name = values.name ?? basename(path).replace(/\.[^.]*$/, '');

function meanDistance(points: Float64Array, to: Triangles): number {
  const tree = new TriangleTree(to);
  let sum = 0;
  for (let i = 0; i < points.length; i += 3) sum += tree.closest(points[i], points[i + 1], points[i + 2]);
  return sum / (points.length / 3);
}

/** Distances both ways between a file's surface and the input. */
async function measure(bytes: Uint8Array): Promise<[toInput: number, fromInput: number]> {
  const asset = readField(bytes);
  const tolerance = 5e-4 * (asset.domain.max[0] - asset.domain.min[0]);
  const derived = (await deriveMesh(asset, { tolerance, backend: 'cpu', cache: false })).mesh;
  return [
    meanDistance(sampleMesh(derived, N_SAMPLES, createRandom(2)), mesh),
    meanDistance(
      sampleMesh({ positions: mesh.positions, indices: mesh.indices }, N_SAMPLES, createRandom(1)),
      derived,
    ),
  ];
}

/** Processor time of reading a file, ms: the first in this process, and the least of many. */
function timeDecoding(bytes: Uint8Array): string {
  const times = Array.from({ length: N_DECODED }, () => {
    const start = process.cpuUsage();
    readField(bytes);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return `${Math.min(...times).toFixed(0)} ms`;
}

/** The trained field, as a file of f32. */
async function train(resolutions: readonly number[], steps: number): Promise<Uint8Array> {
  const kept =
    values.fields && `${values.fields}/${name}-${resolutions[resolutions.length - 1]}-${steps}.nsdf`;
  if (kept && existsSync(kept)) return new Uint8Array(readFileSync(kept));
  const { asset } = await trainField(mesh, { resolutions, steps, nFeaturesPerLevel: 1, nWorkers: 0 });
  const bytes = await writeNsdfHashed({ ...asset, name }, { dtype: 'f32' });
  if (kept) writeFileSync(kept, bytes);
  return bytes;
}

const rows: string[][] = [];
const columnsOf = (bytes: Uint8Array, [to, from]: [number, number]): string[] => [
  `${bytes.length}`,
  to.toExponential(2),
  from.toExponential(2),
];
for (const { resolutions, steps, packings } of CASES) {
  const shape = resolutions.map((n) => Number(n.toFixed(1))).join(', ');
  const plain = await train(resolutions, steps);
  const asset = readField(plain);
  rows.push([
    shape,
    `${steps}`,
    'f32',
    ...columnsOf(plain, await measure(plain)),
    'all',
    timeDecoding(plain),
  ]);
  for (const step of packings) {
    const packed = await packField(asset, { step });
    const bytes = await writeNsdfHashed(packed.asset, { dtype: packed.dtype });
    const kept = `${packed.nKept} of ${packed.nEntries}`;
    const stored = `compact, ${step.toExponential(1)}`;
    rows.push([
      shape,
      `${steps}`,
      stored,
      ...columnsOf(bytes, await measure(bytes)),
      kept,
      timeDecoding(bytes),
    ]);
    console.error(rows[rows.length - 1].join(' | '));
  }
}
const measured =
  'one feature a level; whole files; mean distances between the mesh at a tolerance of 1e-3 and the input; processor time on a machine that others used too, the least of 5';
writeResults(`compact-${name}`, { about: { ...aboutThisRun(), measured }, columns: COLUMNS, rows });
