import { createCpuField } from '../field/cpu-field.ts';
import { entryIndex } from '../field/hash-grid.ts';
import type { Box3, FieldAsset, HashGridEncoding } from '../format/asset.ts';
import { GradientKernel } from './gradient.ts';
import type { KeptEntries } from './kept-entries.ts';
import { TrainableField } from './trainable-field.ts';

/** Times that all values are gone through; by then few of them change. */
const N_PASSES = 4;
/** Slopes of f below this, of a distance's, are taken for it. */
export const LEAST_SLOPE = 0.3;

/**
 * Chooses to which of its neighbours each value of a grid is rounded, so that the surface stays where it is: many values act on every
 * point of it, whose errors can cancel. To first order the error at a point is a sum over the values; what is made small is the sum
 * of its squares over points of the surface, value by value. Straight-through training instead was measured on the bunny: values gather where
 * they are rounded up or down by chance, and the mesh comes to lie a tenth to a fifth farther off than without.
 * @see Nagel et al. 2020 (AdaRound), which chooses roundings for the outputs' sake, by gradients
 */
export class RoundingChoice {
  private readonly encoding: HashGridEncoding;
  /** By level: the shares of the eight corners of every point's cell. */
  private readonly shares: readonly Float32Array[];
  /** f64[n * nLevels * F]: by how far the surface moves with a feature at a point. */
  private readonly slopes: Float64Array;
  /** By level: where the corners of each entry are listed, and the list. */
  private readonly firsts: readonly Uint32Array[];
  private readonly corners: readonly Uint32Array[];

  /**
   * @param points f64[3n] of the surface, local units.
   * @param slopes f64[n * nLevels * F], from {@link featureSlopes}, over the steepness of f at the point.
   */
  constructor(encoding: HashGridEncoding, { min, max }: Box3, points: Float64Array, slopes: Float64Array) {
    this.encoding = encoding;
    this.slopes = slopes;
    const n = points.length / 3;
    const lists = encoding.levels.map((level) => {
      const entries = new Uint32Array(n * 8);
      const shares = new Float32Array(n * 8);
      const cell = [0, 0, 0];
      const share = [0, 0, 0];
      for (let p = 0; p < n; p++) {
        for (let k = 0; k < 3; k++) {
          const at = ((points[p * 3 + k] - min[k]) / (max[k] - min[k])) * level.scale + level.offset;
          cell[k] = Math.floor(at);
          share[k] = at - cell[k];
        }
        for (let c = 0; c < 8; c++) {
          const bits = [c & 1, (c >> 1) & 1, c >> 2];
          entries[p * 8 + c] = entryIndex(level, cell[0] + bits[0], cell[1] + bits[1], cell[2] + bits[2]);
          shares[p * 8 + c] = bits.reduce((product, bit, k) => product * (bit ? share[k] : 1 - share[k]), 1);
        }
      }
      return { shares, ...listed(entries, level.nEntries) };
    });
    this.shares = lists.map(({ shares }) => shares);
    this.firsts = lists.map(({ firsts }) => firsts);
    this.corners = lists.map(({ corners }) => corners);
  }

  /**
   * @param integers i32[nEntries * F] by level, rounded to the nearest; changed.
   * @param steps of each level, by feature.
   * @param errors f64[n]: by how far the surface is off at the points; becomes what is left.
   * @param kept dropped entries stay as they are.
   */
  choose(
    integers: readonly Int32Array[],
    steps: readonly (readonly number[])[],
    errors: Float64Array,
    kept: KeptEntries | null,
  ): void {
    for (let pass = 0; pass < N_PASSES; pass++) {
      steps.forEach((own, l) => {
        this.chooseLevel(l, integers[l], own, errors, kept?.levels[l] ?? null);
      });
    }
  }

