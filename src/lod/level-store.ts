import type { FieldAsset } from '../format/asset.ts';
import type { DeriveOptions, DeriveProgress } from '../options.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import type { DeriveResult } from '../pipeline/figures.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { Ladder, LadderLevel, LevelDetail } from './ladder.ts';
import { createLevel, isAllowed, type Level, type MadeLevel, type MutableLevel } from './level.ts';
import type { LevelSelector } from './level-selector.ts';
import type { LodScheduler } from './scheduler.ts';

/** How an engine makes a field's levels and frees them. */
export interface LevelMaker<T> {
  /**
   * Makes one level, away from this thread; rejects with `signal.reason` on abort. What it resolves with is called
   * between two frames, when there is time for it, to make the engine's geometry.
   */
  make(level: LadderLevel, signal: AbortSignal): Promise<() => MadeLevel<T>>;
  /** Frees a level that was evicted; every selector has let go of it. */
  free(value: T): void;
}

interface Demand<T> {
  readonly level: MutableLevel<T>;
  readonly resolve: (level: Level<T>) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The levels of one field, made and kept once for all objects that show it (an object and its clones). Selectors say
 * what they want, the scheduler decides when it is made and what is evicted.
 */
export class LevelStore<T> {
  readonly levels: readonly Level<T>[];
  readonly preview: Level<T> | null;
  readonly scheduler: LodScheduler;
  /** The objects that show this field now. */
  readonly selectors: LevelSelector<T>[] = [];
  private readonly _maker: LevelMaker<T>;
  private _demands: Demand<T>[] = [];

  constructor(ladder: Ladder, maker: LevelMaker<T>, scheduler: LodScheduler) {
    this.levels = ladder.levels.map((level) => createLevel<T>(level));
    this.preview = ladder.preview && createLevel<T>(ladder.preview);
    this._maker = maker;
    this.scheduler = scheduler;
  }

  /** Bytes of all ready levels. */
  get nBytes(): number {
    let nBytes = this.preview?.status === 'ready' ? this.preview.nBytes : 0;
    for (const level of this.levels) if (level.status === 'ready') nBytes += level.nBytes;
    return nBytes;
  }

  /** Whether a level other than the preview can be shown. */
  get hasReadyLevel(): boolean {
    for (const level of this.levels) if (level.status === 'ready') return true;
    return false;
  }

  /** Whether anything can be shown. */
  get hasPicture(): boolean {
    return this.preview?.status === 'ready' || this.hasReadyLevel;
  }

  /** The level that has to be there before any other: the preview, or level 0 where there is none. */
  get first(): Level<T> {
    return this.preview === null || this.preview.status === 'failed' ? this.levels[0] : this.preview;
  }

  /** Whether a caller waits for a level. */
  isDemanded(level: Level<T>): boolean {
    for (const demand of this._demands) if (demand.level === level) return true;
    return false;
  }

  /** The level that a caller waits for and that nobody is at work on, or null. */
  nextDemanded(nowMs: number): Level<T> | null {
    for (const { level } of this._demands) {
      if (level.status === 'absent' && level.retryAtMs <= nowMs) return level;
    }
    return null;
  }

