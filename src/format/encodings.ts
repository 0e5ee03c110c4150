import type { GridLevel, HashGridEncoding, IdentityEncoding } from './asset.ts';
import { FIELD_LIMITS, isCount } from './extension.ts';
import { checkValues, type IssueList, type NetworkPlaces, type NsdfPlace } from './issues.ts';

// What the format knows of each kind of encoder: a new kind has its case in every function here, and in
// encoding-codec.ts, which reads and writes it. Functions, not a table of them: a bundle has only those that it calls.

export type Encoding = HashGridEncoding | IdentityEncoding;
/** A grid as far as it could be read. */
export interface GridParts {
  readonly kind: 'hash-grid';
  readonly nFeaturesPerLevel: number;
  readonly log2HashmapSize: number | null;
  readonly levels: readonly (GridLevel | null)[];
}

/** An encoder as far as it could be read. */
export type EncodingParts = GridParts | IdentityEncoding;

export const KINDS = ['hash-grid', 'none'] as const satisfies Encoding['kind'][];

/** What of an encoder that was made in memory is not of the type that it should be: where, what is there, what should be. */
export function findMistyped(
  encoding: Encoding,
): readonly [path: string, found: unknown, expected: string] | undefined {
  if (!KINDS.includes(encoding.kind)) return ['.kind', encoding.kind, `'${KINDS.join("' or '")}'`];
  if (encoding.kind === 'none') {
    const { inputSpace } = encoding;
    const isKnown = inputSpace === 'local' || inputSpace === 'unit';
    return isKnown ? undefined : ['.inputSpace', inputSpace, "'local' or 'unit'"];
  }
  const { levels } = encoding;
  if (!Array.isArray(levels)) return ['.levels', levels, 'an array'];
  const l = levels.findIndex((level) => !(level?.params instanceof Float32Array));
  return l < 0 ? undefined : [`.levels[${l}].params`, levels[l]?.params, 'a Float32Array'];
}

/** Holds an encoder to its rules, its tables apart. */
export function checkEncoding(encoding: EncodingParts, places: NetworkPlaces, issues: IssueList): void {
  if (encoding.kind === 'hash-grid') checkGrid(encoding, places, issues);
}

/** Holds the values in an encoder's tables to theirs. */
export function checkEncodingTables(encoding: EncodingParts, places: NetworkPlaces, issues: IssueList): void {
  if (encoding.kind === 'hash-grid') checkTables(encoding, places, issues);
}

/** How many numbers an encoder gives the network. */
export function nInputsOf(encoding: EncodingParts): number {
  return encoding.kind === 'none' ? 3 : encoding.levels.length * encoding.nFeaturesPerLevel;
}

/** f32 tables of an encoder, in the order of a file's bufferViews: coarse to fine. */
export function tablesOf(encoding: Encoding): readonly Float32Array[] {
  return encoding.kind === 'none' ? [] : encoding.levels.map(({ params }) => params);
}

/** The encoder with other tables. */
export function mapTables(encoding: Encoding, change: (table: Float32Array) => Float32Array): Encoding {
  if (encoding.kind === 'none') return encoding;
  const levels = encoding.levels.map((level) => ({ ...level, params: change(level.params) }));
  return { ...encoding, levels };
}

/** Boxes along an axis of each of an encoder's levels, coarse to fine; none where f has no planes of its own. */
export function resolutionsOf(encoding: Encoding): readonly number[] {
  return encoding.kind === 'none' ? [] : encoding.levels.map(({ resolution }) => resolution);
}

/** Whether an encoder has planes across which f bends: a grid's. */
export function hasPlanes({ kind }: Encoding): boolean {
  return kind !== 'none';
}

/** All that determines an encoder but its tables, in a fixed order, for the content hash. */
export function encodingHeader(encoding: Encoding): readonly unknown[] {
  if (encoding.kind === 'none') return ['none', encoding.inputSpace, ...(encoding.origin ?? [])];
  const { kind, convention, nFeaturesPerLevel, levels } = encoding;
  const shapes = levels.map((l) => [l.resolution, l.scale, l.offset, l.nEntries, l.isDense]);
  return [kind, convention, nFeaturesPerLevel, shapes];
}

/** Whether two are one encoder: the same tables, or none and the same coordinates read. */
export function isSameEncoding(a: Encoding, b: Encoding): boolean {
  if (a === b || hasPlanes(a) || hasPlanes(b)) return a === b;
  return String(encodingHeader(a)) === String(encodingHeader(b));
}

function checkGrid(grid: GridParts, places: NetworkPlaces, issues: IssueList): void {
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

function checkTables({ levels }: GridParts, places: NetworkPlaces, issues: IssueList): void {
  levels.forEach((level, index) => {
    if (level === null) return;
    checkValues(level.params, `the table of level ${index}`, (i) => places.levelParams(index, i), issues);
  });
}
