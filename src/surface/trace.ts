import { growFloat64, growInt32 } from '../arrays.ts';
import { evaluateRegion, MAX_UNITS } from '../partition/region-evaluate.ts';
import type { RegionNetwork } from '../partition/region-network.ts';

/** Pieces after which a walk is given up: a curve meets each unit a few times at most. */
const MAX_PIECES = 512;

/** Relative size below which a unit's value on the curve is rounding. */
const ROUNDING = 1e-12;

/** A crossing this little behind (of the rectangle's side) is taken now: two units that cross at one point. */
const NOW = 1e-9;

/** Where a walk left the rectangle: side as in RectBoundary, or -1 where it was given up. */
export interface TraceExit {
  side: number;
  x: number;
  y: number;
}

/**
 * Follows the zero curve of f through one rectangle (a 4-corner RegionNetwork). Within one sign vector f and every
 * unit are bilinear, a + b x + c y + d x y, so the curve is a branch of a hyperbola, monotone in both coordinates.
 * With y = -(a + b x)/(c + d x) put into unit n, its crossings are the roots of
 * (b'd - d'b) x² + (a'd + b'c - c'b - d'a) x + (a'c - c'a), of which only the one where n leaves its sign counts: its
 * slope tells which, and no epsilon is needed. At a crossing the unit's bit flips and the pieces after it are rebuilt.
 */
export class CurveTracer {
  /** Points of the curve: start, kinks, exit. Unit crossed at each (-1 at both ends). */
  nPoints = 0;
  x = new Float64Array(64);
  y = new Float64Array(64);
  unit = new Int32Array(64);
  /** f's four coefficients on the piece that starts at each point. */
  piece = new Float64Array(256);
  readonly exit: TraceExit = { side: -1, x: 0, y: 0 };
  private readonly signs = new Int32Array(MAX_UNITS);
  private readonly base = new Float64Array((MAX_UNITS + 1) * 4);
  private readonly coef = new Float64Array((MAX_UNITS + 1) * 4);
  private readonly values = new Float64Array(MAX_UNITS);
  private readonly t = new Float64Array(2);
  private px = 0;
  private py = 0;

  /** Prepares a rectangle: bilinear coefficients of all A, f's in slot nUnits. */
  begin(net: RegionNetwork): void {
    for (let g = 0; g <= net.nUnits; g++) {
      const a = g === net.nUnits ? net.fA : net.unitA;
      const from = g === net.nUnits ? 0 : g * 8;
      this.base[g * 4] = a[from];
      this.base[g * 4 + 1] = a[from + 1] - a[from];
      this.base[g * 4 + 2] = a[from + 2] - a[from];
      this.base[g * 4 + 3] = a[from + 3] - a[from + 2] - a[from + 1] + a[from];
    }
  }

  /** Walks from (x, y) on the boundary with f > 0 on the left until the curve leaves the rectangle. */
  walk(net: RegionNetwork, x: number, y: number): void {
    this.px = x;
    this.py = y;
    this.nPoints = 0;
    this.exit.side = -1;
    this.t[0] = x;
    this.t[1] = y;
    evaluateRegion(net, this.t, undefined, this.values);
    for (let u = 0; u < net.nUnits; u++) this.signs[u] = this.values[u] >= 0 ? 1 : 0;
    this.rebuild(net, 0);
    let crossed = -1;
    for (let i = 0; i < MAX_PIECES; i++) {
      this.addPoint(net, crossed);
      crossed = this.nextEvent(net, crossed);
      if (crossed < 0) break;
      this.signs[crossed] ^= 1;
      this.rebuild(net, crossed + 1);
    }
    this.addPoint(net, -1);
    this.exit.x = this.px;
    this.exit.y = this.py;
  }

  private addPoint(net: RegionNetwork, unit: number): void {
    const i = this.nPoints++;
    this.x = growFloat64(this.x, i + 1);
    this.y = growFloat64(this.y, i + 1);
    this.unit = growInt32(this.unit, i + 1);
    this.piece = growFloat64(this.piece, (i + 1) * 4);
    this.x[i] = this.px;
    this.y[i] = this.py;
    this.unit[i] = unit;
    for (let k = 0; k < 4; k++) this.piece[i * 4 + k] = this.coef[net.nUnits * 4 + k];
  }

  /** Coefficients of units [from, nUnits) and of f under the current signs. */
  private rebuild(net: RegionNetwork, from: number): void {
    const { coef, base, signs } = this;
    const n = net.nUnits;
    for (let g = from; g <= n; g++) {
      const c = g * 4;
      for (let k = 0; k < 4; k++) coef[c + k] = base[c + k];
      for (let w = 0; w < g; w++) {
        if (signs[w] === 0) continue;
        const b = g === n ? net.fB[w] : net.unitB[g * MAX_UNITS + w];
        if (b === 0) continue;
        for (let k = 0; k < 4; k++) coef[c + k] += b * coef[w * 4 + k];
      }
    }
  }

