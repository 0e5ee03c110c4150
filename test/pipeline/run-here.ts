import type { FieldAsset } from '../../src/format/asset.ts';
import { type Helpers, runJob } from '../../src/pipeline/drive.ts';
import { JOB } from '../../src/pipeline/job.ts';
import type { DerivedSurface, JobOptions } from '../../src/pipeline/steps.ts';

/** Runs a whole job on this thread, with whoever helps. */
export function runHere(
  asset: FieldAsset,
  options: JobOptions = {},
  helpers?: Helpers,
): Promise<DerivedSurface> {
  return runJob(JOB, asset, options, { throwIfCancelled: () => {}, onProgress: () => {} }, helpers);
}
