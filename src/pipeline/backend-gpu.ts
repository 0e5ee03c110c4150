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
import type { GpuCulled, GpuDerived } from './gpu-derivation.ts';
import type { GpuBuffers } from './gpu-mesh.ts';
import { isLarge, latticeSpacing } from './lattice-rule.ts';
import type { JobOptions } from './steps.ts';

/** The part of the backend that is loaded when it is first needed. */
export interface GpuModule {
  /**
   * Derives a field's surface on the GPU and reads it back.
   * @throws {NsdfGpuError} if there is no usable GPU, it fails, or the mesh is not sound in single precision
   * @throws {NsdfUnsupportedError} if the field cannot be derived there
   * @throws {NsdfBudgetError} if it needs more memory than there may be, and tiles of it do, too
   * @throws {BackendUnavailableError} if nobody asked for the GPU and it would not be faster
   */
  deriveField(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<GpuDerived>;
  /** The same, but the mesh stays on the GPU. */
  deriveBuffers(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<GpuBuffers>;
  /**
   * Compiles what deriving such a field needs.
   * @param nLevels grid levels that it will have, where some are still to come.
   * @throws as `deriveField`
   */
  compile(asset: FieldAsset, nLevels: number | undefined, control: BackendControl): Promise<void>;
  /** Culls a field's boxes on the GPU. @throws as `deriveField` */
  cullField(asset: FieldAsset, options: JobOptions, control: BackendControl): Promise<GpuCulled>;
  /** Ends our own device. */
  releaseDevice(): void;
}

export interface GpuBackend extends DeriveBackend {
  /** The part that is loaded when it is first needed. */
  load(): Promise<GpuModule>;
  /** Ends the backend's own device, with all that is on it. */
  dispose(): void;
}

/** Share of the progress that culling takes, where it is all that the GPU does. */
const CULL_SHARE = 0.2;
/** Share of the progress until the GPU's mesh is there, where more is to be done with it. */
const DERIVE_SHARE = 0.8;

/**
 * Derives on the GPU, on this thread; a `resolution` that is a lattice level elsewhere, too, where the GPU is asked for by
 * name, and then it is complete (`stats.method`). What the GPU cannot do it leaves to the first of `rest` that works: what comes after
 * the derivation, and jobs that need double precision (the exact complex, its structure, or a field whose mesh does not
 * come out sound in single precision), for which the GPU only culls; those meshes are theirs, byte by byte.
 *
 * It lives on the page's thread, not in the worker: only there can a renderer's device be shared (devices cannot be
 * posted), one device serves all workers, and what it asks of the thread is to encode a few passes.
 */
export function createGpuBackend(
  rest: readonly DeriveBackend[],
  loadModule: () => Promise<GpuModule>,
): GpuBackend {
  let module: Promise<GpuModule> | undefined;
  const load = (): Promise<GpuModule> => {
    module ??= loadModule();
    return module;
  };
  return {
    kind: 'gpu',
    merit: 'a large field is derived fastest there',
    unavailable: (control) =>
      control?.device === undefined && !(typeof navigator === 'object' && 'gpu' in navigator)
        ? 'there is no WebGPU here'
        : undefined,
    isWorthwhile: (asset, options) =>
      needsPartition(options) && isLarge(asset) && latticeSpacing(asset, options) === undefined,
    async derive(asset, options, control) {
      if (!needsPartition(options)) return continueWith(rest, asset, options, control, 0);
      const gpu = await load();
      let reason = whyInDoublePrecision(options);
      if (reason === undefined) {
        const outcome = await attempt(gpu, rest, asset, options, control);
        if (typeof outcome !== 'string') return outcome;
        reason = outcome;
      }
      if (latticeSpacing(asset, options) !== undefined) {
        const result = await continueWith(rest, asset, options, control, 0);
        return { ...result, where: `${result.where} (${reason})` };
      }
      const culled = await abortable(cull(gpu, asset, options, control), control.signal);
      const { candidates, timeMs, adapterName } = culled;
      const result = await continueWith(rest, asset, { ...options, candidates }, control, CULL_SHARE);
      const { partition = 0 } = result.stats.timeMs;
      const stats = { ...result.stats, timeMs: { ...result.stats.timeMs, partition: partition + timeMs } };
      const where = `culled on ${adapterName}, ${result.where} (${reason})`;
      return { ...result, stats, searchedBy: 'gpu', where };
    },
    load,
    dispose() {
      void module?.then(({ releaseDevice }) => releaseDevice());
    },
  };
}

/**
 * The whole derivation; or why it has to be done in double precision.
 * @throws {BackendUnavailableError} for whatever the GPU cannot do at all: the next backend can
 */
async function attempt(
  gpu: GpuModule,
  rest: readonly DeriveBackend[],
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<BackendSurface | string> {
  const needsMore = needsRest(options) || asset.attributes !== undefined;
  let derived: GpuDerived;
  try {
    const share = needsMore ? DERIVE_SHARE : 1;
    const onProgress: BackendControl['onProgress'] = ({ stage, fraction }) =>
      control.onProgress?.({ stage, fraction: fraction * share });
    derived = await abortable(gpu.deriveField(asset, options, { ...control, onProgress }), control.signal);
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
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
async function cull(
  gpu: GpuModule,
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuCulled> {
  try {
    return await gpu.cullField(asset, options, {
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

/** Not where a record has the regions, nor for a preview, which looks at a lattice only. */
function needsPartition({ regions, preview }: JobOptions): boolean {
  return regions === undefined && preview === undefined;
}

function whyInDoublePrecision(options: JobOptions): string | undefined {
  const name = firstNotOnGpu(options, 'never');
  return name && `${name} takes double precision`;
}

/** Whether anything comes after the derivation. */
function needsRest(options: JobOptions): boolean {
  return options.recordsFor !== undefined || firstNotOnGpu(options, 'after') !== undefined;
}
