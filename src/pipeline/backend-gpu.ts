import { NsdfGpuError, NsdfUnsupportedError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { type BackendControl, BackendUnavailableError, type DeriveBackend, runFirst } from './backend.ts';
import type { GpuCulled } from './gpu-culling.ts';
import type { JobOptions } from './steps.ts';

/** The part of the backend that is loaded when it is first needed. */
export interface GpuModule {
  /**
   * Culls a field's boxes on the GPU.
   * @throws {NsdfGpuError} if there is no usable GPU, or it fails
   * @throws {NsdfUnsupportedError} if the field cannot be culled there
   * @throws {BackendUnavailableError} if nobody asked for the GPU and it would not be faster
   */
  cullField(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<GpuCulled>;
  /** Ends our own device. */
  releaseDevice(): void;
}

export interface GpuBackend extends DeriveBackend {
  /** Ends the backend's own device, with all that is on it. */
  dispose(): void;
}

/**
 * Boxes from which on `auto` considers the GPU. Culling 0.7 million boxes takes a worker 0.4 s, 31 million 4.5 s; a
 * device and its first pipelines take up to a second. Not measured on hardware.
 */
const MIN_AUTO_BOXES = 4e6;
/** Share of the progress that culling takes. */
const CULL_SHARE = 0.2;

/**
 * Culls on the GPU, on this thread, and has the rest done by the first of `rest` that works, which verifies what the
 * GPU left over in double precision: the mesh is theirs, byte by byte.
 *
 * It lives on the page's thread, not in the worker: only there can a renderer's device be shared (devices cannot be
 * posted), one device serves all workers, and what it asks of the thread is to encode a few passes.
 */
export function createGpuBackend(
  rest: readonly DeriveBackend[],
  loadModule: () => Promise<GpuModule>,
): GpuBackend {
  let module: Promise<GpuModule> | undefined;
  return {
    kind: 'gpu',
    merit: 'a large field is culled fastest there',
    unavailable: (control) =>
      control?.device === undefined && !(typeof navigator === 'object' && 'gpu' in navigator)
        ? 'there is no WebGPU here'
        : undefined,
    isWorthwhile: (asset, options) => needsCulling(options) && countBoxes(asset) >= MIN_AUTO_BOXES,
    async derive(asset, options, control) {
      if (!needsCulling(options)) return continueWith(rest, asset, options, control);
      module ??= loadModule();
      const { cullField } = await module;
      const culled = await abortable(cull(cullField, asset, options, control), control.signal);
      const { candidates, timeMs, adapterName } = culled;
      const result = await continueWith(rest, asset, { ...options, candidates }, control);
      const { partition = 0 } = result.stats.timeMs;
      const stats = { ...result.stats, timeMs: { ...result.stats.timeMs, partition: partition + timeMs } };
      return { ...result, stats, where: `culled on ${adapterName}, ${result.where}` };
    },
    dispose() {
      void module?.then(({ releaseDevice }) => releaseDevice());
    },
  };
}

/** @throws {BackendUnavailableError} for whatever the GPU cannot do: the next backend can. */
async function cull(
  cullField: GpuModule['cullField'],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuCulled> {
  try {
    return await cullField(asset, options, {
      ...control,
      onProgress: ({ stage, fraction }) => control.onProgress?.({ stage, fraction: fraction * CULL_SHARE }),
    });
  } catch (error) {
    if (error instanceof NsdfGpuError || error instanceof NsdfUnsupportedError) {
      throw new BackendUnavailableError(error.message, { cause: error });
    }
    throw error;
  }
}

async function continueWith(
  rest: readonly DeriveBackend[],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
) {
  const from = options.candidates === undefined ? 0 : CULL_SHARE;
  const { surface, backend } = await runFirst(rest, asset, options, {
    ...control,
    onProgress: ({ stage, fraction }) =>
      control.onProgress?.({ stage, fraction: from + (1 - from) * fraction }),
  });
  return { ...surface, where: `the rest by ${backend.kind}` };
}

/** Not where a record has the regions, nor for a preview, which looks at a lattice only. */
function needsCulling({ regions, preview }: JobOptions): boolean {
  return regions === undefined && preview === undefined;
}

/** About as many boxes as the field's lattice has: an upper bound. */
function countBoxes({ encoding }: FieldAsset): number {
  if (encoding.kind !== 'hash-grid') return 0;
  return (1 + encoding.levels.reduce((sum, { scale }) => sum + Math.ceil(scale), 0)) ** 3;
}

/** Rejects with the signal's reason as soon as that aborts; the GPU's own work ends at its next question. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
