import type { Patch } from './patch.ts';

/** Polygons with more vertices are looked into along every second, third, ... diagonal only. */
const MANY = 32;

/**
 * A point well inside a polygon of a patch, on the zero set: of the vertices' mean, the centroids of three consecutive
 * vertices and the middles of the diagonals, the one farthest from the sides in the projection.
 * @param out f64, written from `offset` on.
 */
export function innerPoint(patch: Patch, polygon: readonly number[], out: number[], offset: number): void {
  const n = polygon.length;
  let best = polygon;
  let most = depth(patch, polygon, polygon);
  const consider = (chosen: readonly number[]): void => {
    const deep = depth(patch, polygon, chosen);
    if (deep <= most) return;
    most = deep;
    best = chosen;
  };
  const step = Math.ceil(n / MANY);
  for (let i = 0; i < n; i++) {
    consider([polygon[i], polygon[(i + 1) % n], polygon[(i + 2) % n]]);
    for (let j = i + 2; j < n; j += step) consider([polygon[i], polygon[j]]);
  }
  const [x, y, z] = [mean(patch.x, best), mean(patch.y, best), mean(patch.z, best)];
  const isProjected = patch.project(x, y, z);
  out[offset] = isProjected ? patch.point[0] : x;
  out[offset + 1] = isProjected ? patch.point[1] : y;
  out[offset + 2] = isProjected ? patch.point[2] : z;
}

function mean(values: readonly number[], chosen: readonly number[]): number {
  let sum = 0;
  for (const i of chosen) sum += values[i];
  return sum / chosen.length;
}

/** Distance, in the projection, of the chosen vertices' mean from the polygon's nearest side; negative outside. */
function depth(patch: Patch, polygon: readonly number[], chosen: readonly number[]): number {
  const { qx, qy } = patch;
  const x = mean(qx, chosen);
  const y = mean(qy, chosen);
  let least = Number.POSITIVE_INFINITY;
  let isInside = false;
  for (let k = 0, n = polygon.length; k < n; k++) {
    const [a, b] = [polygon[k], polygon[(k + 1) % n]];
    const [dx, dy] = [qx[b] - qx[a], qy[b] - qy[a]];
    const [px, py] = [x - qx[a], y - qy[a]];
    const length2 = dx * dx + dy * dy;
    const s = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
    least = Math.min(least, Math.hypot(px - s * dx, py - s * dy));
    if (qy[a] > y !== qy[b] > y && x < qx[a] + ((y - qy[a]) / dy) * dx) isInside = !isInside;
  }
  return isInside ? least : -least;
}
