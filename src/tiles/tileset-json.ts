/** Twelve numbers: the centre, then half of each axis of a box. */
export type BoxJson = readonly number[];

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
