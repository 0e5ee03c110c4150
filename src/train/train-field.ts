import { concat } from '../arrays.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { abortable } from '../pipeline/abortable.ts';
import { createEventYield } from '../pipeline/yield-to-events.ts';
import { createRandom } from '../surface/check-random.ts';
import { cosineShare } from './adam.ts';
import { ColorField } from './color-field.ts';
import type { ColoredTriangles } from './color-source.ts';
import type { SamplePools } from './distance-source.ts';
import { type FalseParts, falseParts, jitter, type Look, surfaceOf } from './false-parts.ts';
import type { SignedDistance } from './function-source.ts';
import { SAMPLE_STRIDE } from './gradient.ts';
import {
  planTraining,
  type TrainBackend,
  type TrainOptions,
  type TrainPlan,
  type TrainProgress,
} from './options.ts';
import type { TrainingState } from './replica.ts';
import type { ReplicaPort } from './replica-port.ts';
import { type Started, startReplicas } from './start-replicas.ts';
import { type StartedTrainer, startTrainer } from './start-trainer.ts';
import { TrainableField } from './trainable-field.ts';
import { colorError, sumOfDistances } from './training-error.ts';
import type { KernelKind } from './training-kernel.ts';
import type { TrainingMesh } from './training-mesh.ts';

/** What training gives. Lengths are in the source's own units. */
export interface TrainResult {
  readonly asset: FieldAsset;
  /** To go on from: `resume`. */
  readonly state: TrainingState;
  readonly stats: TrainStats;
}

export interface TrainStats {
  readonly nSteps: number;
  readonly seconds: number;
  /** Mean first-order distance from points of the source to the zero set. */
  readonly errorLocal: number;
  /** Mean difference between the source's colours and the field's, sRGB channels in [0, 1]; undefined without colours. */
  readonly colorError: number | undefined;
  /** What the source was found to be; undefined for a function. */
  readonly mesh: Omit<TrainingMesh, 'triangles' | 'surface'> | undefined;
  /** Pieces of the derived mesh, and those that were none of the source's (far from it, or beside it) and were trained away. */
  readonly nComponents: number;
  readonly nFarMended: number;
  /** Pieces that are none of the source's still. */
  readonly nFarLeft: number;
  /** Workers that trained, or drew samples for the GPU; 0 for this thread; and why, where workers were asked for and none came. */
  readonly nWorkers: number;
  readonly workersReason: string | undefined;
  /** Where the steps were taken, and why there. */
  readonly backend: TrainBackend;
  readonly backendReason: string;
  /** What the arithmetic ran in; and why in JavaScript, where WebAssembly was wanted and does not run. */
  readonly kernel: KernelKind;
  readonly kernelReason: string | undefined;
}

const CUBE: Box3 = { min: [-1, -1, -1], max: [1, 1, 1] };
/** Levels of at most this many vertices start as distances. */
const MAX_GRID_VERTICES = 20_000;
/** Rounds after the first, each at this share of the rates, while a target error is not reached. */
const MAX_ROUNDS = 8;
const ROUND_SHARE = 0.5;
/** Points of the source at which the error is measured. */
const N_ERROR_POINTS = 8192;
/** About a millisecond's work. */
const ERROR_POINTS_PER_PART = 512;
/** Steps after which a training by time knows how long a step takes, and those of them that say nothing: they may return before they are done. */
const TIMED_STEPS = 10;
const UNTIMED_STEPS = 3;
/** Boxes of the lattice, and share of the domain's half side for the derivation, by which far parts are looked for. */
const MEND_BOXES = 96;
const MEND_TOLERANCE = 2e-3;
/** Tries to train far parts away, their steps, and their share of the rates. 60 steps left the gear with 3.35e-4, 200 with 2.71e-4. */
const MAX_MENDS = 8;
const MEND_STEPS = 200;
const MEND_SHARE = 0.1;
/** Share of the time asked for that training gets; the rest is for looking for far parts. */
const TIME_SHARE = 0.85;

