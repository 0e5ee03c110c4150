import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { Backend, DeriveOptions, DeriveResult } from '../../src/pipeline/options.ts';
import { blobMlp, FIELD_CASES, randomField } from '../fixtures/fields.ts';

const NAMES = [
  'sphere, oblong domain',
  'multi',
  'slab',
  'empty',
  'leaving',
  'plane on grid',
  'box on grid',
  'random, one layer',
  'box mlp',
  'random mlp, unit input',
];

/** Fields on which the culls of CPU and GPU keep different boxes too: those that hold no surface. */
export const DERIVATION_CASES: readonly { readonly name: string; readonly make: () => FieldAsset }[] = [
  ...FIELD_CASES.filter(({ name }) => NAMES.includes(name)),
  { name: 'blob mlp, three layers', make: () => blobMlp(6, [12, 12, 12]) },
  { name: 'hashed, colliding', make: () => randomField(12, { T: 7, L: 4, finest: 12 }) },
];

const WAYS: readonly DeriveOptions[] = [
  { tolerance: 4e-3 },
  { exact: true },
  { resolution: 20, region: { min: [-0.4, -0.3, -0.5], max: [0.3, 0.6, 1.4] } },
];

/** Derives on one backend, with no fallback and no cache. */
export type DeriveOn = (asset: FieldAsset, options: DeriveOptions) => Promise<DeriveResult>;

/**
 * Every backend has to give the bytes that the reference gives, and tell the truth about where it ran.
 * @param deriveHere the reference: in place, on the CPU
 */
export function describeDerivation(backend: Backend, derive: DeriveOn, deriveHere: DeriveOn): void {
  describe.each(DERIVATION_CASES)(`${backend}: $name`, ({ make }) => {
    const asset = make();

    it.each(WAYS)('gives the same bytes as the cpu: %o', async (options) => {
      const [there, here] = [await derive(asset, options), await deriveHere(asset, options)];
      expect(there.stats.backend).toBe(backend);
      expect(here.stats.backend).toBe('cpu');
      expect(there.isEmpty).toBe(here.isEmpty);
      expect(there.mesh).toEqual(here.mesh);
      expect(there.stats.nBoxes).toBe(here.stats.nBoxes);
      expect(there.stats.toleranceLocal).toBe(here.stats.toleranceLocal);
      // Neither cull loses a box with surface; how many others they keep differs.
      expect(there.stats.nBoxesSurviving).toBeLessThanOrEqual(1.02 * here.stats.nBoxesSurviving + 8);
    });
  });
}
