import type { Level } from './level.ts';
import { isOnScreen, LevelJobs, nextCandidate, type Patience, serves } from './level-jobs.ts';
import type { LevelStore } from './level-store.ts';

/** Settings of a scheduler. */
export interface SchedulerOptions {
  /** Levels that are made at once; a first picture may be made beside them. Default: two less than the machine has cores, 1 to 3. */
  readonly maxConcurrent?: number;
  /** Bytes of all levels together beyond which those that are not on screen are evicted. Default: 256 MiB. */
  readonly maxBytes?: number;
  /** How long what has left the view goes on being wanted, in milliseconds. Default: 1000. */
  readonly lingerMs?: number;
  /** The clock, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** Runs a task soon, after the frame at hand. Default: a timer. */
  readonly defer?: (task: () => void) => void;
}

/** What a scheduler is doing. */
export interface SchedulerStats {
  readonly nObjects: number;
  readonly nRunning: number;
  /** Bytes of all ready levels. */
  readonly nBytes: number;
  /** Since the scheduler was made. */
  readonly nMade: number;
  readonly nCancelled: number;
  readonly nEvicted: number;
  readonly nFailed: number;
}

const DEFAULT_MAX_BYTES = 256 * 2 ** 20;
const DEFAULT_LINGER_MS = 1000;
/** Part of the byte budget from which coarse levels are made so that finer ones can go. */
const SHORT_OF_BYTES = 0.8;
function defaultMaxConcurrent(): number {
  return Math.max(1, Math.min(3, (globalThis.navigator?.hardwareConcurrency ?? 2) - 2));
}

/**
 * Decides, for all objects that share it, which levels are made next, which jobs are no longer of use, and what is
 * evicted. It works after a frame in which objects asked for levels and when a job is done; on a page where nothing is
 * drawn it does nothing.
 */
export class LodScheduler {
  private readonly _options: Required<SchedulerOptions>;
  private readonly _stores = new Set<LevelStore<unknown>>();
  private readonly _jobs: LevelJobs;
  private _maxBytes: number;
  private _frame = 0;
  private _isFrameOpen = false;
  private _isTickRequested = false;
  private _isPaused = false;
  private _nEvicted = 0;

  constructor(options: SchedulerOptions = {}) {
    this._options = {
      maxConcurrent: options.maxConcurrent ?? defaultMaxConcurrent(),
      maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
      lingerMs: options.lingerMs ?? DEFAULT_LINGER_MS,
      now: options.now ?? (() => performance.now()),
      defer: options.defer ?? ((task) => setTimeout(task, 0)),
    };
    this._maxBytes = this._options.maxBytes;
    this._jobs = new LevelJobs(this._options.now, () => this.requestTick());
  }

  get stats(): SchedulerStats {
    const { nRunning, nMade, nCancelled, nFailed } = this._jobs;
    let nObjects = 0;
    for (const store of this._stores) nObjects += store.selectors.length;
    const nBytes = bytesOf(this._stores);
    return { nObjects, nRunning, nBytes, nMade, nCancelled, nEvicted: this._nEvicted, nFailed };
  }

  get isPaused(): boolean {
    return this._isPaused;
  }

  get maxBytes(): number {
    return this._maxBytes;
  }

  /** Takes effect after the next frame, or at once where nothing is drawn. */
  set maxBytes(nBytes: number) {
    this._maxBytes = nBytes;
    this.requestTick();
  }

  /** Counts the frames in which an object asked for a level. */
  get frame(): number {
    return this._frame;
  }

  nowMs(): number {
    return this._options.now();
  }

  /** Starts no further jobs; those at work finish, unless `cancelRunning` ends them, and their levels are shown. */
  pause({ cancelRunning = false } = {}): void {
    this._isPaused = true;
    if (cancelRunning) this._jobs.cancel('the scheduler was paused');
  }

  resume(): void {
    this._isPaused = false;
    this.requestTick();
  }

  /** Ends all jobs and forgets all objects; they come back when they are drawn again. */
  dispose(): void {
    for (const store of [...this._stores]) {
      for (const selector of [...store.selectors]) store.detach(selector);
    }
  }

