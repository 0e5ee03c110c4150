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