  /**
   * Makes a level whether or not anything wants it, and waits for it; before all that is made for the screen.
   * @throws the level's error, `signal.reason`, and an AbortError when the last object is disposed
   */
  demand(level: Level<T>, signal?: AbortSignal): Promise<Level<T>> {
    signal?.throwIfAborted();
    if (level.status === 'ready') return Promise.resolve(level);
    if (level.status === 'failed') return Promise.reject(level.error);
    return new Promise<Level<T>>((resolve, reject) => {
      const onAbort = (): void => {
        this._demands = this._demands.filter((other) => other !== demand);
        this.scheduler.requestTick();
        reject(signal?.reason);
      };
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      const demand: Demand<T> = {
        level: level as MutableLevel<T>,
        resolve: (ready) => {
          done();
          resolve(ready);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this._demands.push(demand);
      this.scheduler.requestTick();
    });
  }

  /** An object begins to show this field. */
  attach(selector: LevelSelector<T>): void {
    if (selector.isAttached) return;
    selector.isAttached = true;
    this.selectors.push(selector);
    if (this.selectors.length === 1) this.scheduler.add(this as LevelStore<unknown>);
  }

  /** An object no longer shows this field; after the last one its jobs end. What was made stays, for who comes back. */
  detach(selector: LevelSelector<T>): void {
    const at = this.selectors.indexOf(selector);
    if (at < 0) return;
    this.selectors.splice(at, 1);
    selector.isAttached = false;
    if (this.selectors.length > 0) return;
    this.scheduler.remove(this as LevelStore<unknown>);
    const reason = new DOMException('the object was disposed', 'AbortError');
    for (const demand of this._demands.splice(0)) demand.reject(reason);
  }

  /** For the scheduler: starts making a level. */
  begin(level: Level<T>, signal: AbortSignal): Promise<() => MadeLevel<T>> {
    (level as MutableLevel<T>).status = 'making';
    return this._maker.make(level, signal);
  }

  /** For the scheduler: the job was ended before it was done. */
  abandon(level: Level<T>): void {
    if (level.status === 'making') (level as MutableLevel<T>).status = 'absent';
  }

  /**
   * For the scheduler: a level was made. The preview makes way for the first real level; a level that turns out to be
   * over every object's limits is dropped, and its counts remembered.
   */
  deliver(level: Level<T>, made: MadeLevel<T>): void {
    const own = level as MutableLevel<T>;
    Object.assign(own, made, { status: 'ready', isMeasured: true, nFailures: 0, error: null });
    own.lastShownMs = this.scheduler.nowMs();
    const isOfUse =
      level.isPreview ||
      this.isDemanded(level) ||
      this.selectors.some(({ limits }) => isAllowed(level, limits));
    if (!isOfUse) {
      this.evict(level);
      return;
    }
    for (const selector of [...this.selectors]) selector.levelReady(level);
    for (const { resolve } of this._takeDemands(level)) resolve(level);
    if (this.preview?.status === 'ready' && this.hasReadyLevel) this.evict(this.preview);
  }

  /** For the scheduler: a level could not be made; `retryAtMs` is when to try again, Infinity for never. */
  fail(level: Level<T>, error: unknown, retryAtMs: number): void {
    const own = level as MutableLevel<T>;
    own.nFailures++;
    own.error = error;
    own.retryAtMs = retryAtMs;
    own.status = retryAtMs === Number.POSITIVE_INFINITY ? 'failed' : 'absent';
    for (const selector of [...this.selectors]) selector.levelFailed(level, error);
    for (const { reject } of this._takeDemands(level)) reject(error);
  }

  /** For the scheduler: drops a ready level. */
  evict(level: Level<T>): void {
    const own = level as MutableLevel<T>;
    const { value } = own;
    own.status = 'absent';
    own.value = null;
    for (const selector of [...this.selectors]) selector.levelEvicted(level, value as T);
    this._maker.free(value as T);
  }

  private _takeDemands(level: Level<T>): Demand<T>[] {
    const taken = this._demands.filter((demand) => demand.level === level);
    this._demands = this._demands.filter((demand) => demand.level !== level);
    return taken;
  }
}

/** How the levels of a field are derived and what an engine makes of them. */
export interface LevelDerivation<T> {
  /** For every level; the level itself says how it is asked for. */
  readonly options?: Omit<DeriveOptions, keyof LevelDetail | 'signal' | 'onProgress' | 'structure'>;
  /** Makes an engine's geometry; called between two frames, and takes at most a millisecond or two. */
  readonly build: (result: DeriveResult, level: LadderLevel) => T;
  /** Frees it. */
  readonly free: (value: T) => void;
  readonly onProgress?: (level: LadderLevel, progress: DeriveProgress) => void;
}

/**
 * Makes a field's levels with `deriveMesh`. The error of a level is what the derivation measured, whatever tolerance it was
 * asked for.
 */
export function deriveLevels<T>(asset: FieldAsset, derivation: LevelDerivation<T>): LevelMaker<T> {
  const { options, build, free, onProgress } = derivation;
  return {
    free,
    async make(level, signal) {
      const result = await deriveMesh(asset, {
        ...options,
        ...level.detail,
        signal,
        ...(onProgress && { onProgress: (progress) => onProgress(level, progress) }),
      });
      return () => ({
        value: build(result, level),
        nBytes: bytesOf(result.mesh),
        nTriangles: result.stats.nTriangles,
        errorLocal: errorOf(result),
      });
    },
  };
}

/** What was measured counts, whatever was asked for: both ways where what is missing isn't certified. */
function errorOf({ stats }: DeriveResult): number {
  return Math.max(stats.errorLocal ?? stats.toleranceLocal, stats.errorBackLocal ?? 0);
}

function bytesOf({ positions, normals, indices, attributes = {} }: SurfaceMesh): number {
  const arrays = [positions, normals, indices, ...Object.values(attributes)];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
