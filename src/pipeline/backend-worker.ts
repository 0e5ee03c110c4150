import type { FieldAsset } from '../format/asset.ts';
import { NetworkMap } from '../format/network-map.ts';
import type { TableResult } from '../format/table-store.ts';
import { type OptionNames, refuseUnknownOptions } from '../options.ts';
import { BackendUnavailableError, type DeriveBackend } from './backend.ts';
import { startWorker } from './start-worker.ts';
import type { DecodeJob, WorkerLike } from './worker-host.ts';
import { WorkerPool } from './worker-pool.ts';

/** How workers are started. */
export interface WorkerConfig {
  /** Starts one worker. For pages whose bundler does not find the package's worker.js by itself. */
  readonly createWorker?: () => WorkerLike;
  /** Workers at once. Default: one less than the machine has cores, at least 2 and at most 8. Those without a job of their own help with others. */
  readonly maxWorkers?: number;
  /**
   * Whether the console is told, once a page, that no worker could be started and the page's own thread does its work.
   * Default: true.
   */
  readonly warn?: boolean;
}

const WORKER_CONFIG_NAMES = {
  createWorker: true,
  maxWorkers: true,
  warn: true,
} satisfies OptionNames<WorkerConfig>;

/** Runs jobs in module workers, which leaves the page's own thread free. */
export interface WorkerBackend extends DeriveBackend {
  /**
   * Decodes tables.
   * @throws {BackendUnavailableError} if no worker can run here; `job.signal.reason` on abort
   */
  decode(job: DecodeJob): Promise<readonly TableResult[]>;
  /** Terminates the workers; running jobs reject with an NsdfLoadError. The next job starts new ones. */
  dispose(): void;
  /** Terminates the workers; the next ones are started as `config` says. */
  configure(config: WorkerConfig): void;
}

/** Two even on two cores: a first picture must not wait for a long job. */
const MIN_WORKERS = 2;
const MAX_WORKERS = 8;

function defaultMaxWorkers(): number {
  const nSpare = (globalThis.navigator?.hardwareConcurrency ?? 2) - 1;
  return Math.max(MIN_WORKERS, Math.min(MAX_WORKERS, nSpare));
}

/** Makes the worker backend; nothing is started before the first job. */
export function createWorkerBackend(initialConfig: WorkerConfig = {}): WorkerBackend {
  const assetIds = new NetworkMap<number>();
  let nAssets = 0;
  let config = initialConfig;
  let pool: WorkerPool | undefined;
  let hasWarned = false;

  function idOf(asset: FieldAsset): number {
    const id = assetIds.get(asset) ?? ++nAssets;
    assetIds.set(asset, id);
    return id;
  }

  function dispose(): void {
    pool?.dispose();
    pool = undefined;
  }

  /** A bundler that leaves the worker's file behind would otherwise go unnoticed: the mesh is the same, the page slow. */
  function warnOnce(error: unknown): void {
    if (!(error instanceof BackendUnavailableError) || hasWarned || config.warn === false) return;
    hasWarned = true;
    console.warn(
      `nsdf-loader: ${error.message} The page's own thread derives instead. Serve nsdf-loader/worker and name it in ` +
        'configureWorkers({ createWorker }), or say configureWorkers({ warn: false }): see docs/guides/bundlers.md.',
    );
  }

  function openPool(): WorkerPool {
    pool ??= new WorkerPool({
      createWorker: config.createWorker ?? startWorker,
      maxWorkers: config.maxWorkers ?? defaultMaxWorkers(),
    });
    return pool;
  }

  return {
    kind: 'worker',
    merit: 'a module worker keeps this thread free',
    unavailable() {
      if (!config.createWorker && typeof Worker === 'undefined') return 'there is no Worker here';
      return pool?.refusal;
    },
    async derive(asset, options, control) {
      const run = openPool().run({ assetId: idOf(asset), asset, options, ...control });
      run.catch(warnOnce);
      return run;
    },
    async decode(job) {
      const run = openPool().decode(job);
      run.catch(warnOnce);
      return run;
    },
    dispose,
    configure(newConfig) {
      refuseUnknownOptions('configureWorkers', newConfig, WORKER_CONFIG_NAMES);
      dispose();
      config = newConfig;
    },
  };
}

/** The page's workers, shared by everything on it that derives or decodes: nothing is started before the first job. */
export const workerBackend = createWorkerBackend();

/** Terminates the shared workers; running jobs reject with an NsdfLoadError, the next job starts new workers. */
export function disposeWorkers(): void {
  workerBackend.dispose();
}

/**
 * Says how workers are started, for pages whose bundler does not find the package's worker.js; ends the running ones.
 * @example
 * configureWorkers({ createWorker: () => new Worker('/static/nsdf-worker.js', { type: 'module' }) });
 */
export function configureWorkers(config: WorkerConfig): void {
  workerBackend.configure(config);
}
