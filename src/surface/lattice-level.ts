import { growInt32 } from '../arrays.ts';
import { diagonalOf } from '../box.ts';
import type { Box3 } from '../format/asset.ts';
import { type Band, BoxList, findBand, followSurface, signsOf } from './lattice-band.ts';
import { buildTable, type MarchingCubesTable } from './marching-cubes-table.ts';
import { type SlicedField, SparseLattice } from './sparse-lattice.ts';

/** Rounds of regula falsi, every third of them a bisection; five are usual. */
const MAX_ROUNDS = 60;
/** A root is found where |f| is below this share of the diagonal, times its slope along the edge: a fifth of what single precision rounds. */
const ON_ZERO = 1e-8;
/** A bracket as narrow as this share of its edge holds a jump, or a root as good as any. */
const NARROW = 1e-12;
const ROOTS_PER_SLICE = 2048;
const BOXES_PER_YIELD = 4096;
/** A corner may be moved as long as its edges keep this share of their length along their axes. */
const LEAST_EDGE = 0.25;

/** A surface on a lattice before it is thinned. */
export interface MarchedSurface {
  /** f64[nVertices * 3], local units: on the zero set, each on an edge of the lattice. */
  readonly positions: Float64Array;
  readonly nVertices: number;
  /** i32[nTriangles * 3], counter-clockwise seen from outside. */
  readonly indices: Int32Array;
  /** Boxes that the surface passes through, and those next to it whose corners agree, as far as they are near to the zero set. */
  readonly band: Band;
  readonly lattice: SparseLattice;
  readonly hidden: HiddenPoints;
}

/** Places that the lattice would pass by: f has another sign there than at all corners of the box around. */
export interface HiddenPoints {
  /** f64[3 n], local units. */
  readonly points: number[];
  /** A corner of the box each, where it was: f64[3 n]. */
  readonly corners: number[];
}

/**
 * Meshes the zero set of f on a uniform lattice: boxes in a narrow band (see `findBand`), then, by the table of marching
 * cubes, triangles between the roots of f itself on the boxes' edges. Boxes next to the surface whose corners agree are
 * looked into a second time; where f has its other sign there, a corner of the box is moved to that place. Closed but on
 * the bounds' faces, and a manifold, whatever f is: signs belong to corners, which boxes share, roots to edges, and an
 * ambiguous face is decided by its own signs. Yields the fraction done.
 *
 * Nothing is certified. What is thinner than about half a box in each direction may be missing.
 */
export function* marchLattice(
  field: SlicedField,
  bounds: Box3,
  spacing: number,
): Generator<number, MarchedSurface> {
  const lattice = new SparseLattice(field, bounds, spacing);
  if (!(lattice.step[0] * lattice.step[1] * lattice.step[2] > 0)) return nothingOn(lattice);
  const bandSteps = findBand(lattice);
  let step = bandSteps.next();
  for (; !step.done; step = bandSteps.next()) yield 0.6 * step.value;
  const band = step.value;
  const hidden = yield* lookTwice(field, lattice, band);
  const triangles = new LatticeTriangles(lattice, band.crossed);
  for (const fraction of triangles.run()) yield 0.6 + 0.1 * fraction;
  const { nVertices, indices } = triangles;
  const positions = new Float64Array(nVertices * 3);
  const diagonal = diagonalOf(bounds);
  for (const fraction of findRoots(field, lattice, triangles, ON_ZERO * diagonal, positions)) {
    yield 0.7 + 0.3 * fraction;
  }
  return { positions, nVertices, indices, band, lattice, hidden };
}

/** Bounds without a volume have no boxes. */
function nothingOn(lattice: SparseLattice): MarchedSurface {
  const none = new BoxList();
  const band = { crossed: none, beside: none, slopes: new Float64Array(0), nVisited: 0 };
  const hidden = { points: [], corners: [] };
  return { positions: new Float64Array(0), nVertices: 0, indices: new Int32Array(0), band, lattice, hidden };
}

/** The places that are asked in a box whose corners agree: its centre, then those of its eighths; shares of its sides. */
const CENTRE = [[0.5, 0.5, 0.5]];
const EIGHTHS = Array.from({ length: 8 }, (_, c) => [0, 1, 2].map((k) => ((c >> k) & 1 ? 0.75 : 0.25)));
/** How far a point of the box is from the nearest of these and the corners at most, as a share of its diagonal. */
const EIGHTHS_REACH = 0.25;

/**
 * Looks for f's other sign in the boxes whose corners agree, and moves corners to where it is found: each to at most one
 * place, none on the bounds' faces, and none so far that a box would turn over.
 */