/**
 * Trains a field on triangle meshes or on any signed distance function: a multiresolution grid and a small ReLU network, ready to
 * be written with `writeNsdf` or derived with `deriveMesh`.
 *
 * @param source meshes (read as one; open, crossing and badly oriented ones too), or a function. Where a mesh has `colors`, the
 * field gets a `COLOR_0`.
 * @throws {NsdfArgumentError} if an option is out of range.
 * @throws {NsdfFormatError} if the mesh has no surface, or numbers that are none.
 * @throws {NsdfLoadError} if a worker fails during the training.
 * @throws {NsdfGpuError} if it trains on the GPU and the device is lost.
 * @throws `options.signal.reason` when aborted.
 * @see docs/theory.md, "Training"
 * @example
 * const { asset, stats } = await trainField({ positions, indices }, { preset: 'default' });
 * const bytes = writeNsdf(asset);
 */
export async function trainField(
  source: ColoredTriangles | readonly ColoredTriangles[] | SignedDistance,
  options: TrainOptions = {},
): Promise<TrainResult> {
  const plan = planTraining(options);
  options.signal?.throwIfAborted();
  const startMs = performance.now();
  const started = await startReplicas(source, plan, options);
  const open: { close(): void }[] = [...started.ports];
  const closeAll = (): void => {
    for (const each of open) each.close();
  };
  options.signal?.addEventListener('abort', closeAll);
  try {
    const chosen = await startTrainer(started, plan, options);
    open.push(chosen.trainer);
    return await new Training({ ...started, ...chosen }, plan, options, startMs).run();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', closeAll);
    closeAll();
  }
}

/** One training, from its replicas' start to the report. */
class Training {
  private readonly started: Started & StartedTrainer;
  private readonly plan: TrainPlan;
  private readonly options: TrainOptions;
  private readonly startMs: number;
  private readonly half: number;
  /** How long the listener had it rest. */
  private restMs = 0;
  private step = 0;
  private nSteps: number;
  private error: number | undefined;
  private pools: SamplePools = { wide: new Float64Array(0), uniform: new Float64Array(0) };

  constructor(started: Started & StartedTrainer, plan: TrainPlan, options: TrainOptions, startMs: number) {
    this.started = started;
    this.plan = plan;
    this.options = options;
    this.startMs = startMs;
    this.half = (started.domain.max[0] - started.domain.min[0]) / 2;
    this.nSteps = plan.steps;
  }

  async run(): Promise<TrainResult> {
    await this.prepare();
    await this.train(this.plan.steps, 1);
    const { targetError } = this.plan;
    let errorLocal = await this.measure();
    for (
      let round = 1;
      targetError !== undefined && errorLocal > targetError && round < MAX_ROUNDS;
      round++
    ) {
      if (this.isTimeUp()) break;
      await this.train(this.plan.steps, ROUND_SHARE ** round);
      errorLocal = await this.measure();
    }
    const parts = await this.mend();
    if (parts.nSteps > 0) errorLocal = await this.measure();
    await this.report('measure', 1);
    const { mesh, trainer, nWorkers, workersReason, backend, backendReason, kernel, kernelReason } =
      this.started;
    const asset = await this.asset();
    return {
      asset,
      state: await trainer.state(),
      stats: {
        nSteps: this.step,
        seconds: this.seconds(),
        errorLocal,
        colorError: await this.measureColors(asset),
        mesh: mesh && factsOf(mesh),
        nComponents: parts.nComponents,
        nFarMended: parts.nMended,
        nFarLeft: parts.nFalse,
        nWorkers,
        workersReason,
        backend,
        backendReason,
        kernel,
        kernelReason,
      },
    };
  }

  /** First tables and pools. */
  private async prepare(): Promise<void> {
    const { resume } = this.options;
    await this.report('prepare', 0);
    if (resume) await this.started.trainer.restore(resume);
    else await this.setDistances();
    // From here on there is a field to be seen.
    await this.report('sample', 0.02);
    const [wide, uniform] = await Promise.all(
      (['wide', 'uniform'] as const).map((kind) =>
        this.gather(this.plan.poolSize, (port, first, end) => port.call('makePool', kind, first, end)),
      ),
    );
    await this.setPools({ wide, uniform });
    await this.report('sample', 0.04);
  }

