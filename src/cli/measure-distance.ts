import type { Box3 } from '../format/asset.ts';
import type { Spread } from '../surface/check-field.ts';
import { createRandom } from '../surface/check-random.ts';
import { sampleMesh } from '../surface/distance-samples.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { type DistanceSource, MeshSource } from '../train/distance-source.ts';
import { prepareMesh } from '../train/training-mesh.ts';
import { distancesTo } from './compressed-meshes.ts';

/** Between a field's mesh and what it was trained on. Lengths are in the input's units. */
export interface DistanceBothWays {
  readonly toInput: Spread;
  readonly fromInput: Spread;
}

/** The tolerance of the mesh that is measured, as a share of the domain's half side. */
export const MEASURED_TOLERANCE = 1e-3;
const N_SAMPLES = 40_000;

/** What of the inputs bounds their inside, in their own units: what lies inside of other parts is no surface to come near to. And it in the cube. */
export function boundingInput(
  inputs: readonly Triangles[],
  domain: Box3,
): { input: Triangles; source: DistanceSource } {
  const { triangles, surface, tree } = prepareMesh(inputs, domain);
  const half = (domain.max[0] - domain.min[0]) / 2;
  const positions = Float64Array.from(surface.positions, (x, i) => domain.min[i % 3] + (x + 1) * half);
  const source = new MeshSource(triangles, surface, tree);
  return { input: { positions, indices: surface.indices }, source };
}

/** Measured at points that are the same each time. */
export function distanceBothWays(mesh: Triangles, input: Triangles): DistanceBothWays {
  return {
    toInput: distancesTo(new TriangleTree(input), sampleMesh(mesh, N_SAMPLES, createRandom(2))),
    fromInput: distancesTo(new TriangleTree(mesh), sampleMesh(input, N_SAMPLES, createRandom(1))),
  };
}
