import { NsdfArgumentError } from '../errors.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import type { WorkerLike } from '../pipeline/worker-host.ts';
import type { ColorShape } from './color-field.ts';
import { LOSS_WEIGHT_DEFAULTS, type LossWeights } from './gradient.ts';
import type { TrainingState } from './replica.ts';
import { FIELD_SHAPE_DEFAULTS, type FieldShape, nestedResolutions } from './trainable-field.ts';
import type { KernelKind } from './training-kernel.ts';

/** Where a training is. Lengths are in the source's own units. */
export interface TrainProgress {
  readonly stage: 'prepare' | 'sample' | 'train' | 'mend' | 'measure';
  /** Of the whole, in [0, 1]. */
  readonly fraction: number;
  readonly step: number;
  readonly nSteps: number;
  /** Mean |f - d| at the last steps' samples beside the surface, on the GPU at those of up to 18 steps ago; undefined before the first. */
  readonly errorLocal: number | undefined;
  readonly secondsLeft: number | undefined;
  /** The field as it is now, for pictures of it; costs a copy of its weights. */
  readonly field: () => Promise<FieldAsset>;
}

/** Where the steps of a training are taken. */
export type TrainBackend = 'cpu' | 'gpu';

/** How a field is trained. */
export interface TrainOptions {
  /** `fast`: 400 steps. `default`: 4,000. `best`: 6,000 on a grid of 91. */
  readonly preset?: keyof typeof TRAIN_PRESETS;
  readonly steps?: number;
  /** Boxes along the domain's side, coarse to fine, one level each. */
  readonly resolutions?: readonly number[];
  readonly nFeaturesPerLevel?: number;
  /** Widths of the hidden layers. */
  readonly hidden?: readonly number[];
  /** Colours of the source, where it has any: false leaves them out. */
  readonly color?: boolean | Partial<ColorShape>;
  readonly batchSize?: number;
  /** Samples away from the surface whose distances are queried beforehand, of each of two kinds; fewer leave false parts. */
  readonly poolSize?: number;
  /** Tolerance of the derivation by which false parts far from the source are looked for, source units. Default: a thousandth of the domain's side. */
  readonly checkTolerance?: number;
  readonly weights?: Partial<LossWeights>;
  /** Train for about this long, preparation included and rests not, instead of a number of steps. */
  readonly seconds?: number;
  /** Train on until the mean distance of the zero set from the source is below this, source units; at most 8 times the steps. */
  readonly targetError?: number;
  /** The same seed, options and number of workers give the same bytes; on the GPU, on the same adapter. */
  readonly seed?: number;
  readonly name?: string;
  /** The cube to train in, source units. Default: one around the mesh, a ninth of its side free on either side. */
  readonly domain?: Box3;
  /**
   * Where the steps are taken: `gpu`, in single precision, by WebGPU; `cpu`, in the replicas, which is what `auto` takes. Where the GPU
   * cannot, the replicas do: `stats.backend` and `stats.backendReason` say which and why. Default: `auto`.
   */
  readonly backend?: TrainBackend | 'auto';
  /** The GPU device to share with a renderer, for the backend `gpu`. Default: the one that derivations have. */
  readonly device?: GPUDevice;
  /** Replicas in workers: they train, or draw samples for the GPU. 0: on this thread. Default: as many as the machine has cores, at most 8. */
  readonly nWorkers?: number;
  /** Starts a worker that runs the package's `train-worker`. */
  readonly createWorker?: () => WorkerLike;
  /** What the arithmetic runs in. Default: `wasm`, in single precision, and `javascript`, in double, where that does not run. */
  readonly kernel?: KernelKind;
  /** A state that an earlier training of the same shape gave, to go on from. */
  readonly resume?: TrainingState;
  readonly signal?: AbortSignal;
  /** Called after every step. Where it gives a promise, training rests until that is settled: pictures keep pace, or someone pauses. */
  readonly onProgress?: (progress: TrainProgress) => void | Promise<void>;
}

/** What a preset stands for. */
interface Preset extends FieldShape {
  readonly steps: number;
  readonly color: ColorShape;
}

const COLOR_SHAPE: ColorShape = {
  resolutions: [16, 40, 100],
  nFeaturesPerLevel: 2,
  hidden: [32],
  log2HashmapSize: 16,
};

