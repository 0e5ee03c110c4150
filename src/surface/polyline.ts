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
