import { concat } from '../../arrays.ts';
import { NsdfLoadError } from '../../errors.ts';
import { GpuArena, USAGE } from '../../gpu/arena.ts';
import { type GpuContext, guarded, settle } from '../../gpu/context.ts';
import { Program } from '../../gpu/program.ts';
import { contextFor } from '../../pipeline/gpu-device.ts';
import { LEARNING_RATE_DEFAULTS, stepSize } from '../adam.ts';
import type { SamplePools } from '../distance-source.ts';
import type { FieldTrainer } from '../field-trainer.ts';
import { SAMPLE_STRIDE } from '../gradient.ts';
import type { TrainPlan } from '../options.ts';
import type { Parameters, StepError, TrainingState } from '../replica.ts';
import type { ReplicaPort } from '../replica-port.ts';
import { TrainableField } from '../trainable-field.ts';
import { BATCH, createTrainKernels, type TrainKernels } from './train-kernels.ts';
import {
  CHUNK_SAMPLES,
  fixedPoint,
  N_ERRORS,
  packLayers,
  packLevels,
  productsOf,
  type TrainShape,
  trainShapeOf,
} from './train-shape.ts';

/** Steps that may be under way: the GPU never waits for this side, and an abort waits for no more than these. */
const STEPS_AHEAD = 2;
/** Steps from one reading of the errors to the next. */
const ERROR_STEPS = 16;
const STAGE = 'train';

/** What of the options a trainer takes. */
export type TrainerPlan = Pick<TrainPlan, 'shape' | 'seed' | 'batchSize' | 'weights'>;

/** What is on the GPU. Tables are entry-major, as `TrainableField` lays them out. */
interface TrainBuffers {
  readonly batch: GPUBuffer;
  readonly levels: GPUBuffer;
  readonly layers: GPUBuffer;
  readonly samples: GPUBuffer;
  readonly table: GPUBuffer;
  readonly mlp: GPUBuffer;
  /** vec2<i32> a value, in fixed point: zero between two steps. */
  readonly tableGradient: GPUBuffer;
  /** u32 an entry: the step that met it last. */
  readonly stamps: GPUBuffer;
  readonly nTouched: GPUBuffer;
  readonly touched: GPUBuffer;
  readonly traces: GPUBuffer;
  readonly products: GPUBuffer;
  readonly partials: GPUBuffer;
  /** vec2<f32> a value: moments of the gradient and of its square. */
  readonly tableMoments: GPUBuffer;
  readonly mlpMoments: GPUBuffer;
  readonly errors: GPUBuffer;
}

/**
 * Trains on the GPU, in single precision: samples go there, and nothing comes back but errors now and then. The samples are those that the
 * replicas would train on themselves; they are drawn while the GPU is at the step before. The same adapter gives the same bytes.
 */
export class GpuTrainer implements FieldTrainer {
  readonly adapterName: string;
  private readonly context: GpuContext;
  private readonly ports: readonly ReplicaPort[];
  private readonly plan: TrainerPlan;
  private readonly field: TrainableField;
  private readonly arena: GpuArena;
  private readonly buffers: TrainBuffers;
  private readonly program: Program;
  /** Rejects when the training is ended. */
  private readonly ended: Promise<never>;
  private end: (reason: NsdfLoadError) => void = () => {};
  private isClosed = false;
  /** Why the errors could not be read. */
  private failure: Error | undefined;
  /** Of Adam, those before a restored state included. */
  private nSteps = 0;
  private nSubmitted = 0;
  private underWay: Promise<unknown>[] = [];
  private next: { readonly step: number; readonly samples: Promise<Float32Array> } | undefined;
  private latest: StepError | undefined;

  private constructor(
    { context, ports, plan }: { context: GpuContext; ports: readonly ReplicaPort[]; plan: TrainerPlan },
    field: TrainableField,
    arena: GpuArena,
    { buffers, program }: { buffers: TrainBuffers; program: Program },
  ) {
    this.adapterName = context.adapterName;
    this.context = context;
    this.ports = ports;
    this.plan = plan;
    this.field = field;
    this.arena = arena;
    this.buffers = buffers;
    this.program = program;
    this.ended = new Promise((_, reject) => {
      this.end = reject;
    });
    this.ended.catch(() => {}); // who waits is told; nobody may
  }

