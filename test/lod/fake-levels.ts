import {
  createScheduler,
  type Eye,
  type Ladder,
  type LadderLevel,
  type Level,
  type LevelLimits,
  LevelSelector,
  LevelStore,
  type LocalBounds,
  type LodScheduler,
  type MadeLevel,
  type SchedulerOptions,
} from '../../src/lod/index.ts';

/** Tolerances of the fake ladder, coarse to fine; `exact` follows. */
const TOLERANCES = [0.1, 0.03, 0.01];
/** The unit cube around the origin. */
export const BOUNDS: LocalBounds = [-0.5, -0.5, -0.5, 0.5, 0.5, 0.5];

export function fakeLadder(hasPreview = true): Ladder {
  const level = (toleranceLocal: number, index: number): LadderLevel => ({
    index,
    name: index < 0 ? 'preview' : toleranceLocal === 0 ? 'exact' : `tolerance ${toleranceLocal}`,
    detail: {},
    toleranceLocal,
    isPreview: index < 0,
  });
  return { preview: hasPreview ? level(0.2, -1) : null, levels: [...TOLERANCES, 0].map(level) };
}

/** A job that the test ends. */
export class FakeJob {
  readonly level: LadderLevel;
  readonly signal: AbortSignal;
  /** Ends the job well; the level has `nBytes` bytes and half as many triangles. */
  readonly finish: (nBytes?: number) => Promise<void>;
  readonly fail: (error: unknown) => Promise<void>;
  readonly field: FakeField;

  constructor(
    field: FakeField,
    level: LadderLevel,
    signal: AbortSignal,
    settle: { resolve: (finish: () => MadeLevel<string>) => void; reject: (reason: unknown) => void },
  ) {
    this.field = field;
    this.level = level;
    this.signal = signal;
    this.finish = async (nBytes = 100) => {
      const { name, toleranceLocal } = level;
      settle.resolve(() => ({
        value: name,
        nBytes,
        nTriangles: nBytes / 2,
        errorLocal: toleranceLocal * 0.9,
      }));
      await pause();
    };
    this.fail = async (error) => {
      settle.reject(error);
      await pause();
    };
  }
}

/** Lets promises settle. */
export async function pause(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}

/** A page without an engine: a clock and ticks in the test's hand, jobs that it ends. */
export class FakePage {
  nowMs = 0;
  readonly jobs: FakeJob[] = [];
  readonly scheduler: LodScheduler;
  readonly fields: FakeField[] = [];
  #deferred: (() => void)[] = [];

  constructor(options: SchedulerOptions = {}) {
    this.scheduler = createScheduler({
      maxConcurrent: 1,
      now: () => this.nowMs,
      defer: (task) => this.#deferred.push(task),
      ...options,
    });
  }

  /** Jobs that are neither done nor aborted, as field/level. */
  get open(): FakeJob[] {
    return this.jobs.filter((job) => !job.signal.aborted && !this.#done.has(job));
  }

  readonly #done = new Set<FakeJob>();

  /** A field with one object at that distance from the eye, straight ahead. */
  add(distance: number, options: { limits?: Partial<LevelLimits>; ladder?: Ladder } = {}): FakeField {
    const field = new FakeField(this, distance, options);
    this.fields.push(field);
    return field;
  }

  /** Draws a frame: every object is looked at, then the scheduler works. */
  frame(passedMs = 16): void {
    this.nowMs += passedMs;
    for (const field of this.fields) field.look();
    this.tick();
  }

  tick(): void {
    for (const task of this.#deferred.splice(0)) task();
  }

  /** Ends the first open job and has the scheduler take it in. */
  async finishNext(nBytes?: number): Promise<string> {
    const [job] = this.open;
    this.#done.add(job);
    await job.finish(nBytes);
    this.tick();
    return job.level.name;
  }

  async failNext(error: unknown): Promise<void> {
    const [job] = this.open;
    this.#done.add(job);
    await job.fail(error);
    this.tick();
  }
}

/** A field with one object that notes what happens to it. */
export class FakeField {
  readonly store: LevelStore<string>;
  readonly selector: LevelSelector<string>;
  readonly events: string[] = [];
  readonly freed: string[] = [];
  distance: number;
  /** Aside from the view's axis. */
  aside = 0;

  constructor(
    page: FakePage,
    distance: number,
    { limits, ladder = fakeLadder() }: { limits?: Partial<LevelLimits>; ladder?: Ladder },
  ) {
    this.distance = distance;
    const make = (level: LadderLevel, signal: AbortSignal): Promise<() => MadeLevel<string>> =>
      new Promise((resolve, reject) => {
        page.jobs.push(new FakeJob(this, level, signal, { resolve, reject }));
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    this.store = new LevelStore(ladder, { make, free: (name) => this.freed.push(name) }, page.scheduler);
    this.selector = this.createSelector(limits);
  }

  createSelector(limits?: Partial<LevelLimits>): LevelSelector<string> {
    return new LevelSelector(
      this.store,
      {
        levelReady: (level) => this.events.push(`ready ${level.name}`),
        levelEvicted: (level) => this.events.push(`evicted ${level.name}`),
        levelFailed: (level) => this.events.push(`failed ${level.name}`),
      },
      limits,
    );
  }

  get shown(): string | undefined {
    return this.selector.shown?.name;
  }

  look(selector = this.selector): Level<string> | null {
    selector.begin();
    selector.look(EYE, translation(this.aside, 0, -this.distance), BOUNDS);
    return selector.choose();
  }
}

/** 90° of view on 200 pixels: a unit at distance d covers 100 / d pixels. */
export const EYE: Eye = {
  viewMatrix: translation(0, 0, 0),
  projectionMatrix: perspective(1, 1),
  near: 0.01,
  viewportHeight: 200,
};

export function translation(x: number, y: number, z: number): number[] {
  return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, y, z, 1];
}

/** OpenGL's perspective, near 0.01, far 1000. */
export function perspective(scaleX: number, scaleY: number): number[] {
  const [near, far] = [0.01, 1000];
  const depth = (far + near) / (near - far);
  return [scaleX, 0, 0, 0, 0, scaleY, 0, 0, 0, 0, depth, -1, 0, 0, (2 * far * near) / (near - far), 0];
}

export function orthographic(halfWidth: number, halfHeight: number): number[] {
  return [1 / halfWidth, 0, 0, 0, 0, 1 / halfHeight, 0, 0, 0, 0, -0.002, 0, 0, 0, -1, 1];
}