  /** Starts coarse levels as distances. */
  private async setDistances(): Promise<void> {
    const sizes = new TrainableField(this.plan.shape).levels.map(({ nEntries }) => nEntries);
    const nCoarse = sizes.filter((n) => n <= MAX_GRID_VERTICES).length;
    const distances: Float64Array[] = [];
    for (let level = 0; level < nCoarse; level++) {
      distances.push(
        await this.gather(sizes[level], (port, first, end) =>
          port.call('distancesAtVertices', level, first, end),
        ),
      );
    }
    await this.started.trainer.setDistances(distances);
  }

  private async setPools(pools: SamplePools): Promise<void> {
    this.pools = pools;
    await this.started.trainer.setPools(pools);
  }

  /** Trains steps under a cosine that starts at `share` of the rates. */
  private async train(nSteps: number, share: number): Promise<void> {
    const first = this.step;
    let end = first + nSteps;
    this.nSteps = end;
    let timedFromMs = 0;
    while (this.step < end) {
      await this.trainStep(share * cosineShare(this.step - first, end - first));
      if (this.step - first === UNTIMED_STEPS) timedFromMs = performance.now();
      if (this.step - first === TIMED_STEPS && this.plan.seconds !== undefined) {
        const secondsAStep = (performance.now() - timedFromMs) / 1000 / (TIMED_STEPS - UNTIMED_STEPS);
        const left = TIME_SHARE * this.plan.seconds - this.seconds();
        end = this.step + Math.max(1, Math.floor(left / secondsAStep));
        this.nSteps = end;
      }
      await this.report('train', 0.04 + (0.9 * this.step) / this.nSteps);
    }
  }

  private async trainStep(rateShare: number): Promise<void> {
    const error = await this.started.trainer.step(this.step, rateShare);
    if (error && error.nErrors > 0) this.error = (this.half * error.errorSum) / error.nErrors;
    this.step++;
  }

  /** Mean first-order distance from points of the source to the zero set, source units. */
  private async measure(): Promise<number> {
    const points = await this.started.ports[0].call('surfacePoints', N_ERROR_POINTS, this.plan.seed);
    const pointsLocal = points.map((x, i) => this.toLocal(x, i % 3));
    const field = createCpuField(await this.asset());
    const events = createEventYield();
    let sum = 0;
    for (let i = 0; i < pointsLocal.length; i += ERROR_POINTS_PER_PART * 3) {
      sum += sumOfDistances(field, pointsLocal.subarray(i, i + ERROR_POINTS_PER_PART * 3));
      await events.giveWay();
    }
    events.close();
    return sum / N_ERROR_POINTS;
  }

  /** Of the colours, where there are any. */
  private async measureColors(asset: FieldAsset): Promise<number | undefined> {
    const samples = await this.started.ports[0].call('colorSamples', N_ERROR_POINTS, this.plan.seed);
    return samples && colorError(asset, samples, (x, axis) => this.toLocal(x, axis));
  }

  /**
   * Looks for pieces of the surface that are none of the source's and trains them away: on a lattice first, which is cheap, then by a
   * derivation, which sees all.
   */
  private async mend() {
    let nFound = 0;
    let nSteps = 0;
    let parts: FalseParts | undefined;
    const { checkTolerance } = this.plan;
    const tolerance = checkTolerance === undefined ? MEND_TOLERANCE : checkTolerance / this.half;
    for (const look of [{ nBoxes: MEND_BOXES }, { tolerance }]) {
      parts = await this.findFalseParts(look);
      nFound += parts.nFalse;
      for (let round = 0; round < MAX_MENDS && parts.nFalse > 0; round++) {
        if (round > 0 && this.isTimeUp()) break;
        await this.report('mend', 0.95 + 0.01 * round);
        await this.trainAway(parts.points);
        nSteps += MEND_STEPS;
        parts = await this.findFalseParts(look);
      }
    }
    const { nComponents = 0, nFalse = 0 } = parts ?? {};
    return { nComponents, nFalse, nMended: Math.max(0, nFound - nFalse), nSteps };
  }

