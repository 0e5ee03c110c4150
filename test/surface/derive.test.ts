import { describe, expect, it } from 'vitest';
import { FIELD_CASES } from '../fixtures/fields.ts';
import { deriveAndCheck, expectOnZeroSet, SOUND } from './derive.ts';
import { describeDerivations } from './describe-derivations.ts';

// The deepest network has a file of its own, derive-deep.test.ts, which runs beside this one.
for (const fieldCase of FIELD_CASES) if (!fieldCase.name.includes('8x32')) describeDerivations(fieldCase);

describe.each(FIELD_CASES.filter(({ isClosed, isEmpty }) => isClosed && !isEmpty))('$name', ({ make }) => {
  it('keeps to a vertex budget', async () => {
    const { report } = await deriveAndCheck(make(), { maxVertices: 250 }, 0);
    expect(report).toMatchObject({ ...SOUND, nOpenEdgesOnDomain: 0 });
    expect(report.nVertices).toBeLessThanOrEqual(250);
    expect(report.nTriangles).toBeGreaterThan(7);
    expectOnZeroSet(report);
  });
});
