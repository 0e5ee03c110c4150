import type { GridLevel, HashGridEncoding } from '../format/asset.ts';

/** Primes of the spatial hash for y and z (x has 1). @see Müller et al. 2022, eq. 4 */
const PRIME_Y = 2654435761;
const PRIME_Z = 805459861;

/**
 * Entry of a grid vertex: x + y*resolution + z*resolution² where the level is dense, else the spatial hash; all in
 * uint32, then modulo the table's length. The vertex `resolution`, which occurs at u = 1, wraps like any other.
 * @see tiny-cuda-nn's grid_index; DESIGN 5.
 */
export function entryIndex(level: GridLevel, x: number, y: number, z: number): number {
  const { resolution } = level;
  const index = level.isDense
    ? x + Math.imul(y, resolution) + Math.imul(z, Math.imul(resolution, resolution))
    : x ^ Math.imul(y, PRIME_Y) ^ Math.imul(z, PRIME_Z);
  return (index >>> 0) % level.nEntries;
}

/**
 * Entries of the 8 corners of a cell; bit k of the corner's number is its offset along axis k.
 * @param out u32[8]
 */
export function cellEntries(level: GridLevel, x: number, y: number, z: number, out: Uint32Array): void {
  const { nEntries, resolution } = level;
  if (level.isDense) {
    const square = Math.imul(resolution, resolution);
    const base = x + Math.imul(y, resolution) + Math.imul(z, square);
    const last = base + square + resolution + 1;
    if (base >= 0 && last < nEntries) {
      out[0] = base;
      out[1] = base + 1;
      out[2] = base + resolution;
      out[3] = base + resolution + 1;
      out[4] = base + square;
      out[5] = base + square + 1;
      out[6] = base + square + resolution;
      out[7] = last;
      return;
    }
  }
  for (let c = 0; c < 8; c++) out[c] = entryIndex(level, x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2));
}

/**
 * Encodes points with the multiresolution hash grid.
 * @param unit f64[3n], in the unit cube, xyz per point.
 * @param out f64[n*L*F], point-major, levels coarse to fine; overwritten.
 * @see Müller et al. 2022, sec. 3. Departs: the interpolation is evaluated in monomial form in f64, which lets
 * neighbouring points in one cell share the coefficients; the value of a point doesn't depend on its neighbours.
 */
export function encodeHashGrid(
  encoding: HashGridEncoding,
  unit: Float64Array,
  n: number,
  out: Float64Array,
): void {
  const F = encoding.nFeaturesPerLevel;
  const stride = F * encoding.levels.length;
  encoding.levels.forEach((level, l) => {
    for (let k = 0; k < F; k++) encodeFeature(level, F, k, unit, n, out, stride, l * F + k);
  });
}

function encodeFeature(
  level: GridLevel,
  F: number,
  k: number,
  unit: Float64Array,
  n: number,
  out: Float64Array,
  stride: number,
  offset: number,
): void {
  const { scale, offset: shift, params } = level;
  const entries = new Uint32Array(8);
  for (let p = 0; p < n; p++) {
    const px = unit[p * 3] * scale + shift;
    const py = unit[p * 3 + 1] * scale + shift;
    const pz = unit[p * 3 + 2] * scale + shift;
    const cx = Math.floor(px);
    const cy = Math.floor(py);
    const cz = Math.floor(pz);
    cellEntries(level, cx, cy, cz, entries);
    const c = trilinearCoefficients(params, entries, F, k);
    const x = px - cx;
    const y = py - cy;
    const z = pz - cz;
    out[p * stride + offset] =
      c[0] + c[1] * x + (c[2] + c[3] * x) * y + (c[4] + c[5] * x + (c[6] + c[7] * x) * y) * z;
  }
}

/** Monomial coefficients 1, x, y, xy, z, xz, yz, xyz of feature k in a cell with these corner entries. */
function trilinearCoefficients(params: Float32Array, e: Uint32Array, F: number, k: number): number[] {
  const v = Array.from(e, (entry) => params[entry * F + k]);
  const [a, b, c, d] = [v[0], v[2], v[4], v[6]];
  const [da, db, dc, dd] = [v[1] - a, v[3] - b, v[5] - c, v[7] - d];
  return [a, da, b - a, db - da, c - a, dc - da, d - c - (b - a), dd - dc - (db - da)];
}

/**
 * Gradient, with respect to the unit-cube coordinates of point p, of Σ lambda[i] * feature[i].
 * @param gradient f64[3], overwritten.
 */
export function backwardHashGrid(
  encoding: HashGridEncoding,
  unit: Float64Array,
  p: number,
  lambda: Float64Array,
  gradient: Float64Array,
): void {
  const F = encoding.nFeaturesPerLevel;
  const entries = new Uint32Array(8);
  gradient.fill(0);
  encoding.levels.forEach((level, l) => {
    const { scale, offset: shift, params } = level;
    const px = unit[p * 3] * scale + shift;
    const py = unit[p * 3 + 1] * scale + shift;
    const pz = unit[p * 3 + 2] * scale + shift;
    const [cx, cy, cz] = [Math.floor(px), Math.floor(py), Math.floor(pz)];
    const [x, y, z] = [px - cx, py - cy, pz - cz];
    cellEntries(level, cx, cy, cz, entries);
    for (let k = 0; k < F; k++) {
      const factor = lambda[l * F + k] * scale;
      const c = trilinearCoefficients(params, entries, F, k);
      gradient[0] += factor * (c[1] + c[3] * y + (c[5] + c[7] * y) * z);
      gradient[1] += factor * (c[2] + c[3] * x + (c[6] + c[7] * x) * z);
      gradient[2] += factor * (c[4] + c[5] * x + (c[6] + c[7] * x) * y);
    }
  });
}
