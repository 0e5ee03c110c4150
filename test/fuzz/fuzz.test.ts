import { describe, expect, it } from 'vitest';
import { seededRandom } from '../fixtures/random.ts';
import { createCampaigns } from './campaigns.ts';

/** Attempts of each campaign here; `npm run fuzz` goes on for minutes. */
const N_ATTEMPTS = 250;
const SEED = 20261;

describe.each(await createCampaigns())('$name', ({ attempt }) => {
  it(`survives ${N_ATTEMPTS} mutants`, async () => {
    for (let i = 0; i < N_ATTEMPTS; i++) {
      await expect(
        (async () => attempt(seededRandom(SEED + i)))(),
        `seed ${SEED + i}`,
      ).resolves.toBeUndefined();
    }
  });
});
