import type { FieldAsset } from '../format/asset.ts';
import type { TableRequest, TableResult } from '../format/table-store.ts';
import type { DeriveProgress } from '../options.ts';
import type { WireError } from './error-wire.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';

/** What the page says to a worker. Assets are sent once and named by number afterwards. */
export type ToWorker =
  | { readonly kind: 'asset'; readonly assetId: number; readonly asset: FieldAsset }
  | { readonly kind: 'forget'; readonly assetId: number }
  | {
      readonly kind: 'derive';
      readonly jobId: number;
      readonly assetId: number;
      readonly options: JobOptions;
    }
  | { readonly kind: 'decode'; readonly jobId: number; readonly requests: readonly TableRequest[] }
  | { readonly kind: 'cancel'; readonly jobId: number }
  /** To a worker without a job: to run parts of another's, which come in at the port. */
  | {
      readonly kind: 'help';
      readonly jobId: number;
      readonly assetId: number;
      readonly options: JobOptions;
      readonly port: MessagePort;
    }
  /** To one that helps: to end that, after the part that it has or at once. */
  | { readonly kind: 'release'; readonly jobId: number; readonly isAborted: boolean }
  /** To the worker with the job: somebody helps it; somebody is gone. */
  | {
      readonly kind: 'helper';
      readonly jobId: number;
      readonly helperId: number;
      readonly port: MessagePort;
    }
  | { readonly kind: 'helperLost'; readonly jobId: number; readonly helperId: number };

/**
 * What a worker says to the page: `ready` once, then for each job progress, at most once that others could help with it,
 * and exactly one ending; `released` ends helping.
 */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'wantHelp'; readonly jobId: number }
  | { readonly kind: 'released'; readonly jobId: number }
  | { readonly kind: 'progress'; readonly jobId: number; readonly progress: DeriveProgress }
  | { readonly kind: 'done'; readonly jobId: number; readonly surface: DerivedSurface }
  | { readonly kind: 'decoded'; readonly jobId: number; readonly tables: readonly TableResult[] }
  | { readonly kind: 'failed'; readonly jobId: number; readonly error: WireError }
  | { readonly kind: 'cancelled'; readonly jobId: number };
