import { growInt32 } from '../arrays.ts';
import type { CornerTable } from '../partition/corners.ts';
import type { Forest } from '../partition/forest.ts';
import type { RegionNetwork } from '../partition/region-network.ts';
import { addArcPoints, FieldCurve, farthest, Polyline, RectBoundary, simplifyPolyline } from './curves.ts';
import type { DetailMap } from './detail-map.ts';
import type { EdgeTable } from './edges.ts';
import { VERTEX_FACE, type VertexTable } from './mesh-tables.ts';
import type { RectTable } from './rects.ts';
import { CurveTracer } from './trace.ts';

/** How face curves become chains of vertices. */
export interface CurveShape {
  /**
   * Largest distance of a chain from its curve's samples, which stand off the curve by a quarter of it at most, as a share
   * of the tolerance; no points for curvature where kinks are kept.
   */
  readonly share: number;
  readonly detail: DetailMap;
  /** Keep every kink (the whole complex), however low. */
  readonly keepsKinks: boolean;
}

/** An exit farther than this (of the rectangle's side) from the root it is snapped to means the walk went astray. */
const SNAP = 1e-4;

/** Share of the chain tolerance to which curves are sampled before Douglas–Peucker picks among the samples. */
const SAMPLING = 0.25;

/**
 * The zero curves on every rectangle, each decided once by the rectangle's own data: chains of vertices from a start
 * root to an end root, with f > 0 on the left seen from the upper side of the rectangle's axis.
 */
export class FaceTable {
  /** Curves of rect r are [curveStart[r], curveStart[r + 1]); vertices of curve c chain[chainStart[c]...chainStart[c+1]). */
  curveStart: Int32Array;
  chainStart = new Int32Array(1024);
  chain = new Int32Array(4096);
  nCurves = 0;
  /** 1 where a walk went astray and curves were paired by their order around the rectangle instead. */
  readonly isAstray: Uint8Array;
  /** Vertices that were put beside the zero set. */
  readonly unsound: number[] = [];
  private readonly table: CornerTable;
  private readonly forest: Forest;
  private readonly rects: RectTable;
  private readonly vertices: VertexTable;
  private readonly net: RegionNetwork;
  private readonly shape: CurveShape;
  private readonly boundary: RectBoundary;
  private readonly tracer = new CurveTracer();
  private readonly field: FieldCurve;
  private readonly line = new Polyline();
  private readonly origin = new Float64Array(3);
  private readonly size = new Float64Array(3);
  private nChain = 0;
  /** Local extents of the current rectangle along its in-plane axes. */
  private readonly inPlaneSizes = [0, 0];

  constructor(
    table: CornerTable,
    forest: Forest,
    rects: RectTable,
    edges: EdgeTable,
    vertices: VertexTable,
    net: RegionNetwork,
    shape: CurveShape,
  ) {
    this.table = table;
    this.forest = forest;
    this.rects = rects;
    this.vertices = vertices;
    this.net = net;
    this.shape = shape;
    this.boundary = new RectBoundary(table, edges);
    this.field = new FieldCurve(table);
    this.curveStart = new Int32Array(rects.nRects + 1);
    this.isAstray = new Uint8Array(rects.nRects);
  }

  /** Decides the curves of rectangle `rect`; rectangles are to be taken in order. */
  decide(rect: number): void {
    const { boundary, net, rects, forest } = this;
    this.curveStart[rect + 1] = this.nCurves;
    const leaf = this.simplerLeaf(rect);
    if (this.isClear(rect, forest.errorSpan[leaf])) return;
    boundary.collect(rects.corners, rect * 4, forest.errorSpan[leaf]);
    if (boundary.nRoots === 0) return;
    this.measure(rect);
    if (this.hasPlanes(rect)) {
      this.followField(rect);
      this.curveStart[rect + 1] = this.nCurves;
      return;
    }
    if (forest.nUnits[leaf] === 0 && !forest.hasPlanes(leaf))
      net.buildLinear(this.table, rects.corners, 4, rect * 4);
    else net.build(this.table, rects.corners, 4, rect * 4);
    if (!net.isOverflow) this.tracer.begin(net);
    // With more units than the reduced network holds there is nothing to follow: roots are paired by their order.
    for (let i = 0; i < boundary.nRoots && !net.isOverflow; i++) {
      if (boundary.isStart[i] === 0 || boundary.isUsed[i] === 1) continue;
      this.tracer.walk(net, boundary.x[i], boundary.y[i]);
      const end = this.snap(rect);
      if (end < 0) continue;
      boundary.isUsed[i] = 1;
      boundary.isUsed[end] = 1;
      this.emitTraced(rect, i, end);
    }
    this.pairLeftovers(rect);
    this.curveStart[rect + 1] = this.nCurves;
  }

