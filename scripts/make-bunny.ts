/**
 * Makes test/fixtures/bunny-S.nsdf from the trained network:
 *   npx tsx scripts/make-bunny.ts path/to/bunny-S.safetensors [--fallback MAX_VERTICES]
 * With --fallback the file also carries a coarse mesh of at most that many vertices, for viewers without the extension.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { FieldAsset } from '../src/format/asset.ts';
import { verifyNsdf } from '../src/format/read.ts';
import { DEFAULT_MATERIAL, type FallbackMesh } from '../src/format/scene.ts';
import { sceneOf, writeNsdfHashed } from '../src/format/write.ts';
import { importSafetensors } from '../src/import/index.ts';

const OUTPUT = new URL('../test/fixtures/bunny-S.nsdf', import.meta.url);
const COPYRIGHT =
  'Stanford Bunny: Stanford Computer Graphics Laboratory. Neural field: trained by the nsdf-loader project.';
const CLAY = {
  ...DEFAULT_MATERIAL,
  name: 'clay',
  baseColorFactor: [0.8, 0.76, 0.7, 1],
  metallicFactor: 0,
  roughnessFactor: 0.65,
} as const;

/** A coarse mesh of the field; loads the whole pipeline, so only where it is asked for. */
async function coarseMesh(asset: FieldAsset, maxVertices: number): Promise<FallbackMesh> {
  const { deriveMesh } = await import('../src/index.ts');
  const { mesh } = await deriveMesh(asset, { tolerance: 1e-2, maxVertices, backend: 'cpu' });
  return mesh;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { fallback: { type: 'string' } },
});
const [source] = positionals;
if (source === undefined)
  throw new Error('usage: make-bunny.ts bunny-S.safetensors [--fallback MAX_VERTICES]');

const asset = { ...importSafetensors(await readFile(source)), name: 'bunny' };
const fallback = values.fallback === undefined ? null : await coarseMesh(asset, Number(values.fallback));
const scene = { ...sceneOf(asset, { copyright: COPYRIGHT, material: CLAY, fallback }), name: 'bunny' };
const bytes = await writeNsdfHashed(scene);
const issues = await verifyNsdf(bytes);
if (issues.length > 0) throw new Error(`the file has issues: ${JSON.stringify(issues, null, 2)}`);
await writeFile(OUTPUT, bytes);
console.log(`${OUTPUT.pathname}: ${bytes.length} bytes`);
