import { NsdfBudgetError, NsdfGpuError, NsdfUnsupportedError } from '../errors.ts';
import { findGpu } from '../gpu/context.ts';
import { abortable } from '../pipeline/abortable.ts';
import { type FieldTrainer, ReplicaTrainer } from './field-trainer.ts';
import type { TrainBackend, TrainOptions, TrainPlan } from './options.ts';
import type { Started } from './start-replicas.ts';

/** Who takes the steps, where that is, and why there. */
export interface StartedTrainer {
  readonly trainer: FieldTrainer;
  readonly backend: TrainBackend;
  readonly backendReason: string;
}

/** Why nobody is given a GPU who did not ask for it: not measured on a real one. */
const AUTO = 'auto: the processor computes a sample in less time than it takes to draw it';

/**
 * Starts what takes the steps: the GPU where it is asked for, else the replicas.
 * @throws `options.signal.reason` when aborted
 */
export async function startTrainer(
  { ports, hasColors, kernel }: Pick<Started, 'ports' | 'hasColors' | 'kernel'>,
  plan: TrainPlan,
  { device, signal }: Pick<TrainOptions, 'device' | 'signal'>,
): Promise<StartedTrainer> {
  const { backend: wanted } = plan;
  // Where one makes a step sooner than two tell each other their gradients, it makes them alone.
  const isShared = ports.length > 1 && (kernel === 'javascript' || hasColors);
  const onReplicas = async (backendReason: string): Promise<StartedTrainer> => {
    return { trainer: await ReplicaTrainer.create(ports, isShared), backend: 'cpu', backendReason };
  };
  if (wanted !== 'gpu') return onReplicas(wanted === 'cpu' ? 'asked for' : AUTO);
  const refusal = whyNot(hasColors, device);
  if (refusal !== undefined) return onReplicas(`fallback to cpu (gpu: ${refusal})`);
  try {
    // Loaded where there may be a GPU: kernels are text that nobody else needs.
    const { createGpuTrainer } = await import('./gpu/gpu-trainer.ts');
    const starting = createGpuTrainer(device, ports, plan);
    const trainer = await abortable(starting, signal, (late) => late.close());
    return { trainer, backend: 'gpu', backendReason: `asked for; trained on ${trainer.adapterName}` };
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
  const kinds = [NsdfGpuError, NsdfUnsupportedError, NsdfBudgetError];
  return kinds.some((kind) => error instanceof kind);
}