/**
 * Bunny, mesh to input, vertices at 1e-3, 16 and 16 neurons (2026-11-30): 120 steps 5.7e-4, 14,760; 300 4.94e-4, 15,928; 1,000 3.91e-4, 18,021; 2,000
 * 3.58e-4, 18,177; 3,000 3.38e-4, 17,955. Gear: 1,000 2.71e-4, 12,640; 2,000 2.41e-4, 11,796; 3,000 2.50e-4, 11,286. A thousand
 * steps are 2.8 s of one thread in WebAssembly, 15 s in JavaScript; looking for false parts takes 4 s whatever the steps.
 */
export const TRAIN_PRESETS = {
  fast: { ...FIELD_SHAPE_DEFAULTS, steps: 400, color: COLOR_SHAPE },
  default: { ...FIELD_SHAPE_DEFAULTS, steps: 4000, color: COLOR_SHAPE },
  best: {
    ...FIELD_SHAPE_DEFAULTS,
    resolutions: nestedResolutions(3, 91),
    steps: 6000,
    color: { ...COLOR_SHAPE, resolutions: [16, 48, 144], log2HashmapSize: 17 },
  },
} as const satisfies Record<string, Preset>;

/** The batch of the measured recipe. */
const BATCH_SIZE = 4096;
/** Measured: with 10,000 some trainings end with parts where there is nothing, with 25,000 they are few. */
const POOL_SIZE = 25_000;
/** Colours take about so many steps, where the field takes more: in JavaScript one of theirs takes 10 ms, one of the field's 2. */
const COLOR_STEPS = 1500;
/** Memory that a table may take, in entries: 256³. */
const MAX_ENTRIES = 2 ** 24;
const MAX_WORKERS = 8;
/** Of a loss: at 1e12 all others count for nothing, and fields are what they are at 1e6; at 1e38 single precision overflows. */
const MAX_WEIGHT = 1e12;

/** Options with every default in its place. */
export interface TrainPlan {
  readonly shape: FieldShape;
  readonly color: ColorShape | undefined;
  readonly colorInterval: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly poolSize: number;
  readonly checkTolerance: number | undefined;
  readonly weights: LossWeights;
  readonly seed: number;
  readonly nWorkers: number;
  readonly kernel: KernelKind;
  readonly seconds: number | undefined;
  readonly targetError: number | undefined;
  readonly backend: TrainBackend | 'auto';
}

/**
 * Checks options and fills in defaults.
 * @throws {NsdfArgumentError} naming the option, what was found and what was expected.
 */
