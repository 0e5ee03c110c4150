import { NsdfArgumentError } from '../errors.ts';
import { createAttribute } from '../field/attribute-field.ts';
import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { toSrgb } from '../format/srgb.ts';
import { abortable } from '../pipeline/abortable.ts';
import { BackendUnavailableError } from '../pipeline/backend.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import type { DeriveOptions } from '../pipeline/options.ts';
import type { WorkerLike } from '../pipeline/worker-host.ts';
import { createEventYield } from '../pipeline/yield-to-events.ts';
import { createRandom } from '../surface/check-random.ts';
import { localPositions } from '../surface/mesh.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { cosineShare } from './adam.ts';
import { ColorField } from './color-field.ts';
import { COLOR_STRIDE, type ColoredTriangles, colorSourceOf } from './color-source.ts';
import { MeshSource, normal, type SamplePools } from './distance-source.ts';
import { FunctionSource, type SignedDistance } from './function-source.ts';
import { SAMPLE_STRIDE } from './gradient.ts';
import { planTraining, type TrainOptions, type TrainPlan, type TrainProgress } from './options.ts';
import type { ReplicaSetup, SparseGradient, TrainingState } from './replica.ts';
import { joined, LocalReplica, type MeshInput, type ReplicaPort, WorkerReplica } from './replica-port.ts';
import { startTrainWorker } from './start-train-worker.ts';
import { type FieldShape, TrainableField } from './trainable-field.ts';
import { componentsOf, prepareMesh, type TrainingMesh } from './training-mesh.ts';

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
  /** Workers that trained, 0 for this thread; and why, where workers were asked for and none came. */
  readonly nWorkers: number;
  readonly workersReason: string | undefined;
}

/** Levels of at most this many vertices start as distances. */
const MAX_GRID_VERTICES = 20_000;
/** Rounds after the first, each at this share of the rates, while a target error is not reached. */
const MAX_ROUNDS = 8;
const ROUND_SHARE = 0.5;
/** Points of the source at which the error is measured. */
const N_ERROR_POINTS = 8192;
/** About a millisecond's work. */
const ERROR_POINTS_PER_PART = 512;
/** Steps after which a training by time knows how long a step takes. */
const TIMED_STEPS = 10;
/** Boxes of the lattice, and share of the domain's half side for the derivation, by which far parts are looked for. */
const MEND_PREVIEW = 96;
const MEND_TOLERANCE = 2e-3;
/** A vertex farther from the source than this, in the cube, is none of the surface. */
const FAR_FROM_SOURCE = 8e-3;
/** Tries to train far parts away, their steps, and their share of the rates. */
const MAX_MENDS = 3;
const MEND_STEPS = 60;
const MEND_SHARE = 0.1;
/** Slopes below this are taken for it: |f| / |∇f| says nothing on a plateau. */
const LEAST_SLOPE = 0.3;
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
  const { resume } = options;
  if (resume && !isSameShape(resume.shape, plan.shape)) {
    const [found, expected] = [resume.shape, plan.shape].map((shape) => JSON.stringify(shape));
    throw new NsdfArgumentError('resume', `resume is of shape ${found}, expected ${expected}`);
  }
  if (resume?.color && plan.color && JSON.stringify(resume.color.shape) !== JSON.stringify(plan.color)) {
    const [found, expected] = [resume.color.shape, plan.color].map((shape) => JSON.stringify(shape));
    throw new NsdfArgumentError('resume', `resume has colours of shape ${found}, expected ${expected}`);
  }
  const startMs = performance.now();
  const training = new Training(await start(source, plan, options), plan, options, startMs);
  const abort = (): void => training.close();
  options.signal?.addEventListener('abort', abort);
  try {
    return await training.run();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
    training.close();
  }
}

/** Replicas that are ready, and what they train on. */
interface Started {
  readonly ports: readonly ReplicaPort[];
  readonly domain: Box3;
  readonly mesh: TrainingMesh | undefined;
  readonly nWorkers: number;
  readonly workersReason: string | undefined;
}

