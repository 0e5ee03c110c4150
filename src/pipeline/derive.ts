import type { RecordCache } from '../cache/record-cache.ts';
import { NsdfArgumentError } from '../errors.ts';
import { assertField } from '../format/assert-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { DeriveOptions } from '../options.ts';
import { validateDeriveOptions } from '../options.ts';
import { abortable } from './abortable.ts';
import { createCpuBackend } from './backend.ts';
import { createGpuBackend } from './backend-gpu.ts';
import { workerBackend } from './backend-worker.ts';
import type { Derive } from './cached-derive.ts';
import { defaultCache, whyNoCache } from './default-cache.ts';
import { deriveWith, jobOptionsOf, NO_CACHE } from './derive-with.ts';
import type { DeriveResult } from './figures.ts';
import type { GpuMesh, GpuMeshOptions } from './gpu-mesh.ts';
import { isGpuFaster } from './gpu-speed.ts';
import { moveBack, moveField } from './move-field.ts';

// Nothing is started, and the derivation's own code is not loaded, before the first call.
const cpuBackend = createCpuBackend(async () => (await import('./job.ts')).JOB);
const gpuBackend = createGpuBackend([workerBackend, cpuBackend], () => import('./gpu-job.ts'));
const BACKENDS = [gpuBackend, workerBackend, cpuBackend];

/**
 * Derives the mesh of a neural field: its zero set, in the field's local units. A field without one gives an empty
 * mesh and `isEmpty`.
 *
 * Runs in a module worker where there are workers, else in place in slices of about 8 ms; on the GPU where that was
 * measured to be faster: the first derivation of a machine is repeated there, in the background. `stats.backend` and `stats.backendReason` say which and why. Worker and cpu give the same bytes; the
 * GPU computes in single precision and gives a mesh of its own, which it checks: one that is not closed, not a manifold or
 * not on the zero set is derived in double precision instead.
 *
 * What was derived before is taken from a cache, see `options.cache`; `stats.cache` says whether it was.
 *
 * A field far from zero, in map coordinates say, is derived relative to its middle: `mesh.origin` says so, see `originOf`.
 *
 * @throws {NsdfArgumentError} if an option is out of range, two of them contradict each other, or the tolerance is less
 * than what single precision rounds positions by
 * @throws {NsdfFormatError} if the field breaks a rule that one in a file has to obey
 * @throws {NsdfUnsupportedError} if the field is of a kind that cannot be derived
 * @throws {NsdfBudgetError} if the surface needs more memory than there may be
 * @throws {NsdfLoadError} if the worker fails during the job, or `disposeWorkers` ends it
 * @throws `options.signal.reason` within 50 ms of an abort
 * @example
 * const { mesh, stats } = await deriveMesh(asset, { tolerance: 1e-3 });
 */
export async function deriveMesh(asset: FieldAsset, options: DeriveOptions = {}): Promise<DeriveResult> {
  validateDeriveOptions(options);
  options.signal?.throwIfAborted();
  assertField(asset);
  const moved = moveField(asset, options);
  return moveBack(await deriveThere(moved.asset, moved.options), moved.origin);
}

/** Derives a field where it lies, with what the cache has. */
async function deriveThere(asset: FieldAsset, options: DeriveOptions): Promise<DeriveResult> {
  const cache = options.cache === undefined ? defaultCache() : options.cache || null;
  const isPacked = options.cache !== false && asset.partitions !== undefined;
  if (cache === null && !isPacked) return deriveUncached(asset, options, undefined);
  const reason = whyNoPreview(options) ?? whyNoCache();
  if (reason !== undefined) return deriveUncached(asset, options, reason);
  let parts: [typeof import('./cached-derive.ts'), RecordCache | undefined];
  try {
    parts = await Promise.all([import('./cached-derive.ts'), cache?.open()]);
  } catch (error) {
    // A mesh without a cache is better than none: offline, say, with only a part of the page's code at hand.
    return deriveUncached(asset, options, `its code could not be loaded (${(error as Error).message})`);
  }
  const [{ deriveCached }, records = null] = parts;
  return deriveCached(derive, asset, options, records);
}

