import type { Patch } from './patch.ts';

/** Polygons with more vertices are looked into along every second, third, ... diagonal only. */
const MANY = 32;

/** Candidates, deepest first, that are tried to be projected onto the zero set. */
const MAX_TRIES = 16;

/**
 * A point well inside a polygon of a patch, on the zero set: of the vertices' mean, the centroids of three consecutive
 * vertices and the middles of the diagonals, the one farthest from the sides in the projection that can be put on the
 * zero set within the box; the farthest, as it lies, where none can.
 * @param out f64, written from `offset` on.
 */
export function innerPoint(patch: Patch, polygon: readonly number[], out: number[], offset: number): void {
  const candidates = listCandidates(polygon).map((chosen) => ({
    chosen,
    deep: depth(patch, polygon, chosen),
  }));
  candidates.sort((a, b) => b.deep - a.deep);
  const nTries = Math.min(MAX_TRIES, candidates.length);
  for (let i = 0; i < 2 * nTries; i++) {
    const { chosen } = candidates[i % nTries];
    const [x, y, z] = [mean(patch.x, chosen), mean(patch.y, chosen), mean(patch.z, chosen)];
    // Where the surface is seen nearly edge-on the way to it along the patch's direction may lead out of the box.
    const isProjected = i < nTries ? patch.project(x, y, z) : patch.descend(x, y, z);
    if (!isProjected && i > 0) continue;
    out[offset] = isProjected ? patch.point[0] : x;
    out[offset + 1] = isProjected ? patch.point[1] : y;
    out[offset + 2] = isProjected ? patch.point[2] : z;
    if (isProjected) return;
  }
}

/** Sets of vertices whose means may lie inside. */
function listCandidates(polygon: readonly number[]): (readonly number[])[] {
  const n = polygon.length;
  const step = Math.ceil(n / MANY);
  const candidates: (readonly number[])[] = [polygon];
  for (let i = 0; i < n; i++) {
    candidates.push([polygon[i], polygon[(i + 1) % n], polygon[(i + 2) % n]]);
    for (let j = i + 2; j < n; j += step) candidates.push([polygon[i], polygon[j]]);
  }
  return candidates;
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