  /**
   * Compiles, uploads the first parameters and makes room for a step.
   * @param ports replicas that draw the samples.
   * @throws {NsdfUnsupportedError} if the network or the batch is too large for the kernels
   * @throws {NsdfGpuError} if a buffer is larger than the device allows, the GPU refuses something, or it is lost
   */
  static async create(
    context: GpuContext,
    ports: readonly ReplicaPort[],
    plan: TrainerPlan,
  ): Promise<GpuTrainer> {
    const field = new TrainableField(plan.shape, plan.seed);
    const shape = trainShapeOf(field, plan.batchSize);
    const kernels = await createTrainKernels(context, shape);
    const arena = new GpuArena(context);
    try {
      const made = await guarded(context, STAGE, () => {
        const buffers = createBuffers(arena, field, shape, plan.batchSize);
        return { buffers, program: programOf(kernels, buffers, plan.batchSize) };
      });
      const trainer = new GpuTrainer({ context, ports, plan }, field, arena, made);
      await trainer.upload(field);
      return trainer;
    } catch (error) {
      arena.dispose();
      throw error;
    }
  }

  async setDistances(distances: readonly Float64Array[]): Promise<void> {
    this.field.setDistances(distances);
    await this.upload(this.field);
  }

  async restore({ table, mlp, moments }: TrainingState): Promise<void> {
    const { buffers, arena } = this;
    await this.upload({ table, mlp });
    const { tableMean, tableSquare, mlpMean, mlpSquare, nSteps } = moments;
    await arena.writeInParts(buffers.tableMoments, interleave(tableMean, tableSquare), 0, STAGE);
    arena.write(buffers.mlpMoments, interleave(mlpMean, mlpSquare));
    this.nSteps = nSteps;
  }

  async setPools(pools: SamplePools): Promise<void> {
    await Promise.all(this.ports.map((port) => port.call('setPools', pools)));
    this.next = undefined; // drawn from the pools before
  }

  /** @throws {NsdfGpuError} if the device is lost */
  async step(step: number, rateShare: number): Promise<StepError | undefined> {
    const samples = await this.orEnd(this.next?.step === step ? this.next.samples : this.draw(step));
    if (this.failure) throw this.failure;
    // What a first step is not refused, no later one is.
    if (this.nSubmitted === 0) await guarded(this.context, STAGE, () => this.submit(samples, rateShare));
    else this.submit(samples, rateShare);
    if (this.nSubmitted % ERROR_STEPS === 1) void this.readError();
    const following = this.draw(step + 1);
    following.catch(() => {}); // whoever takes that step is told
    this.next = { step: step + 1, samples: following };
    await this.keepPace();
    return this.latest;
  }

  async parameters(): Promise<Parameters> {
    const { table, mlp } = this.buffers;
    const [tableBytes, mlpBytes] = await this.read([table, mlp]);
    return { table: new Float32Array(tableBytes), mlp: Float64Array.from(new Float32Array(mlpBytes)) };
  }

  async state(): Promise<TrainingState> {
    const { table, mlp, tableMoments, mlpMoments } = this.buffers;
    const arrays = await this.read([table, mlp, tableMoments, mlpMoments]);
    const [tableValues, mlpValues, ofTable, ofMlp] = arrays.map((bytes) => new Float32Array(bytes));
    const every = (moments: Float32Array, k: number) => moments.filter((_, i) => i % 2 === k);
    return {
      shape: this.plan.shape,
      table: tableValues,
      mlp: Float64Array.from(mlpValues),
      moments: {
        tableMean: every(ofTable, 0),
        tableSquare: every(ofTable, 1),
        mlpMean: Float64Array.from(every(ofMlp, 0)),
        mlpSquare: Float64Array.from(every(ofMlp, 1)),
        nSteps: this.nSteps,
      },
    };
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.end(new NsdfLoadError('The training was ended.'));
    this.arena.dispose();
  }

  /** Each replica's share of a step's samples, one after the other. */
  private async draw(step: number): Promise<Float32Array> {
    return concat(Float32Array, await Promise.all(this.ports.map((port) => port.call('batch', step))));
  }

  private submit(samples: Float32Array, rateShare: number): void {
    const { device } = this.context;
    const { arena, buffers, plan } = this;
    const size = stepSize(++this.nSteps, LEARNING_RATE_DEFAULTS, rateShare);
    const { highUnit, lowUnit } = fixedPoint(plan.batchSize);
    arena.write(buffers.samples, samples);
    arena.write(
      buffers.batch,
      BATCH.pack({
        ...plan.weights,
        nSamples: samples.length / SAMPLE_STRIDE,
        stamp: ++this.nSubmitted,
        highUnit,
        lowUnit,
        perHighUnit: 1 / highUnit,
        perLowUnit: 1 / lowUnit,
        tableRate: size.table,
        mlpRate: size.mlp,
        correct2: size.correct2,
      }),
    );
    const encoder = device.createCommandEncoder({ label: 'nsdf.train' });
    this.program.encode(encoder);
    device.queue.submit([encoder.finish()]);
  }

  /** Waits until few enough steps are under way. */
  private async keepPace(): Promise<void> {
    const done = settle(this.context, STAGE, this.context.device.queue.onSubmittedWorkDone());
    done.catch(() => {}); // whoever waits for it is told
    this.underWay.push(done);
    if (this.underWay.length > STEPS_AHEAD) await this.orEnd(this.underWay.shift() as Promise<unknown>);
  }