async function start(
  source: ColoredTriangles | readonly ColoredTriangles[] | SignedDistance,
  plan: TrainPlan,
  { domain, signal, createWorker = startTrainWorker }: TrainOptions,
): Promise<Started> {
  const setup = (nReplicas: number): ReplicaSetup => ({ ...plan, nReplicas });
  if ('distance' in source) {
    const ports = [new LocalReplica(await FunctionSource.find(source, signal), setup(1), 0)];
    const workersReason = plan.nWorkers > 0 ? 'a function cannot be sent to a worker' : undefined;
    return { ports, domain: source.domain, mesh: undefined, nWorkers: 0, workersReason };
  }
  const input = { meshes: 'positions' in source ? [source] : source, domain };
  let workersReason: string | undefined;
  if (plan.nWorkers > 0) {
    try {
      const { ports, mesh } = await startWorkers(input, setup(plan.nWorkers), createWorker, signal);
      return { ports, domain: mesh.domain, mesh, nWorkers: ports.length, workersReason };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof BackendUnavailableError)) throw error;
      workersReason = error.message;
    }
  }
  const mesh = prepareMesh(input.meshes, domain);
  const colors = plan.color && colorSourceOf(input.meshes, mesh.domain);
  const ports = [new LocalReplica(new MeshSource(mesh.triangles, mesh.surface), setup(1), 0, colors)];
  return { ports, domain: mesh.domain, mesh, nWorkers: 0, workersReason };
}

async function startWorkers(
  input: MeshInput,
  setup: ReplicaSetup,
  createWorker: () => WorkerLike,
  signal: AbortSignal | undefined,
): Promise<{ ports: WorkerReplica[]; mesh: TrainingMesh }> {
  const ports: WorkerReplica[] = [];
  const closeAll = (): void => {
    for (const port of ports) port.close();
  };
  signal?.addEventListener('abort', closeAll);
  try {
    for (let i = 0; i < setup.nReplicas; i++) {
      let worker: WorkerLike;
      try {
        worker = createWorker();
      } catch (cause) {
        throw new BackendUnavailableError(`No worker can be started: ${(cause as Error).message}`, { cause });
      }
      ports.push(new WorkerReplica(worker, input, setup, i));
    }
    const [mesh] = await Promise.all(ports.map(({ ready }) => ready));
    return { ports, mesh };
  } catch (error) {
    closeAll();
    throw error;
  } finally {
    signal?.removeEventListener('abort', closeAll);
  }
}

/** One training, from its replicas' start to the report. */
class Training {
  private readonly started: Started;
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

  constructor(started: Started, plan: TrainPlan, options: TrainOptions, startMs: number) {
    this.started = started;
    this.plan = plan;
    this.options = options;
    this.startMs = startMs;
    this.half = (started.domain.max[0] - started.domain.min[0]) / 2;
    this.nSteps = plan.steps;
  }

