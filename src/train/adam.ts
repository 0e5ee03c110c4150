/** What is trained: a table of entries of `nFeaturesPerLevel` values, and a network. */
interface Parameters {
  readonly shape: { readonly nFeaturesPerLevel: number };
  readonly table: Float32Array;
  readonly mlp: Float64Array;
}

/** Means of gradients and of their squares, of all parameters, after so many steps. */
export interface Moments {
  readonly tableMean: Float32Array;
  readonly tableSquare: Float32Array;
  readonly mlpMean: Float64Array;
  readonly mlpSquare: Float64Array;
  readonly nSteps: number;
}

/** How large a step is: rates with the correction of the means in them, and that of the squares. */
export interface StepSize {
  readonly table: number;
  readonly mlp: number;
  readonly correct2: number;
}

/** Gradients of them; those of the first `nTouched` entries in `touched`, the others are 0. */
interface Gradients {
  readonly touched: Uint32Array;
  readonly nTouched: number;
  readonly tableGradient: Float32Array;
  readonly mlpGradient: Float64Array;
}

/** Learning rates; {@link cosineShare} lowers them over the steps. */
export interface LearningRates {
  readonly table: number;
  readonly mlp: number;
}

/** Measured: 2e-2 for the network destroys it, 1e-2 for the tables is as good as 2e-2. */
export const LEARNING_RATE_DEFAULTS: LearningRates = { table: 1e-2, mlp: 5e-3 };

export const BETA1 = 0.9;
export const BETA2 = 0.99;
export const EPSILON = 1e-15;
/** What is left of the rates after the last step. */
const LEAST_SHARE = 0.02;

/** The share of the learning rates at a step: a cosine from 1 down to LEAST_SHARE. */
export function cosineShare(step: number, nSteps: number): number {
  const done = Math.min(1, step / Math.max(1, nSteps));
  return LEAST_SHARE + (1 - LEAST_SHARE) * 0.5 * (1 + Math.cos(Math.PI * done));
}

/** How large step number `nSteps` is, from 1 on, at a share of the rates. */
export function stepSize(nSteps: number, { table, mlp }: LearningRates, share: number): StepSize {
  const rate = share / (1 - BETA1 ** nSteps);
  return { table: table * rate, mlp: mlp * rate, correct2: 1 / (1 - BETA2 ** nSteps) };
}

/**
 * Adam, lazily on the tables: entries without a gradient keep their moments and do not move.
 * @see Kingma, Ba 2015; Müller et al. 2022, sec. 4 (which skips such entries likewise)
 */
export class Adam {
  private readonly field: Parameters;
  private readonly tableMean: Float32Array;
  private readonly tableSquare: Float32Array;
  private readonly mlpMean: Float64Array;
  private readonly mlpSquare: Float64Array;
  private nSteps = 0;

  /** @param moments f32, of the table's values, zeros; default: arrays of their own. */
  constructor(field: Parameters, moments?: { readonly mean: Float32Array; readonly square: Float32Array }) {
    this.field = field;
    this.tableMean = moments?.mean ?? new Float32Array(field.table.length);
    this.tableSquare = moments?.square ?? new Float32Array(field.table.length);
    this.mlpMean = new Float64Array(field.mlp.length);
    this.mlpSquare = new Float64Array(field.mlp.length);
  }

  /** Moments and steps, copied. */
  moments(): Moments {
    const { tableMean, tableSquare, mlpMean, mlpSquare, nSteps } = this;
    return {
      tableMean: tableMean.slice(),
      tableSquare: tableSquare.slice(),
      mlpMean: mlpMean.slice(),
      mlpSquare: mlpSquare.slice(),
      nSteps,
    };
  }

  restore(moments: Moments): void {
    this.tableMean.set(moments.tableMean);
    this.tableSquare.set(moments.tableSquare);
    this.mlpMean.set(moments.mlpMean);
    this.mlpSquare.set(moments.mlpSquare);
    this.nSteps = moments.nSteps;
  }

  /** One step against the kernel's gradients. */
  step(kernel: Gradients, rates: LearningRates, share: number): void {
    const size = this.nextStep(rates, share);
    this.stepTable(kernel, size);
    this.stepMlp(kernel.mlpGradient, size);
  }

  /** Counts a step, and says how large it is; `stepTable` and `stepMlp` make it. */
  nextStep(rates: LearningRates, share: number): StepSize {
    return stepSize(++this.nSteps, rates, share);
  }

  /** assembly/step.ts has the same to the bit: what is changed here is changed there. */
  private stepTable({ touched, nTouched, tableGradient }: Gradients, size: StepSize): void {
    const { field, tableMean, tableSquare } = this;
    const { table } = field;
    const F = field.shape.nFeaturesPerLevel;
    const { table: rate, correct2 } = size;
    for (let n = 0; n < nTouched; n++) {
      const first = touched[n] * F;
      for (let i = first; i < first + F; i++) {
        const g = tableGradient[i];
        const mean = BETA1 * tableMean[i] + (1 - BETA1) * g;
        const square = BETA2 * tableSquare[i] + (1 - BETA2) * g * g;
        tableMean[i] = mean;
        tableSquare[i] = square;
        table[i] -= (rate * mean) / (Math.sqrt(square * correct2) + EPSILON);
      }
    }
  }

  stepMlp(mlpGradient: Float64Array, { mlp: rate, correct2 }: StepSize): void {
    const { mlpMean, mlpSquare } = this;
    const { mlp } = this.field;
    for (let i = 0; i < mlp.length; i++) {
      const g = mlpGradient[i];
      mlpMean[i] = BETA1 * mlpMean[i] + (1 - BETA1) * g;
      mlpSquare[i] = BETA2 * mlpSquare[i] + (1 - BETA2) * g * g;
      mlp[i] -= (rate * mlpMean[i]) / (Math.sqrt(mlpSquare[i] * correct2) + EPSILON);
    }
  }
}
