import type { Box3 } from '../format/asset.ts';
import { type CheckField, type Spread, spreadOf } from './check-field.ts';
import { createRandom } from './check-random.ts';
import type { CheckableMesh } from './check-topology.ts';
import { sampleMesh, sampleZeroSet } from './distance-samples.ts';
import { distancesToZeroSet } from './distance-to-zero-set.ts';
import { TriangleTree } from './triangle-tree.ts';

/** Points measured between two looks at the abort signal, about 20 ms. */
const CHUNK = 512;

export interface DistanceOptions {
  readonly field: CheckField;
  readonly domain: Box3;
  readonly samples: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Distances from points that are uniform on the mesh to the field's zero set inside the domain. */
export async function meshToZeroSet(mesh: CheckableMesh, options: DistanceOptions): Promise<Spread> {
  const { field, domain, samples, seed, signal } = options;
  const random = createRandom(seed);
  const points = sampleMesh(mesh, samples, random);
  const distances = new Float64Array(points.length / 3);
  for (let first = 0; first < distances.length; first += CHUNK) {
    const chunk = points.subarray(first * 3, (first + CHUNK) * 3);
    distances.set(distancesToZeroSet(field, chunk, domain, random), first);
    await breathe(signal);
  }
  return spreadOf(distances);
}

/** Distances from points of the zero set inside the domain, found without the mesh, to the mesh. */
export async function zeroSetToMesh(mesh: CheckableMesh, options: DistanceOptions): Promise<Spread> {
  const { field, domain, samples, seed, signal } = options;
  const tree = new TriangleTree(mesh);
  const distances: number[] = [];
  for (const points of sampleZeroSet(field, domain, samples, createRandom(seed + 1))) {
    for (let k = 0; k < points.length; k += 3) {
      distances.push(tree.closest(points[k], points[k + 1], points[k + 2]));
    }
    await breathe(signal);
  }
  return spreadOf(Float64Array.from(distances));
}

/** Lets waiting events run, an abort among them. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}