function whyNoPreview({ preview }: DeriveOptions): string | undefined {
  return preview === undefined ? undefined : 'a preview is made sooner than found';
}

const derive: Derive = (asset, options) => deriveWith(BACKENDS, asset, options);

async function deriveUncached(
  asset: FieldAsset,
  options: DeriveOptions,
  reason: string | undefined,
): Promise<DeriveResult> {
  const { maker: _, ...result } = await derive(asset, options);
  if (reason === undefined) return result;
  return { ...result, stats: { ...result.stats, cache: { use: 'off', reason } } };
}

/**
 * Derives on a renderer's own device and leaves the mesh there, in buffers to draw from: nothing is read back but a few
 * counts. There is nothing else to fall back to here; the engines' loaders (`output: 'gpu'`) fall back to `deriveMesh`.
 *
 * @throws {NsdfArgumentError} if an option is out of range or two of them contradict each other
 * @throws {NsdfGpuError} if the GPU fails, or the mesh is not sound in single precision
 * @throws {NsdfUnsupportedError} if the field cannot be derived there
 * @throws {NsdfBudgetError} if it needs more memory than there may be
 * @throws `options.signal.reason` within 50 ms of an abort
 * @example
 * const { positions, indices, drawArguments, dispose } = await deriveGpuMesh(asset, { device, tolerance: 1e-3 });
 */
export async function deriveGpuMesh(asset: FieldAsset, options: GpuMeshOptions): Promise<GpuMesh> {
  validateDeriveOptions(options);
  assertField(asset);
  const { device, signal, onProgress } = options;
  if (!device) {
    throw new NsdfArgumentError('device', 'deriveGpuMesh needs the GPUDevice of the renderer that will draw');
  }
  signal?.throwIfAborted();
  const startMs = performance.now();
  const gpu = await gpuBackend.load();
  const moved = moveField(asset, options);
  const deriving = gpu.deriveBuffers(moved.asset, jobOptionsOf(moved.asset, moved.options), {
    device,
    signal,
    onProgress,
  });
  const derived = await abortable(deriving, signal, (late) => late.dispose());
  const { where, stats, ...buffers } = derived;
  return {
    ...buffers,
    ...(moved.origin && { origin: moved.origin }),
    stats: {
      ...stats,
      totalTimeMs: performance.now() - startMs,
      backend: 'gpu',
      backendReason: `asked for; derived on ${where}, where it stays`,
      searchedBy: 'gpu',
      cache: NO_CACHE,
    },
  };
}

/**
 * Compiles what deriving a field on the GPU takes, so that it is there when the field is: a field of a file's first bytes
 * will do (`readNsdfPrefix`). Nothing waits for it, and where it cannot be done nothing happens.
 * @param options `nLevels`: grid levels that the field will have; `backend`: the one that will be asked for.
 * @returns whether it is compiled now.
 */
export async function prepareGpu(
  asset: FieldAsset,
  options: Pick<DeriveOptions, 'device' | 'backend'> & { readonly nLevels?: number } = {},
): Promise<boolean> {
  const { device, nLevels, backend = 'auto' } = options;
  const isAuto = backend === 'auto';
  const control = { device, isAuto, signal: undefined, onProgress: undefined };
  if (backend === 'cpu' || backend === 'worker' || gpuBackend.unavailable(control)) return false;
  if (isAuto && !isGpuFaster()) return false;
  return gpuBackend
    .load()
    .then((gpu) => gpu.compile(asset, nLevels, control))
    .then(
      () => true,
      () => false,
    );
}

/** Ends the package's own GPU device, with all that is on it; the next job that wants one makes a new one. */
export function disposeGpu(): void {
  gpuBackend.dispose();
}
