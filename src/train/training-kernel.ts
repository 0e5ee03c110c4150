import { Adam, LEARNING_RATE_DEFAULTS, type Moments } from './adam.ts';
import { GradientKernel, type LossWeights } from './gradient.ts';
import type { TrainableField } from './trainable-field.ts';
import { WasmKernel } from './wasm-kernel.ts';

/** In which form a training's arithmetic runs: WebAssembly with vectors of four, or JavaScript in double precision. */
export type KernelKind = 'wasm' | 'javascript';

/** Gradients of some samples: those entries that have any, and the network's. */
export interface KernelGradient {
  /** u32[n] */
  readonly entries: Uint32Array;
  /** f32[n * nFeaturesPerLevel] */
  readonly table: Float32Array;
  readonly mlp: Float64Array;
  /** Sum of |f - d| at the samples beside the surface, and their number. */
  readonly errorSum: number;
  readonly nErrors: number;
}

/**
 * A replica's arithmetic. Kernels agree in gradients to single precision, and in what they make of gradients to the bit, so that
 * replicas with different kernels stay equal.
 */
export interface TrainingKernel {
  readonly kind: KernelKind;
  readonly field: TrainableField;
  /** Samples that take about a millisecond. */
  readonly samplesPerPart: number;
  /** Adds the gradients of n samples. @param samples f64[n * SAMPLE_STRIDE], in the open cube (-1, 1)³. */
  accumulate(samples: Float64Array, n: number): void;
  /** What was accumulated since the last call; forgets it. */
  takeGradient(): KernelGradient;
  /** Sums gradients in their order, and takes one step. Nothing may be accumulated that is not taken. */
  apply(gradients: readonly KernelGradient[], rateShare: number): void;
  /** Copied. */
  moments(): Moments;
  restore(moments: Moments): void;
}

/** The reference, and what runs where WebAssembly may not. */
export class JavaScriptKernel implements TrainingKernel {
  readonly kind = 'javascript';
  readonly samplesPerPart = 256;
  readonly field: TrainableField;
  private readonly gradients: GradientKernel;
  private readonly adam: Adam;

  constructor(field: TrainableField, weights: LossWeights) {
    this.field = field;
    this.gradients = new GradientKernel(field, weights);
    this.adam = new Adam(field);
  }

  accumulate(samples: Float64Array, n: number): void {
    this.gradients.accumulate(samples, n);
  }

  takeGradient(): KernelGradient {
    const { touched, nTouched, tableGradient, mlpGradient, errorSum, nErrors } = this.gradients;
    const F = this.field.shape.nFeaturesPerLevel;
    const entries = touched.slice(0, nTouched);
    const table = new Float32Array(nTouched * F);
    for (let i = 0; i < nTouched; i++) {
      for (let j = 0; j < F; j++) table[i * F + j] = tableGradient[entries[i] * F + j];
    }
    const mlp = mlpGradient.slice();
    this.gradients.clear();
    return { entries, table, mlp, errorSum, nErrors };
  }

  apply(parts: readonly KernelGradient[], rateShare: number): void {
    const { gradients, adam } = this;
    const { tableGradient, mlpGradient } = gradients;
    const F = this.field.shape.nFeaturesPerLevel;
    for (const { entries, table, mlp } of parts) {
      for (let i = 0; i < entries.length; i++) {
        gradients.touch(entries[i]);
        for (let j = 0; j < F; j++) tableGradient[entries[i] * F + j] += table[i * F + j];
      }
      for (let i = 0; i < mlp.length; i++) mlpGradient[i] += mlp[i];
    }
    adam.step(gradients, LEARNING_RATE_DEFAULTS, rateShare);
    gradients.clear();
  }

  moments(): Moments {
    return this.adam.moments();
  }

  restore(moments: Moments): void {
    this.adam.restore(moments);
  }
}

/** A kernel, and why it is not WebAssembly where it could have been. */
export interface ChosenKernel {
  readonly kernel: TrainingKernel;
  readonly kernelReason: string | undefined;
}

/**
 * WebAssembly where it runs, else JavaScript. A page's content security policy may forbid the former (it wants
 * 'wasm-unsafe-eval'), an old machine may have no vectors, and a large table may not find room.
 * @param field whose parameters the kernel takes over.
 * @param wanted 'javascript': that, without a try.
 */
export async function chooseKernel(
  field: TrainableField,
  weights: LossWeights,
  wanted: KernelKind,
): Promise<ChosenKernel> {
  if (wanted === 'wasm') {
    try {
      return { kernel: await WasmKernel.create(field, weights), kernelReason: undefined };
    } catch (error) {
      const kernelReason = error instanceof Error ? error.message : String(error);
      return { kernel: new JavaScriptKernel(field, weights), kernelReason };
    }
  }
  return { kernel: new JavaScriptKernel(field, weights), kernelReason: undefined };
}
