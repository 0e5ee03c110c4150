import { NsdfLoadError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { TableRequest, TableResult } from '../format/table-store.ts';
import type { WorkerLimit } from '../options.ts';
import { type BackendControl, BackendUnavailableError } from './backend.ts';
import { collectBuffers, copyTight } from './buffers.ts';
import { fromWire } from './error-wire.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';
import type { FromWorker, ToWorker } from './worker-protocol.ts';

/** One derivation, as the page hands it to a worker. */
export interface HostedJob extends BackendControl {
  /** Names the asset on both sides, so that it is sent once. */
  readonly assetId: number;
  readonly asset: FieldAsset;
  readonly options: JobOptions;
}

/** Tables of a file to decode. */
export interface DecodeJob extends Pick<BackendControl, 'signal' | 'workerLimit'> {
  readonly requests: readonly TableRequest[];
}

/** The parts of a Worker that are used here. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'addEventListener'>;

export interface WorkerHostOptions {
  /** A worker that has not said `ready` after this time counts as failed to start. */
  readonly startTimeoutMs: number;
  /** A worker that has not stopped this long after a cancel is terminated. */
  readonly cancelGraceMs: number;
  /** Bytes of assets that a worker keeps; the least recently used are forgotten beyond them. */
  readonly maxAssetBytes: number;
}

export const WORKER_HOST_DEFAULTS: WorkerHostOptions = {
  startTimeoutMs: 10_000,
  cancelGraceMs: 250,
  maxAssetBytes: 64 * 2 ** 20,
};

const ENDINGS: readonly FromWorker['kind'][] = ['done', 'decoded', 'failed', 'cancelled'];

interface RunningJob {
  readonly jobId: number;
  readonly control: HostedJob | DecodeJob;
  /** Takes what the ending holds. */
  readonly resolve: (result: unknown) => void;
  /** Also stops listening to the signal. After the first call of either the other calls do nothing. */
  readonly reject: (reason: unknown) => void;
  /** The worker was told to stop: it is told once, and nobody is told of its progress any more. */
  isCancelled: boolean;
}

/** A job of another worker's that this one helps with. */
interface Help {
  readonly jobId: number;
  readonly workerLimit: WorkerLimit | undefined;
  isEnding: boolean;
}

type HostState = 'starting' | 'ready' | 'dead';

/** One worker as the page sees it: it runs one job at a time and keeps the assets that it was sent. */
export class WorkerHost {
  #state: HostState = 'starting';
  #hasStarted = false;
  #job: RunningJob | undefined;
  #help: Help | undefined;
  #wantsHelp = false;
  #nextJobId = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #assetBytes = new Map<number, number>();
  readonly #worker: WorkerLike;
  readonly #options: WorkerHostOptions;
  readonly #onChange: (host: WorkerHost) => void;

