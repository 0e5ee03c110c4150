import type { CornerTable } from '../partition/corners.ts';
import type { Polyline } from './polyline.ts';

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
