import { length3 } from '../arrays.ts';
import { clampTo } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3 } from '../format/asset.ts';
import type { Landmarks } from './cover.ts';
import type { SurfaceMesh } from './mesh.ts';
import { CUBE_WAYS } from './sign-probe.ts';

/** A mesh in double precision with normal sums, as the extraction leaves it. */
export interface RawMesh {
  /** f64[nVertices * 3] */
  positions: Float64Array;
  /** f64[nVertices * 3], not normalised. */
  normals: Float64Array;
  /** f64[nVertices * 2]: sums of |∇f| and of its weights. */
  slopes: Float64Array;
  nVertices: number;
  /** i32[nTriangles * 3] */
  indices: Int32Array;
  nTriangles: number;
  /** Points of the zero set that the mesh has to be near beside its own vertices. */
  landmarks?: Landmarks;
}

/** The mesh in single precision: unreferenced vertices dropped, order kept, normals normalised. */
export function finishMesh(raw: RawMesh): SurfaceMesh {
  const { indices, nTriangles } = raw;
  const renumbered = new Int32Array(raw.nVertices).fill(-1);
  const out = new Uint32Array(nTriangles * 3);
  let n = 0;
  for (let i = 0; i < nTriangles * 3; i++) renumbered[indices[i]] = 0;
  for (let v = 0; v < raw.nVertices; v++) if (renumbered[v] === 0) renumbered[v] = n++;
  for (let i = 0; i < nTriangles * 3; i++) out[i] = renumbered[indices[i]];
  const positions = new Float32Array(n * 3);
  const normals = new Float32Array(n * 3);
  for (let v = 0; v < raw.nVertices; v++) {
    const to = renumbered[v] * 3;
    if (to < 0) continue;
    const [x, y, z] = [raw.normals[v * 3], raw.normals[v * 3 + 1], raw.normals[v * 3 + 2]];
    // Only the smallest sums need what takes longer.
    const norm = length3(x, y, z) || Math.hypot(x, y, z);
    for (let k = 0; k < 3; k++) positions[to + k] = raw.positions[v * 3 + k];
    // A field that is constant around a vertex has no normal there: any unit vector does.
    const isDirected = norm > Number.MIN_VALUE && norm < Number.POSITIVE_INFINITY;
    normals[to] = isDirected ? x / norm : 0;
    normals[to + 1] = isDirected ? y / norm : 0;
    normals[to + 2] = isDirected ? z / norm : 1;
  }
  return { positions, normals, indices: out };
}

/** Normal sums below this come from triangles without area, whose weights are rounding. */
const LEAST_NORMAL = 1e-200;

/** Gives vertices around which no triangle has an area the field's own gradient as their normal. */
export function directNormals(field: CpuField, raw: RawMesh): void {
  const { normals, positions } = raw;
  for (let v = 0; v < raw.nVertices; v++) {
    const [x, y, z] = [normals[v * 3], normals[v * 3 + 1], normals[v * 3 + 2]];
    if (length3(x, y, z) > LEAST_NORMAL || Math.hypot(x, y, z) > LEAST_NORMAL) continue;
    const point = positions.subarray(v * 3, v * 3 + 3);
    field.evaluateWithGradient(point, new Float64Array(1), normals.subarray(v * 3, v * 3 + 3), 1);
  }
}

const MAX_STEPS = 8;
/** A vertex is on the zero set below this distance to first order, relative to the reach: single precision's. */
const ON_ZERO = 1e-7;
/** Steps to the reach in which a sign change is looked for where Newton's method fails, and halvings of one. */
const RAY_STEPS = 16;
const RAY_HALVINGS = 40;

/**
 * Moves vertices onto the field's zero set by Newton steps along the gradient, at most `reach` away, and inside of
 * `bounds`; one on a face of them stays on it.
 * @param which vertices to move.
 */
