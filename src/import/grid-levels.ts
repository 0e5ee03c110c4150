import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';
import type { GridLevel } from '../format/asset.ts';
import type { Metadata } from './metadata.ts';

/** The grid of a file, its tables still in one vector. */
interface GridShape {
  readonly nFeaturesPerLevel: number;
  readonly log2HashmapSize: number;
  readonly levels: readonly GridLevelShape[];
}

/**
 * Reads the levels: stored ones (`level_scales`, `level_resolutions`, `level_entries`, `level_dense`) where present,
 * derived ones else. A derived resolution that may be off by one, because its scale is within rounding of an integer,
 * is settled by the number of parameters that the file has.
 * @throws {NsdfFormatError} if the metadata is incomplete or does not account for all parameters.
 */
export function readGridShape(metadata: Metadata, nParams: number): GridShape {
  const nLevels = metadata.requiredNumber('n_levels');
  const nFeaturesPerLevel = metadata.requiredNumber('n_features_per_level');
  checkCount('n_levels', nLevels);
  checkCount('n_features_per_level', nFeaturesPerLevel);
  const stored = readStored(metadata, nLevels);
  const log2HashmapSize = metadata.number('log2_hashmap_size') ?? log2Entries(stored.entries);
  const levels =
    stored.scales === null || stored.resolutions === null
      ? derive(metadata, nLevels, log2HashmapSize, stored, nParams / nFeaturesPerLevel)
      : stored.scales.map((scale, l) => complete(scale, stored.resolutions![l], l, log2HashmapSize, stored));
  const nExpected = levels.reduce((sum, { nEntries }) => sum + nEntries, 0) * nFeaturesPerLevel;
  if (nExpected !== nParams) {
    const message = `enc.params has ${nParams} values, expected ${nExpected} for levels of ${levels.map((l) => l.nEntries)} entries * ${nFeaturesPerLevel} features`;
    throw new NsdfFormatError(message, { field: 'enc.params' });
  }
  return { nFeaturesPerLevel, log2HashmapSize, levels };
}

function checkCount(key: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= 64) return;
  throw new NsdfFormatError(`metadata ${key} is ${value}, expected an integer in 1..64`, {
    field: `__metadata__.${key}`,
  });
}

interface StoredLevels {
  readonly scales: readonly number[] | null;
  readonly resolutions: readonly number[] | null;
  readonly entries: readonly number[] | null;
  readonly dense: readonly number[] | null;
}

function readStored(metadata: Metadata, nLevels: number): StoredLevels {
  return {
    scales: metadata.numbers('level_scales', nLevels),
    resolutions: metadata.numbers('level_resolutions', nLevels),
    entries: metadata.numbers('level_entries', nLevels),
    dense: metadata.numbers('level_dense', nLevels),
  };
}

function log2Entries(entries: readonly number[] | null): number {
  if (entries !== null) return Math.ceil(Math.log2(Math.max(...entries)));
  throw new NsdfFormatError('metadata log2_hashmap_size is missing, expected a number', {
    field: '__metadata__.log2_hashmap_size',
  });
}

/** One level from what is stored; the rest follows the convention. */
function complete(
  scale: number,
  resolution: number,
  l: number,
  log2HashmapSize: number,
  stored: StoredLevels,
): GridLevelShape {
  const nEntries = stored.entries?.[l] ?? deriveEntries(resolution, log2HashmapSize);
  const isDense = stored.dense === null ? resolution ** 3 <= nEntries : stored.dense[l] !== 0;
  return { resolution, scale: Math.fround(scale), offset: TINY_CUDA_NN_OFFSET, nEntries, isDense };
}

function derive(
  metadata: Metadata,
  nLevels: number,
  log2HashmapSize: number,
  stored: StoredLevels,
  nEntriesTotal: number,
): GridLevelShape[] {
  const shapes = deriveShapes(metadata, nLevels, log2HashmapSize, stored);
  const choices = shapes.map(({ scale, resolution }, l) => {
    const resolutions =
      stored.resolutions === null ? likelyResolutions(scale, resolution) : [stored.resolutions[l]];
    return resolutions.map((n) => complete(scale, n, l, log2HashmapSize, stored));
  });
  return chooseByTotal(choices, nEntriesTotal) ?? choices.map(([first]) => first);
}

function deriveShapes(
  metadata: Metadata,
  nLevels: number,
  log2HashmapSize: number,
  stored: StoredLevels,
): GridLevelShape[] {
  if (stored.scales !== null) {
    return stored.scales.map((scale) => levelShape(scale, Math.ceil(scale) + 1, log2HashmapSize));
  }
  const baseResolution = metadata.requiredNumber('base_resolution');
  const perLevelScale = nLevels === 1 ? 1 : metadata.requiredNumber('per_level_scale');
  try {
    return deriveLevelShapes({ nLevels, log2HashmapSize, baseResolution, perLevelScale });
  } catch (cause) {
    if (!(cause instanceof NsdfArgumentError)) throw cause;
    throw new NsdfFormatError(cause.message, { field: '__metadata__', cause });
  }
}