function* lookTwice(field: SlicedField, lattice: SparseLattice, band: Band): Generator<number, HiddenPoints> {
  const { beside, crossed, slopes } = band;
  const hidden: HiddenPoints = { points: [], corners: [] };
  const mover = new CornerMover(lattice);
  const firstNew = crossed.n;
  let asked = Array.from({ length: beside.n }, (_, b) => b);
  for (const places of [CENTRE, EIGHTHS]) {
    const n = places.length;
    const perSlice = Math.max(1, Math.floor(field.pointsPerSlice(ROOTS_PER_SLICE) / n));
    const points = new Float64Array(perSlice * n * 3);
    const values = new Float64Array(perSlice * n);
    const closer: number[] = [];
    for (let from = 0; from < asked.length; from += perSlice) {
      const boxes = asked.slice(from, from + perSlice);
      for (const [i, b] of boxes.entries())
        placePoints(lattice, beside.corners, b * 8, places, points, i * n * 3);
      field.evaluate(points, values, boxes.length * n);
      boxes.forEach((b, i) => {
        const isInside = lattice.values[beside.corners[b * 8]] < 0;
        const found = places.findIndex((_, p) => values[i * n + p] < 0 !== isInside);
        if (found < 0) {
          const least = Math.min(...values.subarray(i * n, i * n + n).map(Math.abs));
          if (least <= slopes[b] * lattice.diagonal * EIGHTHS_REACH) closer.push(b);
          return;
        }
        const at = (i * n + found) * 3;
        hidden.points.push(points[at], points[at + 1], points[at + 2]);
        hidden.corners.push(
          ...lattice.positions.subarray(beside.corners[b * 8] * 3, beside.corners[b * 8] * 3 + 3),
        );
        mover.take(beside, b, points.subarray(at, at + 3), values[i * n + found], crossed);
      });
      yield 0.6;
    }
    asked = closer;
  }
  for (const _ of lattice.evaluate()) yield 0.6;
  for (const _ of followSurface(lattice, crossed, firstNew)) yield 0.6;
  return hidden;
}

function placePoints(
  { positions }: SparseLattice,
  corners: Int32Array,
  first: number,
  places: readonly (readonly number[])[],
  out: Float64Array,
  at: number,
): void {
  for (const [p, place] of places.entries()) {
    for (let k = 0; k < 3; k++) {
      const low = positions[corners[first] * 3 + k];
      out[at + p * 3 + k] = low + place[k] * (positions[corners[first + 7] * 3 + k] - low);
    }
  }
}

/** Moves corners of a lattice to places that it would pass by. */
class CornerMover {
  private readonly lattice: SparseLattice;
  readonly #moved = new Set<number>();

  constructor(lattice: SparseLattice) {
    this.lattice = lattice;
  }

  /** Moves the corner of the box that is nearest to the zero set, of those that may be; adds the boxes around it to `crossed`. */
  take(boxes: BoxList, b: number, point: Float64Array, value: number, crossed: BoxList): void {
    const { lattice } = this;
    const origin = [0, 1, 2].map((k) => boxes.origins[b * 3 + k]);
    const byValue = [0, 1, 2, 3, 4, 5, 6, 7].sort(
      (c, d) =>
        Math.abs(lattice.values[boxes.corners[b * 8 + c]]) -
        Math.abs(lattice.values[boxes.corners[b * 8 + d]]),
    );
    for (const c of byValue) {
      const id = boxes.corners[b * 8 + c];
      const at = origin.map((i, k) => i + ((c >> k) & 1));
      if (!this.#isMovable(id, at, point)) continue;
      lattice.move(id, point, value);
      this.#moved.add(id);
      for (let d = 0; d < 8; d++) {
        crossed.add(at[0] - (d & 1), at[1] - ((d >> 1) & 1), at[2] - (d >> 2), lattice);
      }
      return;
    }
  }

  #isMovable(id: number, at: readonly number[], point: Float64Array): boolean {
    const { lattice } = this;
    if (this.#moved.has(id) || at.some((i, k) => i === 0 || i === lattice.counts[k])) return false;
    return [0, 1, 2].every((k) =>
      [-1, 1].every((side) => {
        const [x, y, z] = at.map((i, axis) => (axis === k ? i + side : i));
        const length = side * (lattice.positions[lattice.corner(x, y, z) * 3 + k] - point[k]);
        return length >= LEAST_EDGE * lattice.step[k];
      }),
    );
  }
}

// Made when it is first needed: most pages and workers never march.
let table: MarchingCubesTable | undefined;

/** The triangles in the crossed boxes, and the edges that their vertices lie on. */
class LatticeTriangles {
  nVertices = 0;
  /** i32[nVertices * 2 or more]: the corners of each vertex's edge. */
  edges = new Int32Array(2 * 4096);
  #nIndices = 0;
  #all = new Int32Array(6 * 4096);
  private readonly lattice: SparseLattice;
  private readonly crossed: BoxList;
  /** i32[nCorners * 3]: the vertex on the edge from each corner along each axis, or -1. */
  readonly #vertexOf: Int32Array;

