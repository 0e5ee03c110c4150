import type { Box3 } from '../format/asset.ts';
import type { TileJson } from './tileset-json.ts';
import { boxAround, diagonalOf, volumeOf } from './up-axis.ts';

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
