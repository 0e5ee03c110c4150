import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { WeightType } from '../format/extension.ts';
import { type PackedWeights, packWeights } from '../format/packed-weights.ts';
import type { FallbackMesh, NsdfField, NsdfFieldInstance } from '../format/scene.ts';
import { sceneOf, writeNsdf, writeNsdfHashed } from '../format/write.ts';
import type { DeriveProgress } from '../options.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { largestStretch } from '../plugin/field-sampler.ts';
import { localPositions } from '../surface/mesh.ts';
import { divideField, guideTolerance, type RegionTile } from './region-tree.ts';
import type { TileJson, TilesetJson } from './tileset-json.ts';
import { boxVolume, diagonalOf, groupTiles, tileTransform } from './tileset-json.ts';

/** How a tileset is made. */
export interface TilesetOptions {
  /** Levels of detail of each field. Default: 3. */
  readonly nLevels?: number;
  /** Pieces along the longest axis that a tile is divided into at each level; 1 keeps fields whole. Default: 2 for one field, 1 for several. */
  readonly split?: number;
  /** Tolerance of the finest level, in each field's local units. Default: the field's own, else its domain's diagonal / 3464. */
  readonly tolerance?: number;
  /** How many times coarser each level is than the next. Default: 4, which keeps tiles of halved edges alike in triangles. */
  readonly ratio?: number;
  readonly dtype?: WeightType;
  /** Embed a mesh of at most this many vertices in every tile, for renderers that don't know the extension. */
  readonly fallback?: number;
  readonly copyright?: string | null;
  readonly signal?: AbortSignal;
  /** Told of each field's first derivation, which is the long part. */
  readonly onProgress?: (fieldName: string, progress: DeriveProgress) => void;
}

/** A field as it is placed in the tileset. */
export type TiledField = Pick<NsdfFieldInstance, 'field' | 'matrixWorld'>;

/** Takes a file of the tileset: its path below the tileset's folder, with forward slashes. */
export type WriteFile = (path: string, bytes: Uint8Array) => Promise<void>;

/** By which a tileset is known to be written here. */
export const TILESET_GENERATOR = 'nsdf-loader';
const DEFAULT_LEVELS = 3;
const DEFAULT_RATIO = 4;
const DEFAULT_TOLERANCE_DIVISOR = 3464.1016;

/**
 * Writes a 3D Tiles 1.1 tileset of fields: tileset.json, a GLB for each tile, and the weights of each field once. The
 * tiles hold no mesh: they name the part of the field to derive and the tolerance.
 * @throws {NsdfArgumentError} if there is no field, a field has no zero set, or an option is out of range; what
 * `deriveMesh` and `writeFile` throw.
 */
export async function writeTileset(
  fields: readonly TiledField[],
  writeFile: WriteFile,
  options: TilesetOptions = {},
): Promise<TilesetJson> {
  checkOptions(options);
  if (fields.length === 0) throw new NsdfArgumentError('fields', 'there is no field to make tiles of');
  const split = options.split ?? (fields.length === 1 ? 2 : 1);
  const folders = nameFolders(fields.map(({ field }) => field));
  const subtrees = new Map<NsdfField, RegionTile>();
  for (const [field, folder] of folders) {
    subtrees.set(field, await writeField(field, folder, writeFile, { ...options, split }));
  }
  const root = groupTiles(
    fields.map(({ field, matrixWorld }) => placeTile(subtrees.get(field)!, folders.get(field)!, matrixWorld)),
  );
  const { copyright } = options;
  const tileset: TilesetJson = {
    asset: { version: '1.1', generator: TILESET_GENERATOR, ...(copyright && { extras: { copyright } }) },
    geometricError: Math.max(root.geometricError, largestExtent(root)),
    root,
  };
  await writeFile('tileset.json', new TextEncoder().encode(`${JSON.stringify(tileset, null, 1)}\n`));
  return tileset;
}

function checkOptions({
  nLevels = 1,
  split = 1,
  tolerance = 1,
  ratio = 2,
  fallback = 4,
}: TilesetOptions): void {
  const expect = (isRight: boolean, argument: string, found: number, expected: string): void => {
    if (!isRight) throw new NsdfArgumentError(argument, `${argument} is ${found}; expected ${expected}`);
  };
  const isCount = (n: number, max: number): boolean => Number.isInteger(n) && n >= 1 && n <= max;
  expect(isCount(nLevels, 12), 'levels', nLevels, 'a whole number from 1 to 12');
  expect(isCount(split, 8), 'split', split, 'a whole number from 1 to 8');
  expect(tolerance > 0 && Number.isFinite(tolerance), 'tolerance', tolerance, 'a positive length');
  expect(ratio > 1 && ratio <= 64, 'ratio', ratio, 'a number above 1, at most 64');
  expect(Number.isInteger(fallback) && fallback >= 4, 'fallback', fallback, 'at least 4 vertices');
}

