import { NsdfArgumentError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { createEventYield } from '../pipeline/yield-to-events.ts';
import { createRandom } from '../surface/check-random.ts';
import type { DistanceSource } from './distance-source.ts';
import { SAMPLE_STRIDE } from './gradient.ts';
import { checkCube } from './training-cube.ts';

/** A signed distance function to train on: an analytic shape, another network, a smooth field that the importers refuse. */
export interface SignedDistance {
  /** The cube in which it is asked, the function's own units. */
  readonly domain: Box3;
  /**
   * Distances at points, negative inside.
   * @param points f64[3n], xyz per point.
   * @param out f64[n], overwritten.
   */
  distance(points: Float64Array, out: Float64Array): void;
  /** Its gradients, f64[3n]. Default: central differences. */
  gradient?(points: Float64Array, out: Float64Array): void;
}

/** Boxes an axis of the lattice on which the surface is looked for. */
const LATTICE = 64;
/** Points of the surface kept to draw from. */
const N_SURFACE = 50_000;
/** Segments whose roots are looked for together; so many times those that are wanted, a function without roots is given up. */
const N_SEGMENTS = 256;
const MAX_TRIES = 40;
/** Share of the cube's half side for central differences. */
const DIFFERENCE = 1e-4;
const HALVINGS = 40;
/** Longest run between two looks at the event loop, or one call of the function, where that takes longer. */
const SLICE_MS = 8;

/** Draws from a function's zero set: roots on segments through lattice boxes that it crosses, moved at random. */
export class FunctionSource implements DistanceSource {
  readonly part = -1;
  private readonly source: SignedDistance;
  private readonly half: number;
  private surface = new Float64Array(0);
  private readonly point = new Float64Array(3);
  private readonly value = new Float64Array(1);
  private readonly normal = new Float64Array(3);
  private readonly sample = new Float64Array(SAMPLE_STRIDE);

  private constructor(source: SignedDistance, half: number) {
    this.source = source;
    this.half = half;
  }

  /**
   * Looks for the function's surface, in slices of a few milliseconds.
   * @throws {NsdfArgumentError} if the domain is no cube, or none that a field can have, or the function has no zero set in it, or gives numbers that are none.
   * @throws the signal's reason.
   */
  static async find(source: SignedDistance, signal?: AbortSignal): Promise<FunctionSource> {
    checkCube(source.domain);
    const { min, max } = source.domain;
    const found = new FunctionSource(source, (max[0] - min[0]) / 2);
    const events = createEventYield();
    let sliceStartMs = performance.now();
    try {
      for (const _ of found.findSurface()) {
        if (performance.now() - sliceStartMs < SLICE_MS) continue;
        await events.giveWay();
        signal?.throwIfAborted();
        sliceStartMs = performance.now();
      }
    } finally {
      events.close();
    }
    return found;
  }

  writeSurface(random: () => number, offset: number, samples: Float64Array, at: number): void {
    const from = Math.floor(random() * (this.surface.length / 6)) * 6;
    for (let k = 0; k < 3; k++) {
      samples[at + k] = this.surface[from + k] + offset * this.surface[from + 3 + k];
      samples[at + 4 + k] = this.surface[from + 3 + k];
    }
    samples[at + 3] = offset;
  }

  complete(samples: Float64Array, at: number): void {
    samples[at + 3] = this.distanceAt(samples[at], samples[at + 1], samples[at + 2]);
    this.writeNormal(samples, at, samples, at + 4);
  }

  writeClosest(x: number, y: number, z: number, out: Float64Array, at: number): void {
    const { sample } = this;
    sample[0] = x;
    sample[1] = y;
    sample[2] = z;
    this.complete(sample, 0);
    for (let k = 0; k < 3; k++) out[at + k] = sample[k] - sample[3] * sample[4 + k];
  }

  private distanceAt(x: number, y: number, z: number): number {
    const { min } = this.source.domain;
    this.point[0] = min[0] + (x + 1) * this.half;
    this.point[1] = min[1] + (y + 1) * this.half;
    this.point[2] = min[2] + (z + 1) * this.half;
    this.source.distance(this.point, this.value);
    return this.value[0] / this.half;
  }

  private writeNormal(at: Float64Array, i: number, out: Float64Array, o: number): void {
    const { normal } = this;
    const [x, y, z] = [at[i], at[i + 1], at[i + 2]];
    if (this.source.gradient) {
      this.distanceAt(x, y, z);
      this.source.gradient(this.point, normal);
    } else {
      for (let k = 0; k < 3; k++) {
        const d = (sign: number) =>
          this.distanceAt(
            x + (k === 0 ? sign * DIFFERENCE : 0),
            y + (k === 1 ? sign * DIFFERENCE : 0),
            z + (k === 2 ? sign * DIFFERENCE : 0),
          );
        normal[k] = d(1) - d(-1);
      }
    }
    const norm = Math.hypot(normal[0], normal[1], normal[2]);
    for (let k = 0; k < 3; k++) out[o + k] = norm > 0 ? normal[k] / norm : 0;
  }

  /** Distances at points f64[3n] of the cube [-1, 1]³, in its units. */
  private distancesAt(points: Float64Array): Float64Array {
    const { half } = this;
    const { min } = this.source.domain;
    const distances = new Float64Array(points.length / 3);
    this.source.distance(
      points.map((x, i) => min[i % 3] + (x + 1) * half),
      distances,
    );
    return distances.map((d) => d / half);
  }

  /** Fills `surface`, f64[6n]: points of the zero set and their normals, about uniform. Yields after each call of the function. */
  private *findSurface(): Generator<void, void> {
    const boxes = yield* this.crossedBoxes();
    const random = createRandom(1);
    const found = new Float64Array(N_SURFACE * 6);
    let count = 0;
    for (let tries = 0; count < N_SURFACE && tries < N_SURFACE * MAX_TRIES; tries += N_SEGMENTS) {
      const roots = yield* this.rootsOn(segmentsIn(boxes, random));
      for (let i = 0; i < roots.length && count < N_SURFACE; i += 3, count++) {
        found.set(roots.subarray(i, i + 3), count * 6);
        this.writeNormal(roots, i, found, count * 6 + 3);
        yield;
      }
    }
    this.surface = found.slice(0, count * 6);
  }

  /** The lattice boxes on whose corners the function has both signs. */
  private *crossedBoxes(): Generator<void, number[]> {
    const n = LATTICE + 1;
    const values = new Float64Array(n ** 3);
    const at = (i: number) => (2 * i) / LATTICE - 1;
    for (let row = 0; row < n * n; row++) {
      const points = new Float64Array(n * 3);
      for (let i = 0; i < n; i++) points.set([at(i), at(row % n), at(Math.floor(row / n))], i * 3);
      const distances = this.distancesAt(points);
      const wrong = distances.findIndex((d) => !Number.isFinite(d));
      if (wrong >= 0) {
        const { min } = this.source.domain;
        const place = [0, 1, 2].map((k) => min[k] + (points[wrong * 3 + k] + 1) * this.half);
        throw new NsdfArgumentError(
          'source.distance',
          `source.distance gave ${distances[wrong]} at (${place.join(', ')}): expected a finite number`,
        );
      }
      values.set(distances, row * n);
      yield;
    }
    const boxes: number[] = [];
    for (let i = 0; i < values.length; i++) {
      const [x, y, z] = [i % n, Math.floor(i / n) % n, Math.floor(i / (n * n))];
      if (x === LATTICE || y === LATTICE || z === LATTICE) continue;
      let nInside = 0;
      for (let c = 0; c < 8; c++)
        nInside += Number(values[i + (c & 1) + ((c >> 1) & 1) * n + (c >> 2) * n * n] < 0);
      if (nInside > 0 && nInside < 8) boxes.push(i);
      if (x === 0 && y === 0) yield;
    }
    if (boxes.length > 0) return boxes;
    throw new NsdfArgumentError(
      'source.distance',
      `source.distance has one sign on a lattice of ${LATTICE}³ boxes of its domain: expected a surface`,
    );
  }

  /** Where the function changes sign on segments, f64[3n]; segments without a change are passed over. */
  private *rootsOn({ from, to }: Segments): Generator<void, Float64Array> {
    const ends = [this.distancesAt(from), this.distancesAt(to)];
    yield;
    const kept = [...ends[0].keys()].filter((i) => ends[0][i] < 0 !== ends[1][i] < 0);
    const [low, high] = [new Float64Array(kept.length), new Float64Array(kept.length).fill(1)];
    const middle = new Float64Array(kept.length * 3);
    for (let step = 0; step < HALVINGS; step++) {
      for (let i = 0; i < middle.length; i++) {
        const j = Math.floor(i / 3);
        const o = kept[j] * 3 + (i % 3);
        middle[i] = from[o] + 0.5 * (low[j] + high[j]) * (to[o] - from[o]);
      }
      const values = this.distancesAt(middle);
      kept.forEach((segment, j) => {
        const side = values[j] < 0 === ends[0][segment] < 0 ? low : high;
        side[j] = 0.5 * (low[j] + high[j]);
      });
      yield;
    }
    return middle;
  }
}

/** Segments by their ends, f64[3n] each. */
interface Segments {
  readonly from: Float64Array;
  readonly to: Float64Array;
}

/** Random short segments that start and end in and around lattice boxes: their roots are uniform by area (Crofton). */
function segmentsIn(boxes: readonly number[], random: () => number): Segments {
  const n = LATTICE + 1;
  const size = 2 / LATTICE;
  const [from, to] = [new Float64Array(N_SEGMENTS * 3), new Float64Array(N_SEGMENTS * 3)];
  for (let s = 0; s < N_SEGMENTS; s++) {
    const i = boxes[Math.floor(random() * boxes.length)];
    const cell = [i % n, Math.floor(i / n) % n, Math.floor(i / (n * n))];
    for (let k = 0; k < 3; k++) {
      from[s * 3 + k] = Math.min(1, Math.max(-1, (cell[k] + 2 * random() - 0.5) * size - 1));
      to[s * 3 + k] = Math.min(1, Math.max(-1, (cell[k] + 2 * random() - 0.5) * size - 1));
    }
  }
  return { from, to };
}
