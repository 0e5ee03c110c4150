import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FieldAsset } from '../src/format/asset.ts';
import { readField } from '../src/format/read.ts';
import { importSafetensors } from '../src/import/index.ts';
import { createLadder } from '../src/lod/index.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';

/**
 * Time to the first geometry against the time to each level, on one thread: `npx tsx bench/lod.ts [more.nsdf ...]`.
 * The first preview of a process is not compiled yet, as on a page: it is timed apart from the later ones.
 */
const RUNS = 3;

function readAsset(path: string): FieldAsset {
  const bytes = readFileSync(path);
  return path.endsWith('.safetensors')
    ? importSafetensors(bytes, { name: basename(path) })
    : readField(bytes);
}

async function timeOf(asset: FieldAsset, detail: object): Promise<{ timeMs: number; nTriangles: number }> {
  const startMs = performance.now();
  const { stats } = await deriveMesh(asset, { ...detail, backend: 'cpu', cache: false });
  return { timeMs: performance.now() - startMs, nTriangles: stats.nTriangles };
}

async function fastest(asset: FieldAsset, detail: object, runs: number) {
  const times = [];
  for (let i = 0; i < runs; i++) times.push(await timeOf(asset, detail));
  return times.reduce((best, time) => (time.timeMs < best.timeMs ? time : best));
}

await import('../src/pipeline/job.ts'); // or its transpiling would be timed
const bunny = fileURLToPath(new URL('../examples/assets/bunny.nsdf', import.meta.url));
for (const path of [bunny, ...process.argv.slice(2)]) {
  const asset = readAsset(path);
  const { preview, levels } = createLadder(asset);
  const first = await timeOf(asset, preview?.detail ?? {});
  const later = await fastest(asset, preview?.detail ?? {}, RUNS);
  console.log(
    `\n${basename(path)}: preview ${first.timeMs.toFixed(0)} ms at first, ${later.timeMs.toFixed(0)} ms later`,
  );
  console.log('level             ms    triangles   first preview is 1 in   later 1 in');
  const shown = [levels[0], ...levels.filter(({ name }) => /256|1024|exact/.test(name))];
  for (const { name, detail } of shown) {
    const { timeMs, nTriangles } = await fastest(asset, detail, asset.name.includes('L') ? 1 : RUNS);
    const ratios = [first, later].map((time) => (timeMs / time.timeMs).toFixed(1).padStart(12));
    console.log(
      `${name.padEnd(16)}${timeMs.toFixed(0).padStart(6)}${String(nTriangles).padStart(10)}${ratios.join('')}`,
    );
  }
}