/** ceil(scale) + 1, then what it would be had the scale been rounded to the other side of an integer. */
function likelyResolutions(scale: number, resolution: number): number[] {
  const nearest = Math.round(scale);
  if (Math.abs(scale - nearest) > 1e-5 * Math.max(1, nearest)) return [resolution];
  return [resolution, resolution === nearest + 1 ? nearest + 2 : nearest + 1];
}

/** The first combination whose entries add up to `total`, or null. Dead ends are remembered: a few hundred sums. */
function chooseByTotal(
  choices: readonly (readonly GridLevelShape[])[],
  total: number,
): GridLevelShape[] | null {
  const dead = new Set<string>();
  const choose = (l: number, rest: number): GridLevelShape[] | null => {
    if (l === choices.length) return rest === 0 ? [] : null;
    const key = `${l}:${rest}`;
    if (rest < 0 || dead.has(key)) return null;
    for (const option of choices[l]) {
      const tail = choose(l + 1, rest - option.nEntries);
      if (tail !== null) return [option, ...tail];
    }
    dead.add(key);
    return null;
  };
  return choose(0, total);
}

/** A grid level without its table. */
export type GridLevelShape = Omit<GridLevel, 'params'>;

/** The four numbers from which tiny-cuda-nn derives every level. */
export interface TinyCudaNnGrid {
  readonly nLevels: number;
  readonly log2HashmapSize: number;
  readonly baseResolution: number;
  readonly perLevelScale: number;
}

const { fround } = Math;

/** `pos = u * scale + 0.5` in this convention. */
const TINY_CUDA_NN_OFFSET = 0.5;

/**
 * The scale of one level, every operation rounded to float32 as tiny-cuda-nn does it:
 * scale_l = exp2(l * log2 b) * N_min - 1.
 */
function deriveScale(level: number, baseResolution: number, perLevelScale: number): number {
  const log2PerLevelScale = fround(Math.log2(fround(perLevelScale)));
  const growth = fround(2 ** fround(level * log2PerLevelScale));
  return fround(fround(growth * baseResolution) - 1);
}

/** Entries of a level: min(resolution³ rounded up to a multiple of 8, 2^log2HashmapSize). */
function deriveEntries(resolution: number, log2HashmapSize: number): number {
  return Math.min(Math.ceil(resolution ** 3 / 8) * 8, 2 ** log2HashmapSize);
}

/** Completes a level from its scale and resolution: dense where resolution³ fits in the table, hashed otherwise. */
function levelShape(scale: number, resolution: number, log2HashmapSize: number): GridLevelShape {
  const nEntries = deriveEntries(resolution, log2HashmapSize);
  return { resolution, scale, offset: TINY_CUDA_NN_OFFSET, nEntries, isDense: resolution ** 3 <= nEntries };
}

/**
 * Derives the levels, coarse to fine: resolution_l = ceil(scale_l) + 1.
 * @throws {NsdfArgumentError} if a number is out of range.
 * @see Müller et al. 2022, sec. 3; docs/format.md. Prefer stored scales where there are any:
 * exp2 differs by an ulp between platforms, and a resolution then by one.
 */
export function deriveLevelShapes(grid: TinyCudaNnGrid): GridLevelShape[] {
  checkGrid(grid);
  return Array.from({ length: grid.nLevels }, (_, level) => {
    const scale = deriveScale(level, grid.baseResolution, grid.perLevelScale);
    return levelShape(scale, Math.ceil(scale) + 1, grid.log2HashmapSize);
  });
}

function checkGrid(grid: TinyCudaNnGrid): void {
  const expect = (argument: keyof TinyCudaNnGrid, isRight: boolean, expected: string): void => {
    if (!isRight)
      throw new NsdfArgumentError(argument, `${argument} is ${grid[argument]}, expected ${expected}`);
  };
  const isCount = (n: number, max: number): boolean => Number.isInteger(n) && n >= 1 && n <= max;
  expect('nLevels', isCount(grid.nLevels, 64), 'an integer in 1..64');
  expect('log2HashmapSize', isCount(grid.log2HashmapSize, 30), 'an integer in 1..30');
  expect('baseResolution', grid.baseResolution > 1 && grid.baseResolution <= 65536, 'a number in (1, 65536]');
  expect('perLevelScale', grid.perLevelScale >= 1 && grid.perLevelScale <= 64, 'a number in [1, 64]');
}
