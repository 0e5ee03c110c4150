import type { FieldAsset } from '../format/asset.ts';
import type { DeriveProgress, DeriveStage } from '../options.ts';
import type { PartResult, PartTask } from './parts.ts';
import {
  asProgress,
  type DerivedSurface,
  type Job,
  type JobOptions,
  type Step,
  type TaskBatch,
  type TaskRunner,
} from './steps.ts';
import { createEventYield } from './yield-to-events.ts';

/** Longest run between two looks at the event loop. */
const SLICE_MS = 8;
/** Shares of the whole job that are left for what comes after the derivation, where it is asked for. */
const SIMPLIFY_SHARE = 0.1;
const SPLIT_SHARE = 0.05;

/** How a running job meets its caller. */
export interface JobControl {
  /** Called between slices; throws to stop the job. */
  readonly throwIfCancelled: () => void;
  /** Called at the start of a stage and once a slice; `fraction` never falls and is 1 at the end. */
  readonly onProgress: (progress: DeriveProgress) => void;
}

/** Others who run parts of a job. */
export interface Helpers {
  /** Called before each part that is done here: they may take some of what waits, too. */
  readonly offer: (queue: TaskQueue) => void;
}

/** When a run gives way to the event loop: shared by what runs within one another. */
class Pace {
  readonly #events = createEventYield();
  #sliceStartMs = Number.NEGATIVE_INFINITY; // the caller's own task is not ours to lengthen
  #stepMs = 0;

  /** Whether another step might make the slice too long. */
  get isOver(): boolean {
    return performance.now() - this.#sliceStartMs + this.#stepMs > SLICE_MS;
  }

  async giveWay({ throwIfCancelled }: JobControl): Promise<void> {
    await this.#events.giveWay();
    throwIfCancelled();
    this.#sliceStartMs = performance.now();
  }

  /** Takes one step, and remembers how long that took. */
  step<T>(steps: Generator<T, unknown, void>): IteratorResult<T, unknown> {
    const startMs = performance.now();
    const step = steps.next();
    this.#stepMs = performance.now() - startMs;
    return step;
  }

  close(): void {
    this.#events.close();
  }
}

/**
 * Runs a generator in slices of at most 8 ms (or one step, where that takes longer) and gives way to the event
 * loop between them.
 * @throws whatever the generator, `throwIfCancelled` or `onProgress` throws; the generator is closed then
 */
export async function drive<T>(steps: Generator<DeriveProgress, T, void>, control: JobControl): Promise<T> {
  const pace = new Pace();
  return driveAt(pace, steps, control).finally(() => pace.close());
}

/** @param runBatch runs the parts that the generator asks for, at the same pace */
async function driveAt<T>(
  pace: Pace,
  steps: Generator<Step, T, void>,
  control: JobControl,
  runBatch?: (batch: TaskBatch) => Promise<void>,
): Promise<T> {
  let stage: DeriveStage | undefined;
  let progress: DeriveProgress | undefined;
  try {
    for (;;) {
      if (pace.isOver) {
        if (progress) control.onProgress(progress);
        progress = undefined;
        await pace.giveWay(control);
      }
      const step = pace.step(steps) as IteratorResult<Step, T>;
      if (step.done) {
        control.throwIfCancelled();
        return step.value;
      }
      if ('tasks' in step.value) {
        await runBatch?.(step.value);
        control.throwIfCancelled();
        continue;
      }
      progress = step.value;
      if (progress.stage !== stage) control.onProgress(progress);
      stage = progress.stage;
    }
  } catch (error) {
    steps.return(undefined as never);
    throw error;
  }
}

/** Runs parts here, beside whoever else takes some. */
async function runHere(
  batch: TaskBatch,
  runner: TaskRunner,
  pace: Pace,
  control: JobControl,
  helpers: Helpers | undefined,
): Promise<void> {
  const queue = new TaskQueue(batch);
  while (!queue.isDone) {
    helpers?.offer(queue);
    const next = queue.take();
    if (next === undefined) {
      await queue.changed();
      control.throwIfCancelled();
      continue;
    }
    control.throwIfCancelled(); // whoever waited for the part before it has had a word
    const steps = asProgress(runner.run(next.task), (fraction) => queue.progress(fraction));
    queue.give(next.id, await driveAt(pace, steps, control));
  }
}

/** Runs what nobody is told the progress of: a part of somebody else's job, who learns when it is done; the decoding of tables. */
export function runQuietly<T>(steps: Generator<unknown, T, void>, throwIfCancelled: () => void): Promise<T> {
  const quiet = asProgress(steps, (): DeriveProgress => ({ stage: 'partition', fraction: 0 }));
  return drive(quiet, { throwIfCancelled, onProgress: () => {} });
}

/**
 * Runs a whole job: the derivation, the caps, the simplification, the splitting of normals and the record, where the options ask
 * for them, and the attributes, where the field has any.
 * @param helpers who may run parts of it besides
 * @throws whatever the job throws
 */
