import { NsdfLoadError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { Backend, DeriveProgress } from './options.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';

/** How a backend meets the caller. */
export interface BackendControl {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: DeriveProgress) => void) | undefined;
}

/** A place where derivations run. */
export interface DeriveBackend {
  readonly kind: Backend;
  /** What choosing this backend by itself is good for, for the statistics. */
  readonly merit: string;
  /** Says why it cannot run here, or undefined where it seems to; starts nothing. */
  unavailable(): string | undefined;
  /**
   * @throws {BackendUnavailableError} if it turns out only now that it cannot run here: the next backend is tried
   * @throws `signal.reason` within 50 ms of an abort, and whatever the job throws
   */
  derive(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<DerivedSurface>;
}

/** A backend turned out not to work here, before it did any work; never reaches the user. */
export class BackendUnavailableError extends NsdfLoadError {}
