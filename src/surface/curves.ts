/** The curves on one rectangle: where they begin and end (RectBoundary), and their points in between (FieldCurve, Polyline). */
import { growFloat64, growInt32 } from '../arrays.ts';
import type { CornerTable } from '../partition/corners.ts';
import type { EdgeTable } from './edges.ts';

/**
 * The roots around one rectangle, counter-clockwise from corner c00 in its in-plane coordinates (x, y) in [0,1]².
 * A root is a *start* where f falls going around (a curve enters there with f > 0 on its left), else an *end*.
 */
export class RectBoundary {
  nRoots = 0;
  vertex = new Int32Array(16);
  x = new Float64Array(16);
  y = new Float64Array(16);
  /** 0 bottom (y = 0), 1 right, 2 top, 3 left. */
  side = new Int32Array(16);
  isStart = new Int32Array(16);
  isUsed = new Int32Array(16);
  private errorSpan = 0;
  private readonly table: CornerTable;
  private readonly edges: EdgeTable;

  constructor(table: CornerTable, edges: EdgeTable) {
    this.table = table;
    this.edges = edges;
  }

  /**
   * Collects the roots of the rectangle with corner ids c00, c10, c01, c11 at corners[offset...].
   * @param errorSpan see EdgeTable.find.
   */
  collect(corners: ArrayLike<number>, offset: number, errorSpan: number): void {
    this.nRoots = 0;
    this.errorSpan = errorSpan;
    const [c00, c10, c01, c11] = [0, 1, 2, 3].map((i) => corners[offset + i]);
    this.collectSide(c00, c10, 0, 1, false);
    this.collectSide(c10, c11, 0, 1, false, 1);
    this.collectSide(c01, c11, 0, 1, true, 2);
    this.collectSide(c00, c01, 0, 1, true, 3);
    let isPositive = this.table.f(c00) >= 0;
    for (let i = 0; i < this.nRoots; i++) {
      this.isStart[i] = isPositive ? 1 : 0;
      this.isUsed[i] = 0;
      isPositive = !isPositive;
    }
  }

  /** Roots of the side from corner a to corner b (a below b), which covers [from, to] of the rectangle's side. */
  private collectSide(a: number, b: number, from: number, to: number, isReversed: boolean, side = 0): void {
    const { edges } = this;
    const edge = edges.find(a, b, this.errorSpan);
    const middle = edges.middle[edge];
    if (middle >= 0) {
      const half = from + this.shareOf(a, middle, b) * (to - from);
      if (isReversed) this.collectSide(middle, b, half, to, true, side);
      this.collectSide(a, middle, from, half, isReversed, side);
      if (!isReversed) this.collectSide(middle, b, half, to, false, side);
      return;
    }
    const start = edges.rootStart[edge];
    const count = edges.rootCount[edge];
    for (let k = 0; k < count; k++) {
      const root = start + (isReversed ? count - 1 - k : k);
      this.addRoot(edges.rootVertex[root], from + edges.rootT[root] * (to - from), side);
    }
  }

  /** Where a corner between two others divides their edge. */
  private shareOf(a: number, middle: number, b: number): number {
    const { table } = this;
    let part = 0;
    let whole = 0;
    for (let k = 0; k < 3; k++) {
      const from = table.coordinate(a, k);
      part += table.coordinate(middle, k) - from;
      whole += table.coordinate(b, k) - from;
    }
    return part / whole;
  }

  private addRoot(vertex: number, s: number, side: number): void {
    const i = this.nRoots++;
    if (i >= this.vertex.length) this.reserve(i + 1);
    this.vertex[i] = vertex;
    this.side[i] = side;
    this.x[i] = side === 1 ? 1 : side === 3 ? 0 : s;
    this.y[i] = side === 0 ? 0 : side === 2 ? 1 : s;
  }

  private reserve(n: number): void {
    this.vertex = growInt32(this.vertex, n);
    this.side = growInt32(this.side, n);
    this.isStart = growInt32(this.isStart, n);
    this.isUsed = growInt32(this.isUsed, n);
    this.x = growFloat64(this.x, n);
    this.y = growFloat64(this.y, n);
  }
}

