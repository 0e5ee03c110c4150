import type { GridLevel } from '../format/asset.ts';
import { entryIndex } from './hash-grid.ts';
import { createPyramid, type MinMaxPyramid } from './pyramid.ts';

/** A level that has at most this many vertices in and around the box is examined vertex by vertex. */
const MAX_VERTICES = 512;

/** One level's features over boxes given by their ends in the unit cube; results go to `at` on, F features. */
export interface LevelBoxes {
  /** See `BoxEncoder.encode`. */
  encode(lo: Float64Array, hi: Float64Array, corners: Float64Array, radius: Float64Array, at: number): void;
  /** Ranges; returns whether the box lies in one cell. */
  range(lo: Float64Array, hi: Float64Array, outLo: Float64Array, outHi: Float64Array, at: number): boolean;
}

/**
 * How far a box may reach into a neighbouring cell (in cells) and still count as lying in one: several times the
 * rounding of a mark's coordinate. `BoxEncoder.roundingError` pays for it.
 */
export function snapDistance(level: GridLevel): number {
  return 2 ** -49 * (level.scale + 1);
}

/**
 * A feature is trilinear in each cell, so over a box it takes its extremes at the vertices of the arrangement of box
 * and grid planes. These are the grid's vertices from `first` to `last`, the outermost moved in to the box's faces.
 */
export function createLevelBoxes(level: GridLevel, F: number): LevelBoxes {
  const snap = snapDistance(level);
  const first = new Int32Array(3);
  const last = new Int32Array(3);
  const size = new Int32Array(3);
  const positionLo = new Float64Array(3);
  const positionHi = new Float64Array(3);
  const values = new Float64Array(MAX_VERTICES * F);
  let pyramid: MinMaxPyramid | undefined;

  /** Finds the vertices around the box; returns how many there are. */
  const place = (lo: Float64Array, hi: Float64Array): number => {
    for (let axis = 0; axis < 3; axis++) {
      const a = lo[axis] * level.scale + level.offset;
      const b = hi[axis] * level.scale + level.offset;
      const from = Math.floor(a + snap);
      const to = Math.max(Math.ceil(b - snap), from + 1);
      first[axis] = from;
      last[axis] = to;
      size[axis] = to - from + 1;
      positionLo[axis] = Math.max(a, from);
      positionHi[axis] = Math.min(Math.max(b, from), to);
    }
    return size[0] * size[1] * size[2];
  };

  /** Fills `values` with the arrangement's vertices, x fastest, F features each. */
  const examine = (): void => {
    for (let z = first[2], i = 0; z <= last[2]; z++) {
      for (let y = first[1]; y <= last[1]; y++) {
        for (let x = first[0]; x <= last[0]; x++) {
          const entry = entryIndex(level, x, y, z) * F;
          for (let k = 0; k < F; k++, i++) values[i] = level.params[entry + k];
        }
      }
    }
    for (let axis = 0, stride = F; axis < 3; stride *= size[axis++]) {
      const length = F * size[0] * size[1] * size[2];
      const t0 = positionLo[axis] - first[axis];
      const t1 = positionHi[axis] - (last[axis] - 1);
      clipAxis(values, length, stride, size[axis], t0, t1);
    }
  };

  const rangeOf = (nVertices: number, outLo: Float64Array, outHi: Float64Array, at: number): void => {
    if (nVertices <= MAX_VERTICES) {
      examine();
      for (let k = 0; k < F; k++) valueRange(values, nVertices * F, k, F, outLo, outHi, at + k);
      return;
    }
    pyramid ??= createPyramid(level, F);
    pyramid.range(first, last, outLo, outHi, at);
  };

  const fitRange = new Float64Array(2);
  const lows = new Float64Array(F);
  const highs = new Float64Array(F);
  return {
    range(lo, hi, outLo, outHi, at) {
      const nVertices = place(lo, hi);
      rangeOf(nVertices, outLo, outHi, at);
      return nVertices === 8;
    },
    encode(lo, hi, corners, radius, at) {
      const nVertices = place(lo, hi);
      if (nVertices === 8) {
        examine();
        for (let k = 0; k < F; k++) {
          radius[at + k] = 0;
          for (let c = 0; c < 8; c++) corners[(at + k) * 8 + c] = values[c * F + k];
        }
        return;
      }
      rangeOf(nVertices, lows, highs, 0);
      for (let k = 0; k < F; k++) {
        const isFitted =
          nVertices <= MAX_VERTICES &&
          fitTrilinear(values, F, k, size, positionLo, positionHi, first, corners, (at + k) * 8, fitRange) &&
          fitRange[1] - fitRange[0] < highs[k] - lows[k];
        const middle = isFitted ? (fitRange[0] + fitRange[1]) / 2 : (lows[k] + highs[k]) / 2;
        radius[at + k] = isFitted ? (fitRange[1] - fitRange[0]) / 2 : (highs[k] - lows[k]) / 2;
        for (let c = (at + k) * 8; c < (at + k + 1) * 8; c++)
          corners[c] = (isFitted ? corners[c] : 0) + middle;
      }
    },
  };
}