  /** Whether f is known to have one sign on a rectangle: half of them have no curve, and their edges need not be looked up. */
  private isClear(rect: number, errorSpan: number): boolean {
    const { table } = this;
    const { corners } = this.rects;
    const first = table.f(corners[rect * 4]);
    for (let c = 0; c < 4; c++) {
      const f = table.f(corners[rect * 4 + c]);
      if (f >= 0 !== first >= 0 || Math.abs(f) <= errorSpan) return false;
    }
    return true;
  }

  /** Whether base planes pass through a rectangle. */
  private hasPlanes(rect: number): boolean {
    const [c00, c10, c01] = this.rects.corners.subarray(rect * 4, rect * 4 + 3);
    return this.table.hasPlanesBetween(c00, c10) || this.table.hasPlanesBetween(c00, c01);
  }

  /**
   * The curves on a rectangle that planes pass through, where no reduced network is f. Two roots are the ends of one; four
   * are those of two that leave the middle on the side of its sign; more are paired by their order, and told, so that the
   * leaves beside are divided.
   */
  private followField(rect: number): void {
    const { boundary } = this;
    if (boundary.nRoots > 4) {
      this.pairLeftovers(rect);
      return;
    }
    const first = boundary.isStart[0] === 1 ? 0 : 1;
    if (boundary.nRoots === 2) {
      this.emitFollowed(rect, first, 1 - first);
      return;
    }
    // f < 0 from a start to the end after it. With f > 0 in the middle a curve cuts that off, else what is beyond.
    const step = this.isPositiveInTheMiddle(rect) ? 1 : 3;
    for (const start of [first, first + 2]) this.emitFollowed(rect, start, (start + step) % 4);
  }

  private isPositiveInTheMiddle(rect: number): boolean {
    const { corners } = this.rects;
    const { table } = this;
    const middle = [0, 1, 2].map(
      (k) => 0.5 * (table.coordinate(corners[rect * 4], k) + table.coordinate(corners[rect * 4 + 3], k)),
    );
    const value = new Float64Array(1);
    table.field.evaluate(Float64Array.from(middle), value, 1);
    return value[0] + table.isoOffset >= 0;
  }

  private emitFollowed(rect: number, start: number, end: number): void {
    const { boundary, line } = this;
    const [sx, sy] = this.inPlaneSizes;
    const { share, detail } = this.shape;
    const tolerance = share * detail.inBox(this.origin, this.size);
    line.clear();
    line.push(boundary.x[start] * sx, boundary.y[start] * sy, -1, false);
    const [x1, y1] = [boundary.x[end] * sx, boundary.y[end] * sy];
    this.field.addBetween(
      line,
      this.rects.axis[rect],
      this.origin,
      this.inPlaneSizes,
      x1,
      y1,
      tolerance * SAMPLING,
    );
    line.push(x1, y1, -1, false);
    const kept = simplifyPolyline(line, tolerance);
    if (kept.length === 2 && boundary.side[start] === boundary.side[end]) this.keepOne(rect, kept);
    this.emitChain(rect, start, end, kept);
  }

  /** The leaf beside the rectangle with the tighter bounds. */
  private simplerLeaf(rect: number): number {
    const { forest, rects } = this;
    const lower = rects.lower[rect];
    const upper = rects.upper[rect];
    if (lower < 0) return upper;
    return upper < 0 || forest.errorSpan[lower] <= forest.errorSpan[upper] ? lower : upper;
  }

  private measure(rect: number): void {
    const c00 = this.rects.corners[rect * 4];
    const c11 = this.rects.corners[rect * 4 + 3];
    for (let k = 0; k < 3; k++) {
      this.origin[k] = this.table.coordinate(c00, k);
      this.size[k] = this.table.coordinate(c11, k) - this.origin[k];
    }
    const axis = this.rects.axis[rect];
    this.inPlaneSizes[0] = this.size[(axis + 1) % 3];
    this.inPlaneSizes[1] = this.size[(axis + 2) % 3];
  }

  /** The unused end root where the walk left, or -1 where there is none nearby. */
  private snap(rect: number): number {
    const { boundary } = this;
    const { exit } = this.tracer;
    let best = -1;
    let least = SNAP;
    if (exit.side >= 0) {
      for (let i = 0; i < boundary.nRoots; i++) {
        if (boundary.isStart[i] === 1 || boundary.isUsed[i] === 1) continue;
        const distance = Math.abs(boundary.x[i] - exit.x) + Math.abs(boundary.y[i] - exit.y);
        if (distance >= least) continue;
        least = distance;
        best = i;
      }
    }
    if (best < 0) this.isAstray[rect] = 1;
    return best;
  }

