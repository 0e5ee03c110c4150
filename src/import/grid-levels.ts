import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';
import type { Metadata } from './metadata.ts';
import {
  deriveEntries,
  deriveLevelShapes,
  type GridLevelShape,
  levelShape,
  TINY_CUDA_NN_OFFSET,
} from './tiny-cuda-nn.ts';

/** The grid of a file, its tables still in one vector. */
export interface GridShape {
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
