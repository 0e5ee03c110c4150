import type { Level, MutableLevel } from './level.ts';
import type { LevelStore } from './level-store.ts';
import { type Eye, type LocalBounds, measureOnScreen, type ScreenScale } from './screen-scale.ts';
import { LEVEL_LIMITS_DEFAULTS, type LevelLimits, nearestReady, selectLevel } from './select-level.ts';

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
  readonly #listener: LevelListener<T>;
  /** The finest that any eye asked for in this frame. */
  readonly #frameScale: ScreenScale = { ...UNSEEN };
  readonly #eyeScale: ScreenScale = { ...UNSEEN };
  #frame = -1;
  #wanted: number;
  /** What was wanted in the frame before: what hysteresis compares with. */
  #settled: number;
  #shown: Level<T> | null = null;
  #updatedMs = Number.NEGATIVE_INFINITY;
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(store: LevelStore<T>, listener: LevelListener<T>, limits: Partial<LevelLimits> = {}) {
    this.store = store;
    this.limits = { ...LEVEL_LIMITS_DEFAULTS, ...limits };
    this.#listener = listener;
    this.#wanted = this.#settled = 0;
  }

  /** The level on screen; null before there is one. */
  get shown(): Level<T> | null {
    return this.#shown?.status === 'ready' ? this.#shown : null;
  }

  /** The level that the last frame asked for. */
  get wanted(): Level<T> {
    return this.store.levels[this.#wanted];
  }

  /** Diameter on screen in the last frame, in pixels; 0 where no eye saw the object. */
  get diameter(): number {
    return this.#frameScale.isInView ? this.#frameScale.diameter : 0;
  }

  get isInView(): boolean {
    return this.#frameScale.isInView;
  }

  /** When an eye last saw the object, in the scheduler's milliseconds. */
  get seenMs(): number {
    return this.#seenMs;
  }

  /** When a camera last asked, whether or not it saw the object. */
  get updatedMs(): number {
    return this.#updatedMs;
  }

  /** The scheduler's frame in which a camera last asked. */
  get frame(): number {
    return this.#frame;
  }

  /** Error on screen of what is shown, in pixels; Infinity where nothing is, 0 where no eye sees it. */
  get screenError(): number {
    if (this.#shown === null) return Number.POSITIVE_INFINITY;
    return this.isInView ? this.#shown.errorLocal * this.#frameScale.pixelsPerUnit : 0;
  }

  /** A camera begins to look at the object. Attaches it to its store where it is not. */
  begin(): void {
    const { scheduler } = this.store;
    this.store.attach(this);
    scheduler.requestFrame();
    this.#updatedMs = scheduler.nowMs();
    if (this.#frame === scheduler.frame) return;
    this.#frame = scheduler.frame;
    this.#settled = this.#wanted;
    this.#frameScale.pixelsPerUnit = this.#frameScale.diameter = 0;
    this.#frameScale.isInView = false;
  }

  /** One eye of the camera looks. */
  look(eye: Eye, worldMatrix: ArrayLike<number>, bounds: LocalBounds): void {
    const seen = measureOnScreen(eye, worldMatrix, bounds, this.#eyeScale);
    if (!seen.isInView) return;
    const scale = this.#frameScale;
    scale.isInView = true;
    if (!(seen.pixelsPerUnit <= scale.pixelsPerUnit)) scale.pixelsPerUnit = seen.pixelsPerUnit;
    if (!(seen.diameter <= scale.diameter)) scale.diameter = seen.diameter;
    this.#seenMs = this.#updatedMs;
  }

  /**
   * Ends a camera's look. What no eye sees keeps the level that it has.
   * @returns the level to draw: the one wanted, or the nearest one that is ready; null while there is none.
   */
  choose(): Level<T> | null {
    const { levels } = this.store;
    if (this.isInView) {
      this.#wanted = selectLevel(levels, this.limits, this.#frameScale.pixelsPerUnit, this.#settled);
    }
    this.#shown = this.#best();
    if (this.#shown && this.isInView) (this.#shown as MutableLevel<T>).lastShownMs = this.#updatedMs;
    return this.#shown;
  }

  /** Goes on with what another object of the same field wants and shows: the one that this one was cloned from. */
  startFrom(other: LevelSelector<T>): void {
    this.#wanted = other.#wanted;
    this.#settled = other.#settled;
    this.#shown = other.#shown;
  }

  /** Stops taking part until the next `begin`; see `LevelStore.detach`. */
  dispose(): void {
    this.store.detach(this);
  }

  /** For the store. */
  levelReady(level: Level<T>): void {
    this.#shown = this.#best();
    this.#listener.levelReady(level);
  }

  /** For the store. */
  levelEvicted(level: Level<T>, value: T): void {
    this.#shown = this.#best();
    this.#listener.levelEvicted(level, value);
  }

  /** For the store. */
  levelFailed(level: Level<T>, error: unknown): void {
    this.#listener.levelFailed(level, error);
  }

  #best(): Level<T> | null {
    const { levels, preview } = this.store;
    const at = nearestReady(levels, this.limits, this.#wanted);
    if (at >= 0) return levels[at];
    return preview?.status === 'ready' ? preview : null;
  }
}
