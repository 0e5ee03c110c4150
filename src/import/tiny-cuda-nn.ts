import { NsdfArgumentError } from '../errors.ts';
import type { GridLevel } from '../format/asset.ts';

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
export const TINY_CUDA_NN_OFFSET = 0.5;

/**
 * The scale of one level, every operation rounded to float32 as tiny-cuda-nn does it:
 * scale_l = exp2(l * log2 b) * N_min - 1.
 */
export function deriveScale(level: number, baseResolution: number, perLevelScale: number): number {
  const log2PerLevelScale = fround(Math.log2(fround(perLevelScale)));
  const growth = fround(2 ** fround(level * log2PerLevelScale));
  return fround(fround(growth * baseResolution) - 1);
}

/** Entries of a level: min(resolution³ rounded up to a multiple of 8, 2^log2HashmapSize). */
export function deriveEntries(resolution: number, log2HashmapSize: number): number {
  return Math.min(Math.ceil(resolution ** 3 / 8) * 8, 2 ** log2HashmapSize);
}

/** Completes a level from its scale and resolution: dense where resolution³ fits in the table, hashed otherwise. */
export function levelShape(scale: number, resolution: number, log2HashmapSize: number): GridLevelShape {
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
