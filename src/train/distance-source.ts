import { createRandom } from '../surface/check-random.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { partsAcrossSeams } from './bounding-surface.ts';
import { componentsOf } from './components.ts';
import { SAMPLE_STRIDE } from './gradient.ts';
import { WindingTree } from './winding-tree.ts';

/** What a field is trained on, in the cube [-1, 1]³. */
export interface DistanceSource {
  /**
   * Writes a point of the surface with distance 0 and its outward normal, and, `offset` along it, one at that distance.
   * @param samples at `at`: x, y, z, distance, normal.
   */
  writeSurface(random: () => number, offset: number, samples: Float64Array, at: number): void;
  /** Completes a sample whose position is there: distance (negative inside) and the direction in which it grows. */
  complete(samples: Float64Array, at: number, limit?: number): void;
  /** Writes the surface's point nearest to (x, y, z) to out[at..at+2]; to first order where the source is a function. */
  writeClosest(x: number, y: number, z: number, out: Float64Array, at: number): void;
  /** The connected part of the source that the last call came nearest to; -1 where parts are not known. */
  readonly part: number;
}

/** Numbers kept a triangle: a corner, the two sides, the unit normal. */
const TRIANGLE = 12;

/** Signed distances of a triangle mesh: negative where its generalised winding number is above a half. */
export class MeshSource implements DistanceSource {
  /** Of the surface, and of all triangles. */
  private readonly tree: TriangleTree;
  private readonly windings: WindingTree;
  private readonly triangles: Float64Array;
  /** Sums of areas up to each triangle. */
  private readonly sums: Float64Array;
  /** For each of as many equal shares of the area as there are triangles, the triangle in which it begins. */
  private readonly starts: Uint32Array;
  /** Of every triangle. */
  private readonly partOf: Int32Array;
  part = -1;

  /**
   * @param surface what of the triangles bounds the inside; default: all.
   * @param tree of all triangles.
   */
  constructor(triangles: Triangles, surface: Triangles = triangles, tree = new WindingTree(triangles)) {
    const { positions, indices } = surface;
    const isWhole = surface === triangles;
    this.windings = tree;
    this.tree = isWhole ? tree : new TriangleTree(surface);
    const n = indices.length / 3;
    const partOf = isWhole ? componentsOf(indices, positions.length / 3) : partsAcrossSeams(surface);
    this.partOf = new Int32Array(n).map((_, t) => partOf[indices[t * 3]]);
    this.triangles = new Float64Array(n * TRIANGLE);
    this.sums = new Float64Array(n);
    let total = 0;
    for (let t = 0; t < n; t++) {
      const o = t * TRIANGLE;
      const k = this.triangles;
      for (let axis = 0; axis < 3; axis++) {
        const a = positions[indices[t * 3] * 3 + axis];
        k[o + axis] = a;
        k[o + 3 + axis] = positions[indices[t * 3 + 1] * 3 + axis] - a;
        k[o + 6 + axis] = positions[indices[t * 3 + 2] * 3 + axis] - a;
      }
      const nx = k[o + 4] * k[o + 8] - k[o + 5] * k[o + 7];
      const ny = k[o + 5] * k[o + 6] - k[o + 3] * k[o + 8];
      const nz = k[o + 3] * k[o + 7] - k[o + 4] * k[o + 6];
      const norm = Math.sqrt(nx * nx + ny * ny + nz * nz);
      if (norm > 0) {
        k[o + 9] = nx / norm;
        k[o + 10] = ny / norm;
        k[o + 11] = nz / norm;
      }
      total += norm;
      this.sums[t] = total;
    }
    this.starts = new Uint32Array(n);
    for (let share = 0, t = 0; share < n; share++) {
      while (t < n - 1 && this.sums[t] <= (total * share) / n) t++;
      this.starts[share] = t;
    }
  }

  /** Twice the area of all triangles. */
  get area(): number {
    return this.sums.length === 0 ? 0 : this.sums[this.sums.length - 1];
  }

  writeSurface(random: () => number, offset: number, samples: Float64Array, at: number): void {
    const { triangles: k } = this;
    const o = this.triangleAt(random()) * TRIANGLE;
    const root = Math.sqrt(random());
    const share = random();
    const s = root * (1 - share);
    const t = root * share;
    for (let axis = 0; axis < 3; axis++) {
      const normal = k[o + 9 + axis];
      samples[at + axis] = k[o + axis] + s * k[o + 3 + axis] + t * k[o + 6 + axis] + offset * normal;
      samples[at + 4 + axis] = normal;
    }
    samples[at + 3] = offset;
  }