  /** @param onChange called when the worker has become ready, free or dead */
  constructor(worker: WorkerLike, options: WorkerHostOptions, onChange: (host: WorkerHost) => void) {
    this.#worker = worker;
    this.#options = options;
    this.#onChange = onChange;
    worker.addEventListener('message', (event) => this.#receive((event as MessageEvent<unknown>).data));
    worker.addEventListener('messageerror', () => this.#fail('a message from it could not be read'));
    worker.addEventListener('error', (event) => {
      event.preventDefault(); // reported through the job, not in the page's console
      this.#fail((event as ErrorEvent).message || 'its script could not be loaded or is not allowed here');
    });
    const { startTimeoutMs } = options;
    this.#timer = setTimeout(
      () => this.#fail(`it did not start within ${startTimeoutMs} ms`),
      startTimeoutMs,
    );
  }

  get state(): HostState {
    return this.#state;
  }

  /** Whether the worker ever said that it is ready; stays true after its death. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  get isFree(): boolean {
    return this.#state !== 'dead' && this.#job === undefined && this.#help === undefined;
  }

  /** The job that it runs, where others could help with that. */
  get jobToHelp(): HostedJob | undefined {
    const control = this.#wantsHelp ? this.#job?.control : undefined;
    return control !== undefined && 'asset' in control ? control : undefined;
  }

  /** Whether it helps with another's job and was not told to end that. */
  get isHelping(): boolean {
    return this.#help?.isEnding === false;
  }

  /** The limit that the job at work counts against, until the worker has stopped. */
  get workerLimit(): WorkerLimit | undefined {
    return this.#job?.control.workerLimit ?? this.#help?.workerLimit;
  }

  hasAsset(assetId: number): boolean {
    return this.#assetBytes.has(assetId);
  }

  /**
   * Runs a job; the worker must be free. One that is still starting gets it as soon as it has started.
   * @throws {BackendUnavailableError} if the worker cannot start
   * @throws {NsdfLoadError} if it fails afterwards
   */
  run(job: HostedJob): Promise<DerivedSurface> {
    return this.#start<DerivedSurface>(job, (jobId) => {
      this.#sendAsset(job.assetId, job.asset);
      // Copied: what hands objects out through proxies, as some frameworks do, could not be posted.
      const options = copyTight(job.options);
      this.#post({ kind: 'derive', jobId, assetId: job.assetId, options }, [...collectBuffers(options)]);
    });
  }

  /** Decodes tables; the worker must be free. @throws as `run` */
  decode(job: DecodeJob): Promise<readonly TableResult[]> {
    return this.#start<readonly TableResult[]>(job, (jobId) => {
      // Copied without the file around them, which stays here.
      const requests = job.requests.map((request) => ({ ...request, bytes: request.bytes.slice() }));
      this.#post({ kind: 'decode', jobId, requests }, [
        ...collectBuffers(requests.map(({ bytes }) => bytes)),
      ]);
    });
  }

  #start<T>(job: HostedJob | DecodeJob, post: (jobId: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const jobId = this.#nextJobId++;
      const onAbort = (): void => this.#cancel(jobId, job.signal?.reason);
      const stopListening = (): void => job.signal?.removeEventListener('abort', onAbort);
      post(jobId);
      job.signal?.addEventListener('abort', onAbort);
      this.#job = {
        jobId,
        control: job,
        isCancelled: false,
        resolve: (result) => {
          stopListening();
          resolve(result as T);
        },
        reject: (reason) => {
          stopListening();
          reject(reason);
        },
      };
    });
  }

  /**
   * Runs parts of a job that another worker has, until it is released; the worker must be free.
   * @param port leads to the worker with the job.
   */
  help({ assetId, asset, options, workerLimit }: HostedJob, port: MessagePort): void {
    const jobId = this.#nextJobId++;
    this.#help = { jobId, workerLimit, isEnding: false };
    this.#sendAsset(assetId, asset);
    // What only the worker with the job needs stays there.
    const { candidates: _c, regions: _r, derived: _d, recordsFor: _f, ...rest } = options;
    const copy = copyTight(rest);
    this.#post({ kind: 'help', jobId, assetId, options: copy, port }, [port, ...collectBuffers(copy)]);
  }

  /** Ends helping, after the part that it has or, where nobody wants that any more, at once. */
  release(isAborted: boolean): void {
    const help = this.#help;
    if (help === undefined || this.#state === 'dead') return;
    if (!help.isEnding || isAborted) this.#post({ kind: 'release', jobId: help.jobId, isAborted });
    help.isEnding = true;
    if (!isAborted || this.#state === 'starting') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.terminate(new NsdfLoadError('The worker did not stop.')),
      this.#options.cancelGraceMs,
    );
  }

  /** Tells the worker with the job of a helper. */
  addHelper(helperId: number, port: MessagePort): void {
    if (this.#job) this.#post({ kind: 'helper', jobId: this.#job.jobId, helperId, port }, [port]);
  }

  /** Tells the worker with the job that a helper died. */
  loseHelper(helperId: number): void {
    if (this.#job) this.#post({ kind: 'helperLost', jobId: this.#job.jobId, helperId });
  }

  /** Ends the worker at once; a running job rejects with `reason`. */
  terminate(reason: unknown): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    clearTimeout(this.#timer);
    this.#worker.terminate();
    this.#job?.reject(reason);
    this.#job = undefined;
    this.#help = undefined;
    this.#onChange(this);
  }

  #fail(what: string): void {
    const ErrorClass = this.#state === 'starting' ? BackendUnavailableError : NsdfLoadError;
    this.terminate(new ErrorClass(`The worker failed: ${what}.`));
  }

  /** Answers the caller now; the worker stays taken until it says that it has stopped, or is terminated. */
  #cancel(jobId: number, reason: unknown): void {
    if (this.#job?.jobId !== jobId || this.#job.isCancelled) return;
    this.#job.isCancelled = true;
    this.#job.reject(reason);
    this.#post({ kind: 'cancel', jobId });
    if (this.#state === 'starting') return; // reads the cancel before it does any work
    this.#timer = setTimeout(() => this.terminate(reason), this.#options.cancelGraceMs);
  }

  /** What is no message of ours, from a tool in the worker or a bundler's client, is none of ours to answer. */
  #receive(data: unknown): void {
    if (this.#state === 'dead' || typeof data !== 'object' || data === null) return;
    const message = data as FromWorker;
    if (message.kind === 'ready') {
      clearTimeout(this.#timer);
      this.#state = 'ready';
      this.#hasStarted = true;
      this.#onChange(this);
      return;
    }
    if (message.kind === 'released') {
      if (message.jobId !== this.#help?.jobId) return;
      clearTimeout(this.#timer);
      this.#help = undefined;
      this.#onChange(this);
      return;
    }
    const job = this.#job;
    if (job?.jobId !== message.jobId) return;
    if (message.kind === 'progress') {
      this.#reportProgress(job, message);
      return;
    }
    if (message.kind === 'wantHelp') {
      this.#wantsHelp = true;
      this.#onChange(this);
      return;
    }
    if (!ENDINGS.includes(message.kind)) return;
    clearTimeout(this.#timer);
    this.#job = undefined;
    this.#wantsHelp = false;
    if (message.kind === 'done') job.resolve(message.surface);
    if (message.kind === 'decoded') job.resolve(message.tables);
    if (message.kind === 'failed') job.reject(fromWire(message.error));
    this.#onChange(this);
  }

  #reportProgress(job: RunningJob, { progress }: FromWorker & { kind: 'progress' }): void {
    const { jobId, control, isCancelled } = job;
    if (isCancelled) return;
    try {
      if ('onProgress' in control) control.onProgress?.(progress);
    } catch (error) {
      this.#cancel(jobId, error); // as on the other backends: a callback that throws ends its job
    }
  }

  #sendAsset(assetId: number, asset: FieldAsset): void {
    const knownBytes = this.#assetBytes.get(assetId);
    if (knownBytes !== undefined) {
      this.#assetBytes.delete(assetId); // set again below: the map is in order of use
      this.#assetBytes.set(assetId, knownBytes);
      return;
    }
    // Partitions are looked at on the page: no job needs them.
    const { partitions: _partitions, ...rest } = asset;
    const copy = copyTight(rest);
    const buffers = [...collectBuffers(copy)];
    const nBytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.#post({ kind: 'asset', assetId, asset: copy }, buffers);
    this.#assetBytes.set(assetId, nBytes);
    this.#forgetOldAssets(assetId);
  }

  #forgetOldAssets(keptId: number): void {
    let total = [...this.#assetBytes.values()].reduce((sum, nBytes) => sum + nBytes, 0);
    for (const [assetId, nBytes] of this.#assetBytes) {
      if (total <= this.#options.maxAssetBytes || assetId === keptId) return;
      this.#assetBytes.delete(assetId);
      this.#post({ kind: 'forget', assetId });
      total -= nBytes;
    }
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