  /** Reads the errors of the step that was submitted last; nobody waits for that. */
  private async readError(): Promise<void> {
    try {
      const bytes = await this.arena.read(this.buffers.errors, N_ERRORS * 4, STAGE);
      const [errorSum, nErrors] = new Float32Array(bytes);
      this.latest = { errorSum, nErrors };
    } catch (error) {
      this.failure ??= error as Error;
    }
  }

  private async upload({ table, mlp }: Pick<Parameters, 'table' | 'mlp'>): Promise<void> {
    this.expectOpen();
    await this.orEnd(this.arena.writeInParts(this.buffers.table, table, 0, STAGE));
    this.arena.write(this.buffers.mlp, Float32Array.from(mlp));
  }

  private read(buffers: readonly GPUBuffer[]): Promise<ArrayBuffer[]> {
    this.expectOpen();
    return this.orEnd(
      this.arena.readAll(
        buffers.map((buffer) => [buffer, buffer.size] as const),
        STAGE,
      ),
    );
  }

  private expectOpen(): void {
    if (this.isClosed) throw new NsdfLoadError('The training was ended.');
  }

  private orEnd<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.ended]);
  }
}

/**
 * A trainer on the device that was given, else on the one that derivations have.
 * @throws {NsdfGpuError} if there is no device
 * @throws as {@link GpuTrainer.create}
 */
export async function createGpuTrainer(
  device: GPUDevice | undefined,
  ports: readonly ReplicaPort[],
  plan: TrainerPlan,
): Promise<GpuTrainer> {
  return GpuTrainer.create(await contextFor({ device }), ports, plan);
}

function createBuffers(
  arena: GpuArena,
  field: TrainableField,
  shape: TrainShape,
  batchSize: number,
): TrainBuffers {
  const nEntries = field.entriesAt[shape.nLevels];
  const nValues = field.table.length;
  const nParameters = field.mlp.length;
  const nChunks = Math.ceil(batchSize / CHUNK_SAMPLES);
  const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
  const create = (name: string, nWords: number) => arena.create(`train.${name}`, nWords * 4, usage);
  return {
    batch: arena.create('train.batch', BATCH.byteLength, USAGE.uniform | USAGE.copyTarget),
    levels: arena.upload('train.levels', packLevels(field), USAGE.uniform),
    layers: arena.upload('train.layers', packLayers(field), USAGE.uniform),
    products: arena.upload('train.products', productsOf(field, shape), USAGE.storage),
    samples: create('samples', batchSize * SAMPLE_STRIDE),
    table: create('table', nValues),
    mlp: create('mlp', nParameters),
    tableGradient: create('tableGradient', nValues * 2),
    stamps: create('stamps', nEntries),
    nTouched: create('nTouched', 1),
    touched: create('touched', maxTouched(field, batchSize)),
    traces: create('traces', batchSize * shape.nTraces),
    partials: create('partials', nChunks * (nParameters + N_ERRORS)),
    tableMoments: create('tableMoments', nValues * 2),
    mlpMoments: create('mlpMoments', nParameters * 2),
    errors: create('errors', N_ERRORS),
  };
}

/** Entries that the samples of a batch can meet: the corners of a cell a level for each. */
function maxTouched({ entriesAt, levels }: TrainableField, batchSize: number): number {
  return Math.min(entriesAt[levels.length], batchSize * levels.length * 8);
}

/** A step: gradients, then Adam. */
function programOf(kernels: TrainKernels, buffers: TrainBuffers, batchSize: number): Program {
  const { batch, levels, layers, samples, table, mlp, tableGradient, stamps, nTouched, touched, traces } =
    buffers;
  const { products, partials, tableMoments, mlpMoments, errors } = buffers;
  const program = new Program();
  program.clear(nTouched);
  program.stage('train');
  program.eachOf(
    kernels.trainSamples,
    batchSize,
    ...[batch, levels, layers, samples, table, mlp, tableGradient, stamps, nTouched, touched, traces],
  );
  program.eachOf(kernels.sumProducts, partials.size / 4, batch, traces, products, partials);
  program.eachOf(
    kernels.stepTable,
    touched.size / 4,
    ...[batch, nTouched, touched, tableGradient, table, tableMoments],
  );
  program.eachOf(
    kernels.stepNetwork,
    mlpMoments.size / 8 + N_ERRORS,
    ...[batch, partials, mlp, mlpMoments, errors],
  );
  return program;
}

function interleave(first: ArrayLike<number>, second: ArrayLike<number>): Float32Array {
  const both = new Float32Array(first.length * 2);
  for (let i = 0; i < first.length; i++) {
    both[i * 2] = first[i];
    both[i * 2 + 1] = second[i];
  }
  return both;
}