export async function runJob(
  job: Job,
  asset: FieldAsset,
  options: JobOptions,
  control: JobControl,
  helpers?: Helpers,
): Promise<DerivedSurface> {
  const { throwIfCancelled } = control;
  const onProgress = risingProgress(control.onProgress);
  let surface = await deriveAndSplit(job, asset, options, { throwIfCancelled, onProgress, helpers });
  const quietly = { throwIfCancelled, onProgress: () => {} };
  if (options.recordsFor !== undefined) {
    surface = await drive(job.keepSurface(asset, surface, options), quietly);
  }
  if (asset.attributes === undefined) return surface;
  return drive(job.addAttributes(asset, surface, options), quietly);
}

type HelpedControl = JobControl & { readonly helpers: Helpers | undefined };

async function deriveAndSplit(
  job: Job,
  asset: FieldAsset,
  options: JobOptions,
  { throwIfCancelled, onProgress, helpers }: HelpedControl,
): Promise<DerivedSurface> {
  const isSplit = options.creaseAngle !== undefined;
  const splitFrom = isSplit ? 1 - SPLIT_SHARE : 1;
  const surface = await deriveAndSimplify(job, asset, options, {
    helpers,
    throwIfCancelled,
    onProgress: ({ stage, fraction }) => onProgress({ stage, fraction: fraction * splitFrom }),
  });
  if (!isSplit) return surface;
  const split = await drive(job.splitNormals(asset, surface, options), {
    throwIfCancelled,
    onProgress: ({ stage, fraction }) => onProgress({ stage, fraction: splitFrom + fraction * SPLIT_SHARE }),
  });
  onProgress({ stage: 'normals', fraction: 1 });
  return split;
}

async function deriveAndSimplify(
  job: Job,
  asset: FieldAsset,
  options: JobOptions,
  { throwIfCancelled, onProgress, helpers }: HelpedControl,
): Promise<DerivedSurface> {
  const { maxVertices, cap } = options;
  const share = maxVertices === undefined ? 1 : 1 - SIMPLIFY_SHARE;
  const control: JobControl = {
    throwIfCancelled,
    onProgress: ({ stage, fraction }) => onProgress({ stage, fraction: fraction * share }),
  };
  const pace = new Pace();
  let runner: TaskRunner | undefined;
  const derived = await driveAt(pace, job.steps(asset, options), control, (batch) => {
    runner ??= job.createRunner(asset, options);
    return runHere(batch, runner, pace, control, helpers);
  }).finally(() => pace.close());
  // Before the budget, which counts what closes the surface.
  const surface = cap
    ? await drive(job.cap(asset, derived, options), { throwIfCancelled, onProgress: () => {} })
    : derived;
  if (maxVertices === undefined || surface.stats.nVertices <= maxVertices) {
    onProgress({ stage: 'normals', fraction: 1 });
    return surface;
  }
  const simplified = await drive(job.simplify(asset, surface, options), {
    throwIfCancelled,
    onProgress: ({ stage, fraction }) => onProgress({ stage, fraction: share + fraction * SIMPLIFY_SHARE }),
  });
  onProgress({ stage: 'simplify', fraction: 1 });
  return simplified;
}

/** Passes progress on, clamped to [0, 1] and never falling. */
function risingProgress(onProgress: (progress: DeriveProgress) => void): (progress: DeriveProgress) => void {
  let highest = 0;
  return ({ stage, fraction }) => {
    highest = Math.max(highest, Math.min(1, fraction));
    onProgress({ stage, fraction: highest });
  };
}

/** About what a part costs, beside others of its kind. */
function sizeOf(task: PartTask): number {
  switch (task.kind) {
    case 'cull':
      return 0;
    case 'settle':
      return task.from instanceof Int32Array ? task.from.length : task.from.trees.state.length;
    case 'fill':
      return task.trees.state.length;
    case 'thin':
      return task.indices.length;
    case 'measure':
      return task.triangles.slopes.length;
  }
}

/** The parts of one batch, as several take them: the largest first, each by one, and given back with its result or without. */
export class TaskQueue {
  readonly #batch: TaskBatch;
  readonly #waiting: number[];
  #nDone = 0;
  #error: { readonly reason: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(batch: TaskBatch) {
    this.#batch = batch;
    const sizes = batch.tasks.map(sizeOf);
    this.#waiting = [...batch.tasks.keys()].sort((a, b) => sizes[b] - sizes[a]);
  }

  get nWaiting(): number {
    return this.#waiting.length;
  }

  get nDone(): number {
    return this.#nDone;
  }

  /** Whether there is nothing left to wait for. @throws what a part failed with */
  get isDone(): boolean {
    if (this.#error) throw this.#error.reason;
    return this.#nDone === this.#batch.tasks.length;
  }

  /** The job's progress with a fraction of one more part. */
  progress(fraction = 0): ReturnType<TaskBatch['at']> {
    return this.#batch.at(Math.min(1, (this.#nDone + fraction) / this.#batch.tasks.length));
  }

  /** The next part, and the number to give its result under. */
  take(): { id: number; task: PartTask } | undefined {
    const id = this.#waiting.shift();
    return id === undefined ? undefined : { id, task: this.#batch.tasks[id] };
  }

  give(id: number, result: PartResult): void {
    this.#batch.results[id] = result;
    this.#nDone++;
    this.#wake();
  }

  /** Gives a part back that was not done. */
  putBack(id: number): void {
    this.#waiting.unshift(id);
    this.#wake();
  }

  fail(reason: unknown): void {
    this.#error ??= { reason };
    this.#wake();
  }

  /** Resolves at the next result, return or failure. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