export function putOnZeroSet(
  field: CpuField,
  raw: RawMesh,
  bounds: Box3,
  reach: number,
  which: readonly number[],
): void {
  const n = which.length;
  if (n === 0) return;
  const start = new Float64Array(n * 3);
  for (let i = 0; i < n * 3; i++) start[i] = raw.positions[which[(i - (i % 3)) / 3] * 3 + (i % 3)];
  const points = start.slice();
  const best = start.slice();
  const values = new Float64Array(n);
  const gradients = new Float64Array(n * 3);
  const least = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const onFace = faceMasks(start, n, bounds);
  for (let step = 0; step <= MAX_STEPS; step++) {
    field.evaluateWithGradient(points, values, gradients, n);
    let nMoved = 0;
    for (let v = 0; v < n; v++) {
      if (Math.abs(values[v]) < least[v]) {
        least[v] = Math.abs(values[v]);
        for (let k = 0; k < 3; k++) best[v * 3 + k] = points[v * 3 + k];
      }
      if (moveVertex(points, gradients, values[v], start, heldAxes(onFace[v]), bounds, v, reach)) nMoved++;
    }
    if (nMoved === 0) break;
  }
  for (let v = 0; v < n; v++) {
    if (least[v] > ON_ZERO * reach * slopeAt(gradients, v))
      castRays(field, start, best, least, heldAxes(onFace[v]), bounds, v, reach);
  }
  for (let i = 0; i < n * 3; i++) {
    raw.positions[which[(i - (i % 3)) / 3] * 3 + (i % 3)] = best[i];
  }
}

function slopeAt(gradients: Float64Array, v: number): number {
  return Math.hypot(gradients[v * 3], gradients[v * 3 + 1], gradients[v * 3 + 2]);
}

/**
 * Where Newton's method zigzags between creases: the nearest sign change of f along rays from the vertex's start within
 * the reach; out of the bounds they go on along the faces. Without one the best place so far stays.
 */
function castRays(
  field: CpuField,
  start: Float64Array,
  best: Float64Array,
  least: Float64Array,
  held: number,
  bounds: Box3,
  v: number,
  reach: number,
): void {
  const rays = CUBE_WAYS.filter((d) => d.every((x, k) => x === 0 || ((held >> k) & 1) === 0));
  const points = new Float64Array((rays.length * RAY_STEPS + 1) * 3);
  const values = new Float64Array(points.length / 3);
  const at = (d: readonly number[], s: number, k: number) =>
    clampTo(bounds, k, start[v * 3 + k] + (s * d[k]) / Math.hypot(...d));
  for (let k = 0; k < 3; k++) points[points.length - 3 + k] = start[v * 3 + k];
  rays.forEach((d, r) => {
    for (let i = 0; i < RAY_STEPS; i++) {
      for (let k = 0; k < 3; k++)
        points[(r * RAY_STEPS + i) * 3 + k] = at(d, ((i + 1) * reach) / RAY_STEPS, k);
    }
  });
  field.evaluate(points, values);
  const isPositive = values[values.length - 1] >= 0;
  let step = RAY_STEPS;
  let ray = -1;
  rays.forEach((_, r) => {
    const first = values
      .subarray(r * RAY_STEPS, r * RAY_STEPS + step)
      .findIndex((f) => f >= 0 !== isPositive);
    if (first < 0) return;
    step = first;
    ray = r;
  });
  if (ray < 0) return;
  let [lo, hi] = [(step * reach) / RAY_STEPS, ((step + 1) * reach) / RAY_STEPS];
  const point = new Float64Array(3);
  const value = new Float64Array(1);
  for (let i = 0; i < RAY_HALVINGS; i++) {
    const s = 0.5 * (lo + hi);
    for (let k = 0; k < 3; k++) point[k] = at(rays[ray], s, k);
    field.evaluate(point, value, 1);
    if (value[0] >= 0 === isPositive) lo = s;
    else hi = s;
  }
  if (Math.abs(value[0]) >= least[v]) return;
  least[v] = Math.abs(value[0]);
  best.set(point, v * 3);
}

