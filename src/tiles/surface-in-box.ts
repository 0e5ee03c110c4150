import type { Box3, Vec3 } from '../format/asset.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';

/** Triangles of a mesh that reach into a box, and the box of their parts in it. */
export interface SurfaceInBox {
  /** Indices of triangles. */
  readonly triangles: readonly number[];
  /** Null where there are none. */
  readonly bounds: Box3 | null;
}

/**
 * Finds the part of a mesh that lies in a box.
 * @param triangles which of the mesh's triangles to look at.
 */
export function surfaceInBox(
  { positions, indices, origin = [0, 0, 0] }: SurfaceMesh,
  triangles: readonly number[],
  box: Box3,
): SurfaceInBox {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  const found = triangles.filter((triangle) => {
    const corners = [0, 1, 2].map((c) => {
      const at = 3 * indices[3 * triangle + c];
      return [positions[at] + origin[0], positions[at + 1] + origin[1], positions[at + 2] + origin[2]];
    });
    const part = clipToBox(corners, box);
    for (const point of part) {
      for (let k = 0; k < 3; k++) {
        min[k] = Math.min(min[k], point[k]);
        max[k] = Math.max(max[k], point[k]);
      }
    }
    return part.length > 0;
  });
  const bounds = { min: min as unknown as Vec3, max: max as unknown as Vec3 };
  return { triangles: found, bounds: found.length === 0 ? null : bounds };
}

/** The corners of a convex polygon's part in a box (Sutherland and Hodgman, plane by plane). */
function clipToBox(
  polygon: readonly (readonly number[])[],
  { min, max }: Box3,
): readonly (readonly number[])[] {
  let part = polygon;
  for (let k = 0; k < 3 && part.length > 0; k++) {
    part = clipToPlane(part, k, min[k], 1);
    part = clipToPlane(part, k, max[k], -1);
  }
  return part;
}

/** Keeps where sign * (p[k] - at) >= 0. */
function clipToPlane(
  polygon: readonly (readonly number[])[],
  k: number,
  at: number,
  sign: number,
): readonly (readonly number[])[] {
  return polygon.flatMap((point, i) => {
    const next = polygon[(i + 1) % polygon.length];
    const [here, there] = [sign * (point[k] - at), sign * (next[k] - at)];
    const kept = here >= 0 ? [point] : [];
    if (here < 0 === there < 0) return kept;
    const share = here / (here - there);
    const crossing = point.map((value, axis) => (axis === k ? at : value + share * (next[axis] - value)));
    return [...kept, crossing];
  });
}

/** A box grown by a distance on every side. */
export function growBox({ min, max }: Box3, by: number): Box3 {
  return {
    min: [min[0] - by, min[1] - by, min[2] - by],
    max: [max[0] + by, max[1] + by, max[2] + by],
  };
}

/** What two boxes have in common. */
export function commonBox(a: Box3, b: Box3): Box3 {
  const lower = (k: number): number => Math.max(a.min[k], b.min[k]);
  const upper = (k: number): number => Math.min(a.max[k], b.max[k]);
  return { min: [lower(0), lower(1), lower(2)], max: [upper(0), upper(1), upper(2)] };
}
