import { createGpuContext, disposeGpu, type GpuContext, shareDevice } from '../gpu/context.ts';
import { type BackendControl, BackendUnavailableError } from './backend.ts';

/** The device that was given, if any, and whether nobody asked for the GPU by name. */
type GpuWish = Pick<BackendControl, 'device' | 'isAuto'>;

// One device serves all GPU work of a page, as one pool of workers does; made at the first, replaced when lost.
let own: Promise<GpuContext> | undefined;
const shared = new WeakMap<GPUDevice, GpuContext>();

/** Ends our own device, with all that is on it. */
export function releaseOwnDevice(): void {
  void own?.then(disposeGpu, () => {});
  own = undefined;
}

/**
 * The device that work is for: the one that was given, else our own.
 * @throws {NsdfGpuError} if there is none
 * @throws {BackendUnavailableError} if nobody asked for the GPU and it computes on the processor
 */
export async function contextFor({ device, isAuto }: GpuWish): Promise<GpuContext> {
  const context = device ? contextOf(device) : await ownContext();
  if (isAuto && context.isSoftware) {
    // SwiftShader against one worker, bunny-L: 24 s of processor time against 5 s (2026-11-24).
    throw new BackendUnavailableError(
      `${context.adapterName} computes on the processor, slower than a worker`,
    );
  }
  return context;
}

async function ownContext(): Promise<GpuContext> {
  const current = own ?? createGpuContext();
  own = current;
  try {
    const context = await current;
    if (context.lossReason() === undefined) return context;
  } catch (error) {
    if (own === current) own = undefined;
    throw error;
  }
  if (own === current) own = undefined;
  return ownContext();
}

function contextOf(device: GPUDevice): GpuContext {
  const context = shared.get(device) ?? shareDevice(device);
  shared.set(device, context);
  return context;
}