function moveVertex(
  points: Float64Array,
  gradients: Float64Array,
  value: number,
  start: Float64Array,
  held: number,
  bounds: Box3,
  v: number,
  reach: number,
): boolean {
  let norm2 = 0;
  for (let k = 0; k < 3; k++) {
    const i = v * 3 + k;
    const step = -value * gradients[i];
    const leadsOut = (step < 0 && points[i] <= bounds.min[k]) || (step > 0 && points[i] >= bounds.max[k]);
    if ((held >> k) & 1 || leadsOut) gradients[i] = 0;
    norm2 += gradients[i] ** 2;
  }
  if (norm2 === 0 || value === 0) return false;
  let far2 = 0;
  for (let k = 0; k < 3; k++) {
    const i = v * 3 + k;
    points[i] -= (value * gradients[i]) / norm2;
    far2 += (points[i] - start[i]) ** 2;
  }
  const far = Math.sqrt(far2);
  if (far > reach) {
    for (let k = 0; k < 3; k++) {
      const i = v * 3 + k;
      points[i] = start[i] + ((points[i] - start[i]) * reach) / far;
    }
  }
  for (let k = 0; k < 3; k++) {
    if (((held >> k) & 1) === 0) points[v * 3 + k] = clampTo(bounds, k, points[v * 3 + k]);
  }
  return Math.abs(value) > 1e-12 * Math.sqrt(norm2);
}

/**
 * The faces of the box that vertices lie on in single precision, where alone the mesh may be open: bit 2 k for the lower
 * face along axis k, bit 2 k + 1 for the upper one.
 * @param positions f64[n * 3 or more], local units.
 * @returns u8, as long as the positions have room.
 */
export function faceMasks(positions: Float64Array, n: number, { min, max }: Box3): Uint8Array {
  const faces = new Uint8Array(Math.floor(positions.length / 3));
  for (let i = 0; i < n * 3; i++) {
    const k = i % 3;
    const p = Math.fround(positions[i]);
    if (p <= Math.fround(min[k])) faces[(i - k) / 3] |= 1 << (2 * k);
    if (p >= Math.fround(max[k])) faces[(i - k) / 3] |= 2 << (2 * k);
  }
  return faces;
}

/** Corners that are looked at within a few milliseconds. */
const CORNERS_PER_YIELD = 32768;

/**
 * Sides of triangles that do not run against exactly one other, those apart that run along a face against none. Yields the
 * fraction done.
 * @param indices three a triangle. @param faces u8 by vertex: see {@link faceMasks}.
 */
export function* countUnpairedSides(
  indices: Int32Array | Uint32Array,
  faces: Uint8Array,
): Generator<number, number> {
  const last = new Int32Array(faces.length).fill(-1);
  const before = Int32Array.from(indices, (v, c) => {
    const other = last[v];
    last[v] = c;
    return other;
  });
  const endOf = (c: number): number => indices[c % 3 === 2 ? c - 2 : c + 1];
  let n = 0;
  for (let c = 0; c < indices.length; c++) {
    if (c % CORNERS_PER_YIELD === 0) yield c / indices.length;
    const [a, b] = [indices[c], endOf(c)];
    let nBack = 0;
    for (let back = last[b]; back >= 0; back = before[back]) if (endOf(back) === a) nBack++;
    if (nBack > 1 || (nBack === 0 && (faces[a] & faces[b]) === 0)) n++;
  }
  return n;
}

/** Bit k: a vertex on these faces keeps its coordinate k. */
export function heldAxes(faces: number): number {
  return ((faces & 3) !== 0 ? 1 : 0) | ((faces & 12) !== 0 ? 2 : 0) | ((faces & 48) !== 0 ? 4 : 0);
}
