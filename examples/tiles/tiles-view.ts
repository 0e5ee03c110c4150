import type { Tile, TilesRendererBase } from '3d-tiles-renderer/core';

/** What both engines' pages offer. */
export interface TilesView {
  readonly tiles: TilesRendererBase;
  /** Looks at `target` from `distance` away; world units, y up. */
  readonly look: (target: readonly [number, number, number], distance: number) => void;
  /** Triangles of the last picture. */
  readonly countTriangles: () => number;
}

/** A colour for each level, so that one sees finer tiles take the place of coarser ones. */
export const LEVEL_COLORS = ['#c9b28f', '#7fb2c9', '#e08f6a', '#9fc98a'];

/** Addresses of the contents that are shown at present. */
export function shownTiles({ visibleTiles }: TilesRendererBase): string[] {
  return [...visibleTiles].flatMap((tile) => addressOf(tile) ?? []);
}

function addressOf(tile: Tile): string | undefined {
  return (tile.content as { uri?: string } | undefined)?.uri;
}

/** The level that a tile's name begins with: `bunny/2-0-1-3.glb` is of level 2. */
export function levelOf(address: string): number {
  return Number.parseInt(address.replace(/^.*\//, ''), 10);
}
