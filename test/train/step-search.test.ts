import { describe, expect, it } from 'vitest';
import { StepSearch } from '../../src/train/step-search.ts';

const RANGE = { first: 1e-3, least: 1e-6, most: 1e-2 };

/** The last step that kept the goal, and how many were tried. */
function search(goal: number, wanted: 'largest' | 'smallest', figureOf: (step: number) => number) {
  const steps = new StepSearch(goal, { ...RANGE, wanted });
  let best: number | undefined;
  for (let n = 1; ; n++) {
    const { step } = steps;
    expect(step).toBeGreaterThanOrEqual(0.999 * RANGE.least);
    expect(step).toBeLessThanOrEqual(1.001 * RANGE.most);
    const { isKept, isOver } = steps.take(figureOf(step));
    expect(isKept).toBe(figureOf(step) <= goal);
    if (isKept) best = step;
    if (isOver) return { best, n };
  }
}

describe('StepSearch', () => {
  it.each([
    ['in proportion', (step: number) => 0.1 * step],
    ['as a power', (step: number) => 3 * step ** 1.3],
    ['with a bend', (step: number) => 0.05 * step + 40 * step ** 2],
    ['in stairs', (step: number) => 0.1 * Math.exp(Math.round(20 * Math.log(step)) / 20)],
  ])('finds the largest step of an error that grows %s, in few tries', (_how, errorOf) => {
    for (const goal of [2e-6, 5e-5, 3e-4]) {
      const { best = 0, n } = search(goal, 'largest', errorOf);
      expect(errorOf(best)).toBeLessThanOrEqual(goal);
      expect(errorOf(1.06 * best)).toBeGreaterThan(0.98 * goal);
      expect(n).toBeLessThanOrEqual(10);
    }
  });

  it('finds the smallest step of bytes that shrink with its logarithm', () => {
    const bytesOf = (step: number): number => Math.round(2000 - 1500 * Math.log10(step));
    for (const goal of [5200, 7000, 10_000]) {
      const { best = 0, n } = search(goal, 'smallest', bytesOf);
      expect(bytesOf(best)).toBeLessThanOrEqual(goal);
      expect(bytesOf(best)).toBeGreaterThan(0.985 * goal);
      expect(n).toBeLessThanOrEqual(10);
    }
  });

  it('ends at the bounds, where all steps keep a goal or none does', () => {
    expect(search(1, 'largest', (step) => step).best).toBeCloseTo(RANGE.most, 8);
    expect(search(1e-9, 'largest', (step) => step).best).toBeUndefined();
    expect(search(1e9, 'smallest', () => 10).best).toBeCloseTo(RANGE.least, 12);
    expect(search(5, 'smallest', () => 10).best).toBeUndefined();
    expect(search(1e-3, 'largest', () => 0).best).toBeCloseTo(RANGE.most, 8);
  });
});
