import { length3 } from '../arrays.ts';
import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';
import { writeDirection } from './check-random.ts';
import type { Triangles } from './triangle-tree.ts';

/** Cells along the domain's longest side of the lattice that finds where the zero set can be. */
const LATTICE = 48;
/** Lines through the whole domain, which depend on no lattice. */
const N_LINES = 1024;
/** Segments tried per batch. */
const BATCH = 8192;
/** Segments per sample wanted after which the search ends; 15 to 30 are usual. */
const MAX_TRIES = 200;
/** Roots are this part of the segment's length narrow. */
const RELATIVE_ERROR = 1e-10;

/**
 * Points on a mesh, uniform by area: one at random in each of n equal shares of the total.
 * @param triangles i32[n], written: the triangle that each point is on.
 * @returns f64[3n], or nothing where the mesh has no area.
 */
export function sampleMesh(
  mesh: Triangles,
  n: number,
  random: () => number,
  triangles?: Int32Array,
): Float64Array {
  const { positions: p, indices } = mesh;
  const nTriangles = indices.length / 3;
  const sums = new Float64Array(nTriangles + 1);
  for (let t = 0; t < nTriangles; t++) sums[t + 1] = sums[t] + areaOf(mesh, t);
  const total = sums[nTriangles];
  if (!(total > 0) || !Number.isFinite(total)) return new Float64Array(0);
  const points = new Float64Array(n * 3);
  for (let i = 0, t = 0; i < n; i++) {
    const goal = ((i + random()) / n) * total;
    while (t < nTriangles - 1 && sums[t + 1] <= goal) t++;
    if (triangles !== undefined) triangles[i] = t;
    const root = Math.sqrt(random());
    const share = random();
    const weights = [1 - root, root * (1 - share), root * share];
    for (let corner = 0; corner < 3; corner++) {
      const k = indices[t * 3 + corner] * 3;
      for (let axis = 0; axis < 3; axis++) points[i * 3 + axis] += weights[corner] * p[k + axis];
    }
  }
  return points;
}

function areaOf({ positions: p, indices }: Triangles, t: number): number {
  const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
  const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
  const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
  return length3(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
}

/**
 * Points on the zero set inside the domain, found without any mesh: where short random segments change sign, uniform by
 * area (Crofton), started in the cells of a lattice that |f| and the field's steepest slopes allow to be near it; and
 * where lines through the whole domain change sign. Yields batches of any size.
 * @param n points wanted; fewer come where there are no more to be found, a few more where a batch has them.
 */
export function* sampleZeroSet(
  field: CheckField,
  domain: Box3,
  n: number,
  random: () => number,
): Generator<Float64Array, void> {
  const lattice = latticeOf(domain);
  const cells = cellsNearZero(field, lattice);
  let nFound = 0;
  for (const points of alongLines(field, domain, lattice.size / 2, Math.min(N_LINES, n), random)) {
    nFound += points.length / 3;
    yield points;
  }
  for (let nTries = 0; cells.length > 0 && nFound < n && nTries < n * MAX_TRIES; nTries += BATCH) {
    const rays = new RayBatch(field, BATCH);
    for (let id = 0; id < BATCH; id++) {
      writePointInCell(lattice, cells[Math.floor(random() * cells.length)], random, rays.origins, id * 3);
      writeDirection(random, rays.directions, id * 3);
      rays.high[id] = Math.min(lattice.size, rays.exitDistance(id, domain));
    }
    const points = rootsOf(rays, BATCH);
    nFound += points.length / 3;
    yield points;
  }
}

interface Lattice {
  readonly min: readonly number[];
  /** Side of a cell, local units. */
  readonly size: number;
  readonly counts: readonly number[];
}

function latticeOf({ min, max }: Box3): Lattice {
  const extents = min.map((low, axis) => max[axis] - low);
  const size = Math.max(...extents) / LATTICE;
  return { min, size, counts: extents.map((extent) => Math.max(1, Math.ceil(extent / size))) };
}

/**
 * Cells whose centre has |f| so small that a segment that starts in the cell can reach the zero set, going by the
 * 99th percentile of the slopes met: lines look where steeper fields would hide something.
 */
function cellsNearZero(field: CheckField, { min, size, counts }: Lattice): Int32Array {
  const [nx, ny, nz] = counts;
  const centres = new Float64Array(nx * ny * nz * 3);
  for (let cell = 0, k = 0; k < centres.length; cell++) {
    centres[k++] = min[0] + ((cell % nx) + 0.5) * size;
    centres[k++] = min[1] + ((Math.floor(cell / nx) % ny) + 0.5) * size;
    centres[k++] = min[2] + (Math.floor(cell / (nx * ny)) + 0.5) * size;
  }
  const values = new Float64Array(centres.length / 3);
  const gradients = new Float64Array(centres.length);
  field.evaluateWithGradient(centres, values, gradients);
  const slopes = values.map((_, i) =>
    Math.hypot(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]),
  );
  slopes.sort();
  const reach = slopes[Math.floor(0.99 * (slopes.length - 1))] * size * (Math.sqrt(3) / 2 + 1);
  return new Int32Array(values.length)
    .map((_, cell) => cell)
    .filter((cell) => Math.abs(values[cell]) <= reach);
}

