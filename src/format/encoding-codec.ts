import type { GridLevel, HashGridEncoding } from './asset.ts';
import { type Encoding, type EncodingParts, type GridParts, KINDS } from './encodings.ts';
import { type EncodingJson, type GridLevelJson, STORED, type WeightType } from './extension.ts';
import { type JsonObject, readChoice } from './json-object.ts';
import { isCodable, streamsOf, tableShape } from './table-decoder.ts';
import type { IntegerTable } from './table-model.ts';
import { type BufferViews, checkSlice, readSlice, type WeightSource } from './weights.ts';

/** Reads the encoder of a network; null, and an issue, where that cannot be done. */
export function readEncoding(
  json: JsonObject,
  dtype: WeightType,
  source: WeightSource,
): EncodingParts | null {
  const kind = readChoice(json, 'type', KINDS);
  if (kind === null) return null;
  if (kind === 'hash-grid') return readGrid(json, dtype, source);
  json.noteUnknown(['type', 'inputSpace']);
  const inputSpace = json.choice('inputSpace', ['local', 'unit']);
  return inputSpace && { kind, inputSpace };
}

/** An encoder as a file says it. @param views the bufferViews of its tables. */
export function encodingJson(encoding: Encoding, views: readonly number[]): EncodingJson {
  return encoding.kind === 'none'
    ? { type: 'none', inputSpace: encoding.inputSpace }
    : gridJson(encoding, views);
}

/** An encoder's tables as streams of whole steps; null where they are not of such. */
export function tableStreams(encoding: Encoding): readonly Uint8Array[] | null {
  return encoding.kind === 'none' ? [] : streamsOf(encoding.levels, encoding.nFeaturesPerLevel);
}

/** Reads a grid; of a file that is still arriving, the levels that are there. */
function readGrid(json: JsonObject, dtype: WeightType, source: WeightSource): GridParts | null {
  json.noteUnknown(['type', 'convention', 'nFeaturesPerLevel', 'log2HashmapSize', 'levels']);
  const convention = readChoice(json, 'convention', ['tiny-cuda-nn'] as const);
  const nFeaturesPerLevel = json.integer('nFeaturesPerLevel');
  const log2HashmapSize = json.integer('log2HashmapSize');
  const levels = json.objects('levels');
  if (nFeaturesPerLevel === null || levels === null) return null;
  const arrived = arrivedLevels(levels, source);
  let coarser: IntegerTable | null = null;
  const read = arrived.map((level) => {
    const found = level && readLevel(level, { nFeatures: nFeaturesPerLevel, dtype, coarser }, source);
    coarser = found?.table ?? null;
    return found?.level ?? null;
  });
  const grid = { kind: 'hash-grid' as const, convention, nFeaturesPerLevel, log2HashmapSize };
  return { ...grid, levels: read };
}

interface LevelContext {
  readonly nFeatures: number;
  readonly dtype: WeightType;
  /** The level before, where it is coded. */
  readonly coarser: IntegerTable | null;
}

function readLevel(
  json: JsonObject,
  { nFeatures, dtype, coarser }: LevelContext,
  source: WeightSource,
): { readonly level: GridLevel; readonly table: IntegerTable | null } | null {
  json.noteUnknown(['resolution', 'scale', 'offset', 'nEntries', 'indexing', 'bufferView']);
  const resolution = json.integer('resolution');
  const scale = json.number('scale');
  const offset = json.number('offset');
  const nEntries = json.index('nEntries');
  const indexing = json.choice('indexing', ['dense', 'hashed']);
  const bufferView = json.index('bufferView');
  if (resolution === null || scale === null || offset === null || nEntries === null || bufferView === null)
    return null;
  if (indexing === null) return null;
  const isDense = indexing === 'dense';
  const level = { resolution, scale, offset, nEntries, isDense };
  const type = STORED[dtype].tables;
  if (type === null) {
    // Counts that are none, and dense tables that are too short, are named by the field rules.
    if (!isCodable(level, nFeatures))
      return { level: { ...level, params: new Float32Array(0) }, table: null };
    const shape = tableShape(level, nFeatures, coarser);
    const found = checkSlice(json, 'bufferView', source.readTable(bufferView, shape));
    return found && { level: { ...level, params: found.params }, table: found.table };
  }
  const slice = { bufferView, byteOffset: 0, nValues: nEntries * nFeatures, dtype: type, isWhole: true };
  const params = readSlice(json, 'bufferView', slice, source);
  return params && { level: { ...level, params }, table: null };
}

/** The levels before the first whose bytes are still to come; all of them where the file is whole. */
function arrivedLevels(
  levels: readonly (JsonObject | null)[],
  { isMissing }: BufferViews,
): readonly (JsonObject | null)[] {
  if (isMissing === undefined) return levels;
  const first = levels.findIndex((level) => {
    const bufferView = level?.value.bufferView;
    return typeof bufferView === 'number' && isMissing(bufferView);
  });
  return first < 0 ? levels : levels.slice(0, first);
}

/** The grid as a file says it. @param views the levels' bufferViews. */
function gridJson(
  { convention, nFeaturesPerLevel, log2HashmapSize, levels }: HashGridEncoding,
  views: readonly number[],
) {
  const levelsJson = levels.map(
    ({ resolution, scale, offset, nEntries, isDense }, l): GridLevelJson => ({
      resolution,
      scale,
      offset,
      nEntries,
      indexing: isDense ? 'dense' : 'hashed',
      bufferView: views[l],
    }),
  );
  return { type: 'hash-grid' as const, convention, nFeaturesPerLevel, log2HashmapSize, levels: levelsJson };
}