  /** Some steps at small rates in which half of the wide samples lie around given points, f64[3n] in the cube. */
  private async trainAway(points: Float64Array): Promise<void> {
    const kept = this.pools.wide;
    const near = jitter(points, kept.length / SAMPLE_STRIDE / 2, createRandom(this.plan.seed + this.step));
    const distances = await this.gather(near.length / 3, (port, first, end) =>
      port.call('distances', near.slice(first * 3, end * 3)),
    );
    const wide = kept.slice();
    for (let i = 0; i < distances.length; i++) {
      const at = i * SAMPLE_STRIDE;
      wide.fill(0, at, at + SAMPLE_STRIDE);
      wide.set(near.subarray(i * 3, i * 3 + 3), at);
      wide[at + 3] = distances[i];
    }
    await this.setPools({ ...this.pools, wide });
    for (let step = 0; step < MEND_STEPS; step++) {
      await this.trainStep(MEND_SHARE * cosineShare(step, MEND_STEPS));
    }
    await this.setPools({ ...this.pools, wide: kept });
  }

  private async findFalseParts(look: Look): Promise<FalseParts> {
    const { attributes: _, ...field } = await this.asset(CUBE);
    const { points, indices } = await surfaceOf(field, look, this.options.signal);
    const closest = await this.gather(points.length / 3, (port, first, end) =>
      port.call('closestPoints', points.slice(first * 3, end * 3)),
    );
    return falseParts(indices, points, closest);
  }

  private toLocal(x: number, axis: number): number {
    return this.started.domain.min[axis] + (x + 1) * this.half;
  }

  /** The field as it is now. */
  private async asset(domain: Box3 = this.started.domain): Promise<FieldAsset> {
    const { table, mlp, color } = await this.started.trainer.parameters();
    const field = new TrainableField(this.plan.shape);
    field.table.set(table);
    field.mlp.set(mlp);
    const asset = field.toAsset(this.options.name ?? 'field', domain);
    if (color === undefined) return asset;
    const colors = new ColorField(color.shape, 0);
    colors.table.set(color.table);
    colors.mlp.set(color.mlp);
    return { ...asset, attributes: { COLOR_0: colors.toAttribute() } };
  }

  /** Shares out items 0 to n and joins the answers in order. */
  private async gather(
    n: number,
    call: (port: ReplicaPort, first: number, end: number) => Promise<Float64Array>,
  ): Promise<Float64Array> {
    const { ports } = this.started;
    const cut = (i: number) => Math.floor((n * i) / ports.length);
    return concat(Float64Array, await Promise.all(ports.map((port, i) => call(port, cut(i), cut(i + 1)))));
  }

  private seconds(): number {
    return (performance.now() - this.startMs - this.restMs) / 1000;
  }

  private isTimeUp(): boolean {
    return this.plan.seconds !== undefined && this.seconds() >= this.plan.seconds;
  }

  /** Tells how far it is, and rests for as long as the listener asks for. */
  private async report(stage: TrainProgress['stage'], fraction: number): Promise<void> {
    const seconds = this.seconds();
    const rest = this.options.onProgress?.({
      stage,
      fraction,
      step: this.step,
      nSteps: this.nSteps,
      errorLocal: this.error,
      secondsLeft:
        stage === 'train' && this.step > TIMED_STEPS ? (seconds / fraction) * (1 - fraction) : undefined,
      field: () => this.asset(),
    });
    if (!rest) return;
    const startMs = performance.now();
    await abortable(rest, this.options.signal);
    this.restMs += performance.now() - startMs;
  }
}

function factsOf({ triangles: _, surface: __, ...facts }: TrainingMesh): NonNullable<TrainStats['mesh']> {
  return facts;
}
