/** Tilesets: what tileset.json is made of, the boxes in it, and how many tiles are grouped under one. */
import type { Box3 } from '../format/asset.ts';

/** Twelve numbers: the centre, then half of each axis of a box. */
type BoxJson = readonly number[];

/** One tile of a 3D Tiles 1.1 tileset: what `nsdf tile` writes of it. */
export interface TileJson {
  /** Column-major 4x4, to the parent tile's frame; the identity where absent. */
  readonly transform?: readonly number[];
  /** In this tile's frame; holds the content of the tile and of all below it. */
  readonly boundingVolume: { readonly box: BoxJson };
  /** How far the tile's content is from the surface, in the tileset's units: transforms don't scale it. */
  readonly geometricError: number;
  readonly refine?: 'REPLACE';
  readonly content?: { readonly uri: string };
  readonly children?: readonly TileJson[];
}

/** tileset.json, version 1.1. */
export interface TilesetJson {
  readonly asset: { readonly version: '1.1'; readonly generator: string; readonly extras?: object };
  /** The error of drawing nothing at all. */
  readonly geometricError: number;
  readonly root: TileJson;
}

/** Children that a tile without content may have, so that renderers leave out many fields by one look. */
const MOST_CHILDREN = 8;

/**
 * One tile above many: a tree of tiles without content, halved where their centres lie widest apart. Its errors are
 * its boxes' diagonals: while it is not refined, nothing of them is drawn.
 */
export function groupTiles(tiles: readonly TileJson[]): TileJson {
  if (tiles.length === 1) return tiles[0];
  const boxes = tiles.map((tile) => boxAround(tile.boundingVolume.box, tile.transform));
  const box = volumeOf(boxes.reduce(joinBoxes));
  const children = tiles.length <= MOST_CHILDREN ? tiles : halve(tiles, boxes).map(groupTiles);
  return { boundingVolume: { box }, geometricError: diagonalOf(box), refine: 'REPLACE', children };
}

function joinBoxes(a: Box3, b: Box3): Box3 {
  const lower = (k: number): number => Math.min(a.min[k], b.min[k]);
  const upper = (k: number): number => Math.max(a.max[k], b.max[k]);
  return { min: [lower(0), lower(1), lower(2)], max: [upper(0), upper(1), upper(2)] };
}

function halve(tiles: readonly TileJson[], boxes: readonly Box3[]): TileJson[][] {
  const centers = boxes.map(({ min, max }) => [0, 1, 2].map((k) => (min[k] + max[k]) / 2));
  const spread = [0, 1, 2].map((k) => {
    const values = centers.map((center) => center[k]);
    return Math.max(...values) - Math.min(...values);
  });
  const widest = spread.indexOf(Math.max(...spread));
  const order = tiles.map((_, i) => i).sort((i, j) => centers[i][widest] - centers[j][widest]);
  const middle = tiles.length >> 1;
  return [order.slice(0, middle), order.slice(middle)].map((half) => half.map((i) => tiles[i]));
}

/**
 * 3D Tiles has z up, glTF has y up: renderers turn every content by R, (x, y, z) to (x, -z, y), before tile transforms
 * act on it (3D Tiles 1.1, "glTF transforms"). What lies around contents is ours to turn.
 */

/** The transform of a tile whose content a glTF scene puts at `matrix`: R * matrix * R⁻¹, column-major. */
export function tileTransform(matrix: readonly number[]): number[] {
  // Row and column of the turned matrix, from those of the given one: R permutes the axes and turns one sign.
  const from = [0, 2, 1, 3];
  const sign = [1, -1, 1, 1];
  return Array.from({ length: 16 }, (_, i) => {
    const [row, column] = [i % 4, i >> 2];
    const value = sign[row] * sign[column] * matrix[from[row] + 4 * from[column]];
    return value === 0 ? 0 : value; // never -0
  });
}

/** A box of a content's own y-up units as a tile's bounding volume. */
export function boxVolume({ min, max }: Box3): BoxJson {
  const center = [0, 1, 2].map((k) => (min[k] + max[k]) / 2);
  const half = [0, 1, 2].map((k) => (max[k] - min[k]) / 2);
  const [x, y, z] = [center[0], -center[2] || 0, center[1]];
  return [x, y, z, half[0], 0, 0, 0, half[2], 0, 0, 0, half[1]];
}

/** The axis-aligned box, z up, around a bounding volume under a tile's transform. */
export function boxAround(volume: BoxJson, transform: readonly number[] | undefined): Box3 {
  const m = transform ?? [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const linear = (v: readonly number[], row: number): number =>
    m[row] * v[0] + m[row + 4] * v[1] + m[row + 8] * v[2];
  const axes = [volume.slice(3, 6), volume.slice(6, 9), volume.slice(9, 12)];
  const extent = (sign: number) => (row: number) => {
    const center = linear(volume, row) + m[row + 12];
    return center + sign * axes.reduce((sum, axis) => sum + Math.abs(linear(axis, row)), 0);
  };
  const [low, high] = [extent(-1), extent(1)];
  return { min: [low(0), low(1), low(2)], max: [high(0), high(1), high(2)] };
}

/** A z-up box as a bounding volume. */
function volumeOf({ min, max }: Box3): BoxJson {
  const center = [0, 1, 2].map((k) => (min[k] + max[k]) / 2);
  const half = [0, 1, 2].map((k) => (max[k] - min[k]) / 2);
  return [...center, half[0], 0, 0, 0, half[1], 0, 0, 0, half[2]];
}

/** Length of a bounding volume's diagonal. */
export function diagonalOf(volume: BoxJson): number {
  const [x, y, z] = [0, 1, 2].map((k) => volume[3 + k] + volume[6 + k] + volume[9 + k]);
  return 2 * Math.hypot(x, y, z);
}