  /** The first triangle up to which there is more than this share of the area. Looked up: a search by halves was a third of a batch's time. */
  private triangleAt(share: number): number {
    const { sums, starts } = this;
    const goal = share * this.area;
    let t = starts[Math.floor(share * starts.length)];
    while (t < sums.length - 1 && sums[t] <= goal) t++;
    while (t > 0 && sums[t - 1] > goal) t--;
    return t;
  }

  writeClosest(x: number, y: number, z: number, out: Float64Array, at: number): void {
    this.tree.closest(x, y, z);
    this.part = this.partOf[this.tree.triangle] ?? -1;
    out.set(this.tree.point, at);
  }

  complete(samples: Float64Array, at: number, limit = Number.POSITIVE_INFINITY): void {
    const x = samples[at];
    const y = samples[at + 1];
    const z = samples[at + 2];
    let d = this.tree.closest(x, y, z, limit);
    if (d === Number.POSITIVE_INFINITY) d = this.tree.closest(x, y, z);
    this.part = this.partOf[this.tree.triangle] ?? -1;
    const sign = this.windings.windingNumber(x, y, z) > 0.5 ? -1 : 1;
    const { point } = this.tree;
    samples[at + 3] = sign * d;
    const scale = d > 0 ? sign / d : 0;
    samples[at + 4] = scale * (x - point[0]);
    samples[at + 5] = scale * (y - point[1]);
    samples[at + 6] = scale * (z - point[2]);
  }
}

/**
 * The source's points nearest to others.
 * @param points f64[3n], in the cube.
 * @returns f64[4n]: x, y, z, and the number of the part that it is of.
 */
export function closestOf(source: DistanceSource, points: Float64Array): Float64Array {
  const closest = new Float64Array((points.length / 3) * 4);
  for (let i = 0, o = 0; i < points.length; i += 3, o += 4) {
    source.writeClosest(points[i], points[i + 1], points[i + 2], closest, o);
    closest[o + 3] = source.part;
  }
  return closest;
}

/** A batch by kind of point: on the surface, near it along the normal, farther from it, anywhere. */
const SHARES = { surface: 0.4, near: 0.35, wide: 0.15 };
/** Standard deviations of the offsets of near and wide points. */
const NEAR = 0.01;
const WIDE = 0.05;
/** Samples stay this far inside the cube, where every cell is whole. */
const INSIDE = 1 - 1e-6;

/** Points farther from the surface, whose distances cost a query each, so that they are made once and drawn from. */
export interface SamplePools {
  /** f64[n * SAMPLE_STRIDE] each. */
  readonly wide: Float64Array;
  readonly uniform: Float64Array;
}

/**
 * Makes a share of a pool: points `first` to `end` of it, the same whoever makes them.
 * @param kind `wide`: beside the surface, by a normal distribution; `uniform`: anywhere in the cube, without normals.
 */
export function makePool(
  source: DistanceSource,
  kind: 'wide' | 'uniform',
  first: number,
  end: number,
  seed: number,
): Float64Array {
  const samples = new Float64Array((end - first) * SAMPLE_STRIDE);
  for (let i = first; i < end; i++) {
    const random = createRandom(seed + i * 7919);
    const at = (i - first) * SAMPLE_STRIDE;
    if (kind === 'wide') {
      const offset = WIDE * normal(random);
      source.writeSurface(random, offset, samples, at);
      clampInside(samples, at);
      source.complete(samples, at, Math.abs(offset) * (1 + 1e-9) + 1e-12);
    } else {
      for (let axis = 0; axis < 3; axis++) samples[at + axis] = (2 * random() - 1) * INSIDE;
      source.complete(samples, at);
      samples.fill(0, at + 4, at + 7);
    }
  }
  return samples;
}

/** Fills a batch of n samples. */
export function drawBatch(
  source: DistanceSource,
  pools: SamplePools,
  n: number,
  random: () => number,
  samples: Float64Array,
): void {
  const nSurface = Math.round(SHARES.surface * n);
  const nNear = Math.round(SHARES.near * n);
  const nWide = Math.round(SHARES.wide * n);
  for (let i = 0; i < n; i++) {
    const at = i * SAMPLE_STRIDE;
    if (i < nSurface + nNear) {
      source.writeSurface(random, i < nSurface ? 0 : NEAR * normal(random), samples, at);
      clampInside(samples, at);
      continue;
    }
    const pool = i < nSurface + nNear + nWide ? pools.wide : pools.uniform;
    const from = Math.floor(random() * (pool.length / SAMPLE_STRIDE)) * SAMPLE_STRIDE;
    for (let k = 0; k < SAMPLE_STRIDE; k++) samples[at + k] = pool[from + k];
  }
}

function clampInside(samples: Float64Array, at: number): void {
  for (let k = at; k < at + 3; k++) samples[k] = Math.min(INSIDE, Math.max(-INSIDE, samples[k]));
}

/** A standard normal number (Box, Muller 1958). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