/** Depth of the recursion: at most 2^6 - 1 points on one curve. */
const MAX_DEPTH = 6;
/** Where along a chord the curve is looked for: beside the middle a kink may be anywhere. */
const PLACES = [0.5, 0.25, 0.75, 0.1, 0.9];
const MAX_STEPS = 12;
/** Steps below this share of the chord end Newton's method. */
const CONVERGED = 1e-12;
/** Share of the tolerance, to first order, up to which a chord is near its curve. */
const CLEARLY = 0.5;

/** Zero curves of f itself on rectangles orthogonal to an axis, found between their ends by dividing chords. */
export class FieldCurve {
  private readonly table: CornerTable;
  private readonly point = new Float64Array(3);
  private readonly value = new Float64Array(1);
  private readonly gradient = new Float64Array(3);
  private axis = 0;
  private origin: Float64Array = new Float64Array(3);
  private sizes: readonly number[] = [];
  private tolerance = 0;

  constructor(table: CornerTable) {
    this.table = table;
  }

  /**
   * Appends points on the curve from the last point of `line` to (x1, y1), both left out, until it stands off no
   * chord by more than `tolerance` at the places looked at.
   * @param axis the rectangle's normal. @param origin its lowest corner. @param sizes its extents along (axis + 1) % 3 and
   * (axis + 2) % 3, in which `line` has its coordinates too.
   */
  addBetween(
    line: Polyline,
    axis: number,
    origin: Float64Array,
    sizes: readonly number[],
    x1: number,
    y1: number,
    tolerance: number,
  ): void {
    this.axis = axis;
    this.origin = origin;
    this.sizes = sizes;
    this.tolerance = tolerance;
    const last = line.x.length - 1;
    this.divide(line, line.x[last], line.y[last], x1, y1, 0);
  }

  private divide(line: Polyline, x0: number, y0: number, x1: number, y1: number, depth: number): void {
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (depth === MAX_DEPTH || length <= this.tolerance) return;
    const [nx, ny] = [-(y1 - y0) / length, (x1 - x0) / length];
    let most = this.tolerance;
    let place: readonly [number, number] | undefined;
    for (const share of PLACES) {
      const x = x0 + share * (x1 - x0);
      const y = y0 + share * (y1 - y0);
      const s = this.rootAlong(x, y, nx, ny, 0.5 * length);
      if (s === undefined || Math.abs(s) <= most) continue;
      most = Math.abs(s);
      place = [x + s * nx, y + s * ny];
    }
    if (place === undefined) return;
    this.divide(line, x0, y0, ...place, depth + 1);
    line.push(...place, -1, false);
    this.divide(line, ...place, x1, y1, depth + 1);
  }

  /** Newton's method for f = 0 at (x, y) + s (nx, ny); undefined where that leads too far, out of the rectangle, or nowhere. */
  private rootAlong(x: number, y: number, nx: number, ny: number, reach: number): number | undefined {
    const u = (this.axis + 1) % 3;
    const v = (this.axis + 2) % 3;
    let s = 0;
    for (let i = 0; i < MAX_STEPS; i++) {
      const [px, py] = [x + s * nx, y + s * ny];
      if (!(px > 0 && px < this.sizes[0] && py > 0 && py < this.sizes[1])) return undefined;
      this.point[this.axis] = this.origin[this.axis];
      this.point[u] = this.origin[u] + px;
      this.point[v] = this.origin[v] + py;
      this.table.field.evaluateWithGradient(this.point, this.value, this.gradient, 1);
      const step = (this.value[0] + this.table.isoOffset) / (this.gradient[u] * nx + this.gradient[v] * ny);
      s -= step;
      // No more has to be known of what the chord is clearly near to.
      if (!(Math.abs(s) <= reach) || (i === 0 && Math.abs(s) <= CLEARLY * this.tolerance)) return undefined;
      if (Math.abs(step) <= CONVERGED * reach) return s;
    }
    return undefined;
  }
}

/** Depth of the curvature recursion: at most 2^4 - 1 points added to one piece. */
const MAX_CURVATURE_DEPTH = 4;

