import { NsdfLoadError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { Backend, DeriveProgress, WorkerLimit } from '../options.ts';
import type { DerivedSurface, Job, JobOptions } from './steps.ts';

/** How a backend meets the caller. */
export interface BackendControl {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: DeriveProgress) => void) | undefined;
  /** The GPU device that was given to us. */
  readonly device?: GPUDevice | undefined;
  /** The share of the page's workers that this job counts against. */
  readonly workerLimit?: WorkerLimit | undefined;
  /** Whether nobody asked for this backend by name. */
  readonly isAuto?: boolean;
}

/**
 * What a backend gives: the surface; where its parts ran, where that is not clear from the backend's name; `maker` where its
 * bytes are not those of the cpu; who made the mesh and who searched for it, where that was not the backend itself.
 */
export type BackendSurface = DerivedSurface & {
  readonly where?: string;
  readonly maker?: 'gpu';
  readonly madeBy?: Backend;
  readonly searchedBy?: Backend;
};

/** A place where derivations run. */
export interface DeriveBackend {
  readonly kind: Backend;
  /** What choosing this backend by itself is good for, for the statistics. */
  readonly merit: string;
  /** Says why it cannot run here, or undefined where it seems to; starts nothing. */
  unavailable(control?: BackendControl): string | undefined;
  /** Whether it is worth while to try this backend for such a job if nobody asked for it. Default: always. */
  isWorthwhile?(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<boolean>;
  /** Hears of a job that this was not worth while for, and how another backend did it. Nobody waits for it; it never throws. */
  learn?(asset: FieldAsset, options: JobOptions, control: BackendControl, done: BackendSurface): void;
  /**
   * @throws {BackendUnavailableError} if it turns out only now that it cannot run here: the next backend is tried
   * @throws `signal.reason` within 50 ms of an abort, and whatever the job throws
   */
  derive(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<BackendSurface>;
}

/** A backend turned out not to work here, before it did any work; never reaches the user. */
export class BackendUnavailableError extends NsdfLoadError {}

/** A surface, the backend that made it, and why those before it did not. */
export interface BackendRun {
  readonly surface: BackendSurface;
  readonly backend: DeriveBackend;
  readonly refusals: readonly string[];
}

/**
 * Derives with the first of the backends that works.
 * @throws {BackendUnavailableError} if none does; whatever the job throws
 */
export async function runFirst(
  backends: readonly DeriveBackend[],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<BackendRun> {
  const refusals: string[] = [];
  const passedOver: DeriveBackend[] = [];
  for (const backend of backends) {
    if (control.isAuto && (await backend.isWorthwhile?.(asset, options, control)) === false) {
      passedOver.push(backend);
      continue;
    }
    const refusal = backend.unavailable(control);
    if (refusal !== undefined) {
      refusals.push(`${backend.kind}: ${refusal}`);
      continue;
    }
    try {
      const surface = await backend.derive(asset, options, control);
      for (const other of passedOver) other.learn?.(asset, options, control, surface);
      return { surface, backend, refusals };
    } catch (error) {
      if (!(error instanceof BackendUnavailableError)) throw error;
      refusals.push(`${backend.kind}: ${error.message}`);
    }
  }
  throw new BackendUnavailableError(`No backend can run here (${refusals.join('; ')}).`);
}

/**
 * Runs jobs in place, in slices of about 8 ms between which the event loop is served.
 * @param loadJob loads the code of the work when it is first needed: a page whose workers start never needs it
 */
export function createCpuBackend(loadJob: () => Promise<Job>): DeriveBackend {
  return {
    kind: 'cpu',
    merit: 'it runs everywhere',
    unavailable: () => undefined,
    async derive(asset, options, { signal, onProgress }) {
      const [{ runJob }, job] = await Promise.all([import('./drive.ts'), loadJob()]);
      signal?.throwIfAborted();
      return runJob(job, asset, options, {
        throwIfCancelled: () => signal?.throwIfAborted(),
        onProgress: (progress) => onProgress?.(progress),
      });
    },
  };
}
