import type { GridLevel, HashGridEncoding } from '../format/asset.ts';

/** Primes of the spatial hash for y and z (x has 1). @see Müller et al. 2022, eq. 4 */
const PRIME_Y = 2654435761;
const PRIME_Z = 805459861;

/**
 * Entry of a grid vertex: x + y*resolution + z*resolution² where the level is dense, else the spatial hash; all in
 * uint32, then modulo the table's length. The vertex `resolution`, which occurs at u = 1, wraps like any other.
 * @see tiny-cuda-nn's grid_index; docs/theory.md, "The field"
 */
export function entryIndex(level: GridLevel, x: number, y: number, z: number): number {
  const { resolution } = level;
  const index = level.isDense
    ? x + Math.imul(y, resolution) + Math.imul(z, Math.imul(resolution, resolution))
    : x ^ Math.imul(y, PRIME_Y) ^ Math.imul(z, PRIME_Z);
  return (index >>> 0) % level.nEntries;
}

/** Entries of the vertices (0, y, z), (1, y, z), ...: the same rule as {@link entryIndex}, a row at a time. */
export function rowEntries(level: GridLevel, y: number, z: number, out: Float64Array): void {
  const { resolution, nEntries } = level;
  const mask = nEntries - 1;
  const dense = Math.imul(y, resolution) + Math.imul(z, Math.imul(resolution, resolution));
  const hash = Math.imul(y, PRIME_Y) ^ Math.imul(z, PRIME_Z);
  if (!level.isDense && (nEntries & mask) === 0) {
    for (let x = 0; x < out.length; x++) out[x] = (x ^ hash) & mask;
    return;
  }
  for (let x = 0; x < out.length; x++) {
    const index = (level.isDense ? x + dense : x ^ hash) >>> 0;
    out[x] = index < nEntries ? index : index % nEntries;
  }
}

/**
 * Offsets in `params` of the entries of a cell's 8 corners; bit k of a corner's number is its offset along axis k.
 * The same rule as {@link entryIndex}, with its parts shared between the corners.
 * @param out i32[8]
 */
export function cellOffsets(
  level: GridLevel,
  nFeatures: number,
  x: number,
  y: number,
  z: number,
  out: Int32Array,
): void {
  const { nEntries, resolution } = level;
  if (level.isDense) {
    const square = Math.imul(resolution, resolution);
    const base = x + Math.imul(y, resolution) + Math.imul(z, square);
    if (base >= 0 && base + square + resolution + 1 < nEntries) {
      const stepY = resolution * nFeatures;
      const a = base * nFeatures;
      const b = a + square * nFeatures;
      out[0] = a;
      out[1] = a + nFeatures;
      out[2] = a + stepY;
      out[3] = a + stepY + nFeatures;
      out[4] = b;
      out[5] = b + nFeatures;
      out[6] = b + stepY;
      out[7] = b + stepY + nFeatures;
      return;
    }
  }
  cellOffsetsSlow(level, nFeatures, x, y, z, out);
}

/** Hashed levels, and dense cells that wrap round. Apart so that the dense path above is small enough to be inlined. */
function cellOffsetsSlow(
  level: GridLevel,
  nFeatures: number,
  x: number,
  y: number,
  z: number,
  out: Int32Array,
): void {
  const { nEntries, isDense } = level;
  if (isDense || (nEntries & (nEntries - 1)) !== 0) {
    for (let c = 0; c < 8; c++) {
      out[c] = entryIndex(level, x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2)) * nFeatures;
    }
    return;
  }
  const mask = nEntries - 1;
  const y0 = Math.imul(y, PRIME_Y);
  const y1 = Math.imul(y + 1, PRIME_Y);
  const z0 = Math.imul(z, PRIME_Z);
  const z1 = Math.imul(z + 1, PRIME_Z);
  const x1 = x + 1;
  out[0] = ((x ^ y0 ^ z0) & mask) * nFeatures;
  out[1] = ((x1 ^ y0 ^ z0) & mask) * nFeatures;
  out[2] = ((x ^ y1 ^ z0) & mask) * nFeatures;
  out[3] = ((x1 ^ y1 ^ z0) & mask) * nFeatures;
  out[4] = ((x ^ y0 ^ z1) & mask) * nFeatures;
  out[5] = ((x1 ^ y0 ^ z1) & mask) * nFeatures;
  out[6] = ((x ^ y1 ^ z1) & mask) * nFeatures;
  out[7] = ((x1 ^ y1 ^ z1) & mask) * nFeatures;
}