export function planTraining(options: TrainOptions): TrainPlan {
  const { preset = 'default' } = options;
  if (!Object.hasOwn(TRAIN_PRESETS, preset)) {
    const names = Object.keys(TRAIN_PRESETS).join(', ');
    throw new NsdfArgumentError('preset', `preset is ${String(preset)}, expected one of ${names}`);
  }
  const base: Preset = TRAIN_PRESETS[preset];
  const { resolutions = base.resolutions, nFeaturesPerLevel = base.nFeaturesPerLevel } = options;
  const { hidden = base.hidden, steps = base.steps, batchSize = BATCH_SIZE, seed = 1 } = options;
  const { seconds, targetError, poolSize = POOL_SIZE, checkTolerance } = options;
  const { kernel = 'wasm', backend = 'auto' } = options;
  const expect = (name: string, isRight: boolean, found: unknown, expected: string): void => {
    if (!isRight) throw new NsdfArgumentError(name, `${name} is ${String(found)}, expected ${expected}`);
  };
  const isCount = (n: number, least: number, most: number) => Number.isInteger(n) && n >= least && n <= most;
  const isAscending = resolutions.every((n, l) => n >= 2 && n <= 512 && (l === 0 || n > resolutions[l - 1]));
  expect('resolutions', resolutions.length > 0 && isAscending, resolutions, 'ascending numbers in 2..512');
  const { color: wanted = true } = options;
  const color = wanted === false ? undefined : { ...base.color, ...(wanted === true ? {} : wanted) };
  if (color) {
    const { resolutions: boxes, log2HashmapSize } = color;
    const isRight = boxes.every((n, l) => n >= 2 && n <= 2048 && (l === 0 || n > boxes[l - 1]));
    expect('color.resolutions', boxes.length > 0 && isRight, boxes, 'ascending numbers in 2..2048');
    expect(
      'color.log2HashmapSize',
      isCount(log2HashmapSize, 4, 24),
      log2HashmapSize,
      'a whole number in 4..24',
    );
    const { nFeaturesPerLevel: n, hidden: widths } = color;
    expect('color.nFeaturesPerLevel', isCount(n, 1, 8), n, 'a whole number in 1..8');
    const areFew = widths.length <= 8 && widths.every((width) => isCount(width, 1, 256));
    expect('color.hidden', areFew, widths, 'up to 8 widths in 1..256');
  }
  const nEntries = resolutions.reduce((sum, n) => sum + (Math.floor(n) + 2) ** 3, 0);
  expect('resolutions', nEntries <= MAX_ENTRIES, resolutions, `at most ${MAX_ENTRIES} vertices in all`);
  expect('nFeaturesPerLevel', isCount(nFeaturesPerLevel, 1, 8), nFeaturesPerLevel, 'a whole number in 1..8');
  const areWidths = hidden.length > 0 && hidden.length <= 8 && hidden.every((n) => isCount(n, 1, 256));
  expect('hidden', areWidths, hidden, '1 to 8 widths in 1..256');
  expect('steps', isCount(steps, 1, 1e6), steps, 'a whole number in 1..1,000,000');
  expect('batchSize', isCount(batchSize, 16, 2 ** 20), batchSize, 'a whole number in 16..1,048,576');
  expect('poolSize', isCount(poolSize, 16, 2 ** 24), poolSize, 'a whole number in 16..16,777,216');
  expect(
    'checkTolerance',
    checkTolerance === undefined || checkTolerance > 0,
    checkTolerance,
    'a positive number',
  );
  expect('kernel', kernel === 'wasm' || kernel === 'javascript', kernel, 'wasm or javascript');
  expect('seed', Number.isSafeInteger(seed), seed, 'a whole number');
  expect(
    'seconds',
    seconds === undefined || (seconds > 0 && seconds <= 86_400),
    seconds,
    'a number in (0, 86400]',
  );
  expect('targetError', targetError === undefined || targetError > 0, targetError, 'a positive number');
  const nCores = globalThis.navigator?.hardwareConcurrency ?? 1;
  const { nWorkers = Math.max(1, Math.min(MAX_WORKERS, nCores)) } = options;
  expect('backend', ['auto', 'gpu', 'cpu'].includes(backend), backend, 'auto, gpu or cpu');
  expect('nWorkers', isCount(nWorkers, 0, 64), nWorkers, 'a whole number in 0..64');
  const weights = { ...LOSS_WEIGHT_DEFAULTS, ...options.weights };
  for (const [name, weight] of Object.entries(weights)) {
    const isRight = weight >= 0 && weight <= MAX_WEIGHT;
    expect(`weights.${name}`, isRight, weight, `a number from 0 to ${MAX_WEIGHT}`);
  }
  const shape = { resolutions, nFeaturesPerLevel, hidden };
  checkResume(options.resume, shape, color);
  return {
    shape,
    color,
    colorInterval: Math.max(1, Math.floor(steps / COLOR_STEPS)),
    steps,
    batchSize,
    poolSize,
    checkTolerance,
    weights,
    seed,
    nWorkers,
    kernel,
    seconds,
    targetError,
    backend,
  };
}

/** @throws {NsdfArgumentError} if the state is of another shape than what is to be trained. */
function checkResume(
  resume: TrainingState | undefined,
  shape: FieldShape,
  color: ColorShape | undefined,
): void {
  const expect = (what: string, found: FieldShape | ColorShape, expected: FieldShape | ColorShape): void => {
    const texts = [found, expected].map((each) => JSON.stringify(each));
    if (texts[0] === texts[1]) return;
    throw new NsdfArgumentError('resume', `resume ${what} of shape ${texts[0]}, expected ${texts[1]}`);
  };
  if (resume) expect('is', resume.shape, shape);
  if (resume?.color && color) expect('has colours', resume.color.shape, color);
}
