import { NsdfLoadError } from '../errors.ts';
import type { TableResult } from '../format/table-store.ts';
import { BackendUnavailableError } from './backend.ts';
import type { DerivedSurface } from './steps.ts';
import {
  type DecodeJob,
  type HostedJob,
  WORKER_HOST_DEFAULTS,
  WorkerHost,
  type WorkerHostOptions,
  type WorkerLike,
} from './worker-host.ts';

export interface WorkerPoolOptions extends Partial<WorkerHostOptions> {
  /** Starts one worker; may throw where the page does not allow workers. */
  readonly createWorker: () => WorkerLike;
  /** Workers at once. */
  readonly maxWorkers: number;
}

interface WaitingJob {
  readonly job: HostedJob | DecodeJob;
  readonly take: (host: WorkerHost) => void;
  readonly reject: (reason: unknown) => void;
}

/** Starts that may fail in a row before the pool stops trying: a lost connection gets a second chance. */
const MAX_START_FAILURES = 2;

/** One worker that helps another. */
interface Helping {
  readonly lead: WorkerHost;
  readonly helperId: number;
}

/**
 * Workers shared by all jobs of a page: started when needed, reused, replaced when they die. Those without a job help others
 * with theirs, and leave off when a job waits.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #hosts = new Set<WorkerHost>();
  readonly #helping = new Map<WorkerHost, Helping>();
  #nHelpers = 0;
  #waiting: WaitingJob[] = [];
  #nStartFailures = 0;
  #isDisposed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get nWorkers(): number {
    return this.#hosts.size;
  }

  /** Says why this pool no longer tries to start workers, or undefined while it does. */
  get refusal(): string | undefined {
    return this.#nStartFailures < MAX_START_FAILURES
      ? undefined
      : `workers failed to start ${this.#nStartFailures} times in a row`;
  }

  /**
   * Runs a job on a free worker, a new one, or the first that becomes free; jobs are taken in order, but for
   * those whose own limit is used up.
   * @throws {BackendUnavailableError} if no worker can be started
   * @throws {NsdfLoadError} if the worker fails during the job, or the pool is disposed
   * @throws `job.signal.reason` at once when aborted, and whatever the job throws
   */
  async run(job: HostedJob): Promise<DerivedSurface> {
    return this.#enqueue(job, (host) => host.run(job));
  }

  /** Decodes tables, as {@link run} does a job. */
  async decode(job: DecodeJob): Promise<readonly TableResult[]> {
    return this.#enqueue(job, (host) => host.decode(job));
  }

  async #enqueue<T>(job: HostedJob | DecodeJob, start: (host: WorkerHost) => Promise<T>): Promise<T> {
    job.signal?.throwIfAborted();
    if (this.#isDisposed) throw new NsdfLoadError('The worker pool was disposed.');
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(job.signal?.reason);
      };
      const waiting: WaitingJob = {
        job,
        reject: (reason) => {
          job.signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
        take: (host) => {
          job.signal?.removeEventListener('abort', onAbort);
          start(host).then(resolve, reject);
        },
      };
      job.signal?.addEventListener('abort', onAbort);
      this.#waiting.push(waiting);
      this.#assign();
    });
  }

  /** Terminates all workers; running and waiting jobs reject with an NsdfLoadError. */
  dispose(): void {
    this.#isDisposed = true;
    const reason = new NsdfLoadError('The workers were disposed before this job was finished.');
    this.#rejectWaiting(reason);
    for (const host of this.#hosts) host.terminate(reason);
  }

  #assign(): void {
    for (;;) {
      const next = this.#waiting.find(({ job }) => this.#hasRoom(job));
      if (!next) {
        this.#assignHelpers();
        return;
      }
      const host = this.#findFree('assetId' in next.job ? next.job.assetId : undefined) ?? this.#start();
      if (!host) {
        this.#recallHelper();
        return;
      }
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.take(host);
    }
  }

  /** Sets workers that have nothing to do to parts of others' jobs. */
  #assignHelpers(): void {
    for (const lead of [...this.#hosts]) {
      for (let job = lead.jobToHelp; job !== undefined && this.#hasRoom(job); job = lead.jobToHelp) {
        const host = this.#findFree(job.assetId) ?? this.#start();
        if (!host) return;
        const { port1, port2 } = new MessageChannel();
        const helperId = this.#nHelpers++;
        this.#helping.set(host, { lead, helperId });
        lead.addHelper(helperId, port1);
        host.help(job, port2);
      }
    }
  }

  /** A job waits: one helper is to leave, unless one is about to. */
  #recallHelper(): void {
    const helpers = [...this.#helping.keys()];
    if (helpers.every((host) => host.isHelping)) helpers.at(-1)?.release(false);
  }

  /** Whether the job's own limit leaves it a worker. */
  #hasRoom({ workerLimit }: HostedJob | DecodeJob): boolean {
    if (workerLimit === undefined) return true;
    const atWork = [...this.#hosts].filter((host) => host.workerLimit === workerLimit);
    return atWork.length < workerLimit.maxWorkers;
  }

  #findFree(assetId: number | undefined): WorkerHost | undefined {
    const free = [...this.#hosts].filter((host) => host.isFree);
    return free.find((host) => assetId !== undefined && host.hasAsset(assetId)) ?? free[0];
  }

  /** Starts another worker, where there may be one more; a start that fails rejects the waiting jobs. */
  #start(): WorkerHost | undefined {
    if (this.#hosts.size >= this.#options.maxWorkers) return undefined;
    if (this.refusal) {
      this.#rejectWaiting(new BackendUnavailableError(this.refusal));
      return undefined;
    }
    try {
      const hostOptions = { ...WORKER_HOST_DEFAULTS, ...this.#options };
      const host = new WorkerHost(this.#options.createWorker(), hostOptions, this.#onHostChange);
      this.#hosts.add(host);
      return host;
    } catch (cause) {
      this.#nStartFailures++;
      const what = cause instanceof Error ? cause.message : String(cause);
      this.#rejectWaiting(new BackendUnavailableError(`No worker can be started: ${what}`, { cause }));
      return undefined;
    }
  }

  readonly #onHostChange = (host: WorkerHost): void => {
    const helping = this.#helping.get(host);
    if (helping && !host.isHelping && (host.isFree || host.state === 'dead')) {
      this.#helping.delete(host);
      if (host.state === 'dead') helping.lead.loseHelper(helping.helperId);
    }
    if (host.isFree || host.state === 'dead') {
      for (const [helper, { lead }] of this.#helping) if (lead === host) helper.release(true);
    }
    if (host.state === 'dead') {
      this.#hosts.delete(host);
      if (!host.hasStarted && !this.#isDisposed) this.#nStartFailures++;
    } else if (host.hasStarted) this.#nStartFailures = 0;
    this.#assign();
  };

  #rejectWaiting(reason: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const job of waiting) job.reject(reason);
  }
}
