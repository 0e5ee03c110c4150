import type { FieldAsset } from '../../src/format/asset.ts';
import { runJob } from '../../src/pipeline/drive.ts';
import { JOB } from '../../src/pipeline/job.ts';
import type { DerivedSurface, JobOptions } from '../../src/pipeline/steps.ts';

/** Derives a field's surface in place, without progress. */
export function derive(asset: FieldAsset, options: JobOptions = {}): Promise<DerivedSurface> {
  return runJob(JOB, asset, options, { throwIfCancelled: () => {}, onProgress: () => {} });
}
