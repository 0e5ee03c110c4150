/**
 * Makes the small fields of examples/assets from meshes that the training page makes in code:
 *   node --import tsx --import ./scripts/wgsl-hooks.mjs scripts/make-samples.ts [NAME...]
 * Trained by the preset `default`, packed, and measured; the table of examples/assets/README.md is what this prints.
 */
import { writeFileSync } from 'node:fs';
import { SAMPLES } from '../examples/train/samples.ts';
import { createCpuField } from '../src/field/cpu-field.ts';
import { verifyNsdf } from '../src/format/validate.ts';
import { sceneOf, writeNsdfHashed } from '../src/format/write.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { checkMesh } from '../src/surface/check.ts';
import { TriangleTree } from '../src/surface/triangle-tree.ts';
import { packField, trainField } from '../src/train/index.ts';

const TOLERANCE = 2e-3;
/** What values are rounded to; half of the tolerance that the files are shown at. */
const STEP = 1e-3;

async function make(name: string): Promise<string> {
  const mesh = SAMPLES[name]();
  const trained = await trainField(mesh, { preset: 'default', name });
  const packed = await packField(trained.asset, { step: STEP });
  const bytes = await writeNsdfHashed(sceneOf(packed.asset), { dtype: packed.dtype });
  const issues = await verifyNsdf(bytes);
  if (issues.length > 0) throw new Error(`${name}: ${JSON.stringify(issues, null, 2)}`);
  writeFileSync(new URL(`../examples/assets/${name}.nsdf`, import.meta.url), bytes);
  const derived = await deriveMesh(packed.asset, { tolerance: TOLERANCE, cache: false });
  const { isClosed, nComponents } = await checkMesh(derived.mesh, { field: createCpuField(packed.asset) });
  const error = meanDistance(derived.mesh.positions, new TriangleTree(mesh));
  const back = meanDistance(mesh.positions, new TriangleTree(derived.mesh));
  return `| ${name} | ${bytes.length} | ${mesh.indices.length / 3} | ${derived.stats.nVertices} | ${error.toExponential(1)} / ${back.toExponential(1)} | ${nComponents}, ${isClosed ? 'closed' : 'open'} |`;
}

/** Of vertices from a surface. */
function meanDistance(positions: ArrayLike<number>, surface: TriangleTree): number {
  let sum = 0;
  for (let i = 0; i < positions.length; i += 3) {
    sum += surface.closest(positions[i], positions[i + 1], positions[i + 2]);
  }
  return sum / (positions.length / 3);
}

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(SAMPLES)) console.log(await make(name));