/**
 * The points of one face curve while its shape is decided: in-plane coordinates in local units, the unit crossed (-1:
 * none), and whether the point must stay.
 */
export class Polyline {
  x: number[] = [];
  y: number[] = [];
  unit: number[] = [];
  isFixed: boolean[] = [];

  clear(): void {
    this.x.length = 0;
    this.y.length = 0;
    this.unit.length = 0;
    this.isFixed.length = 0;
  }

  push(x: number, y: number, unit: number, isFixed: boolean): void {
    this.x.push(x);
    this.y.push(y);
    this.unit.push(unit);
    this.isFixed.push(isFixed);
  }

  /** Distance of point i from the chord between points a and b. */
  height(i: number, a: number, b: number): number {
    const dx = this.x[b] - this.x[a];
    const dy = this.y[b] - this.y[a];
    const px = this.x[i] - this.x[a];
    const py = this.y[i] - this.y[a];
    const length = Math.hypot(dx, dy);
    return length === 0 ? Math.hypot(px, py) : Math.abs(dx * py - dy * px) / length;
  }
}

/**
 * Appends points of the hyperbola arc a + b x + c y + d x y = 0 strictly between (x0, y0) and (x1, y1), in unit
 * rectangle coordinates, until no arc stands off its chord by more than `tolerance` (local units). The arc's farthest
 * point from its chord is at u0 + Δu / (1 + √(D1/D0)), D = f_v at the ends.
 */
export function addArcPoints(
  line: Polyline,
  piece: ArrayLike<number>,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  sizeX: number,
  sizeY: number,
  tolerance: number,
  depth = 0,
): void {
  const [a, b, c, d] = [piece[0], piece[1], piece[2], piece[3]];
  const isX = Math.abs(x1 - x0) >= Math.abs(y1 - y0);
  const d0 = isX ? c + d * x0 : b + d * y0;
  const d1 = isX ? c + d * x1 : b + d * y1;
  if (!(d0 * d1 > 0) || depth >= MAX_CURVATURE_DEPTH) return;
  const s = 1 / (1 + Math.sqrt(d1 / d0));
  const u = isX ? x0 + s * (x1 - x0) : y0 + s * (y1 - y0);
  const x = isX ? u : -(a + c * u) / (b + d * u);
  const y = isX ? -(a + b * u) / (c + d * u) : u;
  if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) return;
  const cross = (x1 - x0) * sizeX * (y - y0) * sizeY - (y1 - y0) * sizeY * (x - x0) * sizeX;
  const length = Math.hypot((x1 - x0) * sizeX, (y1 - y0) * sizeY);
  if (!(Math.abs(cross) > tolerance * length)) return;
  addArcPoints(line, piece, x0, y0, x, y, sizeX, sizeY, tolerance, depth + 1);
  line.push(x * sizeX, y * sizeY, -1, false);
  addArcPoints(line, piece, x, y, x1, y1, sizeX, sizeY, tolerance, depth + 1);
}

/**
 * Douglas–Peucker: indices of the points kept, ends included, ascending. Fixed points stay; the others only where the
 * line would stand off by more than `tolerance`.
 */
export function simplifyPolyline(line: Polyline, tolerance: number): number[] {
  const last = line.x.length - 1;
  const kept = [0];
  let from = 0;
  for (let i = 1; i <= last; i++) {
    if (i < last && !line.isFixed[i]) continue;
    keepBetween(line, from, i, tolerance, kept);
    kept.push(i);
    from = i;
  }
  return kept;
}

function keepBetween(line: Polyline, a: number, b: number, tolerance: number, kept: number[]): void {
  const far = farthest(line, a, b);
  if (far < 0 || line.height(far, a, b) <= tolerance) return;
  keepBetween(line, a, far, tolerance, kept);
  kept.push(far);
  keepBetween(line, far, b, tolerance, kept);
}

/** The point strictly between a and b farthest from their chord, or -1. */
export function farthest(line: Polyline, a: number, b: number): number {
  let best = -1;
  let most = -1;
  for (let i = a + 1; i < b; i++) {
    const height = line.height(i, a, b);
    if (height > most) {
      most = height;
      best = i;
    }
  }
  return best;
}