function writePointInCell(
  { min, size, counts }: Lattice,
  cell: number,
  random: () => number,
  out: Float64Array,
  k: number,
): void {
  const [nx, ny] = counts;
  out[k] = min[0] + ((cell % nx) + random()) * size;
  out[k + 1] = min[1] + ((Math.floor(cell / nx) % ny) + random()) * size;
  out[k + 2] = min[2] + (Math.floor(cell / (nx * ny)) + random()) * size;
}

/** Roots on lines through random points of the domain, cut in segments of `step`. */
export function* alongLines(
  field: CheckField,
  { min, max }: Box3,
  step: number,
  nLines: number,
  random: () => number,
  relativeError = RELATIVE_ERROR,
): Generator<Float64Array, void> {
  const direction = new Float64Array(3);
  let cuts = new CutLines(field);
  for (let line = 0; line < nLines; line++) {
    const start = min.map((low, axis) => low + random() * (max[axis] - low));
    writeDirection(random, direction, 0);
    const [first, last] = lineInBox(start, direction, min, max);
    cuts.add(start, direction, first, last, Math.max(1, Math.ceil((last - first) / step)));
    if (cuts.nCuts < BATCH) continue;
    yield cuts.roots(relativeError);
    cuts = new CutLines(field);
  }
  yield cuts.roots(relativeError);
}

/** Lines cut in pieces: f is asked once at every cut. */
class CutLines {
  readonly #field: CheckField;
  private readonly points: number[] = [];
  /** Of each cut the length of the piece that begins there; 0 where a line ends. */
  private readonly lengths: number[] = [];

  constructor(field: CheckField) {
    this.#field = field;
  }

  get nCuts(): number {
    return this.lengths.length;
  }

  /** Cuts the line between `first` and `last` in n equal pieces. */
  add(start: readonly number[], direction: Float64Array, first: number, last: number, n: number): void {
    const length = (last - first) / n;
    if (!(length > 0)) return;
    for (let i = 0; i <= n; i++) {
      for (let axis = 0; axis < 3; axis++)
        this.points.push(start[axis] + (first + i * length) * direction[axis]);
      this.lengths.push(i < n ? length : 0);
    }
  }

  /** One root in each piece at whose ends f differs in sign. */
  roots(relativeError: number): Float64Array {
    const { points, lengths, nCuts } = this;
    const values = new Float64Array(nCuts);
    this.#field.evaluate(Float64Array.from(points), values, nCuts);
    const crossed = [...values.keys()].filter((i) => lengths[i] > 0 && values[i] >= 0 !== values[i + 1] >= 0);
    const rays = new RayBatch(this.#field, crossed.length);
    crossed.forEach((i, ray) => {
      rays.high[ray] = lengths[i];
      rays.valueLow[ray] = values[i];
      rays.valueHigh[ray] = values[i + 1];
      for (let k = 0; k < 3; k++) {
        rays.origins[ray * 3 + k] = points[i * 3 + k];
        rays.directions[ray * 3 + k] = (points[i * 3 + 3 + k] - points[i * 3 + k]) / lengths[i];
      }
    });
    return rootsBetween(rays, [...crossed.keys()], relativeError);
  }
}

/** Where a line through a point of the box enters and leaves it. */
function lineInBox(
  start: readonly number[],
  direction: Float64Array,
  min: readonly number[],
  max: readonly number[],
): [first: number, last: number] {
  let first = Number.NEGATIVE_INFINITY;
  let last = Number.POSITIVE_INFINITY;
  for (let axis = 0; axis < 3; axis++) {
    if (direction[axis] === 0) continue;
    const a = (min[axis] - start[axis]) / direction[axis];
    const b = (max[axis] - start[axis]) / direction[axis];
    first = Math.max(first, Math.min(a, b));
    last = Math.min(last, Math.max(a, b));
  }
  return [first, last];
}

/** One root in each of the first n segments from `origins` over `high` whose ends differ in sign. */
export function rootsOf(rays: RayBatch, n: number, relativeError = RELATIVE_ERROR): Float64Array {
  const ids = Array.from({ length: n }, (_, id) => id);
  rays.valueLow.set(rays.probe(ids));
  for (const id of ids) rays.t[id] = rays.high[id];
  rays.valueHigh.set(rays.probe(ids));
  const crossing = ids.filter((id) => rays.valueLow[id] >= 0 !== rays.valueHigh[id] >= 0);
  return rootsBetween(rays, crossing, relativeError);
}

/** A root in each of the segments named, at whose ends f, which is known there, differs in sign. */
function rootsBetween(rays: RayBatch, ids: readonly number[], relativeError: number): Float64Array {
  rays.findRoots(ids, relativeError);
  const points = new Float64Array(ids.length * 3);
  ids.forEach((id, i) => {
    rays.writePoint(id, points, i * 3);
  });
  return points;
}

/** Rounds of regula falsi after which a root is taken as it is; 8 are usual. */
const MAX_ROUNDS = 60;

/** Many rays at once, because a field is evaluated fastest in batches. */
export class RayBatch {
  /** f64[3n], local units. */
  readonly origins: Float64Array;
  /** f64[3n], unit length. */
  readonly directions: Float64Array;
  /** f64[n], the bracket's ends along each ray and f there. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly valueLow: Float64Array;
  readonly valueHigh: Float64Array;
  /** f64[n], the last root or probe along each ray. */
  readonly t: Float64Array;
  readonly #field: CheckField;
  readonly #points: Float64Array;
  readonly #values: Float64Array;

