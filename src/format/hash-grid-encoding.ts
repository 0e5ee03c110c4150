import type { GridLevel, HashGridEncoding } from './asset.ts';
import { FIELD_LIMITS, type GridLevelJson, isCount, STORED, type WeightType } from './extension.ts';
import { checkValues, type IssueList, type NetworkPlaces, type NsdfPlace } from './issues.ts';
import { type JsonObject, readChoice } from './json-object.ts';
import { isCodable, tableShape } from './table-decoder.ts';
import type { IntegerTable } from './table-model.ts';
import { type BufferViews, checkSlice, readSlice, type WeightSource } from './weights.ts';

/** A grid as far as it could be read. */
export interface GridParts {
  readonly kind: 'hash-grid';
  readonly nFeaturesPerLevel: number;
  readonly log2HashmapSize: number | null;
  readonly levels: readonly (GridLevel | null)[];
}

/** Reads a grid; of a file that is still arriving, the levels that are there. */
export function readGrid(json: JsonObject, dtype: WeightType, source: WeightSource): GridParts | null {
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

/** Holds a grid to its rules, its tables apart. */
export function checkGrid(grid: GridParts, places: NetworkPlaces, issues: IssueList): void {
  const { levels, nFeaturesPerLevel, log2HashmapSize } = grid;
  const expectCount = (name: string, n: number, max: number): void => {
    if (isCount(n, max)) return;
    issues.error('property-range', `${name} is ${n}, expected an integer in 1..${max}`, places.encoding);
  };
  if (levels.length === 0) {
    const message = 'the level set is empty, expected at least one grid level';
    issues.error('property-range', message, places.encoding);
  } else expectCount('the number of levels', levels.length, FIELD_LIMITS.nLevels);
  expectCount('nFeaturesPerLevel', nFeaturesPerLevel, FIELD_LIMITS.nFeaturesPerLevel);
  if (log2HashmapSize !== null) {
    expectCount('log2HashmapSize', log2HashmapSize, FIELD_LIMITS.log2HashmapSize);
  }
  levels.forEach((level, index) => {
    if (level === null) return;
    checkLevel(level, nFeaturesPerLevel, places.level(index), issues);
    if (level.resolution < (levels[index - 1]?.resolution ?? 0)) {
      const message = `level ${index} is coarser than the level before it; levels should go from coarse to fine`;
      issues.note('warning', 'shape', message, places.level(index));
    }
  });
}

function checkLevel(level: GridLevel, nFeatures: number, place: NsdfPlace, issues: IssueList): void {
  const { resolution, scale, offset, nEntries, isDense, params } = level;
  const expect = (isRight: boolean, code: 'property-range' | 'shape' | 'length', message: string): void => {
    if (!isRight) issues.error(code, message, place);
  };
  const expectCount = (name: string, n: number, max: number): void => {
    expect(isCount(n, max), 'property-range', `${name} is ${n}, expected an integer in 1..${max}`);
  };
  expectCount('resolution', resolution, FIELD_LIMITS.resolution);
  expectCount('nEntries', nEntries, FIELD_LIMITS.nEntries);
  expect(scale > 0, 'property-range', `scale is ${scale}, expected a positive number`);
  expect(offset >= 0 && offset <= 1, 'property-range', `offset is ${offset}, expected a number in [0, 1]`);
  // resolution = ceil(scale) + 1, give or take one for scales an ulp beside an integer.
  const isScaleRight = !(scale > 0) || scale <= resolution;
  expect(isScaleRight, 'shape', `scale is ${scale}, expected at most the resolution, ${resolution}`);
  const needed = resolution ** 3;
  const isDenseRight = !isDense || needed <= nEntries;
  expect(
    isDenseRight,
    'shape',
    `dense with resolution ${resolution} needs ${needed} entries, found ${nEntries}`,
  );
  const nValues = nEntries * nFeatures;
  const counts = `${nEntries} entries * ${nFeatures} features = ${nValues}`;
  expect(params.length === nValues, 'length', `the table has ${params.length} values, expected ${counts}`);
}

/** Holds the values of a grid's tables to theirs. */
export function checkTables({ levels }: GridParts, places: NetworkPlaces, issues: IssueList): void {
  levels.forEach((level, index) => {
    if (level === null) return;
    checkValues(level.params, `the table of level ${index}`, (i) => places.levelParams(index, i), issues);
  });
}

/** The grid as a file says it. @param views the levels' bufferViews. */
export function gridJson(
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
