import { NsdfBudgetError, NsdfGpuError, NsdfUnsupportedError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { firstNotOnGpu } from '../options.ts';
import { abortable } from './abortable.ts';
import {
  type BackendControl,
  type BackendSurface,
  BackendUnavailableError,
  type DeriveBackend,
  runFirst,
} from './backend.ts';
import { compile, cullField, deriveField, type GpuCulled, type GpuDerived } from './gpu-derivation.ts';
import { contextFor } from './gpu-device.ts';
import { isPrepared } from './gpu-sessions.ts';
import { isGpuFaster, rememberGain } from './gpu-speed.ts';
import { latticeSpacing, needsPartition } from './lattice-rule.ts';
import type { JobOptions, SurfaceStats } from './steps.ts';

export { compile, deriveBuffers } from './gpu-derivation.ts';
export { releaseDevice } from './gpu-sessions.ts';

/** Share of the progress that culling takes, where it is all that the GPU does. */
const CULL_SHARE = 0.2;
/** Share of the progress until the GPU's mesh is there, where more is to be done with it. */
const DERIVE_SHARE = 0.8;

/**
 * Derives on the GPU; a `resolution` that is a lattice level elsewhere, too, where the GPU is asked for by name, and then it
 * is complete (`stats.method`). What the GPU cannot do it leaves to the first of `rest` that works: what comes after the
 * derivation, and jobs that need double precision (the exact complex, its structure, or a field whose mesh does not come out
 * sound in single precision), for which the GPU only culls; those meshes are theirs, byte by byte.
 * @throws as `DeriveBackend.derive` does
 */
export async function deriveJob(
  rest: readonly DeriveBackend[],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<BackendSurface> {
  if (!needsPartition(options)) return continueWith(rest, asset, options, control, 0);
  let reason = whyInDoublePrecision(options);
  if (reason === undefined) {
    const outcome = await attempt(rest, asset, options, control);
    if (typeof outcome !== 'string') return outcome;
    reason = outcome;
  }
  if (latticeSpacing(asset, options) !== undefined) {
    const result = await continueWith(rest, asset, options, control, 0);
    return { ...result, where: `${result.where} (${reason})` };
  }
  const culled = await abortable(cull(asset, options, control), control.signal);
  const { candidates, timeMs, adapterName } = culled;
  const result = await continueWith(rest, asset, { ...options, candidates }, control, CULL_SHARE);
  const { partition = 0 } = result.stats.timeMs;
  const stats = { ...result.stats, timeMs: { ...result.stats.timeMs, partition: partition + timeMs } };
  const where = `culled on ${adapterName}, ${result.where} (${reason})`;
  return { ...result, stats, searchedBy: 'gpu', where };
}

/**
 * The whole derivation; or why it has to be done in double precision.
 * @throws {BackendUnavailableError} for whatever the GPU cannot do at all: the next backend can
 */
async function attempt(
  rest: readonly DeriveBackend[],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<BackendSurface | string> {
  const needsMore = needsRest(options) || asset.attributes !== undefined;
  let derived: GpuDerived;
  const { isAuto } = control;
  try {
    const share = needsMore ? DERIVE_SHARE : 1;
    const onProgress: BackendControl['onProgress'] = ({ stage, fraction }) =>
      control.onProgress?.({ stage, fraction: fraction * share });
    derived = await abortable(deriveField(asset, options, { ...control, onProgress }), control.signal);
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
  // Nobody asked for a mesh that is less true than a worker's.
  if (isAuto && derived.surface.stats.isWithinTolerance === false)
    return 'its mesh is not within the tolerance';
  const where = `derived on ${derived.where}`;
  if (!needsMore) return { ...derived.surface, maker: 'gpu', where };
  const job = { ...options, derived: derived.surface };
  const result = await continueWith(rest, asset, job, control, DERIVE_SHARE);
  return { ...result, maker: 'gpu', madeBy: 'gpu', where: `${where}, ${result.where}` };
}

type Refusal = NsdfGpuError | NsdfUnsupportedError | NsdfBudgetError;

function isRefusal(error: unknown): error is Refusal {
  return (
    error instanceof NsdfGpuError || error instanceof NsdfUnsupportedError || error instanceof NsdfBudgetError
  );
}

/** @throws {BackendUnavailableError} for whatever the GPU cannot do: the next backend can. */
async function cull(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<GpuCulled> {
  try {
    return await cullField(asset, options, {
      ...control,
      onProgress: ({ stage, fraction }) => control.onProgress?.({ stage, fraction: fraction * CULL_SHARE }),
    });
  } catch (error) {
    if (isRefusal(error)) throw new BackendUnavailableError(error.message, { cause: error });
    throw error;
  }
}

async function continueWith(
  rest: readonly DeriveBackend[],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
  from: number,
): Promise<BackendSurface> {
  const { surface, backend } = await runFirst(rest, asset, options, {
    ...control,
    onProgress: ({ stage, fraction }) =>
      control.onProgress?.({ stage, fraction: from + (1 - from) * fraction }),
  });
  return { ...surface, madeBy: backend.kind, where: `the rest by ${backend.kind}` };
}

function whyInDoublePrecision(options: JobOptions): string | undefined {
  const name = firstNotOnGpu(options, 'never');
  return name && `${name} takes double precision`;
}

/** Whether anything comes after the derivation. */
function needsRest(options: JobOptions): boolean {
  return options.recordsFor !== undefined || firstNotOnGpu(options, 'after') !== undefined;
}

/** Whether such a field is derived faster here than in a worker, and the kernels for it are compiled. @throws as `contextFor` */
export async function isFast(asset: FieldAsset, control: BackendControl): Promise<boolean> {
  const context = await contextFor(control);
  return isGpuFaster(context.adapterName) === true && isPrepared(context, asset);
}

/** Fields of a page that an adapter is measured with at most, where it refuses the first ones. */
const MAX_MEASURED = 3;
let nMeasured = 0;
let isLearning = false;

/**
 * Repeats a derivation that took a worker so long, where this adapter was never measured, and remembers which was faster;
 * where it was measured, and is, compiles the kernels for such fields. One at a time; where that fails nothing is learnt.
 */
export async function learn(
  asset: FieldAsset,
  options: JobOptions,
  { device, isAuto = false }: BackendControl,
  timeMs: SurfaceStats['timeMs'],
): Promise<void> {
  if (isLearning) return;
  isLearning = true;
  // What nobody waits for ends when it is done, and tells nobody.
  const control = { device, isAuto, signal: undefined, onProgress: undefined };
  try {
    const { adapterName, isSoftware } = await contextFor({ ...control, isAuto: false });
    const isFaster = isGpuFaster(adapterName);
    if (isSoftware) rememberGain(adapterName, 0);
    else if (isFaster) await compile(asset, undefined, control);
    else if (isFaster === undefined && nMeasured++ < MAX_MEASURED) {
      // The first one compiles, and learns how much room it takes.
      await deriveField(asset, options, control);
      const startMs = performance.now();
      await deriveField(asset, options, control);
      const workerMs = Object.values(timeMs).reduce((sum, time) => sum + time, 0);
      rememberGain(adapterName, workerMs / (performance.now() - startMs));
    }
  } catch {
    // The next field may do.
  } finally {
    isLearning = false;
  }
}
