import { createCpuField } from '../field/cpu-field.ts';
import { listFields } from '../format/instances.ts';
import { readNsdf } from '../format/read.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { type Spread, spreadOf } from '../surface/check-field.ts';
import { createRandom } from '../surface/check-random.ts';
import type { CheckableMesh } from '../surface/check-topology.ts';
import { checkTopology } from '../surface/check-topology.ts';
import { sampleMesh } from '../surface/distance-samples.ts';
import { TriangleTree } from '../surface/triangle-tree.ts';
import type { TrainStats } from '../train/index.ts';
import type { MeshData } from './mesh-files/index.ts';

/** What `nsdf train` tells of a field: measured on the file that it wrote. Lengths are in the input's units. */
export interface TrainReport {
  readonly bytes: number;
  readonly training: TrainStats;
  /** Of the mesh at the first of the tolerances. */
  readonly distance: { readonly toInput: Spread; readonly fromInput: Spread };
  readonly vertices: readonly {
    readonly tolerance: number;
    readonly n: number;
    readonly nUnsettled: number;
  }[];
  readonly quality: {
    /** Mean | |∇f| - 1 | at points of the input. */
    readonly eikonal: number;
  };
  readonly components: { readonly input: number; readonly result: number; readonly far: number };
}

/** Tolerances at which vertices are counted, as shares of the domain's half side; the first is measured. */
const TOLERANCES = [1e-3, 2e-3, 5e-3];
const N_SAMPLES = 40_000;

/**
 * Reads a written field back, derives it and measures it against what it was trained on.
 * @param bytes the `.nsdf`.
 */
export async function measureTraining(
  bytes: Uint8Array,
  inputs: readonly MeshData[],
  training: TrainStats,
): Promise<TrainReport> {
  const { asset } = listFields(readNsdf(bytes))[0].field;
  const half = (asset.domain.max[0] - asset.domain.min[0]) / 2;
  const input = merged(inputs);
  const meshes = [];
  const vertices = [];
  for (const share of TOLERANCES) {
    const tolerance = share * half;
    const { mesh, stats } = await deriveMesh(asset, { tolerance, cache: false });
    meshes.push(mesh);
    vertices.push({ tolerance, n: stats.nVertices, nUnsettled: stats.nBoxesUnsettled });
  }
  const points = sampleMesh(input, N_SAMPLES, createRandom(1));
  const gradients = new Float64Array(points.length);
  createCpuField(asset).evaluateWithGradient(points, new Float64Array(points.length / 3), gradients);
  let eikonal = 0;
  for (let i = 0; i < gradients.length; i += 3) {
    eikonal += Math.abs(Math.hypot(gradients[i], gradients[i + 1], gradients[i + 2]) - 1);
  }
  return {
    bytes: bytes.length,
    training,
    distance: {
      toInput: distances(sampleMesh(meshes[0], N_SAMPLES, createRandom(2)), input),
      fromInput: distances(points, meshes[0]),
    },
    vertices,
    quality: { eikonal: eikonal / Math.max(1, gradients.length / 3) },
    components: {
      input: training.mesh?.nComponents ?? 0,
      result: checkTopology(meshes[0], asset.domain).nComponents,
      far: training.nFarLeft,
    },
  };
}

function distances(points: Float64Array, mesh: CheckableMesh): Spread {
  const tree = new TriangleTree(mesh);
  const found = new Float64Array(points.length / 3);
  for (let i = 0; i < found.length; i++) {
    found[i] = tree.closest(points[i * 3], points[i * 3 + 1], points[i * 3 + 2]);
  }
  return spreadOf(found);
}

function merged(meshes: readonly MeshData[]): CheckableMesh {
  if (meshes.length === 1) return { positions: meshes[0].positions, indices: meshes[0].indices };
  const positions: number[] = [];
  const indices: number[] = [];
  for (const mesh of meshes) {
    const base = positions.length / 3;
    for (const v of mesh.indices) indices.push(base + v);
    for (const x of mesh.positions) positions.push(x);
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}
