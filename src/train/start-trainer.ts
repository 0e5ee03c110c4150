import { NsdfBudgetError, NsdfGpuError, NsdfUnsupportedError } from '../errors.ts';
import { findGpu } from '../gpu/context.ts';
import { abortable } from '../pipeline/abortable.ts';
import { BackendUnavailableError } from '../pipeline/backend.ts';
import { type FieldTrainer, ReplicaTrainer } from './field-trainer.ts';
import type { TrainBackend, TrainOptions, TrainPlan } from './options.ts';
import type { Started } from './start-replicas.ts';

/** Who takes the steps, where that is, and why there. */
export interface StartedTrainer {
  readonly trainer: FieldTrainer;
  readonly backend: TrainBackend;
  readonly backendReason: string;
}

/**
 * Starts what takes the steps: the GPU where it is asked for, or is a real one; else the replicas.
 * @throws `options.signal.reason` when aborted
 */
export async function startTrainer(
  { ports, hasColors }: Pick<Started, 'ports' | 'hasColors'>,
  plan: TrainPlan,
  { device, signal }: Pick<TrainOptions, 'device' | 'signal'>,
): Promise<StartedTrainer> {
  const { backend: wanted } = plan;
  const onReplicas = (backendReason: string): StartedTrainer => {
    return { trainer: new ReplicaTrainer(ports), backend: 'cpu', backendReason };
  };
  if (wanted === 'cpu') return onReplicas('asked for');
  const refusal = whyNot(hasColors, device);
  if (refusal !== undefined) return onReplicas(`fallback to cpu (gpu: ${refusal})`);
  const isAuto = wanted === 'auto';
  try {
    // Loaded where there may be a GPU: kernels are text that nobody else needs.
    const { createGpuTrainer } = await import('./gpu/gpu-trainer.ts');
    const starting = createGpuTrainer({ device, isAuto }, ports, plan);
    const trainer = await abortable(starting, signal, (late) => late.close());
    const backendReason = `${isAuto ? 'auto: there is a GPU' : 'asked for'}; trained on ${trainer.adapterName}`;
    return { trainer, backend: 'gpu', backendReason };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isRefusal(error)) throw error;
    return onReplicas(`fallback to cpu (gpu: ${error.message})`);
  }
}

/** What speaks against the GPU before anything is asked of it. */
function whyNot(hasColors: boolean, device: GPUDevice | undefined): string | undefined {
  if (device === undefined && findGpu() === undefined) return 'there is no WebGPU here';
  // Colours train in the replicas, in step with the distances, by kernels of their own.
  return hasColors ? 'colours are trained on the processor; color: false leaves them out' : undefined;
}

/** What the GPU cannot do, and the replicas can. */
function isRefusal(error: unknown): error is Error {
  const kinds = [NsdfGpuError, NsdfUnsupportedError, NsdfBudgetError, BackendUnavailableError];
  return kinds.some((kind) => error instanceof kind);
}
