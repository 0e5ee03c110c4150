import { BackendUnavailableError } from '../pipeline/backend.ts';
import { Adam, BETA1, BETA2, EPSILON, LEARNING_RATE_DEFAULTS, type Moments } from './adam.ts';
import { type LossWeights, SAMPLE_STRIDE } from './gradient.ts';
import { type KernelMemory, layOutMemory, SAMPLES_AT_ONCE } from './kernel-memory.ts';
import { KERNEL_MODULE } from './kernel-module.ts';
import { TrainableField } from './trainable-field.ts';
import type { KernelGradient, TrainingKernel } from './training-kernel.ts';

/** What assembly/index.ts exports; `training` is the address of its description. */
interface KernelExports {
  accumulate(training: number, n: number): void;
  pack(training: number): number;
  unpack(training: number, n: number): void;
  stepTable(
    training: number,
    rate: number,
    correct2: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
}

/**
 * A replica's arithmetic in WebAssembly, four samples at a time in single precision: the kernel of assembly/. The tables, their
 * gradients and moments are in its memory; the field's arrays are views of that.
 */
export class WasmKernel implements TrainingKernel {
  readonly kind = 'wasm';
  readonly samplesPerPart = SAMPLES_AT_ONCE;
  readonly field: TrainableField;
  private readonly memory: KernelMemory;
  private readonly module: KernelExports;
  private readonly adam: Adam;
  private errorSum = 0;
  private nErrors = 0;

  private constructor(field: TrainableField, memory: KernelMemory, module: KernelExports) {
    this.field = field;
    this.memory = memory;
    this.module = module;
    this.adam = new Adam(field, memory);
  }

  /**
   * @param field its parameters are copied: the kernel's own `field` has them from then on. Its levels are dense, and hold all that a
   * point of the cube can touch.
   * @throws {BackendUnavailableError} without WebAssembly.
   * @throws what the browser throws where it knows no vectors, or is told not to run any; RangeError where there is not that much
   * memory.
   */
  static async create(source: TrainableField, weights: LossWeights): Promise<WasmKernel> {
    if (typeof WebAssembly === 'undefined')
      throw new BackendUnavailableError('There is no WebAssembly here.');
    const code = Uint8Array.from(atob(KERNEL_MODULE), (letter) => letter.charCodeAt(0));
    const module = await WebAssembly.compile(code);
    const memory = layOutMemory(source, weights);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory: memory.memory } });
    const field = new TrainableField(source.shape, undefined, source.levels, memory);
    field.table.set(source.table);
    field.mlp.set(source.mlp);
    return new WasmKernel(field, memory, exports as unknown as KernelExports);
  }

  accumulate(samples: Float64Array, n: number): void {
    const { memory, module } = this;
    for (let first = 0; first < n; first += SAMPLES_AT_ONCE) {
      const end = Math.min(n, first + SAMPLES_AT_ONCE);
      memory.samples.set(samples.subarray(first * SAMPLE_STRIDE, end * SAMPLE_STRIDE));
      module.accumulate(memory.training, end - first);
      this.errorSum += memory.errorSum[0];
      this.nErrors += memory.nErrors[0];
    }
  }

  takeGradient(): KernelGradient {
    const { memory, module, errorSum, nErrors } = this;
    const n = module.pack(memory.training);
    const entries = memory.packedEntries.slice(0, n);
    const table = memory.packedValues.slice(0, n * this.field.shape.nFeaturesPerLevel);
    const mlp = memory.mlpGradient.slice();
    memory.mlpGradient.fill(0);
    this.errorSum = 0;
    this.nErrors = 0;
    return { entries, table, mlp, errorSum, nErrors };
  }

  apply(gradients: readonly KernelGradient[], rateShare: number): void {
    const { memory, module, adam } = this;
    const { training, mlpGradient } = memory;
    for (const { entries, table, mlp } of gradients) {
      memory.packedEntries.set(entries);
      memory.packedValues.set(table);
      module.unpack(training, entries.length);
      for (let i = 0; i < mlp.length; i++) mlpGradient[i] += mlp[i];
    }
    const size = adam.nextStep(LEARNING_RATE_DEFAULTS, rateShare);
    module.stepTable(training, size.table, size.correct2, BETA1, BETA2, EPSILON);
    adam.stepMlp(mlpGradient, size);
    mlpGradient.fill(0);
  }

  moments(): Moments {
    return this.adam.moments();
  }

  restore(moments: Moments): void {
    this.adam.restore(moments);
  }
}
