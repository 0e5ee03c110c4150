import { NsdfLoadError } from '../errors.ts';
import { isAllowed, type Level, type MadeLevel, type MutableLevel } from './level.ts';
import type { LevelSelector } from './level-selector.ts';
import type { LevelStore } from './level-store.ts';

/** A level that could be made next. */
interface Candidate {
  readonly store: LevelStore<unknown>;
  readonly level: Level<unknown>;
  /** Nothing can be shown before it. */
  readonly isFirst: boolean;
}

interface RunningJob extends Candidate {
  readonly controller: AbortController;
}

interface Arrival {
  readonly job: RunningJob;
  /** Makes the engine's geometry, or throws what the job threw. */
  readonly finish: () => MadeLevel<unknown>;
}

/** Time for handing finished levels to the engine between two frames; at least one is handed over. */
const DELIVERY_MS = 1;
/** A worker that was lost is a matter of luck: such a level is tried again, after these waits. */
const RETRY_AFTER_MS = [1000, 4000];

/** The jobs at work for a scheduler, and the finished levels that wait to be handed over. */
export class LevelJobs {
  private readonly _running = new Set<RunningJob>();
  private readonly _now: () => number;
  private readonly _onArrival: () => void;
  private _arrivals: Arrival[] = [];
  nMade = 0;
  nCancelled = 0;
  nFailed = 0;

  /** @param onArrival called when a job is done; `deliver` is to be called soon. */
  constructor(now: () => number, onArrival: () => void) {
    this._now = now;
    this._onArrival = onArrival;
  }

  get nRunning(): number {
    return this._running.size;
  }

  /** Those among them that make a first picture. */
  get nFirst(): number {
    let n = 0;
    for (const job of this._running) if (job.isFirst) n++;
    return n;
  }

  get hasArrivals(): boolean {
    return this._arrivals.length > 0;
  }

  start(candidate: Candidate): void {
    const { store, level } = candidate;
    const job: RunningJob = { ...candidate, controller: new AbortController() };
    this._running.add(job);
    const arrive = (finish: () => MadeLevel<unknown>): void => {
      if (!this._running.has(job)) return;
      this._arrivals.push({ job, finish });
      this._onArrival();
    };
    store.begin(level, job.controller.signal).then(arrive, (error: unknown) =>
      arrive(() => {
        throw error;
      }),
    );
  }

  /** Hands finished levels over, one and as many more as there is time for: engines make geometry of them. */
  deliver(): void {
    const endMs = this._now() + DELIVERY_MS;
    while (this._arrivals.length > 0) {
      const { job, finish } = this._arrivals.shift() as Arrival;
      this._running.delete(job);
      this._finish(job, finish);
      if (this._now() >= endMs) return;
    }
  }

  /** Ends the jobs that `isUseless` picks. What has arrived already is kept: dropping it would save nothing. */
  cancel(why: string, isUseless: (job: Candidate) => boolean = () => true): void {
    for (const job of [...this._running]) {
      if (this._arrivals.some((arrival) => arrival.job === job) || !isUseless(job)) continue;
      this._running.delete(job);
      this.nCancelled++;
      job.store.abandon(job.level);
      job.controller.abort(new DOMException(why, 'AbortError'));
    }
  }

  /** Ends a field's jobs and drops what has arrived for it. */
  forget(store: LevelStore<unknown>, why: string): void {
    this._arrivals = this._arrivals.filter(({ job }) => job.store !== store);
    this.cancel(why, (job) => job.store === store);
  }

  private _finish({ store, level }: RunningJob, finish: () => MadeLevel<unknown>): void {
    let made: MadeLevel<unknown>;
    try {
      made = finish();
    } catch (error) {
      this.nFailed++;
      const { nFailures } = level as MutableLevel<unknown>;
      const waitMs = error instanceof NsdfLoadError ? RETRY_AFTER_MS[nFailures] : undefined;
      store.fail(level, error, waitMs === undefined ? Number.POSITIVE_INFINITY : this._now() + waitMs);
      return;
    }
    this.nMade++;
    store.deliver(level, made);
  }
}

/** The moment, and how long what is out of sight goes on counting. */
export interface Patience {
  readonly nowMs: number;
  readonly frame: number;
  readonly lingerMs: number;
  /** The byte budget is nearly spent: coarse levels are needed, so that finer ones can be evicted. */
  readonly isShortOfBytes: boolean;
}

/** An object that no camera has asked for in so many frames of others is taken to be out of the scene. */
const STALE_FRAMES = 120;
/** Above every priority by size on screen: what a caller waits for; what has no picture yet. */
const DEMANDED = 1e18;
const FIRST = 1e12;
/** Below every other: what would only save bytes or triangles. */
const THRIFT = 1e-6;

