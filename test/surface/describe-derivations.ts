import { beforeAll, describe, expect, it } from 'vitest';
import type { FieldCase } from '../fixtures/fields.ts';
import {
  type Derived,
  deriveAndCheck,
  expectOnZeroSet,
  expectWithin,
  SAMPLES,
  SOUND,
  WAYS,
} from './derive.ts';

/** What holds for every field, however its mesh is asked for. */
export function describeDerivations({ name, make, isClosed, isEmpty = false }: FieldCase): void {
  describe(name, () => {
    describe.each(WAYS)('$name', ({ options }) => {
      const asset = make();
      const isExact = options.exact === true;
      let derived: Derived;

      beforeAll(async () => {
        derived = await deriveAndCheck(asset, options, isExact ? 0 : SAMPLES);
      }, 120_000);

      it('is a closed oriented manifold, open on the domain’s faces at most', () => {
        const { report, surface } = derived;
        expect(report).toMatchObject(SOUND);
        if (isClosed) expect(report.nOpenEdgesOnDomain).toBe(0);
        expect(surface.isEmpty).toBe(isEmpty);
        expect(report.nTriangles === 0).toBe(isEmpty);
        expect(surface.stats.nVertices).toBe(report.nVertices);
        expect(surface.stats.nTriangles).toBe(report.nTriangles);
      });

      it('has its vertices on the zero set', () => {
        expectOnZeroSet(derived.report);
      });

      it.skipIf(isExact)('keeps its tolerance', () => {
        expectWithin(derived.surface.stats.toleranceLocal, derived.report);
      });
    });
  });
}