  private chooseLevel(
    l: number,
    integers: Int32Array,
    steps: readonly number[],
    errors: Float64Array,
    kept: Uint8Array | null,
  ): void {
    const { nFeaturesPerLevel: F, levels } = this.encoding;
    const [shares, firsts, corners] = [this.shares[l], this.firsts[l], this.corners[l]];
    const stride = levels.length * F;
    for (let entry = 0; entry < levels[l].nEntries; entry++) {
      const [first, end] = [firsts[entry], firsts[entry + 1]];
      if (first === end || kept?.[entry] === 0) continue;
      for (let j = 0; j < F; j++) {
        let product = 0;
        let square = 0;
        for (let i = first; i < end; i++) {
          const corner = corners[i];
          const effect = shares[corner] * this.slopes[(corner >> 3) * stride + l * F + j] * steps[j];
          product += effect * errors[corner >> 3];
          square += effect * effect;
        }
        const change = Math.max(-1, Math.min(1, Math.round(-product / square)));
        // Of the nearest step that is less; NaN where no point feels the value.
        if (!(Math.abs(change) === 1)) continue;
        integers[entry * F + j] += change;
        for (let i = first; i < end; i++) {
          const corner = corners[i];
          errors[corner >> 3] +=
            change * shares[corner] * this.slopes[(corner >> 3) * stride + l * F + j] * steps[j];
        }
      }
    }
  }
}

/** The corners of each entry, one list after the other. */
function listed(entries: Uint32Array, nEntries: number): { firsts: Uint32Array; corners: Uint32Array } {
  const firsts = new Uint32Array(nEntries + 1);
  for (const entry of entries) firsts[entry + 1]++;
  for (let i = 0; i < nEntries; i++) firsts[i + 1] += firsts[i];
  const next = firsts.slice();
  const corners = new Uint32Array(entries.length);
  entries.forEach((entry, corner) => {
    corners[next[entry]++] = corner;
  });
  return { firsts, corners };
}

/**
 * Slopes of f by every feature at points, f as a distance in local units.
 * @param points f64[3n], local units.
 * @returns f64[n * nLevels * F]
 */
export function featureSlopes(
  field: TrainableField,
  { min, max }: Box3,
  points: Float64Array,
): Float64Array<ArrayBuffer> {
  const kernel = new GradientKernel(field);
  const width = field.layers[0].nIn;
  const slopes = new Float64Array((points.length / 3) * width);
  for (let i = 0; i < points.length; i += 3) {
    const at = (k: number): number => (2 * (points[i + k] - min[k])) / (max[k] - min[k]) - 1;
    slopes.set(kernel.featureSlopes(at(0), at(1), at(2)), (i / 3) * width);
  }
  return slopes;
}

/** f64[n * nLevels * F]: by how far the surface moves with a feature, ∂f/∂φ / |∇f|, at every point. */
export function slopesOf(asset: FieldAsset, points: Float64Array): Float64Array<ArrayBuffer> {
  // The cube's own units are taken for all domains: slopes by features know no direction.
  const field = TrainableField.of({ ...asset, domain: { min: [-1, -1, -1], max: [1, 1, 1] } });
  const slopes = featureSlopes(field, asset.domain, points);
  const n = points.length / 3;
  const gradients = new Float64Array(points.length);
  createCpuField(asset).evaluateWithGradient(points, new Float64Array(n), gradients);
  const width = slopes.length / Math.max(1, n);
  return slopes.map((slope, i) => {
    const at = Math.floor(i / width) * 3;
    const steepness = Math.hypot(gradients[at], gradients[at + 1], gradients[at + 2]);
    return slope / Math.max(LEAST_SLOPE, steepness);
  });
}

/** Root mean squares of columns of n rows. */
export function meansOf(rows: Float64Array, n: number): Float64Array<ArrayBuffer> {
  const squares = new Float64Array(rows.length / Math.max(1, n));
  for (let i = 0; i < rows.length; i++) squares[i % squares.length] += rows[i] ** 2 / n;
  return squares.map(Math.sqrt);
}
