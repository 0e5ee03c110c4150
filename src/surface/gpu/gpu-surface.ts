import { NsdfGpuError, NsdfUnsupportedError } from '../../errors.ts';
import type { GpuField } from '../../field/gpu/gpu-field.ts';
import { countProducts } from '../../field/gpu/shape.ts';
import type { Box3 } from '../../format/asset.ts';
import { GpuArena } from '../../gpu/arena.ts';
import { guarded, settle } from '../../gpu/context.ts';
import type { Program } from '../../gpu/program.ts';
import { createTimestamps, type Timestamps } from '../../gpu/timestamps.ts';
import { estimateCapacities, grownCapacities, type SurfaceCapacities } from './capacities.ts';
import type { GpuOutput } from './finish/finish-stage.ts';
import { N_MEASURED } from './measure.ts';
import { COUNTS, SUMMARY_WORDS, type SurfaceCount } from './structs.ts';
import {
  boundsOf,
  errorsOf,
  type SurfaceStops,
  stopsOf,
  throwIfFarOff,
  throwIfOutside,
  throwIfUnsound,
} from './summary.ts';
import {
  buildSurface,
  compileSurface,
  type SurfacePlan,
  type SurfaceProgram,
  type SurfaceStages,
  writeDetail,
} from './surface-program.ts';
import { checkLattice, countsOf, isSameLattice } from './tiles.ts';

/** A mesh on the GPU, and what is known of it. */
export interface GpuSurface extends GpuOutput {
  readonly nVertices: number;
  readonly nTriangles: number;
  /** Undefined for an empty mesh. */
  readonly bounds: Box3 | undefined;
  /** The largest of bounds on the distances of 8,192 points of the mesh from the zero set, local units. */
  readonly errorLocal: number;
  /** The largest distance of points of the zero set from the mesh: where vertices were removed, and around the farthest; local units. */
  readonly errorBackLocal: number;
  readonly stops: SurfaceStops;
  readonly nBoxes: number;
  readonly nBoxesTested: number;
  readonly nBoxesSurviving: number;
  readonly nBoxesUnsettled: number;
  /** Zeros of f on the edges of the boxes and of their parts. */
  readonly nEdgeRoots: number;
  /** Bytes on the GPU, with the field's. */
  readonly nBytes: number;
  /** Milliseconds on the GPU by stage; empty where the adapter has no timestamps. */
  readonly gpuTimeMs: Readonly<Record<string, number>>;
}

export interface GpuSurfaceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called before each stage with its name and the fraction done. */
  readonly onProgress?: ((stage: string, fraction: number) => void) | undefined;
  /** Gives way to the event loop. */
  readonly giveWay: () => Promise<void>;
  /** Bytes on the GPU that there may be, with the field's. Default: 512 MiB. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 512 * 2 ** 20;
/** Runs after which a surface that still has no room is given up. */
const MAX_RUNS = 12;
/** Timed passes of one run. */
const MAX_TIMED = 256;
/** Work on this thread between two looks at the event loop. */
const SLICE_MS = 4;

/** The same while bind groups are made: a step takes one to three milliseconds. */
const BUILD_SLICE_MS = 2;
/** Encoding that goes in one submission: each costs a fifth of a millisecond, and the GPU waits for the first. */
const SUBMIT_MS = 0.5;

/** Beyond these, kernels that follow the network's folds take too long to compile, and boxes too long to settle. */
const MAX_LAYERS = 4;
const MAX_PRODUCTS = 8192;
/**
 * Derives surfaces of one field wholly on the GPU. What it makes for one run (buffers, bind groups, how much room there
 * has to be) it keeps for the next one of the same part of the field.
 */
