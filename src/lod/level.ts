import type { LadderLevel } from './ladder.ts';

/**
 * `absent`: not made, or evicted. `making`: a job is at work. `ready`: can be shown. `failed`: cannot be made.
 */
export type LevelStatus = 'absent' | 'making' | 'ready' | 'failed';

/** What making a level gave, in the terms of an engine. */
export interface MadeLevel<T> {
  /** What is shown: an engine's geometry. */
  readonly value: T;
  /** Bytes of its arrays. */
  readonly nBytes: number;
  readonly nTriangles: number;
  /** The measured distance between mesh and zero set, local units. */
  readonly errorLocal: number;
}

/** A level of one field's ladder and what is known of it. Fields are written by the store and the scheduler alone. */
export interface Level<T> extends LadderLevel {
  readonly status: LevelStatus;
  /** Measured once the level was made, its tolerance before; local units. */
  readonly errorLocal: number;
  readonly isMeasured: boolean;
  /** Null unless the level is ready. */
  readonly value: T | null;
  /** As made last, 0 before; known also when the level was evicted again. */
  readonly nBytes: number;
  readonly nTriangles: number;
  /** When it was last on screen, in the scheduler's milliseconds. */
  readonly lastShownMs: number;
  /** Why it failed last. */
  readonly error: unknown;
}

/** A level as its owner writes it. */
export type MutableLevel<T> = { -readonly [K in keyof Level<T>]: Level<T>[K] } & {
  /** Starts that failed in a row. */
  nFailures: number;
  /** An absent level is not tried before, in the scheduler's milliseconds. */
  retryAtMs: number;
};

export function createLevel<T>(level: LadderLevel): MutableLevel<T> {
  return {
    ...level,
    status: 'absent',
    errorLocal: level.toleranceLocal,
    isMeasured: false,
    value: null,
    nBytes: 0,
    nTriangles: 0,
    lastShownMs: Number.NEGATIVE_INFINITY,
    error: null,
    nFailures: 0,
    retryAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** What an object asks of its levels. */
export interface LevelLimits {
  /** Largest error on screen, in physical pixels. */
  readonly screenError: number;
  /** Part of `screenError` by which a coarser level must be better than needed before it is taken, in [0, 1). */
  readonly hysteresis: number;
  /** Index of the finest level that may be taken. */
  readonly maxLevel: number;
  readonly maxBytes: number;
  readonly maxTriangles: number;
}

export const LEVEL_LIMITS_DEFAULTS: LevelLimits = {
  screenError: 1,
  hysteresis: 0.2,
  maxLevel: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
  maxTriangles: Number.POSITIVE_INFINITY,
};

/** Whether a level may be shown at all: not known to be over a limit, not failed. Level 0 always may. */
export function isAllowed(level: Level<unknown>, limits: LevelLimits): boolean {
  if (level.index === 0) return true;
  if (level.status === 'failed') return false;
  return (
    level.index <= limits.maxLevel &&
    level.nBytes <= limits.maxBytes &&
    level.nTriangles <= limits.maxTriangles
  );
}

/**
 * The coarsest level whose error on screen is small enough, else the one with the least error that the limits allow
 * (`exact` need not be that one: its faces are flat where a grid's zero set is curved). A level coarser than
 * the one wanted so far has to be better than needed by the hysteresis, so that nothing flickers between two levels.
 * @param levels coarse to fine, without the preview
 * @param pixelsPerUnit pixels that a local unit covers
 * @param wanted index of the level wanted so far; -1 for none
 */
export function selectLevel(
  levels: readonly Level<unknown>[],
  limits: LevelLimits,
  pixelsPerUnit: number,
  wanted: number,
): number {
  let best = 0;
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i];
    // What is finer than a level that is too big, or cannot be made, is no better off.
    if (!isAllowed(level, limits)) break;
    if (level.errorLocal < levels[best].errorLocal) best = i;
    const needed = i < wanted ? limits.screenError * (1 - limits.hysteresis) : limits.screenError;
    if (level.errorLocal * pixelsPerUnit <= needed) return i;
  }
  return best;
}

/**
 * The ready level to show while `wanted` is not: the coarsest of the finer ones, which has all the detail, else the
 * finest of the coarser ones; where the limits allow none of them, the coarsest there is. -1 where none is ready.
 */
export function nearestReady(levels: readonly Level<unknown>[], limits: LevelLimits, wanted: number): number {
  for (let i = wanted; i < levels.length; i++) {
    if (levels[i].status === 'ready' && isAllowed(levels[i], limits)) return i;
  }
  for (let i = wanted - 1; i >= 0; i--) {
    if (levels[i].status === 'ready' && isAllowed(levels[i], limits)) return i;
  }
  for (let i = 0; i < levels.length; i++) if (levels[i].status === 'ready') return i;
  return -1;
}