  /** For stores: takes part from now on. */
  add(store: LevelStore<unknown>): void {
    this._stores.add(store);
  }

  /** For stores: takes part no longer; its jobs end. */
  remove(store: LevelStore<unknown>): void {
    this._stores.delete(store);
    this._jobs.forget(store, 'the object was disposed');
  }

  /** For selectors: an object asks in the frame at hand. */
  requestFrame(): void {
    this._isFrameOpen = true;
    if (!this._isTickRequested) this.requestTick();
  }

  /** Has the scheduler look at everything soon. */
  requestTick(): void {
    if (this._isTickRequested) return;
    this._isTickRequested = true;
    this._options.defer(this._tick);
  }

  private readonly _tick = (): void => {
    this._isTickRequested = false;
    this._jobs.deliver();
    const patience = this._patience();
    this._jobs.cancel('the level is no longer wanted', ({ store, level }) => !serves(store, level, patience));
    this._nEvicted += evictOverBudget(this._stores, this._maxBytes, patience);
    if (!this._isPaused) this._startJobs(patience);
    if (this._jobs.hasArrivals) this.requestTick();
    if (this._isFrameOpen) this._frame++;
    this._isFrameOpen = false;
  };

  /** One job more than `maxConcurrent` may run, where it makes a first picture: it must not wait for a long one. */
  private _startJobs(patience: Patience): void {
    const { maxConcurrent } = this._options;
    while (this._jobs.nRunning <= maxConcurrent) {
      const isFirstOnly = this._jobs.nRunning - this._jobs.nFirst >= maxConcurrent;
      const isCoarseOnly = bytesOf(this._stores) >= this._maxBytes;
      const next = nextCandidate(this._stores, patience, { isFirstOnly, isCoarseOnly });
      if (!next) return;
      this._jobs.start(next);
    }
  }

  private _patience(): Patience {
    return {
      nowMs: this.nowMs(),
      frame: this._frame,
      lingerMs: this._options.lingerMs,
      isShortOfBytes: bytesOf(this._stores) > SHORT_OF_BYTES * this._maxBytes,
    };
  }
}

/** Makes a scheduler of one's own, for objects that are not to share the page's. */
export function createScheduler(options: SchedulerOptions = {}): LodScheduler {
  return new LodScheduler(options);
}

// What objects are given when they name no scheduler: priorities and budget only mean something across the whole page.
let shared: LodScheduler | undefined;

/** The scheduler that all objects of a page share unless they name another. */
export function defaultScheduler(): LodScheduler {
  shared ??= new LodScheduler();
  return shared;
}

/** Bytes of the ready levels of all fields. */
function bytesOf(stores: Iterable<LevelStore<unknown>>): number {
  let nBytes = 0;
  for (const store of stores) nBytes += store.nBytes;
  return nBytes;
}

/**
 * Evicts what was on screen longest ago until the budget is kept, or all that is left is needed.
 * @returns how many levels were evicted.
 */
function evictOverBudget(
  stores: Iterable<LevelStore<unknown>>,
  maxBytes: number,
  patience: Patience,
): number {
  let nEvicted = 0;
  for (let nBytes = bytesOf(stores); nBytes > maxBytes; nEvicted++) {
    let oldest: Level<unknown> | null = null;
    let owner: LevelStore<unknown> | null = null;
    for (const store of stores) {
      for (const level of store.levels) {
        if (oldest && level.lastShownMs >= oldest.lastShownMs) continue;
        if (!isEvictable(store, level, patience)) continue;
        oldest = level;
        owner = store;
      }
    }
    if (!oldest || !owner) return nEvicted;
    nBytes -= oldest.nBytes;
    owner.evict(oldest);
  }
  return nEvicted;
}

/** The coarse level stays, and so does what is on screen, what a caller waits for and what is all that an object has. */
function isEvictable(store: LevelStore<unknown>, level: Level<unknown>, patience: Patience): boolean {
  if (level.status !== 'ready' || level.index <= 0 || store.isDemanded(level)) return false;
  if (store.levels[0].status !== 'ready') return false;
  for (const selector of store.selectors) {
    if (selector.shown === level && isOnScreen(selector, patience)) return false;
  }
  return true;
}
