// Seeded campaigns against everything that takes foreign bytes: `npm run fuzz -- --minutes 5 --seed 1 [--only NAME]`.
// Prints every finding with the seed that repeats it; exits with 1 if there is one.
import { parseArgs } from 'node:util';
import { seededRandom } from '../test/fixtures/random.ts';
import { createCampaigns } from '../test/fuzz/campaigns.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    attempts: { type: 'string', default: 'Infinity' },
  },
});
const endMs = performance.now() + 60_000 * Number(values.minutes);
/** An attempt that takes longer than this is a finding: small inputs must not cost seconds. */
const MAX_ATTEMPT_MS = 5000;
const campaigns = (await createCampaigns()).filter(({ name }) => name.includes(values.only));
let nFindings = 0;
let nAttempts = 0;
for (let seed = Number(values.seed); performance.now() < endMs; seed++) {
  if (nAttempts >= Number(values.attempts) * campaigns.length) break;
  for (const { name, attempt } of campaigns) {
    nAttempts++;
    const startMs = performance.now();
    let finding: unknown;
    try {
      await attempt(seededRandom(seed));
      if (performance.now() - startMs > MAX_ATTEMPT_MS) finding = `it took ${performance.now() - startMs} ms`;
    } catch (error) {
      finding = error;
    }
    if (finding === undefined) continue;
    nFindings++;
    console.error(`${name}, seed ${seed}:`, finding);
  }
}
console.error(`fuzz: ${nAttempts} attempts of ${campaigns.length} campaigns, ${nFindings} findings`);
if (nFindings > 0) process.exitCode = 1;
