import { extentOf } from '../box.ts';
import type { Box3, FieldAsset, Vec3 } from '../format/asset.ts';
import { originOf } from '../format/local-origin.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';

/** How a field is divided into tiles. */
interface DivideOptions {
  /** Levels of detail, at least 1. */
  readonly nLevels: number;
  /** Pieces that a tile is divided into along its longest axis, level by level; 1 keeps the field whole. */
  readonly split: number;
  /** Tolerance of the finest level, in the field's local units. */
  readonly tolerance: number;
  /** How many times coarser each level is than the next. */
  readonly ratio: number;
}

/** One tile: a part of a field at a tolerance. All in the field's local units. */
export interface RegionTile {
  /** Level, then column, row and layer in its lattice. */
  readonly key: string;
  readonly level: number;
  /** Null: the whole domain. */
  readonly region: Box3 | null;
  readonly tolerance: number;
  /** Holds the tile's mesh and those of all tiles below it. */
  readonly bounds: Box3;
  readonly children: readonly RegionTile[];
}

/** The tolerance of a level. */
function levelTolerance({ nLevels, tolerance, ratio }: DivideOptions, level: number): number {
  return tolerance * ratio ** (nLevels - 1 - level);
}

/**
 * The guide's tolerance as a share of the smallest tiles. 1 of 97 of them in four fields has no surface then; with the
 * tolerance of level 0 it was 8 of 16 in one (2026-11-24).
 */
const GUIDE_SHARE = 0.01;

/** How fine a mesh has to be to divide a field by. */
export function guideTolerance({ domain }: FieldAsset, options: DivideOptions): number {
  const longest = Math.max(...extentOf(domain));
  const smallestTile = longest / options.split ** (options.nLevels - 1);
  return Math.min(levelTolerance(options, 0), GUIDE_SHARE * smallestTile);
}

/**
 * Divides a field into a tree of tiles, leaving out regions without surface.
 * @param guide the field's mesh at the tolerance `guideTolerance` gives. As the zero set is nowhere farther from it than
 * that, it tells where there is surface, and bounds it.
 * @returns null if there is none at all.
 */
export function divideField(
  asset: FieldAsset,
  guide: SurfaceMesh,
  options: DivideOptions,
): RegionTile | null {
  const reach = guideTolerance(asset, options);
  const visit = (cell: Cell, triangles: readonly number[]): RegionTile | null => {
    const tolerance = levelTolerance(options, cell.level);
    const found = surfaceInBox(guide, triangles, growBox(cell.box, reach));
    if (found.bounds === null) return null;
    const isLast = cell.level === options.nLevels - 1;
    const below = isLast
      ? []
      : divideCell(cell, options.split, asset.domain).map((child) => visit(child, found.triangles));
    return {
      key: [cell.level, ...cell.place].join('-'),
      level: cell.level,
      region: cell.isWhole ? null : cell.box,
      tolerance,
      // A mesh stands off the zero set by its tolerance, and the zero set off the guide by that one's.
      bounds: commonBox(growBox(found.bounds, reach + tolerance), cell.box),
      children: below.filter((tile) => tile !== null),
    };
  };
  const all = Array.from({ length: guide.indices.length / 3 }, (_, triangle) => triangle);
  return visit({ level: 0, place: [0, 0, 0], box: asset.domain, isWhole: true }, all);
}

interface Cell {
  readonly level: number;
  readonly place: Vec3;
  readonly box: Box3;
  readonly isWhole: boolean;
}

/** The pieces of a cell, as near to cubes as whole numbers of them allow. */
function divideCell(cell: Cell, split: number, domain: Box3): Cell[] {
  const { min, max } = cell.box;
  const extent = [0, 1, 2].map((k) => max[k] - min[k]);
  const longest = Math.max(...extent);
  const n = extent.map((length) => Math.max(1, Math.round((split * length) / longest)));
  const origin = originOf({ domain }) ?? [0, 0, 0];
  // In single precision, as the derivation takes it, so that neighbours have one face between them.
  const planeAt = (k: number, i: number): number => {
    if (i === 0) return min[k];
    return i === n[k] ? max[k] : origin[k] + Math.fround(min[k] - origin[k] + (i * extent[k]) / n[k]);
  };
  const cells: Cell[] = [];
  for (let z = 0; z < n[2]; z++) {
    for (let y = 0; y < n[1]; y++) {
      for (let x = 0; x < n[0]; x++) {
        const corner = (d: number): Vec3 => [planeAt(0, x + d), planeAt(1, y + d), planeAt(2, z + d)];
        const place = [x, y, z].map((i, k) => cell.place[k] * n[k] + i) as unknown as Vec3;
        const box = { min: corner(0), max: corner(1) };
        cells.push({
          level: cell.level + 1,
          place,
          box,
          isWhole: cell.isWhole && n.every((count) => count === 1),
        });
      }
    }
  }
  return cells;
}

/** Triangles of a mesh that reach into a box, and the box of their parts in it. */
interface SurfaceInBox {
  /** Indices of triangles. */
  readonly triangles: readonly number[];
  /** Null where there are none. */
  readonly bounds: Box3 | null;
}

/**
 * Finds the part of a mesh that lies in a box.
 * @param triangles which of the mesh's triangles to look at.
 */
function surfaceInBox(
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
function growBox({ min, max }: Box3, by: number): Box3 {
  return {
    min: [min[0] - by, min[1] - by, min[2] - by],
    max: [max[0] + by, max[1] + by, max[2] + by],
  };
}

/** What two boxes have in common. */
function commonBox(a: Box3, b: Box3): Box3 {
  const lower = (k: number): number => Math.max(a.min[k], b.min[k]);
  const upper = (k: number): number => Math.min(a.max[k], b.max[k]);
  return { min: [lower(0), lower(1), lower(2)], max: [upper(0), upper(1), upper(2)] };
}
