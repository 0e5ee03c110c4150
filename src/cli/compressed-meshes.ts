import { gzipSync } from 'node:zlib';
import { type Spread, spreadOf } from '../surface/check-field.ts';
import { createRandom } from '../surface/check-random.ts';
import { sampleMesh } from '../surface/distance-samples.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { loadOptional, type OptionalPackage } from './mesh-files/gltf-codecs.ts';

/** The mesh that a codec needs least bytes for and that is as near to the input as the field is. */
export interface CompressedMesh {
  readonly codec: 'draco' | 'meshopt + gzip';
  /** Of its streams alone, without a container. */
  readonly bytes: number;
  readonly nTriangles: number;
  /** A coordinate's, over the mesh's longest side. */
  readonly nBits: number;
  /** Means, in the input's units. */
  readonly toInput: number;
  readonly fromInput: number;
}

export interface CompressedMeshes {
  readonly meshes: readonly CompressedMesh[];
  /** Packages that are not installed, without which there is no comparison with their codec. */
  readonly missing: readonly OptionalPackage[];
}

/** Mean distances that are asked for, in the input's units. */
interface Goal {
  readonly toInput: number;
  readonly fromInput: number;
}

type Meshopt = typeof import('meshoptimizer');
type DracoEncoder = Awaited<ReturnType<typeof import('draco3dgltf')['default']['createEncoderModule']>>;

/** A simplified mesh on a lattice of 2^nBits points along its longest side. */
interface Quantized {
  readonly nBits: number;
  /** u16[nVertices * 4], the fourth 0. */
  readonly lattice: Uint16Array;
  /** The same, as codecs give it back. */
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  readonly errors: Goal;
}

/** Descending: fewer bits need no fewer triangles. */
const BITS = [14, 12, 11, 10];
/** The number of triangles is found to a factor of e to this. */
const COUNT_STEP = 0.05;
const N_SAMPLES = 5000;

/**
 * Simplifies a mesh by quadrics as far as its mean distances to the input, both ways, stay within those of a field, with each of
 * some precisions, and compresses what is left by meshopt's codec with gzip and by Draco at its slowest. The least bytes of each count.
 */
export async function compressAtError(input: Triangles, goal: Goal): Promise<CompressedMeshes> {
  const [meshopt, draco] = [await loadOptional('meshoptimizer'), await loadOptional('draco3dgltf')];
  // The simplifier is meshoptimizer's: without it there is nothing to compress.
  const missing = [
    ...(meshopt === null ? (['meshoptimizer'] as const) : []),
    ...(draco === null ? (['draco3dgltf'] as const) : []),
  ];
  if (meshopt === null) return { meshes: [], missing };
  await Promise.all([meshopt.MeshoptSimplifier.ready, meshopt.MeshoptEncoder.ready]);
  const found = new Search(input, goal, meshopt).coarsest();
  const encoder = draco && (await draco.createEncoderModule({}));
  const least = (codec: CompressedMesh['codec'], bytesOf: (mesh: Quantized) => number): CompressedMesh[] => {
    const [best] = found.map((mesh) => ({ mesh, bytes: bytesOf(mesh) })).sort((a, b) => a.bytes - b.bytes);
    if (best === undefined) return [];
    const { nBits, indices, errors } = best.mesh;
    return [{ codec, bytes: best.bytes, nTriangles: indices.length / 3, nBits, ...errors }];
  };
  return {
    missing,
    meshes: [
      ...(encoder ? least('draco', (mesh) => dracoBytes(encoder, mesh)) : []),
      ...least('meshopt + gzip', (mesh) => meshoptBytes(meshopt, mesh)),
    ],
  };
}

class Search {
  private readonly goal: Goal;
  private readonly meshopt: Meshopt;
  private readonly indices: Uint32Array;
  private readonly side: number;
  /** In [0, 1]³, as far as single precision has it. */
  private readonly unit: Float32Array;
  private readonly tree: TriangleTree;
  private readonly points: Float64Array;

  constructor(input: Triangles, goal: Goal, meshopt: Meshopt) {
    const { positions } = input;
    const min = [0, 1, 2].map(() => Number.POSITIVE_INFINITY);
    const max = [0, 1, 2].map(() => Number.NEGATIVE_INFINITY);
    positions.forEach((x, i) => {
      min[i % 3] = Math.min(min[i % 3], x);
      max[i % 3] = Math.max(max[i % 3], x);
    });
    this.goal = goal;
    this.meshopt = meshopt;
    this.side = Math.max(...min.map((low, k) => max[k] - low));
    const all = Float32Array.from(positions, (x, i) => (x - min[i % 3]) / this.side);
    // Sides between vertices at one place, used or not, count as seams: they would not be simplified across.
    const first = meshopt.MeshoptSimplifier.generatePositionRemap(all, 3);
    this.indices = Uint32Array.from(input.indices, (v) => first[v]);
    const [numbers, nVertices] = meshopt.MeshoptSimplifier.compactMesh(this.indices);
    this.unit = new Float32Array(nVertices * 3);
    numbers.forEach((to, v) => {
      if (to < nVertices) this.unit.set(all.subarray(v * 3, v * 3 + 3), to * 3);
    });
    const unit = { positions: this.unit, indices: this.indices };
    this.tree = new TriangleTree(unit);
    this.points = sampleMesh(unit, N_SAMPLES, createRandom(3));
  }

