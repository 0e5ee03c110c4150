import { NsdfLoadError } from '../errors.ts';
import type { Level, MadeLevel, MutableLevel } from './level.ts';
import type { LevelStore } from './level-store.ts';

/** A level that could be made next. */
export interface Candidate {
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
