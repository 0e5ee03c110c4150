import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** More seeds, with commas between them: the environment variable NSDF_SEED (vitest.config.ts). */
    readonly extraSeeds: string;
  }
}

/**
 * What the conformance suites draw their fields, points and boxes from, besides the seed 0 that every case was chosen with:
 * `NSDF_SEED=7,8 npx vitest run test/conformance` runs more. Each stands in its tests' names, so that a failure tells it.
 */
export const SEEDS: readonly number[] = [
  ...new Set([0, 1009, 2027, ...inject('extraSeeds').split(',').filter(Boolean).map(Number)]),
];
