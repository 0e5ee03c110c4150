import { clampTo, diagonalOf } from '../box.ts';
import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { DeriveOptions } from '../options.ts';
import { type Spread, spreadOf } from '../surface/check-field.ts';
import { createRandom } from '../surface/check-random.ts';
import type { RegionStructure } from '../surface/structure.ts';
import { deriveMesh } from './derive.ts';
import type { DeriveResult } from './figures.ts';

export interface QualityOptions
  extends Pick<DeriveOptions, 'tolerance' | 'exact' | 'backend' | 'signal' | 'onProgress'> {
  /** Points near the surface at which the gradient is asked. */
  readonly samples?: number;
  /** How far from the surface "near" is, local units. Default: a hundredth of the domain's diagonal. */
  readonly band?: number;
  readonly seed?: number;
}

export const QUALITY_DEFAULTS = { samples: 20_000, seed: 1 } as const;

/** How near a field is to a signed distance whose pieces are flat. All but the counts is in local units, or has none. */
export interface FieldQuality {
  /**
   * The flatness error of each piece of the zero set, see {@link flatnessError}: 0 where it is planar. A distance, as f is.
   */
  readonly flatness: Spread;
  /**
   * The eikonal error | |∇f| - 1 |, ∇f in local units, at points within `band` of the surface on either side, inside the
   * domain: uniform by area along it. Not on it, where creases that the surface lies on would count with neither side's slope.
   */
  readonly eikonal: Spread;
  readonly band: number;
}

/**
 * Measures what a field's training aims at, near its surface: the flatness error of its trilinear pieces and the eikonal
 * error. Everything is 0 for a field that has no surface (`flatness.n` and `eikonal.n` are, too).
 * @throws as `deriveMesh` does
 * @example
 * const { flatness, eikonal } = await measureQuality(readField(bytes));
 * const isWellTrained = flatness.mean < 0.02 && eikonal.p99 < 0.1;
 */
export async function measureQuality(asset: FieldAsset, options: QualityOptions = {}): Promise<FieldQuality> {
  const { samples, seed, band, ...derive } = { ...QUALITY_DEFAULTS, ...options };
  const derived = await deriveMesh(asset, { ...derive, structure: true });
  return qualityOf(asset, derived, { samples, seed, ...(band === undefined ? {} : { band }) });
}

/** As {@link measureQuality}, of a mesh that was derived with `structure`. */
export async function qualityOf(
  asset: FieldAsset,
  { mesh, structure }: Pick<DeriveResult, 'mesh' | 'structure'>,
  options: Pick<QualityOptions, 'samples' | 'band' | 'seed'> = {},
): Promise<FieldQuality> {
  const diagonal = diagonalOf(asset.domain);
  const { samples, seed, band = diagonal / 100 } = { ...QUALITY_DEFAULTS, ...options };
  const field = createCpuField(asset);
  const random = createRandom(seed);
  const { sampleMesh } = await import('../surface/distance-samples.ts');
  const { origin = [0, 0, 0] } = mesh;
  const onSurface = sampleMesh(mesh, samples, random).map((x, i) => x + origin[i % 3]);
  return {
    flatness: spreadOf(structure ? flatnessOfPieces(field, structure) : new Float64Array(0)),
    eikonal: spreadOf(eikonalErrors(field, nearby(field, onSurface, band, random))),
    band,
  };
}

/**
 * The flatness error of a trilinear function on a cuboid whose corners 0 and 7, the ends of a diagonal, lie on its zero set
 * (corner i lies at the upper end of axis k where bit k of i is set):
 *
 *   (|f1 + f6| + |f2 + f5| + |f3 + f4|) / 6 + (|f1 + f2 + f4| + |f3 + f5 + f6|) / 4
 *
 * the mean of three opposite pairs and that of the two groups of corners beside either end, half each. All five sums vanish
 * where the zero set is a plane and f is affine across it; docs/theory.md derives them.
 * @param f the values at the eight corners; those of 0 and 7 are not read.
 * @see Kim 2024, theorem 4.5
 */
export function flatnessError(f: ArrayLike<number>): number {
  const pairs = Math.abs(f[1] + f[6]) + Math.abs(f[2] + f[5]) + Math.abs(f[3] + f[4]);
  const groups = Math.abs(f[1] + f[2] + f[4]) + Math.abs(f[3] + f[5] + f[6]);
  return pairs / 6 + groups / 4;
}

/** Of every piece of surface between planes and creases, on the cuboid between its two vertices that are farthest apart. */
function flatnessOfPieces(field: CpuField, structure: RegionStructure): Float64Array {
  const { vertices, polygonStart, polygonVertices } = structure;
  const nPieces = Math.max(0, polygonStart.length - 1);
  const corners = new Float64Array(nPieces * 24);
  for (let piece = 0; piece < nPieces; piece++) {
    const around = polygonVertices.subarray(polygonStart[piece], polygonStart[piece + 1]);
    const [a, b] = farthestPair(vertices, around);
    for (let i = 0; i < 24; i++) {
      const [corner, axis] = [Math.floor(i / 3), i % 3];
      corners[piece * 24 + i] = vertices[((corner >> axis) & 1 ? b : a) * 3 + axis];
    }
  }
  const values = new Float64Array(nPieces * 8);
  field.evaluate(corners, values);
  return Float64Array.from({ length: nPieces }, (_, piece) =>
    flatnessError(values.subarray(piece * 8, piece * 8 + 8)),
  );
}

function farthestPair(vertices: Float64Array, around: Int32Array): [number, number] {
  let pair: [number, number] = [around[0], around[0]];
  let most = -1;
  for (let i = 0; i < around.length; i++) {
    for (let j = i + 1; j < around.length; j++) {
      const [a, b] = [around[i] * 3, around[j] * 3];
      const length = Math.hypot(
        vertices[a] - vertices[b],
        vertices[a + 1] - vertices[b + 1],
        vertices[a + 2] - vertices[b + 2],
      );
      if (length <= most) continue;
      most = length;
      pair = [around[i], around[j]];
    }
  }
  return pair;
}

/** Each point moved along the gradient, either way, by up to `band`, no farther than to the domain's faces. */
function nearby(field: CpuField, points: Float64Array, band: number, random: () => number): Float64Array {
  const n = points.length / 3;
  const gradients = new Float64Array(points.length);
  field.evaluateWithGradient(points, new Float64Array(n), gradients);
  const moved = points.slice();
  for (let i = 0; i < points.length; i += 3) {
    const shift = band * (2 * random() - 1);
    const slope = Math.hypot(gradients[i], gradients[i + 1], gradients[i + 2]);
    for (let k = 0; k < 3; k++) {
      const at = points[i + k] + (slope > 0 ? (shift * gradients[i + k]) / slope : 0);
      moved[i + k] = clampTo(field.asset.domain, k, at);
    }
  }
  return moved;
}

function eikonalErrors(field: CpuField, points: Float64Array): Float64Array {
  const n = points.length / 3;
  const gradients = new Float64Array(points.length);
  field.evaluateWithGradient(points, new Float64Array(n), gradients);
  return Float64Array.from({ length: n }, (_, p) =>
    Math.abs(Math.hypot(gradients[3 * p], gradients[3 * p + 1], gradients[3 * p + 2]) - 1),
  );
}