  constructor(field: CheckField, n: number) {
    this.#field = field;
    this.origins = new Float64Array(n * 3);
    this.directions = new Float64Array(n * 3);
    this.low = new Float64Array(n);
    this.high = new Float64Array(n);
    this.valueLow = new Float64Array(n);
    this.valueHigh = new Float64Array(n);
    this.t = new Float64Array(n);
    this.#points = new Float64Array(n * 3);
    this.#values = new Float64Array(n);
  }

  /** Writes origin + t direction of ray `id` to out[k..k+2]. */
  writePoint(id: number, out: Float64Array, k: number): void {
    const i = id * 3;
    const t = this.t[id];
    out[k] = this.origins[i] + t * this.directions[i];
    out[k + 1] = this.origins[i + 1] + t * this.directions[i + 1];
    out[k + 2] = this.origins[i + 2] + t * this.directions[i + 2];
  }

  /** f at `t` of the rays named; the result, f64[ids.length], is overwritten by the next call. */
  probe(ids: readonly number[]): Float64Array {
    for (let j = 0; j < ids.length; j++) this.writePoint(ids[j], this.#points, j * 3);
    this.#field.evaluate(this.#points, this.#values, ids.length);
    return this.#values;
  }

  /**
   * Finds roots between `low` and `high`, where f has opposite signs, by regula falsi (Illinois) with a bisection every
   * third round. Leaves in `t` the far end of a bracket narrower than relativeError times its distance: a place that
   * the zero set lies before. A root is a change of sign, zero counting as positive: where f is zero all over a plate, only
   * the side on which f is negative beyond it is the surface.
   */
  findRoots(ids: readonly number[], relativeError: number): void {
    const { low, high, valueLow, valueHigh, t } = this;
    const lastSide = new Int8Array(t.length);
    let active = [...ids];
    for (let round = 1; round <= MAX_ROUNDS && active.length > 0; round++) {
      for (const id of active) {
        const middle = (low[id] + high[id]) / 2;
        const hop = (relativeError * high[id]) / 2;
        if (round % 3 === 0) t[id] = middle;
        // Exactly zero at an end: the sign changes right beside it, or beyond a plate of zeros.
        else if (valueHigh[id] === 0) t[id] = Math.max(middle, high[id] - hop);
        else if (valueLow[id] === 0) t[id] = Math.min(middle, low[id] + hop);
        else t[id] = (low[id] * valueHigh[id] - high[id] * valueLow[id]) / (valueHigh[id] - valueLow[id]);
      }
      const values = this.probe(active);
      const open: number[] = [];
      for (let j = 0; j < active.length; j++) {
        const id = active[j];
        const isHigh = values[j] >= 0 === valueHigh[id] >= 0;
        const side = isHigh ? 1 : -1;
        if (isHigh) [high[id], valueHigh[id]] = [t[id], values[j]];
        else [low[id], valueLow[id]] = [t[id], values[j]];
        // The end that stays for the second time counts half, or it would stay for ever.
        if (side === lastSide[id]) (isHigh ? valueLow : valueHigh)[id] /= 2;
        lastSide[id] = side;
        if (high[id] - low[id] > relativeError * high[id]) open.push(id);
      }
      active = open;
    }
    for (const id of ids) t[id] = high[id];
  }

  /** How far ray `id` runs inside the domain; 0 where its origin is outside. */
  exitDistance(id: number, domain: Box3): number {
    let exit = Number.POSITIVE_INFINITY;
    for (let axis = 0; axis < 3; axis++) {
      const d = this.directions[id * 3 + axis];
      const x = this.origins[id * 3 + axis];
      if (x < domain.min[axis] || x > domain.max[axis]) return 0;
      if (d > 0) exit = Math.min(exit, (domain.max[axis] - x) / d);
      else if (d < 0) exit = Math.min(exit, (domain.min[axis] - x) / d);
    }
    return exit;
  }
}
