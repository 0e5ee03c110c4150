import type { GridLevel } from '../format/asset.ts';
import { cellOffsets, entryIndex } from './hash-grid.ts';
import { buildPyramid, type MinMaxPyramid } from './pyramid.ts';

/** A level that has at most this many vertices in and around the box is examined vertex by vertex. */
const MAX_VERTICES = 512;

/** One level's features over boxes given by their ends in the unit cube; results go to `at` on, F features. */
export interface LevelBoxes {
  /** See `BoxEncoder.encode`. */
  encode(
    lo: Float64Array,
    hi: Float64Array,
    corners: Float64Array,
    radius: Float64Array,
    deviation: Float64Array,
    at: number,
  ): void;
  /** Ranges; returns whether the box lies in one cell. */
  range(lo: Float64Array, hi: Float64Array, outLo: Float64Array, outHi: Float64Array, at: number): boolean;
  /**
   * What has to be built before this box can be looked into, and takes a while: to be run before the other methods are
   * called, which build it in one go otherwise. Undefined where there is nothing to do.
   */
  prepare(lo: Float64Array, hi: Float64Array): Generator<void, void, void> | undefined;
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
  const cell = new Int32Array(8);
  const fractions = new Float64Array(6);
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

  const build = function* (): Generator<void, void, void> {
    pyramid = yield* buildPyramid(level, F);
  };

  const rangeOf = (nVertices: number, outLo: Float64Array, outHi: Float64Array, at: number): void => {
    if (nVertices <= MAX_VERTICES) {
      examine();
      for (let k = 0; k < F; k++) valueRange(values, nVertices * F, k, F, outLo, outHi, at + k);
      return;
    }
    if (pyramid === undefined) for (const _ of build());
    (pyramid as unknown as MinMaxPyramid).range(first, last, outLo, outHi, at);
  };