/** Moves the first and the last plane of values along one axis to the fractions t0, t1 of their cells. */
function clipAxis(
  values: Float64Array,
  length: number,
  stride: number,
  size: number,
  t0: number,
  t1: number,
): void {
  const span = stride * size;
  for (let base = 0; base < length; base += span) {
    for (let i = base; i < base + stride; i++) {
      const j = i + span - stride;
      const a = values[i];
      const b = values[i + stride];
      const c = values[j - stride];
      const d = values[j];
      values[i] = a + (b - a) * t0;
      values[j] = c + (d - c) * t1;
    }
  }
}

/** Range of feature k among the vertices. */
function valueRange(
  values: Float64Array,
  length: number,
  k: number,
  F: number,
  outLo: Float64Array,
  outHi: Float64Array,
  at: number,
): void {
  let lo = values[k];
  let hi = lo;
  for (let i = k + F; i < length; i += F) {
    const v = values[i];
    if (v < lo) lo = v;
    else if (v > hi) hi = v;
  }
  outLo[at] = lo;
  outHi[at] = hi;
}

/**
 * Writes the feature's values at the box's corners and the range of its difference from their trilinear interpolant,
 * which is trilinear between the arrangement's planes too.
 * @param outRange f64[2]
 * @returns true
 */
function fitTrilinear(
  values: Float64Array,
  F: number,
  k: number,
  size: Int32Array,
  positionLo: Float64Array,
  positionHi: Float64Array,
  first: Int32Array,
  corners: Float64Array,
  at: number,
  outRange: Float64Array,
): boolean {
  const [nx, ny, nz] = size;
  for (let c = 0; c < 8; c++) {
    const x = c & 1 ? nx - 1 : 0;
    const y = c & 2 ? ny - 1 : 0;
    const z = c & 4 ? nz - 1 : 0;
    corners[at + c] = values[((z * ny + y) * nx + x) * F + k];
  }
  const parameter = (axis: number, j: number): number => {
    if (j === 0) return 0;
    if (j === size[axis] - 1) return 1;
    return (first[axis] + j - positionLo[axis]) / (positionHi[axis] - positionLo[axis]);
  };
  let lo = 0;
  let hi = 0;
  for (let z = 0, i = k; z < nz; z++) {
    const tz = parameter(2, z);
    const c0 = corners[at] + (corners[at + 4] - corners[at]) * tz;
    const c1 = corners[at + 1] + (corners[at + 5] - corners[at + 1]) * tz;
    const c2 = corners[at + 2] + (corners[at + 6] - corners[at + 2]) * tz;
    const c3 = corners[at + 3] + (corners[at + 7] - corners[at + 3]) * tz;
    for (let y = 0; y < ny; y++) {
      const ty = parameter(1, y);
      const d0 = c0 + (c2 - c0) * ty;
      const d1 = c1 + (c3 - c1) * ty;
      for (let x = 0; x < nx; x++, i += F) {
        const difference = values[i] - (d0 + (d1 - d0) * parameter(0, x));
        if (difference < lo) lo = difference;
        else if (difference > hi) hi = difference;
      }
    }
  }
  outRange[0] = lo;
  outRange[1] = hi;
  return true;
}
