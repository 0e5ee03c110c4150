import { totalmem } from 'node:os';
import { diagonalOf } from '../box.ts';
import { NsdfBudgetError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { hasPlanes } from '../format/encodings.ts';
import type { DeriveOptions } from '../options.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import { formatBytes } from './output.ts';

/** Boxes along the longest axis of the preview that the estimate is made from. */
const PREVIEW = 32;
/**
 * Vertices at a tolerance t: this times the preview's edge lengths times the angles at them, divided by t. A surface of
 * curvature k takes triangles of area proportional to t / k, and the sum is its curvature's integral. Measured at 6e-5
 * (2026-11-28): 0.03 on the fixtures sphere and multi, 0.11 on the bunny, 0.13 on a random grid.
 */
const VERTICES_PER_BEND = 0.06;
/** Time and memory that a vertex takes; measured on the same: 19 to 123 µs, at most 363 bytes beside the field's own. */
const SECONDS_PER_VERTEX = 1e-4;
const BYTES_PER_VERTEX = 600;
/** More than this is not what somebody meant. */
const MAX_SECONDS = 1800;

/** Tolerances down to the domain's diagonal divided by this are anybody's business: no preview is made to judge them. */
const USUAL_DIVISOR = 30_000;

/** What a derivation will take, roughly: by a factor of two or three. */
export interface Effort {
  readonly nVertices: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** Estimates what a tolerance takes, from a preview of the surface. */
export async function estimateEffort(asset: FieldAsset, tolerance: number): Promise<Effort> {
  const { mesh } = await deriveMesh(asset, { preview: PREVIEW, backend: 'cpu', cache: false });
  const nVertices = (VERTICES_PER_BEND * totalBend(mesh)) / tolerance;
  return {
    nVertices,
    seconds: nVertices * SECONDS_PER_VERTEX,
    bytes: nVertices * BYTES_PER_VERTEX,
  };
}

/**
 * Refuses a tolerance that nobody can wait for, or that the machine's memory will not hold. Networks without a grid are
 * piecewise linear: however small the tolerance, their meshes have no more than their creases.
 * @throws {NsdfBudgetError} that says what it would take
 */
export async function checkEffort(
  asset: FieldAsset,
  { tolerance, force = false }: Pick<DeriveOptions, 'tolerance'> & { readonly force?: boolean },
): Promise<void> {
  if (tolerance === undefined || force || !hasPlanes(asset.encoding)) return;
  const diagonal = diagonalOf(asset.domain);
  if (tolerance >= diagonal / USUAL_DIVISOR) return;
  const { nVertices, seconds, bytes } = await estimateEffort(asset, tolerance);
  const available = totalmem();
  const share = Math.max(seconds / MAX_SECONDS, bytes / available);
  if (share <= 1) return;
  const enough = (tolerance * share).toPrecision(1);
  const what = `about ${nVertices.toPrecision(2)} vertices, ${formatBytes(bytes)} of memory and ${formatSeconds(seconds)}`;
  throw new NsdfBudgetError(
    `tolerance ${tolerance} would take ${what}: expected ${enough} or more for ${asset.name}, or --force`,
    bytes,
    available,
  );
}

/** The sum over all edges of length times the angle between the triangles on both sides, in radians. */
function totalBend({ positions, indices }: SurfaceMesh): number {
  const nVertices = positions.length / 3;
  const normals = new Map<number, readonly number[]>();
  let total = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t], indices[t + 1], indices[t + 2]];
    const normal = normalOf(positions, a, b, c);
    for (const [i, j] of [
      [a, b],
      [b, c],
      [c, a],
    ]) {
      const key = Math.min(i, j) * nVertices + Math.max(i, j);
      const other = normals.get(key);
      if (other === undefined) normals.set(key, normal);
      else total += Math.hypot(...difference(positions, i, j)) * angleBetween(normal, other);
    }
  }
  return total;
}

function difference(positions: Float32Array, i: number, j: number): [number, number, number] {
  return [0, 1, 2].map((k) => positions[j * 3 + k] - positions[i * 3 + k]) as [number, number, number];
}

/** Not of unit length. */
function normalOf(positions: Float32Array, a: number, b: number, c: number): readonly number[] {
  const [ux, uy, uz] = difference(positions, a, b);
  const [vx, vy, vz] = difference(positions, a, c);
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

function angleBetween(a: readonly number[], b: readonly number[]): number {
  const length = Math.hypot(...a) * Math.hypot(...b);
  if (length === 0) return 0;
  const cosine = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / length;
  return Math.acos(Math.max(-1, Math.min(1, cosine)));
}

function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