  /** Moves to the next unit crossing (gives the unit) or to the exit (gives -1, sets exit.side). */
  private nextEvent(net: RegionNetwork, crossed: number): number {
    const n = net.nUnits * 4;
    const [a, bx, by, d] = [this.coef[n], this.coef[n + 1], this.coef[n + 2], this.coef[n + 3]];
    const fx = bx + d * this.py;
    const fy = by + d * this.px;
    // With f > 0 on the left the tangent is (f_y, -f_x).
    const isX = Math.abs(fy) >= Math.abs(fx);
    const p = isX ? this.px : this.py;
    const b = isX ? bx : by;
    const c = isX ? by : bx;
    const along = isX ? fy : -fx;
    const across = isX ? -fx : fy;
    const dir = along >= 0 ? 1 : -1;
    const end = dir > 0 ? 1 : 0;
    let best = (end - p) * dir;
    let event = -1;
    let side = sideOf(isX, end);
    const acrossEnd = across > 0 ? 1 : 0;
    if (across !== 0) {
      const at = -(a + c * acrossEnd) / (b + d * acrossEnd);
      const far = (at - p) * dir;
      const q = isX ? this.py : this.px;
      const isReached = (acrossEnd - q) * (across > 0 ? 1 : -1) <= 0;
      if (isReached) {
        best = 0;
        side = sideOf(!isX, acrossEnd);
      } else if (far >= 0 && far < best) {
        best = far;
        side = sideOf(!isX, acrossEnd);
      }
    }
    for (let u = 0; u < net.nUnits; u++) {
      const far = this.unitDistance(u, isX, a, b, c, d, p, dir, u === crossed);
      if (far < best) {
        best = far;
        event = u;
      }
    }
    this.moveTo(isX, p + best * dir, a, b, c, d);
    if (event < 0) this.leave(side);
    return event;
  }

  /** How far ahead unit u leaves its sign along the branch: +infinity where it does not. */
  private unitDistance(
    u: number,
    isX: boolean,
    a: number,
    b: number,
    c: number,
    d: number,
    p: number,
    dir: number,
    isCrossed: boolean,
  ): number {
    const { coef } = this;
    const a1 = coef[u * 4];
    const b1 = isX ? coef[u * 4 + 1] : coef[u * 4 + 2];
    const c1 = isX ? coef[u * 4 + 2] : coef[u * 4 + 1];
    const d1 = coef[u * 4 + 3];
    const positive = this.signs[u] === 1;
    if (!isCrossed) {
      const value = a1 + coef[u * 4 + 1] * this.px + coef[u * 4 + 2] * this.py + d1 * this.px * this.py;
      const noise = ROUNDING * (Math.abs(a1) + Math.abs(b1) + Math.abs(c1) + Math.abs(d1));
      if (Math.abs(value) > noise && value > 0 !== positive) return 0;
    }
    // unit = q(x) / (c + d x); c + d x keeps its sign along the branch.
    const denominatorSign = c + d * p >= 0 ? 1 : -1;
    const q2 = b1 * d - d1 * b;
    const q1 = a1 * d + b1 * c - c1 * b - d1 * a;
    const q0 = a1 * c - c1 * a;
    // Leaving: the unit's slope along the walk has the sign opposite to its own.
    const slopeSign = (positive ? -1 : 1) * dir * denominatorSign;
    const root = rootWithSlope(q2, q1, q0, slopeSign);
    const far = (root - p) * dir;
    return far >= -NOW ? Math.max(0, far) : Number.POSITIVE_INFINITY;
  }

  private moveTo(isX: boolean, s: number, a: number, b: number, c: number, d: number): void {
    const at = Math.min(1, Math.max(0, s));
    const denominator = c + d * at;
    const before = isX ? this.py : this.px;
    const other = denominator === 0 ? before : -(a + b * at) / denominator;
    const clamped = Math.min(1, Math.max(0, other));
    this.px = isX ? at : clamped;
    this.py = isX ? clamped : at;
  }

  private leave(side: number): void {
    this.exit.side = side;
    if (side === 0) this.py = 0;
    else if (side === 1) this.px = 1;
    else if (side === 2) this.py = 1;
    else this.px = 0;
  }
}

function sideOf(isX: boolean, end: number): number {
  if (isX) return end === 1 ? 1 : 3;
  return end === 1 ? 2 : 0;
}

/** The root of q2 x² + q1 x + q0 at which the slope has the given sign; NaN where there is none. */
function rootWithSlope(q2: number, q1: number, q0: number, slopeSign: number): number {
  const discriminant = q1 * q1 - 4 * q2 * q0;
  if (!(discriminant >= 0)) return Number.NaN;
  // The slope at (-q1 + σ√D) / (2 q2) is σ√D; both forms below avoid cancellation.
  const s = slopeSign * Math.sqrt(discriminant);
  if (q1 * slopeSign <= 0) return (-q1 + s) / (2 * q2);
  return (-2 * q0) / (q1 + s);
}