/**
 * Encodes points with the multiresolution hash grid.
 * @param unit f64[3n], in the unit cube, xyz per point.
 * @param out f64, L*F features a point, levels coarse to fine, in paired layout (mlp.ts); overwritten.
 * @param offsets i32[8], scratch.
 * @see Müller et al. 2022, sec. 3. Departs: the interpolation is evaluated in monomial form in f64, whose coefficients
 * neighbouring points of one cell share; the value of a point doesn't depend on its neighbours.
 */
export function encodeHashGrid(
  encoding: HashGridEncoding,
  unit: Float64Array,
  n: number,
  out: Float64Array,
  offsets: Int32Array,
): void {
  const { nFeaturesPerLevel: F, levels } = encoding;
  const stride = F * levels.length;
  for (let l = 0; l < levels.length; l++) {
    let k = 0;
    for (; k + 1 < F; k += 2) encodePair(levels[l], F, k, unit, n, out, 2 * stride, 2 * (l * F + k), offsets);
    if (k < F) encodeSingle(levels[l], F, k, unit, n, out, 2 * stride, 2 * (l * F + k), offsets);
  }
}

/** Features k and k+1 of one level; the last cell's coefficients stay in local variables. */
function encodePair(
  level: GridLevel,
  F: number,
  k: number,
  unit: Float64Array,
  n: number,
  out: Float64Array,
  pairStride: number,
  outOffset: number,
  offsets: Int32Array,
): void {
  const { scale, offset, params } = level;
  const k1 = k + 1;
  let lastX = Number.NaN;
  let lastY = Number.NaN;
  let lastZ = Number.NaN;
  let a0 = 0;
  let ax = 0;
  let ay = 0;
  let axy = 0;
  let az = 0;
  let axz = 0;
  let ayz = 0;
  let axyz = 0;
  let b0 = 0;
  let bx = 0;
  let by = 0;
  let bxy = 0;
  let bz = 0;
  let bxz = 0;
  let byz = 0;
  let bxyz = 0;
  for (let p = 0, i = 0; p < n; p++, i += 3) {
    const px = unit[i] * scale + offset;
    const py = unit[i + 1] * scale + offset;
    const pz = unit[i + 2] * scale + offset;
    const cx = Math.floor(px);
    const cy = Math.floor(py);
    const cz = Math.floor(pz);
    if (cx !== lastX || cy !== lastY || cz !== lastZ) {
      lastX = cx;
      lastY = cy;
      lastZ = cz;
      cellOffsets(level, F, cx | 0, cy | 0, cz | 0, offsets);
      const e0 = offsets[0];
      const e1 = offsets[1];
      const e2 = offsets[2];
      const e3 = offsets[3];
      const e4 = offsets[4];
      const e5 = offsets[5];
      const e6 = offsets[6];
      const e7 = offsets[7];
      a0 = params[e0 + k];
      const av1 = params[e1 + k];
      const av2 = params[e2 + k];
      const av3 = params[e3 + k];
      const av4 = params[e4 + k];
      const av5 = params[e5 + k];
      const av6 = params[e6 + k];
      const av7 = params[e7 + k];
      ax = av1 - a0;
      ay = av2 - a0;
      axy = av3 - av2 - ax;
      az = av4 - a0;
      const adx = av5 - av4;
      axz = adx - ax;
      ayz = av6 - av4 - ay;
      axyz = av7 - av6 - adx - axy;
      b0 = params[e0 + k1];
      const bv1 = params[e1 + k1];
      const bv2 = params[e2 + k1];
      const bv3 = params[e3 + k1];
      const bv4 = params[e4 + k1];
      const bv5 = params[e5 + k1];
      const bv6 = params[e6 + k1];
      const bv7 = params[e7 + k1];
      bx = bv1 - b0;
      by = bv2 - b0;
      bxy = bv3 - bv2 - bx;
      bz = bv4 - b0;
      const bdx = bv5 - bv4;
      bxz = bdx - bx;
      byz = bv6 - bv4 - by;
      bxyz = bv7 - bv6 - bdx - bxy;
    }
    const x = px - cx;
    const y = py - cy;
    const z = pz - cz;
    const o = outOffset + (p >> 1) * pairStride + (p & 1);
    out[o] = a0 + ax * x + (ay + axy * x) * y + (az + axz * x + (ayz + axyz * x) * y) * z;
    out[o + 2] = b0 + bx * x + (by + bxy * x) * y + (bz + bxz * x + (byz + bxyz * x) * y) * z;
  }
}

