import type { PartResult, PartTask } from './parts.ts';
import type { TaskBatch } from './steps.ts';

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