  const fitRange = new Float64Array(2);
  const parameters = new Float64Array(3 * MAX_VERTICES);
  const lows = new Float64Array(F);
  const highs = new Float64Array(F);
  return {
    prepare: (lo, hi) => (pyramid === undefined && place(lo, hi) > MAX_VERTICES ? build() : undefined),
    range(lo, hi, outLo, outHi, at) {
      const nVertices = place(lo, hi);
      rangeOf(nVertices, outLo, outHi, at);
      return nVertices === 8;
    },
    encode(lo, hi, corners, radius, deviation, at) {
      const nVertices = place(lo, hi);
      if (nVertices === 8) {
        cellOffsets(level, F, first[0], first[1], first[2], cell);
        for (let axis = 0; axis < 3; axis++) {
          fractions[axis] = positionLo[axis] - first[axis];
          fractions[axis + 3] = positionHi[axis] - first[axis];
        }
        for (let k = 0; k < F; k++) {
          radius[at + k] = 0;
          deviation[at + k] = 0;
          cornersInCell(level.params, cell, k, fractions, corners, (at + k) * 8);
        }
        return;
      }
      rangeOf(nVertices, lows, highs, 0);
      const isExamined = nVertices <= MAX_VERTICES;
      if (isExamined) placeParameters(first, size, positionLo, positionHi, parameters);
      for (let k = 0; k < F; k++) {
        const isFitted =
          isExamined &&
          fitTrilinear(values, F, k, size, parameters, corners, (at + k) * 8, fitRange) < highs[k] - lows[k];
        const middle = isFitted ? (fitRange[0] + fitRange[1]) / 2 : (lows[k] + highs[k]) / 2;
        radius[at + k] = isFitted ? (fitRange[1] - fitRange[0]) / 2 : (highs[k] - lows[k]) / 2;
        deviation[at + k] = isFitted ? Math.max(-fitRange[0], fitRange[1]) : highs[k] - lows[k];
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
 * Values of feature k at the corners of a box within one cell.
 * @param cell i32[8], offsets of the cell's corners in `params`.
 * @param fractions f64[6]: where the box's lower, then its upper faces cut the cell.
 */
function cornersInCell(
  params: Float32Array,
  cell: Int32Array,
  k: number,
  fractions: Float64Array,
  out: Float64Array,
  at: number,
): void {
  const v0 = params[cell[0] + k];
  const v2 = params[cell[2] + k];
  const v4 = params[cell[4] + k];
  const v6 = params[cell[6] + k];
  const d0 = params[cell[1] + k] - v0;
  const d2 = params[cell[3] + k] - v2;
  const d4 = params[cell[5] + k] - v4;
  const d6 = params[cell[7] + k] - v6;
  const y0 = fractions[1];
  const y1 = fractions[4];
  const z0 = fractions[2];
  const z1 = fractions[5];
  for (let x = 0; x < 2; x++) {
    const t = fractions[3 * x];
    const a = v0 + d0 * t;
    const b = v2 + d2 * t - a;
    const c = v4 + d4 * t;
    const d = v6 + d6 * t - c;
    const p = a + b * y0;
    const q = c + d * y0 - p;
    const r = a + b * y1;
    const s = c + d * y1 - r;
    out[at + x] = p + q * z0;
    out[at + x + 2] = r + s * z0;
    out[at + x + 4] = p + q * z1;
    out[at + x + 6] = r + s * z1;
  }
}

/**
 * Where the arrangement's planes cut the box, 0 to 1: plane j of an axis at axis * MAX_VERTICES + j.
 * @param out f64[3 * MAX_VERTICES]
 */
function placeParameters(
  first: Int32Array,
  size: Int32Array,
  positionLo: Float64Array,
  positionHi: Float64Array,
  out: Float64Array,
): void {
  for (let axis = 0; axis < 3; axis++) {
    const at = axis * MAX_VERTICES;
    const n = size[axis];
    const scale = 1 / (positionHi[axis] - positionLo[axis]);
    out[at] = 0;
    out[at + n - 1] = 1;
    for (let j = 1; j < n - 1; j++) out[at + j] = (first[axis] + j - positionLo[axis]) * scale;
  }
}

/**
 * Writes the feature's values at the box's corners and the range of its difference from their trilinear interpolant,
 * which is trilinear between the arrangement's planes too.
 * @param parameters see {@link placeParameters}.
 * @param outRange f64[2]
 * @returns the range's width.
 */
function fitTrilinear(
  values: Float64Array,
  F: number,
  k: number,
  size: Int32Array,
  parameters: Float64Array,
  corners: Float64Array,
  at: number,
  outRange: Float64Array,
): number {
  const nx = size[0];
  const ny = size[1];
  const nz = size[2];
  for (let c = 0; c < 8; c++) {
    const x = c & 1 ? nx - 1 : 0;
    const y = c & 2 ? ny - 1 : 0;
    const z = c & 4 ? nz - 1 : 0;
    corners[at + c] = values[((z * ny + y) * nx + x) * F + k];
  }
  let lo = 0;
  let hi = 0;
  for (let z = 0, i = k; z < nz; z++) {
    const tz = parameters[2 * MAX_VERTICES + z];
    const c0 = corners[at] + (corners[at + 4] - corners[at]) * tz;
    const c1 = corners[at + 1] + (corners[at + 5] - corners[at + 1]) * tz;
    const c2 = corners[at + 2] + (corners[at + 6] - corners[at + 2]) * tz;
    const c3 = corners[at + 3] + (corners[at + 7] - corners[at + 3]) * tz;
    for (let y = 0; y < ny; y++) {
      const ty = parameters[MAX_VERTICES + y];
      const d0 = c0 + (c2 - c0) * ty;
      const d1 = c1 + (c3 - c1) * ty - d0;
      for (let x = 0; x < nx; x++, i += F) {
        const difference = values[i] - (d0 + d1 * parameters[x]);
        if (difference < lo) lo = difference;
        if (difference > hi) hi = difference;
      }
    }
  }
  outRange[0] = lo;
  outRange[1] = hi;
  return hi - lo;
}