  constructor(lattice: SparseLattice, crossed: BoxList) {
    this.lattice = lattice;
    this.crossed = crossed;
    this.#vertexOf = new Int32Array(lattice.nCorners * 3).fill(-1);
  }

  get indices(): Int32Array {
    return this.#all.subarray(0, this.#nIndices);
  }

  *run(): Generator<number, void> {
    table ??= buildTable();
    const { first, triangleEdges, edgeCorner } = table;
    const { crossed, lattice } = this;
    // A box may be in the list twice: once as found, and once around a moved corner.
    const isDone = new Uint8Array(lattice.nCorners);
    for (let b = 0; b < crossed.n; b++) {
      if (b % BOXES_PER_YIELD === 0) yield b / crossed.n;
      const least = crossed.corners[b * 8];
      if (isDone[least]) continue;
      isDone[least] = 1;
      const signs = signsOf(lattice, crossed, b);
      const from = first[signs] * 3;
      const to = first[signs + 1] * 3;
      this.#all = growInt32(this.#all, this.#nIndices + to - from);
      for (let e = from; e < to; e++) {
        const edge = triangleEdges[e];
        const near = edgeCorner[edge];
        const axis = edge >> 2;
        this.#all[this.#nIndices++] = this.#vertex(
          crossed.corners[b * 8 + near],
          crossed.corners[b * 8 + (near | (1 << axis))],
          axis,
        );
      }
    }
  }

  #vertex(near: number, far: number, axis: number): number {
    const at = near * 3 + axis;
    if (this.#vertexOf[at] >= 0) return this.#vertexOf[at];
    const v = this.nVertices++;
    this.edges = growInt32(this.edges, this.nVertices * 2);
    this.edges[v * 2] = near;
    this.edges[v * 2 + 1] = far;
    this.#vertexOf[at] = v;
    return v;
  }
}

/**
 * Regula falsi (Illinois) on f itself between the corners of each vertex's edge, many edges at once.
 * @param reach distance from the zero set, to first order, at which a root is found.
 * @param positions f64[nVertices * 3], written.
 */
function* findRoots(
  field: SlicedField,
  { positions: corners, values: cornerValues }: SparseLattice,
  { edges, nVertices }: LatticeTriangles,
  reach: number,
  positions: Float64Array,
): Generator<number, void> {
  const perSlice = field.pointsPerSlice(ROOTS_PER_SLICE);
  const points = new Float64Array(perSlice * 3);
  const found = new Float64Array(perSlice);
  for (let start = 0; start < nVertices; start += perSlice) {
    const n = Math.min(perSlice, nVertices - start);
    const low = new Float64Array(n);
    const high = new Float64Array(n).fill(1);
    const t = new Float64Array(n);
    const lastSide = new Int8Array(n);
    const goal = new Float64Array(n);
    const atLow = new Float64Array(n);
    const atHigh = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const [a, b] = [edges[(start + i) * 2], edges[(start + i) * 2 + 1]];
      atLow[i] = cornerValues[a];
      atHigh[i] = cornerValues[b];
      const length = Math.hypot(
        corners[b * 3] - corners[a * 3],
        corners[b * 3 + 1] - corners[a * 3 + 1],
        corners[b * 3 + 2] - corners[a * 3 + 2],
      );
      goal[i] = (reach * Math.abs(atHigh[i] - atLow[i])) / length;
    }
    const write = (i: number, out: Float64Array, at: number): void => {
      const a = edges[(start + i) * 2] * 3;
      const b = edges[(start + i) * 2 + 1] * 3;
      for (let k = 0; k < 3; k++) out[at + k] = corners[a + k] + t[i] * (corners[b + k] - corners[a + k]);
    };
    let active = Array.from({ length: n }, (_, i) => i);
    for (let round = 1; round <= MAX_ROUNDS && active.length > 0; round++) {
      for (let j = 0; j < active.length; j++) {
        const i = active[j];
        const linear = (low[i] * atHigh[i] - high[i] * atLow[i]) / (atHigh[i] - atLow[i]);
        t[i] = round % 4 === 0 || !Number.isFinite(linear) ? (low[i] + high[i]) / 2 : linear;
        write(i, points, j * 3);
      }
      field.evaluate(points, found, active.length);
      active = active.filter((i, j) => {
        const f = found[j];
        const isHigh = f < 0 === atHigh[i] < 0;
        (isHigh ? high : low)[i] = t[i];
        (isHigh ? atHigh : atLow)[i] = f;
        const side = isHigh ? 1 : -1;
        // The end that stays for the second time counts half, or it would stay for ever.
        if (lastSide[i] === side) (isHigh ? atLow : atHigh)[i] /= 2;
        lastSide[i] = side;
        return Math.abs(f) > goal[i] && high[i] - low[i] > NARROW;
      });
    }
    for (let i = 0; i < n; i++) write(i, positions, (start + i) * 3);
    yield start / nVertices;
  }
}