export class GpuSurfaceDeriver {
  readonly #field: GpuField;
  readonly #stages: SurfaceStages;
  #kept: Kept | undefined;
  /** What a run had no room for, for the next one. */
  #grown: { readonly plan: SurfacePlan; readonly capacities: SurfaceCapacities } | undefined;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(field: GpuField, stages: SurfaceStages) {
    this.#field = field;
    this.#stages = stages;
  }

  /**
   * Compiles what is needed, or finds it compiled.
   * @param isHardware see `compileSurface`.
   * @throws {NsdfUnsupportedError} if the network is too large for it
   * @throws {NsdfGpuError} if the GPU refuses a shader
   */
  static async create(field: GpuField, isHardware?: boolean): Promise<GpuSurfaceDeriver> {
    const { widths } = field.resources.shape;
    const nProducts = countProducts(field.resources.shape);
    if (widths.length > MAX_LAYERS || nProducts > MAX_PRODUCTS) {
      throw new NsdfUnsupportedError(
        'gpu-network-size',
        `The network has ${widths.length} hidden layers and ${nProducts} weights; surfaces are derived on the GPU for at most ${MAX_LAYERS} and ${MAX_PRODUCTS}.`,
      );
    }
    return new GpuSurfaceDeriver(field, await compileSurface(field.resources, field.context, isHardware));
  }

  /**
   * Derives a surface; one after the other.
   * @param take receives the mesh while its buffers are valid: the next run writes over them.
   * @throws {NsdfUnsupportedError} if the lattice has too many planes
   * @throws {NsdfBudgetError} if it needs more memory than there may be
   * @throws {NsdfGpuError} if the GPU fails, or the mesh is not sound
   * @throws `options.signal.reason` when aborted
   */
  derive<T>(
    plan: SurfacePlan,
    options: GpuSurfaceOptions,
    take: (surface: GpuSurface) => Promise<T>,
  ): Promise<T> {
    const run = this.#running.then(
      () => this.#derive(plan, options, take),
      () => this.#derive(plan, options, take),
    );
    this.#running = run;
    return run;
  }

  #grownCapacities({ capacities }: Kept, { counts }: Outcome): SurfaceCapacities | undefined {
    return grownCapacities(capacities, counts, this.#field.resources.network.nPreActivations);
  }

  /** Frees what is kept for the next run. */
  release(): void {
    void this.#running.catch(() => {}).then(() => this.#drop());
  }

  #drop(): void {
    this.#kept?.arena.dispose();
    this.#kept = undefined;
  }

  async #derive<T>(
    plan: SurfacePlan,
    options: GpuSurfaceOptions,
    take: (surface: GpuSurface) => Promise<T>,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    checkLattice(plan.lattice);
    try {
      for (let run = 0; run < MAX_RUNS; run++) {
        const kept = await this.#prepare(plan, options);
        kept.arena.write(kept.program.counts, kept.program.firstCounts);
        kept.times.restart();
        const outcome = await this.#run(kept, options);
        const grown = this.#grownCapacities(kept, outcome);
        if (grown === undefined) return await take(this.#describe(kept, plan, outcome));
        this.#drop();
        this.#grown = { plan, capacities: grown };
      }
    } catch (error) {
      this.#drop();
      throw error;
    }
    this.#drop();
    throw new NsdfGpuError('surface', `The surface had no room after ${MAX_RUNS} runs.`);
  }

  /** Buffers and bind groups for a plan: those of the last run, if they fit. */
  async #prepare(plan: SurfacePlan, { giveWay, maxBytes = MAX_BYTES }: GpuSurfaceOptions): Promise<Kept> {
    const { context, resources, nBytes } = this.#field;
    const kept = this.#kept;
    if (kept && isSameLattice(kept.plan, plan)) {
      writeDetail(kept.arena, kept.program.detail, plan);
      kept.plan = plan;
      return kept;
    }
    this.#drop();
    const grown = this.#grown && isSameLattice(this.#grown.plan, plan) ? this.#grown.capacities : undefined;
    const capacities = grown ?? estimateCapacities(countsOf(plan.lattice));
    const arena = new GpuArena(context, maxBytes - nBytes);
    try {
      const steps = buildSurface(this.#stages, resources, arena, plan, capacities);
      const program = await this.#build(steps, giveWay);
      const parts = program.program.stages();
      const times = createTimestamps(arena, 'surface', MAX_TIMED);
      this.#kept = { arena, program, parts, times, capacities, plan };
      return this.#kept;
    } catch (error) {
      arena.dispose();
      throw error;
    }
  }

  /** Makes buffers and bind groups in slices. @throws {NsdfGpuError} if the GPU refuses one */
  async #build<T>(steps: Generator<void, T, void>, giveWay: () => Promise<void>): Promise<T> {
    const checks: Promise<unknown>[] = [];
    for (;;) {
      let step: IteratorResult<void, T> | undefined;
      const check = guarded(this.#field.context, 'surface', () => {
        const startMs = performance.now();
        do step = steps.next();
        while (!step.done && performance.now() - startMs < BUILD_SLICE_MS);
      });
      check.catch(() => {});
      checks.push(check);
      if (step === undefined) await check;
      if (step?.done) {
        await Promise.all(checks);
        return step.value;
      }
      await giveWay();
    }
  }

  async #run(
    { arena, program, parts, times }: Kept,
    { signal, onProgress, giveWay }: GpuSurfaceOptions,
  ): Promise<Outcome> {
    const { context } = this.#field;
    const { queue } = context.device;
    const checks: Promise<unknown>[] = [];
    let sliceStartMs = performance.now();
    for (let next = 0; next < parts.length; ) {
      signal?.throwIfAborted();
      onProgress?.(parts[next].label, next / parts.length);
      const check = guarded(context, 'surface', () => {
        next = this.#submit(parts, next, times);
      });
      check.catch(() => {});
      checks.push(check);
      // In software a stage takes a tenth of a second: other users of the queue come in between.
      if (context.isSoftware) await settle(context, 'surface', queue.onSubmittedWorkDone());
      else if (performance.now() - sliceStartMs > SLICE_MS) {
        await giveWay();
        sliceStartMs = performance.now();
      }
    }
    const timed = times.source();
    const sources = [
      [program.counts, COUNTS.byteLength],
      [program.summary, SUMMARY_WORDS * 4],
      ...(timed ? [timed] : []),
    ] as const;
    const [counts, summary, ticks] = await arena.readAll(sources, 'surface');
    await Promise.all(checks);
    signal?.throwIfAborted();
    const gpuTimeMs = ticks ? times.sums(ticks) : {};
    return { counts: new Uint32Array(counts), summary: new Uint32Array(summary), gpuTimeMs };
  }

  /** Encodes and submits parts from one on, so many that the GPU does not wait long for them; gives the next one. */
  #submit(parts: readonly Program[], first: number, times: Timestamps): number {
    const { device, isSoftware } = this.#field.context;
    const encoder = device.createCommandEncoder({ label: 'nsdf.surface' });
    const startMs = performance.now();
    let next = first;
    do parts[next++].encode(encoder, (label) => times.pass(label));
    while (next < parts.length && !isSoftware && performance.now() - startMs < SUBMIT_MS);
    if (next === parts.length) times.resolve(encoder);
    device.queue.submit([encoder.finish()]);
    return next;
  }

  #describe({ program, arena }: Kept, plan: SurfacePlan, outcome: Outcome): GpuSurface {
    const { counts, summary, gpuTimeMs } = outcome;
    const count = (name: SurfaceCount): number => counts[COUNTS.at[name]];
    const nTriangles = count('outTriangles');
    throwIfUnsound(summary, nTriangles);
    const bounds = nTriangles === 0 ? undefined : boundsOf(summary);
    throwIfOutside(bounds, plan.bounds);
    throwIfFarOff(summary, Math.min(N_MEASURED, nTriangles));
    return {
      ...program.output,
      nVertices: count('outVertices'),
      nTriangles,
      bounds,
      ...errorsOf(summary),
      stops: stopsOf(summary, counts),
      nBoxes: countsOf(plan.lattice).reduce((product, n) => product * n, 1),
      nBoxesTested: count('tested'),
      nBoxesSurviving: count('roots'),
      nBoxesUnsettled: count('unsettled'),
      nEdgeRoots: count('edgeVertices'),
      nBytes: arena.nBytes + this.#field.nBytes,
      gpuTimeMs,
    };
  }
}

/** A program with its buffers, for the next run. */
interface Kept {
  readonly arena: GpuArena;
  readonly program: SurfaceProgram;
  readonly parts: readonly Program[];
  readonly times: Timestamps;
  readonly capacities: SurfaceCapacities;
  plan: SurfacePlan;
}

/** What a run told. */
interface Outcome {
  readonly counts: Uint32Array;
  readonly summary: Uint32Array;
  readonly gpuTimeMs: Readonly<Record<string, number>>;
}
