import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { createGpuContext, disposeGpu, type GpuContext, shareDevice } from '../gpu/context.ts';
import { isoOffsetOf } from '../partition/corners.ts';
import type { Candidates } from '../partition/cull.ts';
import { cullOnGpu } from '../partition/gpu/gpu-cull.ts';
import { type BackendControl, BackendUnavailableError } from './backend.ts';
import { makePlan } from './plan.ts';
import type { JobOptions } from './steps.ts';

/** Boxes that the GPU left over, and how that went. */
export interface GpuCulled {
  readonly candidates: Candidates;
  readonly timeMs: number;
  readonly adapterName: string;
}

// One device serves all derivations of a page, as one pool of workers does; made at the first, replaced when lost.
let own: Promise<GpuContext> | undefined;
const shared = new WeakMap<GPUDevice, GpuContext>();

/** See `GpuModule.cullField`. */
export async function cullField(
  asset: FieldAsset,
  options: JobOptions,
  { device, isAuto, signal, onProgress }: BackendControl,
): Promise<GpuCulled> {
  const startMs = performance.now();
  const context = device ? contextOf(device) : await ownContext();
  if (isAuto && context.isSoftware) {
    // SwiftShader against one worker, bunny-L: 24 s of processor time against 5 s (2026-11-24).
    throw new BackendUnavailableError(
      `${context.adapterName} computes on the processor, slower than a worker`,
    );
  }
  const plan = makePlan(createCpuField(asset), options);
  const { boxes, nTested } = await cullOnGpu(context, asset, plan.lattice, {
    isoOffset: isoOffsetOf(asset),
    signal,
    onProgress: (fraction) => onProgress?.({ stage: 'partition', fraction }),
  });
  return {
    candidates: { boxes, nTested },
    timeMs: performance.now() - startMs,
    adapterName: context.adapterName,
  };
}

/** See `GpuModule.releaseDevice`. */
export function releaseDevice(): void {
  void own?.then(disposeGpu, () => {});
  own = undefined;
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