/** Feature k of one level. */
function encodeSingle(
  level: GridLevel,
  F: number,
  k: number,
  unit: Float64Array,
  n: number,
  out: Float64Array,
  pairStride: number,
  outOffset: number,
  offsets: Int32Array,
): void {
  const { scale, offset, params } = level;
  for (let p = 0, i = 0; p < n; p++, i += 3) {
    const px = unit[i] * scale + offset;
    const py = unit[i + 1] * scale + offset;
    const pz = unit[i + 2] * scale + offset;
    const cx = Math.floor(px);
    const cy = Math.floor(py);
    const cz = Math.floor(pz);
    cellOffsets(level, F, cx | 0, cy | 0, cz | 0, offsets);
    const a0 = params[offsets[0] + k];
    const v4 = params[offsets[4] + k];
    const ax = params[offsets[1] + k] - a0;
    const ay = params[offsets[2] + k] - a0;
    const axy = params[offsets[3] + k] - params[offsets[2] + k] - ax;
    const dx = params[offsets[5] + k] - v4;
    const ayz = params[offsets[6] + k] - v4 - ay;
    const axyz = params[offsets[7] + k] - params[offsets[6] + k] - dx - axy;
    const x = px - cx;
    const y = py - cy;
    const z = pz - cz;
    const o = outOffset + (p >> 1) * pairStride + (p & 1);
    out[o] = a0 + ax * x + (ay + axy * x) * y + (v4 - a0 + (dx - ax) * x + (ayz + axyz * x) * y) * z;
  }
}

/**
 * Gradients, with respect to the unit cube's coordinates, of Σ lambda[i] * feature[i].
 * @param unit f64[3n], in the unit cube.
 * @param lambda f64[n*L*F], point-major.
 * @param out f64[3n], overwritten.
 * @param offsets i32[8], scratch.
 */
export function backwardHashGrid(
  encoding: HashGridEncoding,
  unit: Float64Array,
  n: number,
  lambda: Float64Array,
  out: Float64Array,
  offsets: Int32Array,
): void {
  const { nFeaturesPerLevel: F, levels } = encoding;
  out.fill(0, 0, n * 3);
  for (let l = 0; l < levels.length; l++) {
    addLevelGradients(levels[l], F, unit, n, lambda, F * levels.length, l * F, out, offsets);
  }
}

/**
 * In its cell, Σ_k lambda_k feature_k is one trilinear function with corner values s_c. The features share
 * the corners; the gradient is that of the interpolant. No function is called with a double: that would allocate.
 */
function addLevelGradients(
  level: GridLevel,
  F: number,
  unit: Float64Array,
  n: number,
  lambda: Float64Array,
  stride: number,
  offset: number,
  out: Float64Array,
  offsets: Int32Array,
): void {
  const { params, scale, offset: shift } = level;
  for (let p = 0, i = 0, q = offset; p < n; p++, i += 3, q += stride) {
    const px = unit[i] * scale + shift;
    const py = unit[i + 1] * scale + shift;
    const pz = unit[i + 2] * scale + shift;
    const cx = Math.floor(px);
    const cy = Math.floor(py);
    const cz = Math.floor(pz);
    cellOffsets(level, F, cx | 0, cy | 0, cz | 0, offsets);
    const e0 = offsets[0];
    const e1 = offsets[1];
    const e2 = offsets[2];
    const e3 = offsets[3];
    const e4 = offsets[4];
    const e5 = offsets[5];
    const e6 = offsets[6];
    const e7 = offsets[7];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    let s5 = 0;
    let s6 = 0;
    let s7 = 0;
    for (let k = 0; k < F; k++) {
      const factor = lambda[q + k] * scale;
      s0 += factor * params[e0 + k];
      s1 += factor * params[e1 + k];
      s2 += factor * params[e2 + k];
      s3 += factor * params[e3 + k];
      s4 += factor * params[e4 + k];
      s5 += factor * params[e5 + k];
      s6 += factor * params[e6 + k];
      s7 += factor * params[e7 + k];
    }
    const x = px - cx;
    const y = py - cy;
    const z = pz - cz;
    const dx0 = s1 - s0 + (s3 - s2 - (s1 - s0)) * y;
    const dx1 = s5 - s4 + (s7 - s6 - (s5 - s4)) * y;
    out[i] += dx0 + (dx1 - dx0) * z;
    const dy0 = s2 - s0 + (s3 - s1 - (s2 - s0)) * x;
    const dy1 = s6 - s4 + (s7 - s5 - (s6 - s4)) * x;
    out[i + 1] += dy0 + (dy1 - dy0) * z;
    const dz0 = s4 - s0 + (s5 - s1 - (s4 - s0)) * x;
    const dz1 = s6 - s2 + (s7 - s3 - (s6 - s2)) * x;
    out[i + 2] += dz0 + (dz1 - dz0) * y;
  }
}
