// What levels cost in U: the processor time in which one thread evaluates a dense lattice of 128³ boxes of the field with the same
// evaluator. `npm run bench` prints it; `npx tsx bench/levels.ts [colliding, fine, more.nsdf or
// more.safetensors ...]` measures nothing else.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpuField, createCpuField } from '../src/field/cpu-field.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { checkMesh } from '../src/surface/check.ts';
import { withFineLevels } from '../test/fixtures/grid-fields.ts';
import { collidingField, fieldOf } from './gpu/fields.ts';
import { latticeValues } from './marching-cubes.ts';
import { aboutThisRun, type Results, toBlock, writeResults } from './results-file.ts';

/** bunny-S with levels of 256 and 512 cells, hashed, that move its surface by about a third of the default tolerance: as if trained. */
const FINE = { cells: [256, 512], amplitude: 3e-4 };
const LEVELS = [{ resolution: 8 }, { resolution: 32 }, { resolution: 64 }, {}];
/** Points for each of the two distances, others than the level's own. */
const SAMPLES = 20_000;
const UNIT_BOXES = 128;
const COLUMNS = [
  'level',
  'made by',
  'U',
  'processor time',
  'vertices',
  'tolerance',
  'told error',
  'measured error',
];

/** Least processor time of several runs after a warm-up, in ms, and what the last gave: a busy machine disturbs it less than the clock. */
async function timed<T>(runs: number, job: () => T | Promise<T>): Promise<{ result: T; cpuMs: number }> {
  let best = { result: await job(), cpuMs: Number.POSITIVE_INFINITY };
  for (let run = 0; run < runs; run++) {
    const start = process.cpuUsage();
    const result = await job();
    const { user, system } = process.cpuUsage(start);
    best = { result, cpuMs: Math.min(best.cpuMs, (user + system) / 1000) };
  }
  return best;
}

const both = (there: number | undefined, back: number | undefined): string =>
  `${there?.toPrecision(2) ?? '-'} / ${back?.toPrecision(2) ?? '-'}`;

/** Measures a field's levels and writes bench/results/levels-NAME.csv. @returns the table. */
export async function measureLevels(field: CpuField, name: string, runs: number): Promise<string> {
  const { asset } = field;
  const unit = await timed(runs, () => latticeValues(field, asset.domain, UNIT_BOXES).counts);
  const rows: string[][] = [];
  for (const level of LEVELS) {
    const options = { ...level, backend: 'cpu', cache: false } as const;
    const { result, cpuMs } = await timed(runs, () => deriveMesh(asset, options));
    const { method, nVertices, toleranceLocal, errorLocal, errorBackLocal } = result.stats;
    const report = await checkMesh(result.mesh, { field, domain: asset.domain, samples: SAMPLES, seed: 5 });
    rows.push([
      level.resolution === undefined ? 'default tolerance' : `\`resolution ${level.resolution}\``,
      method,
      (cpuMs / unit.cpuMs).toFixed(2),
      `${(cpuMs / 1000).toPrecision(2)} s`,
      `${nVertices}`,
      toleranceLocal.toPrecision(2),
      both(errorLocal, errorBackLocal),
      both(report.meshToZeroSet?.max, report.zeroSetToMesh?.max),
    ]);
  }
  const measured = `one thread, processor time, the least of ${runs}; U = ${(unit.cpuMs / 1000).toPrecision(2)} s; errors: mesh to zero set / zero set to mesh, ${SAMPLES} points each`;
  const results: Results = { about: { ...aboutThisRun(), measured }, columns: COLUMNS, rows };
  writeResults(`levels-${name}`, results);
  return toBlock(`levels-${name}`, results);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bunny = fileURLToPath(new URL('../test/fixtures/bunny-S.nsdf', import.meta.url));
  const paths = process.argv.slice(2);
  for (const path of paths.length > 0 ? paths : [bunny, 'colliding']) {
    const asset =
      path === 'colliding'
        ? collidingField()
        : path === 'fine'
          ? withFineLevels(fieldOf(bunny), 3, FINE)
          : fieldOf(path);
    const name = basename(path).replace(/\.[^.]*$/, '');
    console.log(await measureLevels(createCpuField(asset), name, 3));
  }
}
