import {
  type DeriveOptions,
  type DeriveResult,
  deriveGpuMesh,
  deriveMesh,
  type FieldAsset,
  type GpuMesh,
  NsdfBudgetError,
  NsdfGpuError,
  NsdfUnsupportedError,
} from '../index.ts';
import { firstNotOnGpu } from '../options.ts';

/** A surface that stays on the GPU, or one that was read back. */
export type GpuOutput = { readonly onGpu: GpuMesh } | { readonly readBack: DeriveResult };

/**
 * Derives a surface that is to stay on an engine's device; where it cannot, it is read back, and `stats.backendReason` says
 * why.
 * @param place the engine's device, or why the engine cannot draw from buffers of ours.
 * @throws what `deriveMesh` throws
 */
export async function deriveForGpu(
  asset: FieldAsset,
  options: DeriveOptions,
  place: GPUDevice | string,
): Promise<GpuOutput> {
  if (typeof place === 'string') return readBack(asset, options, place);
  const reason = whyReadBack(asset, options);
  if (reason !== undefined) return readBack(asset, { device: place, ...options }, reason);
  try {
    return { onGpu: await deriveGpuMesh(asset, { ...options, device: place }) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // What the GPU cannot do here it cannot do for a mesh that is read back either.
    const result = await deriveMesh(asset, { ...options, backend: 'worker' });
    const backendReason = `fallback to ${result.stats.backend} (gpu: ${error.message})`;
    return { readBack: { ...result, stats: { ...result.stats, backendReason } } };
  }
}

async function readBack(asset: FieldAsset, options: DeriveOptions, reason: string): Promise<GpuOutput> {
  const result = await deriveMesh(asset, options);
  const { stats } = result;
  const backendReason = `${stats.backendReason}; read back (${reason})`;
  return { readBack: { ...result, stats: { ...stats, backendReason } } };
}

/** What has to be done with the mesh on this side. */
function whyReadBack({ attributes }: FieldAsset, options: DeriveOptions): string | undefined {
  if (attributes) return `${Object.keys(attributes).join(', ')} is evaluated at vertices that are read back`;
  const { backend } = options;
  if (backend === 'cpu' || backend === 'worker') return `the backend ${backend} was asked for`;
  const name = firstNotOnGpu(options, 'never', 'after');
  return name && `${name} is not for meshes on the GPU`;
}

function isRefusal(error: unknown): error is Error {
  return (
    error instanceof NsdfGpuError || error instanceof NsdfUnsupportedError || error instanceof NsdfBudgetError
  );
}