/** False for an object whose cameras stopped asking while others went on: it was taken out of the scene, or hidden. */
function isLive(selector: LevelSelector<unknown>, { nowMs, frame, lingerMs }: Patience): boolean {
  return frame - selector.frame <= STALE_FRAMES || nowMs - selector.updatedMs <= lingerMs;
}

/** Whether an eye sees the object, as far as is known: a picture drawn on demand stays on screen without being drawn. */
export function isOnScreen(selector: LevelSelector<unknown>, patience: Patience): boolean {
  return selector.isInView && isLive(selector, patience);
}

/** Whether the object's wish still counts: it is on screen, or was a moment ago. */
function isWishing(selector: LevelSelector<unknown>, patience: Patience): boolean {
  if (!isLive(selector, patience)) return false;
  return selector.isInView || patience.nowMs - selector.seenMs <= patience.lingerMs;
}

/** Whether anyone is served by a job: it is waited for, or an object's picture gets better by its level. */
export function serves(store: LevelStore<unknown>, level: Level<unknown>, patience: Patience): boolean {
  if (store.isDemanded(level)) return true;
  if (level.isPreview) return !store.hasReadyLevel;
  if (level.index === 0) return true;
  for (const selector of store.selectors) {
    if (!isWishing(selector, patience)) continue;
    const { wanted, shown } = selector;
    if (level === wanted) return true;
    // A level on the way to the one wanted, begun when less was: still better than what is shown.
    if (level.index < wanted.index && level.index > (shown?.index ?? Number.NEGATIVE_INFINITY)) return true;
  }
  return false;
}

function canStart(level: Level<unknown>, nowMs: number): boolean {
  return level.status === 'absent' && (level as MutableLevel<unknown>).retryAtMs <= nowMs;
}

/** The level that an object needs next, or null. The first picture comes before anything else of its field. */
function needed(selector: LevelSelector<unknown>, patience: Patience): Level<unknown> | null {
  const { store, wanted } = selector;
  if (!store.hasPicture) return store.first;
  // Loaded and not drawn yet: the first frame will tell what it needs.
  if (selector.frame < 0) return null;
  const isWished = isWishing(selector, patience);
  // A level that turned out to be too big waits for the object's next choice.
  if (isWished && wanted.status !== 'ready') return isAllowed(wanted, selector.limits) ? wanted : null;
  if (!store.hasReadyLevel) return store.levels[0];
  // Where there is a preview the coarse level waits until it is wanted, or needed to evict finer ones.
  const isCoarseDue = store.preview === null || patience.isShortOfBytes;
  return isCoarseDue ? store.levels[0] : null;
}

/** Grows with the object's size on screen and with the error, in pixels, that its picture has. */
function priorityOf(selector: LevelSelector<unknown>, level: Level<unknown>): number {
  const { store, diameter, shown } = selector;
  if (!store.hasPicture) return FIRST * (1 + diameter);
  const isFiner = shown === null || level.index > shown.index;
  if (!isFiner) return THRIFT * (1 + diameter);
  return diameter * Math.min(selector.screenError, diameter);
}

/**
 * The most urgent level that may be started now, or null.
 * @param stores all objects' fields; looked through once, nothing is sorted or kept.
 * @param rules isFirstOnly: there is room for a first picture only; isCoarseOnly: there are bytes for coarse levels only,
 *   and for what a caller waits for.
 */
export function nextCandidate(
  stores: Iterable<LevelStore<unknown>>,
  patience: Patience,
  rules: { readonly isFirstOnly: boolean; readonly isCoarseOnly: boolean },
): Candidate | null {
  let best: Level<unknown> | null = null;
  let owner: LevelStore<unknown> | null = null;
  let most = Number.NEGATIVE_INFINITY;
  let isFirst = false;
  const consider = (store: LevelStore<unknown>, level: Level<unknown>, priority: number): void => {
    if (priority <= most || !canStart(level, patience.nowMs)) return;
    const isFirstPicture = !store.hasPicture && level === store.first;
    if (rules.isFirstOnly && !isFirstPicture) return;
    if (rules.isCoarseOnly && level.index > 0 && priority < DEMANDED) return;
    best = level;
    owner = store;
    most = priority;
    isFirst = isFirstPicture;
  };
  for (const store of stores) {
    const demanded = store.nextDemanded(patience.nowMs);
    if (demanded) consider(store, demanded, DEMANDED);
    for (const selector of store.selectors) {
      const level = needed(selector, patience);
      if (level) consider(store, level, priorityOf(selector, level));
    }
  }
  return best && owner ? { store: owner, level: best, isFirst } : null;
}