  /** For each precision, the mesh of fewest triangles that reaches the goal; none where rounding alone is too much. */
  coarsest(): Quantized[] {
    const most = Math.log(this.indices.length / 3);
    let least = Math.log(4);
    return BITS.flatMap((nBits) => {
      let found = this.quantized(Math.exp(most), nBits);
      if (!this.isReached(found)) return [];
      for (let high = most; high - least > COUNT_STEP; ) {
        const middle = 0.5 * (least + high);
        const mesh = this.quantized(Math.exp(middle), nBits);
        if (this.isReached(mesh)) [found, high] = [mesh, middle];
        else least = middle;
      }
      return [found];
    });
  }

  private isReached({ errors }: Quantized): boolean {
    return errors.toInput <= this.goal.toInput && errors.fromInput <= this.goal.fromInput;
  }

  private quantized(nTriangles: number, nBits: number): Quantized {
    const { MeshoptSimplifier: simplifier, MeshoptEncoder: encoder } = this.meshopt;
    const [simplified] = simplifier.simplify(this.indices, this.unit, 3, Math.round(nTriangles) * 3, 1);
    const indices = simplified.slice();
    const [remap, nVertices] = encoder.reorderMesh(indices, true, true);
    const lattice = new Uint16Array(nVertices * 4);
    const positions = new Float32Array(nVertices * 3);
    const most = 2 ** nBits - 1;
    for (let v = 0; v < remap.length; v++) {
      if (remap[v] === 0xffffffff) continue;
      for (let k = 0; k < 3; k++) {
        const step = Math.round(this.unit[v * 3 + k] * most);
        lattice[remap[v] * 4 + k] = step;
        positions[remap[v] * 3 + k] = step / most;
      }
    }
    const mesh = { positions, indices };
    const errors = {
      toInput: this.side * meanDistance(this.tree, sampleMesh(mesh, N_SAMPLES, createRandom(4))),
      fromInput: this.side * meanDistance(new TriangleTree(mesh), this.points),
    };
    return { nBits, lattice, ...mesh, errors };
  }
}

function meanDistance(tree: TriangleTree, points: Float64Array): number {
  return points.length === 0 ? Number.POSITIVE_INFINITY : distancesTo(tree, points).mean;
}

/** @param points f64[3n] */
export function distancesTo(tree: TriangleTree, points: Float64Array): Spread {
  const found = new Float64Array(points.length / 3);
  for (let i = 0; i < found.length; i++) {
    found[i] = tree.closest(points[i * 3], points[i * 3 + 1], points[i * 3 + 2]);
  }
  return spreadOf(found);
}

function meshoptBytes({ MeshoptEncoder }: Meshopt, { lattice, indices }: Quantized): number {
  const bytesOf = (values: Uint16Array | Uint32Array) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const vertices = MeshoptEncoder.encodeVertexBuffer(bytesOf(lattice), lattice.length / 4, 8);
  const triangles = MeshoptEncoder.encodeIndexBuffer(bytesOf(indices), indices.length, 4);
  const zipped = gzipSync(Buffer.concat([vertices, triangles]), { level: 9 }).length;
  return Math.min(zipped, vertices.length + triangles.length);
}

function dracoBytes(draco: DracoEncoder, { positions, indices, nBits }: Quantized): number {
  const encoder = new draco.Encoder();
  const builder = new draco.MeshBuilder();
  const mesh = new draco.Mesh();
  const out = new draco.DracoInt8Array();
  builder.AddFacesToMesh(mesh, indices.length / 3, indices);
  builder.AddFloatAttributeToMesh(mesh, draco.POSITION, positions.length / 3, 3, positions);
  encoder.SetSpeedOptions(0, 0);
  encoder.SetEncodingMethod(draco.MESH_EDGEBREAKER_ENCODING);
  encoder.SetAttributeQuantization(draco.POSITION, nBits);
  const nBytes = encoder.EncodeMeshToDracoBuffer(mesh, out);
  for (const thing of [out, mesh, builder, encoder]) draco.destroy(thing);
  return nBytes;
}