  close(): void {
    for (const port of this.started.ports) port.close();
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
    const { mesh, nWorkers, workersReason } = this.started;
    const asset = await this.asset();
    return {
      asset,
      state: await this.started.ports[0].call('state'),
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
      },
    };
  }

  /** First tables and pools. */
  private async prepare(): Promise<void> {
    const { resume } = this.options;
    await this.report('prepare', 0);
    if (resume) await this.toAll((port) => port.call('restore', resume));
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
    await this.toAll((port) => port.call('setDistances', distances));
  }

  private async setPools(pools: SamplePools): Promise<void> {
    this.pools = pools;
    await this.toAll((port) => port.call('setPools', pools));
  }

  /** Trains steps under a cosine that starts at `share` of the rates. */
  private async train(nSteps: number, share: number): Promise<void> {
    const first = this.step;
    let end = first + nSteps;
    this.nSteps = end;
    const trainStartMs = performance.now();
    while (this.step < end) {
      await this.trainStep(share * cosineShare(this.step - first, end - first));
      if (this.step - first === TIMED_STEPS && this.plan.seconds !== undefined) {
        const secondsAStep = (performance.now() - trainStartMs) / 1000 / TIMED_STEPS;
        const left = TIME_SHARE * this.plan.seconds - this.seconds();
        end = this.step + Math.max(1, Math.floor(left / secondsAStep));
        this.nSteps = end;
      }
      await this.report('train', 0.04 + (0.9 * this.step) / this.nSteps);
    }
  }

  private async trainStep(rateShare: number): Promise<void> {
    const { ports } = this.started;
    const gradients: SparseGradient[] = await Promise.all(
      ports.map((port) => port.call('gradient', this.step)),
    );
    await this.toAll((port) => port.call('apply', gradients, rateShare));
    const sum = gradients.reduce((total, { errorSum }) => total + errorSum, 0);
    const n = gradients.reduce((total, { nErrors }) => total + nErrors, 0);
    if (n > 0) this.error = (this.half * sum) / n;
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
    const tolerance = this.plan.checkTolerance ?? MEND_TOLERANCE * this.half;
    for (const look of [{ preview: MEND_PREVIEW }, { tolerance }]) {
      parts = await this.findFalseParts(look);
      nFound += parts.nFalse;
      for (let round = 0; round < MAX_MENDS && parts.nFalse > 0; round++) {
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

  private async findFalseParts(detail: Pick<DeriveOptions, 'preview' | 'tolerance'>): Promise<FalseParts> {
    const { signal } = this.options;
    const { attributes: _, ...asset } = await this.asset();
    const { mesh } = await deriveMesh(asset, {
      ...detail,
      cache: false,
      ...(signal ? { signal } : {}),
    });
    const points = Float64Array.from(localPositions(mesh), (x, i) => this.toCube(x, i % 3));
    const closest = await this.gather(points.length / 3, (port, first, end) =>
      port.call('closestPoints', points.slice(first * 3, end * 3)),
    );
    return falseParts(mesh.indices, points, closest);
  }

  private toCube(x: number, axis: number): number {
    return Math.min(1, Math.max(-1, (x - this.started.domain.min[axis]) / this.half - 1));
  }

  private toLocal(x: number, axis: number): number {
    return this.started.domain.min[axis] + (x + 1) * this.half;
  }

  /** The field as it is now. */
  private async asset(): Promise<FieldAsset> {
    const { table, mlp, color } = await this.started.ports[0].call('parameters');
    const field = new TrainableField(this.plan.shape);
    field.table.set(table);
    field.mlp.set(mlp);
    const asset = field.toAsset(this.options.name ?? 'field', this.started.domain);
    if (color === undefined) return asset;
    const colors = new ColorField(color.shape, 0);
    colors.table.set(color.table);
    colors.mlp.set(color.mlp);
    return { ...asset, attributes: { COLOR_0: colors.toAttribute() } };
  }

  private toAll(call: (port: ReplicaPort) => Promise<unknown>): Promise<unknown> {
    return Promise.all(this.started.ports.map(call));
  }

  /** Shares out items 0 to n and joins the answers in order. */
  private async gather(
    n: number,
    call: (port: ReplicaPort, first: number, end: number) => Promise<Float64Array>,
  ): Promise<Float64Array> {
    const { ports } = this.started;
    const cut = (i: number) => Math.floor((n * i) / ports.length);
    return joined(await Promise.all(ports.map((port, i) => call(port, cut(i), cut(i + 1)))));
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

/** Sum of |f| / |∇f|: to first order the distances of the zero set from the points. */
function sumOfDistances(field: CpuField, points: Float64Array): number {
  const values = new Float64Array(points.length / 3);
  const gradients = new Float64Array(points.length);
  field.evaluateWithGradient(points, values, gradients);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const slope = Math.hypot(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
    sum += Math.abs(values[i]) / Math.max(slope, LEAST_SLOPE);
  }
  return sum;
}

/**
 * Mean difference of sRGB channels.
 * @param samples f64[n * COLOR_STRIDE], in the cube.
 */
function colorError(
  asset: FieldAsset,
  samples: Float64Array,
  toLocal: (x: number, axis: number) => number,
): number {
  const n = samples.length / COLOR_STRIDE;
  const points = new Float64Array(n * 3);
  for (let i = 0; i < points.length; i++) {
    const axis = i % 3;
    points[i] = toLocal(samples[((i - axis) / 3) * COLOR_STRIDE + axis], axis);
  }
  const found = new Float64Array(n * 3);
  createAttribute(asset, 'COLOR_0').evaluate(points, found);
  let sum = 0;
  for (let i = 0; i < found.length; i++) {
    const channel = i % 3;
    const expected = samples[((i - channel) / 3) * COLOR_STRIDE + 3 + channel];
    sum += Math.abs(toSrgb(found[i]) - toSrgb(Math.min(1, expected)));
  }
  return n > 0 ? sum / found.length : 0;
}

interface FalseParts {
  readonly nComponents: number;
  /** Components that are none of the source's. */
  readonly nFalse: number;
  /** f64[3n], in the cube: their vertices, and those of others that lie far from the source; none where `nFalse` is 0. */
  readonly points: Float64Array;
}

/** Vertices of a component that are asked whether it is false. */
const N_WITNESSES = 64;
/** A piece that comes nowhere as near as this to the source, in the cube, is beside it. */
const TOUCH = 2e-3;

/**
 * Finds components of a mesh that are none of the source's: those that lie far from it with all their vertices, and those beside it that
 * stand for nothing, which no distance tells: a true part may be as small as a false one, and as ill trained. They are those
 * where most of the source's points nearest to them are nearer to another component, and those that nowhere touch the part of the
 * source that they are beside, for which there is a larger one.
 * @param points f64[3n], the vertices, in the cube.
 * @param closest f64[4n], the source's points nearest to them, and the numbers of its parts; see `Replica.closestPoints`.
 */
export function falseParts(
  indices: Triangles['indices'],
  points: Float64Array,
  closest: Float64Array,
): FalseParts {
  const componentOf = componentsOf(indices, points.length / 3);
  const members = new Map<number, number[]>();
  componentOf.forEach((component, v) => {
    if (component < 0) return;
    const known = members.get(component);
    if (known === undefined) members.set(component, [v]);
    else known.push(v);
  });
  const distance = (v: number): number =>
    Math.hypot(...[0, 1, 2].map((k) => points[v * 3 + k] - closest[v * 4 + k]));
  const isFar = (v: number): boolean => distance(v) > FAR_FROM_SOURCE;
  const tree = members.size > 1 ? new TriangleTree({ positions: points, indices }) : undefined;
  const standsFor = (v: number): number => {
    tree?.closest(closest[v * 4], closest[v * 4 + 1], closest[v * 4 + 2]);
    return tree === undefined ? componentOf[v] : componentOf[indices[tree.triangle * 3]];
  };
  const wrong = new Set<number>();
  const known = new Set<number>();
  const bySize = [...members].sort(([, a], [, b]) => b.length - a.length);
  for (const [component, vertices] of bySize) {
    const stride = Math.max(1, Math.floor(vertices.length / N_WITNESSES));
    const witnesses = vertices.filter((_, i) => i % stride === 0);
    const nOwn = witnesses.filter((v) => standsFor(v) === component).length;
    const part = closest[vertices[0] * 4 + 3];
    const isBeside = known.has(part) && vertices.every((v) => distance(v) > TOUCH);
    if (2 * nOwn < witnesses.length || isBeside || vertices.every(isFar)) wrong.add(component);
    else if (part >= 0) known.add(part);
  }
  const found: number[] = [];
  for (let v = 0; wrong.size > 0 && v < componentOf.length; v++) {
    if (componentOf[v] < 0 || !(wrong.has(componentOf[v]) || isFar(v))) continue;
    found.push(points[v * 3], points[v * 3 + 1], points[v * 3 + 2]);
  }
  return { nComponents: members.size, nFalse: wrong.size, points: Float64Array.from(found) };
}

/** n points drawn from others, moved a little, inside the cube. */
function jitter(points: Float64Array, n: number, random: () => number): Float64Array {
  const out = new Float64Array(Math.floor(n) * 3);
  for (let i = 0; i < out.length; i += 3) {
    const from = Math.floor(random() * (points.length / 3)) * 3;
    for (let k = 0; k < 3; k++) {
      out[i + k] = Math.min(
        0.999999,
        Math.max(-0.999999, points[from + k] + FAR_FROM_SOURCE * normal(random)),
      );
    }
  }
  return out;
}

function isSameShape(a: FieldShape, b: FieldShape): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
