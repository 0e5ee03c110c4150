import { growFloat64, growInt32 } from '../arrays.ts';
import { type CornerTable, middleOf } from '../partition/corners.ts';
import { NumberMap } from '../partition/number-map.ts';
import { MAX_UNITS } from '../partition/region-evaluate.ts';
import type { RegionNetwork } from '../partition/region-network.ts';
import { VERTEX_EDGE, type VertexTable } from './mesh-tables.ts';

/** Factor that packs two corner ids in one key below 2^53. */
const PAIR = 2 ** 26;
/** Samples along an edge that has too many breakpoints to be listed. */
const SAMPLES = 33;
/** Steps to a root between two places of different sign, and their distance, as a share of the edge, where they end. */
const MAX_STEPS = 60;
const CONVERGED = 1e-14;

/**
 * Box edges and the roots of f on them, each decided once, by the edge's own data. f is exactly piecewise linear along
 * an edge: its breakpoints are the units' zero crossings, found layer by layer. Where planes of the grid cross an edge these are
 * breakpoints of what stands for f there; f itself is asked at them, and for the roots between.
 */
export class EdgeTable {
  /** Roots of edge e are rootVertex[rootStart[e] ... + rootCount[e]), ascending from the edge's first corner. */
  rootStart = new Int32Array(1024);
  rootCount = new Int32Array(1024);
  rootVertex = new Int32Array(1024);
  /** Parameter of each root along its edge, in [0, 1] from the first corner. */
  rootT = new Float64Array(1024);
  /** Middle corner of a divided edge, or -1. */
  middle = new Int32Array(1024);
  nEdges = 0;
  nRoots = 0;
  private readonly index = new NumberMap(1 << 14);
  private readonly table: CornerTable;
  private readonly vertices: VertexTable;
  private readonly net: RegionNetwork;
  private readonly pair = new Int32Array(2);
  private readonly hasSplits: boolean;
  /** Breakpoints, and v of unit u at breakpoint k in unitValues[u * MAX_BREAKPOINTS + k]. */
  private readonly breakpoints = new Float64Array(MAX_UNITS * 8);
  private readonly unitValues = new Float64Array(MAX_UNITS * MAX_UNITS * 8);
  private nBreakpoints = 0;
  private readonly point = new Float64Array(3);
  private readonly value = new Float64Array(1);

  /** @param hasSplits whether any box was bisected (edges must then be looked up for midpoints). */
  constructor(table: CornerTable, vertices: VertexTable, net: RegionNetwork, hasSplits: boolean) {
    this.table = table;
    this.vertices = vertices;
    this.net = net;
    this.hasSplits = hasSplits;
  }

  /**
   * Edge between corners `a` and `b`, `a` being the one with the smaller coordinate.
   * @param errorSpan certified: f stays within this of its linear interpolant along the edge; 0: f is linear.
   */
  find(a: number, b: number, errorSpan = Number.POSITIVE_INFINITY): number {
    const edge = this.index.getOrSet(a * PAIR + b, this.nEdges);
    if (edge < this.nEdges) return edge;
    this.nEdges++;
    this.rootStart = growInt32(this.rootStart, edge + 1);
    this.rootCount = growInt32(this.rootCount, edge + 1);
    this.middle = growInt32(this.middle, edge + 1);
    this.rootStart[edge] = this.nRoots;
    this.rootCount[edge] = 0;
    this.middle[edge] = this.hasSplits ? this.findMiddle(a, b) : -1;
    if (this.middle[edge] < 0) this.decideRoots(edge, a, b, errorSpan);
    return edge;
  }

  private findMiddle(a: number, b: number): number {
    const { coords } = this.table;
    const [x, y, z] = [coords[a * 3], coords[a * 3 + 1], coords[a * 3 + 2]];
    const [dx, dy, dz] = [coords[b * 3] - x, coords[b * 3 + 1] - y, coords[b * 3 + 2] - z];
    const length = dx + dy + dz;
    if (length < 2) return -1;
    const half = middleOf(0, length);
    return this.table.find(x + (dx && half), y + (dy && half), z + (dz && half));
  }

  private decideRoots(edge: number, a: number, b: number, errorSpan: number): void {
    const { net } = this;
    const f0 = this.table.f(a);
    const f1 = this.table.f(b);
    if (f0 >= 0 === f1 >= 0 && Math.min(Math.abs(f0), Math.abs(f1)) > errorSpan) return;
    if (errorSpan === 0) {
      if (f0 >= 0 !== f1 >= 0) this.addRoot(edge, a, b, f0 / (f0 - f1));
      return;
    }
    this.pair[0] = a;
    this.pair[1] = b;
    net.build(this.table, this.pair, 2);
    if (net.isOverflow) {
      this.decideBySamples(edge, a, b);
      return;
    }
    const fa = net.fCorner[0];
    const fb = net.fCorner[1];
    const isCrossed = this.table.hasPlanesBetween(a, b);
    if (net.nUnits === 0 && !isCrossed) {
      if (fa >= 0 !== fb >= 0) this.addRoot(edge, a, b, fa / (fa - fb));
      return;
    }
    this.findBreakpoints(net);
    const ts = this.breakpoints;
    if (isCrossed) {
      this.addRootsBetween(edge, a, b, ts.subarray(0, this.nBreakpoints));
      return;
    }
    let tBefore = 0;
    let before = fa;
    for (let k = 1; k < this.nBreakpoints; k++) {
      const isLast = k === this.nBreakpoints - 1;
      const value = isLast ? fb : this.valueAt(net, k);
      if (before >= 0 !== value >= 0) {
        this.addRoot(edge, a, b, tBefore + (ts[k] - tBefore) * (before / (before - value)));
      }
      before = value;
      tBefore = ts[k];
    }
  }