/** A folder for each field, named after it; fields that are placed twice get one. */
function nameFolders(fields: readonly NsdfField[]): Map<NsdfField, string> {
  const taken = new Set<string>();
  const folders = new Map<NsdfField, string>();
  for (const field of new Set(fields)) {
    const base = field.asset.name.replace(/[^\w-]+/g, '-').slice(0, 60) || 'field';
    let name = base;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${base}-${n}`;
    taken.add(name.toLowerCase());
    folders.set(field, name);
  }
  return folders;
}

/** Writes a field's weights and tiles and gives its tree. */
async function writeField(
  field: NsdfField,
  folder: string,
  writeFile: WriteFile,
  options: TilesetOptions & { readonly split: number },
): Promise<RegionTile> {
  const { asset } = field;
  const { signal, onProgress, dtype = 'f32' } = options;
  const divide = {
    nLevels: options.nLevels ?? DEFAULT_LEVELS,
    split: options.split,
    tolerance: options.tolerance ?? asset.tolerance ?? defaultTolerance(asset),
    ratio: options.ratio ?? DEFAULT_RATIO,
  };
  const guide = await deriveMesh(asset, {
    tolerance: guideTolerance(asset, divide),
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (progress) => onProgress(asset.name, progress) }),
  });
  const root = divideField(asset, guide.mesh, divide);
  if (root === null) {
    throw new NsdfArgumentError('fields', `${asset.name} has no zero set in its domain: it gives no tiles`);
  }
  const isAlone = root.children.length === 0;
  const weights = isAlone ? null : await packWeights(asset, { uri: 'weights.bin', dtype });
  if (weights) await writeFile(`${folder}/weights.bin`, weights.bytes);
  for (const tile of listTiles(root)) {
    signal?.throwIfAborted();
    await writeFile(tilePath(folder, tile), await tileBytes(field, tile, weights, options));
  }
  return root;
}

function defaultTolerance({ domain }: FieldAsset): number {
  const diagonal = Math.hypot(...[0, 1, 2].map((k) => domain.max[k] - domain.min[k]));
  return diagonal / DEFAULT_TOLERANCE_DIVISOR;
}

function listTiles(tile: RegionTile): RegionTile[] {
  return [tile, ...tile.children.flatMap(listTiles)];
}

function tilePath(folder: string, { key }: RegionTile): string {
  return `${folder}/${key}.glb`;
}

/** One GLB; its weights are in it only where no other tile shares them. */
async function tileBytes(
  { asset, material }: NsdfField,
  { region, tolerance }: RegionTile,
  weights: PackedWeights | null,
  { dtype = 'f32', fallback: maxVertices, copyright, signal }: TilesetOptions,
): Promise<Uint8Array> {
  const tile: FieldAsset = { ...asset, ...(region && { region }), tolerance };
  const fallback = maxVertices === undefined ? null : await fallbackMesh(tile, maxVertices, signal);
  const scene = sceneOf(tile, { material, fallback, ...(copyright && { copyright }) });
  return weights ? writeNsdf(scene, { weights }) : writeNsdfHashed(scene, { dtype });
}

/** Null where the region turns out to have no surface. */
async function fallbackMesh(
  tile: FieldAsset,
  maxVertices: number,
  signal: AbortSignal | undefined,
): Promise<FallbackMesh | null> {
  const { mesh, isEmpty } = await deriveMesh(tile, { maxVertices, ...(signal && { signal }) });
  return isEmpty ? null : { ...mesh, positions: Float32Array.from(localPositions(mesh)) };
}

/** A field's tree where the scene puts it. */
function placeTile(root: RegionTile, folder: string, matrixWorld: readonly number[]): TileJson {
  const stretch = largestStretch(matrixWorld);
  const transform = tileTransform(matrixWorld);
  const isIdentity = transform.every((value, i) => value === (i % 5 === 0 ? 1 : 0));
  const toJson = (tile: RegionTile): TileJson => ({
    boundingVolume: { box: boxVolume(tile.bounds) },
    geometricError: tile.tolerance * stretch,
    content: { uri: tilePath(folder, tile).split('/').map(encodeURIComponent).join('/') },
    ...(tile.children.length > 0 && { children: tile.children.map(toJson) }),
  });
  return { ...(!isIdentity && { transform }), refine: 'REPLACE', ...toJson(root) };
}

/** The root's diagonal in the tileset's units. */
function largestExtent({ boundingVolume, transform }: TileJson): number {
  return diagonalOf(boundingVolume.box) * (transform ? largestStretch(transform) : 1);
}
