import type { Patch } from './patch.ts';

/** Cost of a triangle that is turned over in the projection: above any sum of legal ones. */
const TURNED = 1e9;
/** Weight of a triangle's shape (longest side² / area) beside the squared relative deviation of its diagonals. */
const SHAPE = 2e-3;
/** Polygons with more vertices are fanned around a centre: the search grows with the cube. */
const MAX_POLYGON = 96;

/**
 * Triangulates the polygons of a patch at least cost: diagonals that stay near the zero set, then well-shaped
 * triangles. A diagonal between two vertices of one box side or one chord is never used: the box or polygon beside
 * could use the same. Where no legal triangulation exists the polygon is fanned around a vertex on the zero set.
 */
export class Triangulator {
  private cost = new Float64Array(0);
  private choice = new Int32Array(0);
  private diagonal = new Float64Array(0);

  /** @param scale deviation (local units) that weighs as much as a badly shaped triangle. */
  triangulate(patch: Patch, polygon: readonly number[], scale: number): void {
    const n = polygon.length;
    if (n < 3) return;
    if (n === 3) {
      patch.triangles.push(polygon[0], polygon[1], polygon[2]);
      return;
    }
    if (n > MAX_POLYGON || !this.search(patch, polygon, scale)) {
      fan(patch, polygon);
      return;
    }
    this.emit(patch, polygon, 0, n - 1);
  }

  private search(patch: Patch, polygon: readonly number[], scale: number): boolean {
    const n = polygon.length;
    if (this.cost.length < n * n) {
      this.cost = new Float64Array(n * n);
      this.choice = new Int32Array(n * n);
      this.diagonal = new Float64Array(n * n);
    }
    this.costDiagonals(patch, polygon, scale);
    const { cost, choice, diagonal } = this;
    for (let i = 0; i + 1 < n; i++) cost[i * n + i + 1] = 0;
    for (let span = 2; span < n; span++) {
      for (let i = 0; i + span < n; i++) {
        const j = i + span;
        let best = Number.POSITIVE_INFINITY;
        let pick = i + 1;
        for (let k = i + 1; k < j; k++) {
          const sum = cost[i * n + k] + cost[k * n + j];
          if (sum >= best) continue;
          const total = sum + triangleCost(patch, polygon[i], polygon[k], polygon[j]);
          if (total >= best) continue;
          best = total;
          pick = k;
        }
        cost[i * n + j] = best + (span === n - 1 ? 0 : diagonal[i * n + j]);
        choice[i * n + j] = pick;
      }
    }
    return cost[n - 1] < TURNED;
  }

  private costDiagonals(patch: Patch, polygon: readonly number[], scale: number): void {
    const n = polygon.length;
    const { x, y, z } = patch;
    for (let i = 0; i + 2 < n; i++) {
      for (let j = i + 2; j < n; j++) {
        const a = polygon[i];
        const b = polygon[j];
        if (a === b || patch.sharesLine(a, b)) {
          this.diagonal[i * n + j] = Number.POSITIVE_INFINITY;
          continue;
        }
        const off = patch.deviation(0.5 * (x[a] + x[b]), 0.5 * (y[a] + y[b]), 0.5 * (z[a] + z[b])) / scale;
        this.diagonal[i * n + j] = off * off;
      }
    }
  }

  private emit(patch: Patch, polygon: readonly number[], i: number, j: number): void {
    if (j - i < 2) return;
    const k = this.choice[i * polygon.length + j];
    this.emit(patch, polygon, i, k);
    patch.triangles.push(polygon[i], polygon[k], polygon[j]);
    this.emit(patch, polygon, k, j);
  }
}

function triangleCost(patch: Patch, a: number, b: number, c: number): number {
  const area = patch.area(a, b, c);
  const { qx, qy } = patch;
  const ab = (qx[a] - qx[b]) ** 2 + (qy[a] - qy[b]) ** 2;
  const bc = (qx[b] - qx[c]) ** 2 + (qy[b] - qy[c]) ** 2;
  const ca = (qx[c] - qx[a]) ** 2 + (qy[c] - qy[a]) ** 2;
  const longest = Math.max(ab, bc, ca);
  if (area <= longest * 1e-9) return TURNED;
  return SHAPE * Math.min(longest / area, 1e4);
}

/** Triangles from every side of the polygon to one new vertex near its middle. */
export function fan(patch: Patch, polygon: readonly number[]): void {
  const n = polygon.length;
  let x = 0;
  let y = 0;
  let z = 0;
  for (const i of polygon) {
    x += patch.x[i] / n;
    y += patch.y[i] / n;
    z += patch.z[i] / n;
  }
  const centre = patch.addProjected(x, y, z, -1);
  for (let i = 0; i < n; i++) patch.triangles.push(polygon[i], polygon[(i + 1) % n], centre);
}