  /** More units than a reduced network holds: signs of f itself at equal steps. */
  private decideBySamples(edge: number, a: number, b: number): void {
    const steps = Float64Array.from({ length: SAMPLES }, (_, i) => i / (SAMPLES - 1));
    this.addRootsBetween(edge, a, b, steps);
  }

  /** A root of f itself between every two places of different sign. @param ts ascending, from 0 to 1. */
  private addRootsBetween(edge: number, a: number, b: number, ts: Float64Array): void {
    const n = ts.length;
    const { isoOffset, field } = this.table;
    const points = new Float64Array(n * 3);
    const values = new Float64Array(n);
    ts.forEach((t, i) => {
      this.placePoint(points, i, a, b, t);
    });
    field.evaluate(points, values, n);
    for (let i = 0; i < n; i++) values[i] += isoOffset;
    values[0] = this.table.f(a);
    values[n - 1] = this.table.f(b);
    for (let i = 1; i < n; i++) {
      if (values[i] >= 0 === values[i - 1] >= 0) continue;
      this.addRoot(edge, a, b, this.rootBetween(a, b, ts[i - 1], values[i - 1], ts[i], values[i]));
    }
  }

  /** The parameter of a root of f between two of different sign: the Illinois method. */
  private rootBetween(a: number, b: number, from: number, f0: number, to: number, f1: number): number {
    let [s, fs, t, ft] = [from, f0, to, f1];
    let root = from;
    for (let i = 0; i < MAX_STEPS && Math.abs(t - s) > CONVERGED; i++) {
      root = s + (t - s) * (fs / (fs - ft));
      this.placePoint(this.point, 0, a, b, root);
      this.table.field.evaluate(this.point, this.value, 1);
      const f = this.value[0] + this.table.isoOffset;
      if (f === 0) break;
      // The end that moved before, s, stays put or becomes the other one.
      if (f >= 0 === ft >= 0) fs *= 0.5;
      else [s, fs] = [t, ft];
      [t, ft] = [root, f];
    }
    return root;
  }

  private placePoint(points: Float64Array, i: number, a: number, b: number, t: number): void {
    for (let k = 0; k < 3; k++) {
      const from = this.table.coordinate(a, k);
      points[i * 3 + k] = from + t * (this.table.coordinate(b, k) - from);
    }
  }

  private valueAt(net: RegionNetwork, k: number): number {
    const t = this.breakpoints[k];
    let f = net.fA[0] + t * (net.fA[1] - net.fA[0]);
    for (let u = 0; u < net.nUnits; u++) {
      const v = this.unitValues[u * MAX_UNITS * 8 + k];
      if (v > 0) f += net.fB[u] * v;
    }
    return f;
  }

  private findBreakpoints(net: RegionNetwork): void {
    const ts = this.breakpoints;
    const row = MAX_UNITS * 8;
    ts[0] = 0;
    ts[1] = 1;
    this.nBreakpoints = 2;
    for (let u = 0; u < net.nUnits; u++) {
      for (let k = 0; k < this.nBreakpoints; k++) {
        let v = net.unitA[u * 8] + ts[k] * (net.unitA[u * 8 + 1] - net.unitA[u * 8]);
        for (let w = 0; w < u; w++) {
          const r = this.unitValues[w * row + k];
          if (r > 0) v += net.unitB[u * MAX_UNITS + w] * r;
        }
        this.unitValues[u * row + k] = v;
      }
      for (let k = this.nBreakpoints - 1; k > 0; k--) this.insertCrossing(u, k - 1);
    }
  }

  private insertCrossing(u: number, k: number): void {
    const row = MAX_UNITS * 8;
    const v0 = this.unitValues[u * row + k];
    const v1 = this.unitValues[u * row + k + 1];
    if (!((v0 < 0 && v1 > 0) || (v0 > 0 && v1 < 0)) || this.nBreakpoints >= row) return;
    const ts = this.breakpoints;
    const s = v0 / (v0 - v1);
    ts.copyWithin(k + 2, k + 1, this.nBreakpoints);
    ts[k + 1] = ts[k] + s * (ts[k + 2] - ts[k]);
    for (let w = 0; w <= u; w++) {
      const from = w * row;
      this.unitValues.copyWithin(from + k + 2, from + k + 1, from + this.nBreakpoints);
      const left = this.unitValues[from + k];
      const right = this.unitValues[from + k + 2];
      this.unitValues[from + k + 1] = w === u ? 0 : left + s * (right - left);
    }
    this.nBreakpoints++;
  }

  private addRoot(edge: number, a: number, b: number, t: number): void {
    const { table } = this;
    const p = [0, 0, 0];
    for (let k = 0; k < 3; k++) {
      const from = table.coordinate(a, k);
      p[k] = from + t * (table.coordinate(b, k) - from);
    }
    const i = this.nRoots++;
    this.rootVertex = growInt32(this.rootVertex, i + 1);
    this.rootT = growFloat64(this.rootT, i + 1);
    this.rootVertex[i] = this.vertices.add(p[0], p[1], p[2], VERTEX_EDGE, -1);
    this.rootT[i] = t;
    this.rootCount[edge]++;
  }
}
