// `npm run bench:lod -- [--runs N] [more.nsdf or more.safetensors ...]`: the levels of a field's ladder, on one thread: what each
// costs, how far it is from the zero set. Writes bench/results/lod-NAME.csv, and the bunny's table in docs/guides/lod.md.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createCpuField } from '../src/field/cpu-field.ts';
import type { FieldAsset } from '../src/format/asset.ts';
import { readField } from '../src/format/read.ts';
import { importSafetensors } from '../src/import/index.ts';
import { createLadder, type LadderLevel } from '../src/lod/index.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { checkMesh } from '../src/surface/check.ts';
import { aboutThisRun, writeResults } from './results-file.ts';

/** Points for each of the two distances. */
const SAMPLES = 20_000;
const COLUMNS = ['level', 'tolerance', 'triangles', 'largest distance', 'mean distance', 'processor time'];

function readAsset(path: string): FieldAsset {
  const bytes = readFileSync(path);
  return path.endsWith('.safetensors')
    ? importSafetensors(bytes, { name: basename(path) })
    : readField(bytes);
}

/** Derives a level; processor time of all threads in ms, which a busy machine disturbs less than the clock. */
async function deriveTimed(asset: FieldAsset, { detail }: LadderLevel) {
  const start = process.cpuUsage();
  const { mesh } = await deriveMesh(asset, { ...detail, backend: 'cpu', cache: false });
  const { user, system } = process.cpuUsage(start);
  return { mesh, cpuMs: (user + system) / 1000 };
}

/** A level's row: the least of several times, distances both ways. */
async function measureLevel(asset: FieldAsset, level: LadderLevel, runs: number): Promise<string[]> {
  let { mesh, cpuMs } = await deriveTimed(asset, level);
  for (let run = 1; run < runs; run++) cpuMs = Math.min(cpuMs, (await deriveTimed(asset, level)).cpuMs);
  const options = { field: createCpuField(asset), domain: asset.domain, samples: SAMPLES };
  const { meshToZeroSet, zeroSetToMesh, nTriangles } = await checkMesh(mesh, options);
  const both = [meshToZeroSet, zeroSetToMesh];
  const largest = Math.max(...both.map((distance) => distance?.max ?? Number.NaN));
  const mean = Math.max(...both.map((distance) => distance?.mean ?? Number.NaN));
  return [
    `\`${level.name}\``,
    level.isPreview ? '-' : level.toleranceLocal.toPrecision(2),
    `${nTriangles}`,
    largest.toPrecision(2),
    mean.toPrecision(2),
    `${(cpuMs / 1000).toPrecision(2)} s`,
  ];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' } },
});
const bunny = fileURLToPath(new URL('../test/fixtures/bunny-S.nsdf', import.meta.url));
for (const path of positionals.length > 0 ? positionals : [bunny]) {
  const asset = readAsset(path);
  const { preview, levels } = createLadder(asset);
  const rows: string[][] = [];
  for (const level of [...(preview ? [preview] : []), ...levels]) {
    rows.push(await measureLevel(asset, level, Number(values.runs)));
    console.log(rows.at(-1)?.join('  '));
  }
  const measured = `one thread of a machine that others used too; processor time, the least of ${values.runs}; the larger of both distances, ${SAMPLES} points each`;
  writeResults(`lod-${basename(path).replace(/\.[^.]*$/, '')}`, {
    about: { ...aboutThisRun(), measured },
    columns: COLUMNS,
    rows,
  });
}
