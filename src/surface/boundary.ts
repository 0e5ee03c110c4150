import type { CornerTable } from '../partition/corners.ts';
import { growFloat64, growInt32 } from '../partition/grow.ts';
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
