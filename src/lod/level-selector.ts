import type { Level, LevelLimits, MutableLevel } from './level.ts';
import { LEVEL_LIMITS_DEFAULTS, nearestReady, selectLevel } from './level.ts';
import type { LevelStore } from './level-store.ts';
import { type Eye, type LocalBounds, measureOnScreen, type ScreenScale } from './screen-scale.ts';

/** What an engine's object does when its levels change. Called outside of rendering. */
export interface LevelListener<T> {
  /** A level can be shown from the next frame on. */
  levelReady(level: Level<T>): void;
  /** A level is gone: the object shows another one, if it showed this one. */
  levelEvicted(level: Level<T>, value: T): void;
  /** A level could not be made. */
  levelFailed(level: Level<T>, error: unknown): void;
}

/** Wants no detail until it was seen. */
const UNSEEN: ScreenScale = { pixelsPerUnit: 0, diameter: 0, isInView: false };

/**
 * One object's choice among the levels of its field. Once a frame and camera the engine calls `begin`, `look` for every
 * eye of the camera, and `choose`, which returns the level to draw. Choosing costs about a microsecond and allocates
 * nothing. Cameras that draw the same object in the same frame share the finest choice.
 *
 * @example
 * selector.begin();
 * selector.look(eye, worldMatrix, bounds);
 * const level = selector.choose();
 */
export class LevelSelector<T> {
  readonly store: LevelStore<T>;
  limits: LevelLimits;
  /** Written by the store. While it is false the listener is told of nothing: an engine then looks at the levels itself. */
  isAttached = false;
  private readonly _listener: LevelListener<T>;
  /** The finest that any eye asked for in this frame. */
  private readonly _frameScale: ScreenScale = { ...UNSEEN };
  private readonly _eyeScale: ScreenScale = { ...UNSEEN };
  private _frame = -1;
  private _wanted: number;
  /** What was wanted in the frame before: what hysteresis compares with. */
  private _settled: number;
  private _shown: Level<T> | null = null;
  private _updatedMs = Number.NEGATIVE_INFINITY;
  private _seenMs = Number.NEGATIVE_INFINITY;

  constructor(store: LevelStore<T>, listener: LevelListener<T>, limits: Partial<LevelLimits> = {}) {
    this.store = store;
    this.limits = { ...LEVEL_LIMITS_DEFAULTS, ...limits };
    this._listener = listener;
    this._wanted = this._settled = 0;
  }

  /** The level on screen; null before there is one. */
  get shown(): Level<T> | null {
    return this._shown?.status === 'ready' ? this._shown : null;
  }

  /** The level that the last frame asked for. */
  get wanted(): Level<T> {
    return this.store.levels[this._wanted];
  }

  /** Diameter on screen in the last frame, in pixels; 0 where no eye saw the object. */
  get diameter(): number {
    return this._frameScale.isInView ? this._frameScale.diameter : 0;
  }

  get isInView(): boolean {
    return this._frameScale.isInView;
  }

  /** When an eye last saw the object, in the scheduler's milliseconds. */
  get seenMs(): number {
    return this._seenMs;
  }

  /** When a camera last asked, whether or not it saw the object. */
  get updatedMs(): number {
    return this._updatedMs;
  }

  /** The scheduler's frame in which a camera last asked. */
  get frame(): number {
    return this._frame;
  }

  /** Error on screen of what is shown, in pixels; Infinity where nothing is, 0 where no eye sees it. */
  get screenError(): number {
    if (this._shown === null) return Number.POSITIVE_INFINITY;
    return this.isInView ? this._shown.errorLocal * this._frameScale.pixelsPerUnit : 0;
  }

  /** A camera begins to look at the object. Attaches it to its store where it is not. */
  begin(): void {
    const { scheduler } = this.store;
    this.store.attach(this);
    scheduler.requestFrame();
    this._updatedMs = scheduler.nowMs();
    if (this._frame === scheduler.frame) return;
    this._frame = scheduler.frame;
    this._settled = this._wanted;
    this._frameScale.pixelsPerUnit = this._frameScale.diameter = 0;
    this._frameScale.isInView = false;
  }

  /** One eye of the camera looks. */
  look(eye: Eye, worldMatrix: ArrayLike<number>, bounds: LocalBounds): void {
    const seen = measureOnScreen(eye, worldMatrix, bounds, this._eyeScale);
    if (!seen.isInView) return;
    const scale = this._frameScale;
    scale.isInView = true;
    if (!(seen.pixelsPerUnit <= scale.pixelsPerUnit)) scale.pixelsPerUnit = seen.pixelsPerUnit;
    if (!(seen.diameter <= scale.diameter)) scale.diameter = seen.diameter;
    this._seenMs = this._updatedMs;
  }

  /**
   * Ends a camera's look. What no eye sees keeps the level that it has.
   * @returns the level to draw: the one wanted, or the nearest one that is ready; null while there is none.
   */
  choose(): Level<T> | null {
    const { levels } = this.store;
    if (this.isInView) {
      this._wanted = selectLevel(levels, this.limits, this._frameScale.pixelsPerUnit, this._settled);
    }
    this._shown = this._best();
    if (this._shown && this.isInView) (this._shown as MutableLevel<T>).lastShownMs = this._updatedMs;
    return this._shown;
  }

  /** Goes on with what another object of the same field wants and shows: the one that this one was cloned from. */
  startFrom(other: LevelSelector<T>): void {
    this._wanted = other._wanted;
    this._settled = other._settled;
    this._shown = other._shown;
  }

  /** Stops taking part until the next `begin`; see `LevelStore.detach`. */
  dispose(): void {
    this.store.detach(this);
  }

  /** For the store. */
  levelReady(level: Level<T>): void {
    this._shown = this._best();
    this._listener.levelReady(level);
  }

  /** For the store. */
  levelEvicted(level: Level<T>, value: T): void {
    this._shown = this._best();
    this._listener.levelEvicted(level, value);
  }

  /** For the store. */
  levelFailed(level: Level<T>, error: unknown): void {
    this._listener.levelFailed(level, error);
  }

  private _best(): Level<T> | null {
    const { levels, preview } = this.store;
    const at = nearestReady(levels, this.limits, this._wanted);
    if (at >= 0) return levels[at];
    return preview?.status === 'ready' ? preview : null;
  }
}
