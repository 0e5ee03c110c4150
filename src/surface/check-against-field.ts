/** What checks a mesh against a field; loaded when one is given, pages that only show meshes never do. */
import type { Box3 } from '../format/asset.ts';
import { type CheckField, type Spread, spreadOf } from './check-field.ts';
import { createRandom } from './check-random.ts';
import type { CheckableMesh } from './check-topology.ts';
import { sampleMesh, sampleZeroSet } from './distance-samples.ts';
import { distancesToZeroSet } from './distance-to-zero-set.ts';
import { TriangleTree } from './triangle-tree.ts';

/** |f| at every vertex. */
export function measureResidual({ positions }: CheckableMesh, field: CheckField): Spread {
  const values = new Float64Array(positions.length / 3);
  field.evaluate(Float64Array.from(positions), values);
  return spreadOf(values.map(Math.abs));
}

/**
 * True where every component faces outwards: the area-weighted sum of cos(triangle normal, ∇f at the centroid) is
 * positive. By component, because single slivers on a crease may lean the other way without being wrong. Where f is constant,
 * as on a plate of zeros, and for all triangles of a component that does not seem to, f's signs on both sides of the triangle say
 * which way is out.
 * @param componentOfTriangle i32[nTriangles], -1 for triangles to leave out.
 */
export function isOutward(
  mesh: CheckableMesh,
  componentOfTriangle: Int32Array,
  nComponents: number,
  field: CheckField,
): boolean {
  const { positions, indices } = mesh;
  const nTriangles = componentOfTriangle.length;
  const centroids = new Float64Array(nTriangles * 3);
  for (let i = 0; i < indices.length; i++) {
    const t = Math.floor(i / 3) * 3;
    for (let axis = 0; axis < 3; axis++) centroids[t + axis] += positions[indices[i] * 3 + axis] / 3;
  }
  const gradients = new Float64Array(nTriangles * 3);
  field.evaluateWithGradient(centroids, new Float64Array(nTriangles), gradients);
  const sums = new Float64Array(nComponents);
  const add = (t: number, bySides: boolean): void => {
    const component = componentOfTriangle[t];
    if (component < 0) return;
    const normal = areaVector(mesh, t);
    const [gx, gy, gz] = gradients.subarray(t * 3, t * 3 + 3);
    const slope = Math.hypot(gx, gy, gz);
    sums[component] +=
      slope > 0 && !bySides
        ? (normal[0] * gx + normal[1] * gy + normal[2] * gz) / slope
        : sidesAgree(field, centroids.subarray(t * 3, t * 3 + 3), normal);
  };
  for (let t = 0; t < nTriangles; t++) add(t, false);
  // A triangle may lie along a crease, where the gradient is that of the crease's other side: f's signs decide.
  const doubted = sums.map((sum) => (sum > 0 ? 0 : 1));
  sums.fill(0);
  for (let t = 0; t < nTriangles; t++) if (doubted[componentOfTriangle[t]]) add(t, true);
  return sums.every((sum, component) => !doubted[component] || sum > 0);
}

/** The triangle's normal, twice its area long. */
function areaVector({ positions: p, indices }: CheckableMesh, t: number): readonly number[] {
  const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

/** Shares of a triangle's width at which both of its sides are looked at, the nearest first: a cavity may be thinner than its triangles are wide. */
const REACHES = [1 / 64, 1 / 16, 1 / 4, 1];

/** Twice the triangle's area where f is negative behind it and not in front, less that where it is the other way. */
function sidesAgree(field: CheckField, center: Float64Array, normal: readonly number[]): number {
  const area = Math.hypot(...normal);
  if (area === 0) return 0;
  const width = Math.sqrt(area);
  const sides = REACHES.flatMap((share) =>
    [-1, 1].flatMap((side) => normal.map((x, k) => center[k] + (side * share * width * x) / area)),
  );
  const values = new Float64Array(2 * REACHES.length);
  field.evaluate(Float64Array.from(sides), values);
  const nearest = REACHES.findIndex((_, i) => values[2 * i] >= 0 !== values[2 * i + 1] >= 0);
  if (nearest < 0) return 0;
  return values[2 * nearest] < 0 ? area : -area;
}

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
