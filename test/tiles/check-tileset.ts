import type { TileJson, TilesetJson } from '../../src/tiles/tileset-json.ts';

/** A box of the tileset's own frame: its eight corners. */
type Corners = readonly (readonly number[])[];

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const TILE_KEYS = ['transform', 'boundingVolume', 'geometricError', 'refine', 'content', 'children'];

/** Column-major product of two 4x4 matrices. */
export function multiply(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 16 }, (_, i) =>
    [0, 1, 2, 3].reduce((sum, k) => sum + a[(i % 4) + 4 * k] * b[k + 4 * (i >> 2)], 0),
  );
}

export function transformPoint(m: readonly number[], [x, y, z]: readonly number[]): number[] {
  return [0, 1, 2].map((row) => m[row] * x + m[row + 4] * y + m[row + 8] * z + m[row + 12]);
}

function cornersOf(box: readonly number[], matrix: readonly number[]): Corners {
  return Array.from({ length: 8 }, (_, bits) => {
    const point = [0, 1, 2].map((k) =>
      [0, 1, 2].reduce((sum, a) => sum + ((bits >> a) & 1 ? 1 : -1) * box[3 + 3 * a + k], box[k]),
    );
    return transformPoint(matrix, point);
  });
}

/** Whether a point of the tileset's frame lies in a tile's bounding volume, give or take rounding. */
export function isInVolume(
  point: readonly number[],
  box: readonly number[],
  matrix: readonly number[],
): boolean {
  const center = transformPoint(matrix, box.slice(0, 3));
  return [0, 1, 2].every((a) => {
    const end = transformPoint(
      matrix,
      [0, 1, 2].map((k) => box[k] + box[3 + 3 * a + k]),
    );
    const axis = end.map((value, k) => value - center[k]);
    const length = Math.hypot(...axis);
    const along = axis.reduce((sum, value, k) => sum + value * (point[k] - center[k]), 0) / length;
    return Math.abs(along) <= length * (1 + 1e-6) + 1e-6;
  });
}

/** What a visitor of a tileset is told of a tile. */
export interface VisitedTile {
  readonly tile: TileJson;
  /** From the tile's frame to the tileset's. */
  readonly matrix: readonly number[];
  readonly depth: number;
}

export function listTiles({ root }: TilesetJson): VisitedTile[] {
  const visit = (tile: TileJson, parent: readonly number[], depth: number): VisitedTile[] => {
    const matrix = multiply(parent, tile.transform ?? IDENTITY);
    return [
      { tile, matrix, depth },
      ...(tile.children ?? []).flatMap((child) => visit(child, matrix, depth + 1)),
    ];
  };
  return visit(root, IDENTITY, 0);
}

/**
 * What is wrong with a tileset by the 3D Tiles 1.1 specification, as far as it concerns boxes and glTF contents.
 * (The consortium's own validator is not on this registry.)
 */
export function checkTileset(tileset: TilesetJson, files: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  if (tileset.asset?.version !== '1.1') problems.push(`asset.version is ${tileset.asset?.version}`);
  if (!(tileset.geometricError >= tileset.root.geometricError))
    problems.push('geometricError below the root');
  if (tileset.root.refine === undefined) problems.push('the root has no refine');
  for (const { tile, matrix } of listTiles(tileset)) {
    problems.push(
      ...checkTile(tile, matrix, files).map((text) => `${tile.content?.uri ?? 'group'}: ${text}`),
    );
  }
  return problems;
}

function checkTile(tile: TileJson, matrix: readonly number[], files: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const isNumbers = (values: readonly number[], n: number) =>
    values.length === n && values.every(Number.isFinite);
  const unknown = Object.keys(tile).filter((key) => !TILE_KEYS.includes(key));
  if (unknown.length > 0) problems.push(`unknown properties ${unknown}`);
  if (tile.transform && !isNumbers(tile.transform, 16)) problems.push('transform is no 4x4');
  if (tile.transform?.[15] !== undefined && tile.transform[15] !== 1)
    problems.push('transform is not affine');
  if (!isNumbers(tile.boundingVolume.box, 12)) problems.push('box is not twelve numbers');
  if (!(tile.geometricError >= 0)) problems.push(`geometricError is ${tile.geometricError}`);
  if (tile.refine !== undefined && tile.refine !== 'REPLACE') problems.push(`refine is ${tile.refine}`);
  if (tile.content && !files.has(decodeURIComponent(tile.content.uri)))
    problems.push('its content is not there');
  if (tile.children?.length === 0) problems.push('children is empty');
  for (const child of tile.children ?? []) {
    if (child.geometricError > tile.geometricError) problems.push('a child has a larger error');
    const childMatrix = multiply(matrix, child.transform ?? IDENTITY);
    for (const corner of cornersOf(child.boundingVolume.box, childMatrix)) {
      if (!isInVolume(corner, tile.boundingVolume.box, matrix)) problems.push('a child stands out of it');
    }
  }
  return problems;
}
