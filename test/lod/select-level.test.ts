import { describe, expect, it } from 'vitest';
import { LEVEL_LIMITS_DEFAULTS, type Level, type LevelLimits, selectLevel } from '../../src/lod/index.ts';
import { fakeLadder } from './fake-levels.ts';

type Change = Partial<Pick<Level<string>, 'status' | 'nBytes' | 'nTriangles' | 'errorLocal'>>;

/** Errors 0.1, 0.03, 0.01, 0. */
function levelsWith(changes: Record<number, Change> = {}): Level<string>[] {
  return fakeLadder().levels.map((level) => ({
    ...level,
    status: 'absent',
    errorLocal: level.toleranceLocal,
    isMeasured: false,
    value: null,
    nBytes: 0,
    nTriangles: 0,
    lastShownMs: 0,
    error: null,
    ...changes[level.index],
  }));
}

const select = (
  pixelsPerUnit: number,
  limits: Partial<LevelLimits> = {},
  wanted = 0,
  levels = levelsWith(),
) => selectLevel(levels, { ...LEVEL_LIMITS_DEFAULTS, ...limits }, pixelsPerUnit, wanted);

describe('selecting a level', () => {
  it('takes the coarsest whose error on screen is small enough', () => {
    expect([1, 10, 11, 33, 34, 100, 101, 1e9].map((scale) => select(scale))).toEqual([
      0, 0, 1, 1, 2, 2, 3, 3,
    ]);
    expect([1, 10, 11, 33, 34].map((scale) => select(scale * 4, { screenError: 4 }))).toEqual([
      0, 0, 1, 1, 2,
    ]);
  });

  it('goes back to a coarser one only when that is better than needed', () => {
    expect(select(9, {}, 1)).toBe(1);
    expect(select(7.9, {}, 1)).toBe(0);
    expect(select(9, { hysteresis: 0 }, 1)).toBe(0);
    // To and fro over the border: one change each way, not one a step.
    let wanted = 0;
    const seen = [9, 11, 9.5, 10.5, 9, 11, 7].map((scale) => {
      wanted = select(scale, {}, wanted);
      return wanted;
    });
    expect(seen).toEqual([0, 1, 1, 1, 1, 1, 0]);
  });

  it('keeps to the limits as soon as counts are known', () => {
    expect(select(1e6, { maxLevel: 1 })).toBe(1);
    expect(select(1e6, { maxLevel: -5 })).toBe(0);
    const levels = levelsWith({ 1: { nTriangles: 500 }, 2: { nTriangles: 2000, nBytes: 9e6 } });
    expect(select(1e6, { maxTriangles: 1000 }, 0, levels)).toBe(1);
    expect(select(1e6, { maxTriangles: 400 }, 0, levels)).toBe(0);
    expect(select(90, { maxBytes: 1e6, maxLevel: 2 }, 0, levels)).toBe(1);
    expect(select(90, { maxBytes: 1e7, maxLevel: 2 }, 0, levels)).toBe(2);
  });

  it('leaves out what cannot be made, but for level 0', () => {
    const failed = levelsWith({ 3: { status: 'failed' }, 2: { status: 'failed' } });
    expect(select(1e6, {}, 0, failed)).toBe(1);
    expect(select(1e6, {}, 0, levelsWith({ 0: { status: 'failed' } }))).toBe(3);
  });

  it('goes by the measured error once there is one', () => {
    expect(select(12, {}, 0, levelsWith({ 0: { errorLocal: 0.08 } }))).toBe(0);
  });
});
