import type { FieldAsset } from '../format/asset.ts';
import type { WireError } from './error-wire.ts';
import type { DeriveProgress } from './options.ts';
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
  | { readonly kind: 'cancel'; readonly jobId: number };

/** What a worker says to the page: `ready` once, then for each job progress and exactly one ending. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly jobId: number; readonly progress: DeriveProgress }
  | { readonly kind: 'done'; readonly jobId: number; readonly surface: DerivedSurface }
  | { readonly kind: 'failed'; readonly jobId: number; readonly error: WireError }
  | { readonly kind: 'cancelled'; readonly jobId: number };