  /** Pairs what no walk joined: a start with the end next to it around the rectangle, innermost first (no crossing). */
  private pairLeftovers(rect: number): void {
    const { boundary } = this;
    const open: number[] = [];
    for (let i = 0; i < boundary.nRoots; i++) {
      if (boundary.isUsed[i] === 1) continue;
      const top = open[open.length - 1];
      if (open.length === 0 || boundary.isStart[top] === boundary.isStart[i]) {
        open.push(i);
        continue;
      }
      open.pop();
      const isStart = boundary.isStart[i] === 1;
      this.emitStraight(rect, isStart ? i : top, isStart ? top : i);
    }
  }

  private emitTraced(rect: number, start: number, end: number): void {
    const { tracer, line, boundary } = this;
    const [sx, sy] = this.inPlaneSizes;
    const { share, detail, keepsKinks } = this.shape;
    const tolerance = keepsKinks ? Number.POSITIVE_INFINITY : share * detail.inBox(this.origin, this.size);
    const sampling = tolerance * SAMPLING;
    const last = tracer.nPoints - 1;
    line.clear();
    for (let i = 0; i <= last; i++) {
      const isKink = i > 0 && i < last;
      line.push(tracer.x[i] * sx, tracer.y[i] * sy, tracer.unit[i], isKink && keepsKinks);
      if (i === last || sampling === Number.POSITIVE_INFINITY) continue;
      const piece = tracer.piece.subarray(i * 4, i * 4 + 4);
      addArcPoints(line, piece, tracer.x[i], tracer.y[i], tracer.x[i + 1], tracer.y[i + 1], sx, sy, sampling);
    }
    const kept = simplifyPolyline(line, tolerance);
    if (kept.length === 2 && boundary.side[start] === boundary.side[end]) this.keepOne(rect, kept);
    this.emitChain(rect, start, end, kept);
  }

  /** A curve whose ends share a side keeps a point, or it would coincide with its neighbours' around that edge. */
  private keepOne(rect: number, kept: number[]): void {
    const { line } = this;
    const last = line.x.length - 1;
    const far = farthest(line, 0, last);
    if (far > 0) {
      kept.splice(1, 0, far);
      return;
    }
    this.isAstray[rect] = 1;
    this.insertInwardPoint();
    kept.splice(1, 1, 1, 2);
  }

  /** Puts a point between the two of `line`, off the rectangle's side towards its centre. */
  private insertInwardPoint(): void {
    const { line } = this;
    const last = line.x.length - 1;
    const x = 0.5 * (line.x[0] + line.x[last]);
    const y = 0.5 * (line.y[0] + line.y[last]);
    const axisSizes = this.inPlaneSizes;
    const length = Math.hypot(line.x[last] - line.x[0], line.y[last] - line.y[0]);
    const towards = [0.5 * axisSizes[0] - x, 0.5 * axisSizes[1] - y];
    const scale = (0.25 * length) / (Math.hypot(towards[0], towards[1]) || 1);
    line.x.splice(1, 0, x + towards[0] * scale);
    line.y.splice(1, 0, y + towards[1] * scale);
    line.unit.splice(1, 0, -1);
    line.isFixed.splice(1, 0, true);
  }

  private emitStraight(rect: number, start: number, end: number): void {
    const { boundary, line } = this;
    this.isAstray[rect] = 1;
    line.clear();
    for (const i of [start, end]) {
      line.push(boundary.x[i] * this.inPlaneSizes[0], boundary.y[i] * this.inPlaneSizes[1], -1, true);
    }
    const kept = [0, 1];
    if (boundary.side[start] === boundary.side[end]) this.keepOne(rect, kept);
    this.emitChain(rect, start, end, kept);
  }

  private emitChain(rect: number, start: number, end: number, kept: readonly number[]): void {
    const { line, boundary, origin } = this;
    const axis = this.rects.axis[rect];
    const u = (axis + 1) % 3;
    const v = (axis + 2) % 3;
    this.chainStart = growInt32(this.chainStart, this.nCurves + 2);
    this.chain = growInt32(this.chain, this.nChain + kept.length);
    this.chainStart[this.nCurves] = this.nChain;
    const p = [0, 0, 0];
    p[axis] = origin[axis];
    for (let i = 0; i < kept.length; i++) {
      if (i === 0 || i === kept.length - 1) {
        this.chain[this.nChain++] = boundary.vertex[i === 0 ? start : end];
        continue;
      }
      p[u] = origin[u] + line.x[kept[i]];
      p[v] = origin[v] + line.y[kept[i]];
      const unit = line.unit[kept[i]];
      const neuron = unit < 0 ? -1 : this.net.unitNeuron[unit];
      const vertex = this.vertices.add(p[0], p[1], p[2], VERTEX_FACE, neuron);
      if (unit < 0 && line.isFixed[kept[i]]) this.unsound.push(vertex);
      this.chain[this.nChain++] = vertex;
    }
    this.chainStart[++this.nCurves] = this.nChain;
  }
}
