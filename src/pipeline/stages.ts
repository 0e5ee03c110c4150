import { concat } from '../arrays.ts';
import { NsdfFormatError } from '../errors.ts';
import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { hasPlanes } from '../format/encodings.ts';
import type { DeriveProgress, DeriveStage } from '../options.ts';
import { type Lattice, rootCounts } from '../partition/corners.ts';
import { type CullResult, countBoxes, countFirstBlocks, onRoots } from '../partition/cull.ts';
import { type Forest, forestOf, gatherTrees, NODE_UNSETTLED } from '../partition/forest.ts';
import { decodeRegions, encodeRegions, type Regions, verifyRegions } from '../partition/regions-record.ts';
import { chooseRootBits } from '../partition/root-size.ts';
import { cutIntoSlabs, type Slabs } from '../partition/slabs.ts';
import { createRandom } from '../surface/check-random.ts';
import { cleanMesh } from '../surface/clean.ts';
import { explainEmpty } from '../surface/explain-empty.ts';
import { countUnpairedSides, directNormals, faceMasks, finishMesh, putOnZeroSet } from '../surface/finish.ts';
import { joinParts } from '../surface/join-parts.ts';
import { measureMeshError } from '../surface/mesh-error.ts';
import { type MeshSteps, mapSteps } from '../surface/mesh-tasks.ts';
import { ERROR_SEARCH } from '../surface/rules.ts';
import { conclude, NO_STOPS } from './figures.ts';
import { latticeSpacing } from './lattice-rule.ts';
import { latticeSteps } from './lattice-steps.ts';
import type { FilledSlab, PartResult, PartTask, SettledSlab, Slab } from './parts.ts';
import { settledSlab } from './parts.ts';
import { makePlan, type Plan } from './plan.ts';
import { packRecord, unpackRecord } from './record-envelope.ts';
import { REGIONS_RECORD } from './records.ts';
import type { DerivedSurface, JobOptions, Step, TaskBatch } from './steps.ts';

/** Parts that the search is cut in, and blocks in each at least. */
const MAX_SEARCHES = 32;
const BLOCKS_PER_SEARCH = 128;
/** Derivations of a slab at most, each after leaves whose loops turned out to be no discs were bisected again. */
const MAX_ROUNDS = 3;

/** Share of the whole job that each stage takes, measured on bunny-S at tolerance 1e-3: for progress only. */
const STAGE_END: Readonly<Record<DeriveStage, number>> = {
  partition: 0.15,
  settle: 0.25,
  edges: 0.27,
  faces: 0.37,
  polygons: 0.7,
  refine: 0.95,
  simplify: 0.97,
  normals: 1,
};

/**
 * The whole derivation of one field's mesh: certified culling, settling, edges, faces, polygons, cleaning. Up to the polygons
 * it is cut in parts, which the driver runs here or in several workers: see `PartTask`. Yields after at most a few
 * milliseconds of work; the driver decides when to go on.
 */
export function* deriveSteps(asset: FieldAsset, options: JobOptions): Generator<Step, DerivedSurface, void> {
  if (options.derived !== undefined) return options.derived;
  const coarse = latticeSpacing(asset, options);
  const level = coarse === undefined ? undefined : yield* latticeSteps(asset, options, coarse);
  if (level !== undefined) return level;
  const clock = new StageClock();
  const field = createCpuField(asset);
  const plan = makePlan(field, options);
  const rootBits = hasLargeCells(plan, options, asset)
    ? yield* clock.follow('partition', chooseRootBits(field, plan.lattice, plan.allowance))
    : 0;
  const lattice = { ...plan.lattice, rootBits };
  const seed = yield* clock.follow('partition', readRegions(field, lattice, options));
  const cull = seed ? onRoots(seed.cull, lattice) : yield* search(lattice, options, clock);
  const slabs = cutIntoSlabs(lattice, cull.boxes);
  const settled =
    seed?.forest && rootBits === 0
      ? yield* clock.follow('settle', cutForest(lattice, slabs, seed.forest))
      : yield* settleSlabs(slabs, cull.nBoxes, rootBits, clock);
  const { recordsFor } = options;
  let record: Uint8Array | undefined;
  // Cells larger than the field's boxes follow the tolerance: a record of them would serve nobody else.
  if (recordsFor !== undefined && rootBits === 0 && seed?.forest === undefined) {
    record = yield* clock.follow('settle', recordRegions(lattice, cull, settled, recordsFor));
  }
  const filled = yield* fillSlabs(slabs, settled, cull.nBoxes, rootBits, clock);
  const { raw, unsound, structure } = yield* clock.follow('refine', joinParts(filled));
  const spacing = boxSize(plan.frame.bounds, lattice);
  putOnZeroSet(field, raw, plan.frame.bounds, spacing, unsound);
  directNormals(field, raw);
  const sum = (of: (slab: FilledSlab) => number): number => filled.reduce((n, slab) => n + of(slab), 0);
  const nBoxesUnsettled = settled.reduce((n, { trees }) => n + countUnsettled(trees.state), 0);
  const nBoxesUnsound = sum(({ flagged }) => flagged.length);
  const nMeasured = ERROR_SEARCH[nBoxesUnsettled + nBoxesUnsound > 0 ? 'samplesUncertain' : 'samples'];
  const decimation = plan.isExact ? undefined : { field, detail: plan.detail, spacing, nMeasured };
  const cleaned = yield* clock.follow('refine', cleanMesh(raw, plan.frame, decimation));
  yield clock.at('normals', 0);
  const faces = faceMasks(raw.positions, raw.nVertices, plan.frame.bounds);
  const nUnpairedSides = yield* clock.follow('normals', countUnpairedSides(raw.indices, faces));
  const mesh = finishMesh(raw);
  const { errorLocal, errorBackLocal } = cleaned?.errors ?? {
    errorLocal: yield* clock.follow('normals', measureMeshError(mesh, field, asset.domain)),
    errorBackLocal: undefined,
  };
  clock.at('normals', 1);
  return {
    mesh,
    isEmpty: mesh.indices.length === 0,
    ...(structure && { structure }),
    ...(recordsFor && { records: { ...(record && { regions: record }), isSeeded: seed !== undefined } }),
    stats: conclude({
      method: 'derived',
      nVertices: mesh.positions.length / 3,
      nTriangles: mesh.indices.length / 3,
      nBoxes: cull.nTotal,
      nBoxesTested: cull.nTested,
      nBoxesSurviving: cull.nBoxes,
      nBoxesUnsettled,
      toleranceLocal: plan.toleranceLocal,
      errorLocal,
      ...(errorBackLocal !== undefined && { errorBackLocal }),
      stops: {
        ...NO_STOPS,
        nBoxesUnsound,
        nBoxesFull: sum(({ nBoxesFull }) => nBoxesFull),
        nBoxesUnrefined: sum(({ nBoxesUnrefined }) => nBoxesUnrefined),
        ...cleaned?.stops,
        nUnpairedSides,
      },
      ...(mesh.indices.length === 0 && { emptyReason: explainEmpty(field, plan.frame.bounds) }),
      timeMs: clock.end(),
    }),
  };
}

/** Whether cells may be larger than the field's boxes: whoever asks for the complex wants every box. */
function hasLargeCells({ isExact }: Plan, { structure }: JobOptions, asset: FieldAsset): boolean {
  return hasPlanes(asset.encoding) && !isExact && structure !== true;
}

/** Finds the boxes that may hold surface, in their order. */
function* search(
  lattice: Lattice,
  { candidates }: JobOptions,
  clock: StageClock,
): Generator<Step, CullResult, void> {
  const { rootBits } = lattice;
  if (candidates && rootBits > 0) {
    const { boxes, nTested } = candidates;
    return onRoots({ boxes, nBoxes: boxes.length / 3, nTotal: countBoxes(lattice), nTested }, lattice);
  }
  const nItems = candidates ? candidates.boxes.length / 3 : countFirstBlocks(lattice);
  const nParts = Math.max(1, Math.min(MAX_SEARCHES, Math.floor(nItems / BLOCKS_PER_SEARCH)));
  const tasks = Array.from({ length: nParts }, (_, i): PartTask => {
    const [from, to] = [i, i + 1].map((k) => Math.round((nItems * k) / nParts));
    if (candidates === undefined) return { kind: 'cull', rootBits, within: { from, to } };
    const { boxes, nTested } = candidates;
    return {
      kind: 'cull',
      rootBits,
      within: { boxes: boxes.slice(from * 3, to * 3), nTested: i === 0 ? nTested : 0 },
    };
  });
  const found = (yield* clock.run('partition', tasks)) as CullResult[];
  const boxes = concat(
    Int32Array,
    found.map((part) => part.boxes),
  );
  const nTested = found.reduce((n, part) => n + part.nTested, 0);
  return { boxes, nBoxes: boxes.length / 3, nTotal: found[0].nTotal, nTested };
}

function slabAt({ axis, cuts }: Slabs, i: number): Slab {
  return { axis, from: cuts[i], to: cuts[i + 1], hasBelow: i > 0, hasAbove: i + 2 < cuts.length };
}

function* settleSlabs(
  slabs: Slabs,
  nBoxesInAll: number,
  rootBits: number,
  clock: StageClock,
): Generator<Step, SettledSlab[], void> {
  const tasks = slabs.boxes.map(
    (from, i): PartTask => ({ kind: 'settle', rootBits, slab: slabAt(slabs, i), from, nBoxesInAll }),
  );
  return (yield* clock.run('settle', tasks)) as SettledSlab[];
}

/** Slabs of boxes that are settled already. */
function* cutForest(
  lattice: Lattice,
  slabs: Slabs,
  forest: NonNullable<Regions['forest']>,
): Generator<number, SettledSlab[], void> {
  const settled: SettledSlab[] = [];
  for (const [i, boxes] of slabs.boxes.entries()) {
    const roots = Array.from({ length: boxes.length / 3 }, (_, k) =>
      forest.findRoot(boxes[k * 3], boxes[k * 3 + 1], boxes[k * 3 + 2]),
    );
    settled.push(settledSlab(gatherTrees(lattice, [{ forest, roots }]), lattice, slabAt(slabs, i)));
    yield i / slabs.boxes.length;
  }
  return settled;
}

/**
 * Derives the surface of all slabs, again where leaves had to be bisected: of their slab, and of a neighbour that they meet.
 * @param settled is brought up to date.
 */
function* fillSlabs(
  slabs: Slabs,
  settled: SettledSlab[],
  nBoxesInAll: number,
  rootBits: number,
  clock: StageClock,
): Generator<Step, FilledSlab[], void> {
  const filled: FilledSlab[] = [];
  let stale = [...settled.keys()];
  for (let round = 1; ; round++) {
    const tasks = stale.map((i): PartTask => {
      const [below, above] = [settled[i - 1]?.last, settled[i + 1]?.first];
      return { kind: 'fill', rootBits, slab: slabAt(slabs, i), trees: settled[i].trees, below, above };
    });
    const results = (yield* clock.run('polygons', tasks)) as FilledSlab[];
    results.forEach((result, k) => {
      filled[stale[k]] = result;
    });
    clock.divide(
      'polygons',
      results.map(({ timeMs }) => timeMs),
    );
    const unsound = [...filled.keys()].filter((i) => filled[i].flagged.length > 0);
    if (unsound.length === 0 || round === MAX_ROUNDS) return filled;
    const again = unsound.map((i): PartTask => {
      const from = { trees: settled[i].trees, flagged: filled[i].flagged };
      return { kind: 'settle', rootBits, slab: slabAt(slabs, i), from, nBoxesInAll };
    });
    const bisected = (yield* clock.run('settle', again)) as SettledSlab[];
    const next = new Set<number>();
    unsound.forEach((i, k) => {
      const [before, after] = [settled[i], bisected[k]];
      settled[i] = after;
      if (isBisected(before.trees, after.trees)) next.add(i);
      if (isBisected(before.first, after.first)) next.add(i - 1);
      if (isBisected(before.last, after.last)) next.add(i + 1);
    });
    if (next.size === 0) return filled;
    stale = [...next].sort((a, b) => a - b);
  }
}

function isBisected(before: SettledSlab['first'], after: SettledSlab['first']): boolean {
  return before?.state.length !== after?.state.length;
}

function countUnsettled(state: Int32Array): number {
  return state.reduce((n, s) => n + (s === NODE_UNSETTLED ? 1 : 0), 0);
}

/** Mean size of the search's boxes along x, in local units. */
function boxSize(bounds: Box3, lattice: Lattice): number {
  return (bounds.max[0] - bounds.min[0]) / rootCounts(lattice)[0];
}

/** Wall time by stage; also maps a stage's fraction to the job's. */
class StageClock {
  readonly #times: Partial<Record<DeriveStage, number>> = {};
  #stage: DeriveStage = 'partition';
  #since = performance.now();

  at(stage: DeriveStage, fraction: number): DeriveProgress {
    const now = performance.now();
    this.#times[this.#stage] = (this.#times[this.#stage] ?? 0) + now - this.#since;
    this.#since = now;
    this.#stage = stage;
    const stages = Object.keys(STAGE_END) as DeriveStage[];
    const before = stages[stages.indexOf(stage) - 1];
    const from = before === undefined ? 0 : STAGE_END[before];
    return { stage, fraction: from + fraction * (STAGE_END[stage] - from) };
  }

  /** Runs a generator of fractions, or of parts, as one stage. */
  *follow<T>(stage: DeriveStage, steps: MeshSteps<T>): Generator<Step, T, void> {
    return yield* mapSteps(steps, (fraction) => this.at(stage, fraction));
  }

  /** Has the driver run parts, as one stage. */
  *run(stage: DeriveStage, tasks: readonly PartTask[]): Generator<Step, PartResult[], void> {
    yield this.at(stage, 0);
    const batch: TaskBatch = { tasks, results: [], at: (fraction) => this.at(stage, fraction) };
    yield batch;
    return batch.results;
  }

  /** Divides the time of a stage among those that ran within it, as the threads' times were. */
  divide(stage: DeriveStage, parts: readonly Readonly<Partial<Record<DeriveStage, number>>>[]): void {
    const total = parts.reduce((sum, times) => sum + Object.values(times).reduce((n, t) => n + t, 0), 0);
    this.at(stage, 1);
    const whole = this.#times[stage] ?? 0;
    if (total === 0) return;
    this.#times[stage] = 0;
    for (const times of parts) {
      for (const [name, time] of Object.entries(times) as [DeriveStage, number][])
        this.#times[name] = (this.#times[name] ?? 0) + (whole * time) / total;
    }
  }

  end(): Readonly<Partial<Record<DeriveStage, number>>> {
    this.at(this.#stage, 1);
    return this.#times;
  }
}

/** Takes the regions from the job's record; undefined where there is none or it is of no use. */
function* readRegions(
  field: CpuField,
  lattice: Lattice,
  { regions, recordsFor = '' }: JobOptions,
): Generator<number, Regions | undefined, void> {
  if (regions === undefined) return undefined;
  try {
    const { payload } = unpackRecord(regions, { kind: REGIONS_RECORD, contentHash: recordsFor });
    const found = yield* decodeRegions(payload, lattice);
    const problem = yield* verifyRegions(found, field, lattice, createRandom(found.cull.nBoxes));
    return problem === undefined ? found : undefined;
  } catch (error) {
    if (error instanceof NsdfFormatError) return undefined;
    throw error;
  }
}

/** The record of regions that were just settled, slab by slab. */
function* recordRegions(
  lattice: Lattice,
  cull: CullResult,
  slabs: readonly SettledSlab[],
  contentHash: string,
): Generator<number, Uint8Array<ArrayBuffer>, void> {
  const trees: { forest: Forest }[] = [];
  for (const slab of slabs) {
    trees.push({ forest: forestOf(lattice, slab.trees) });
    yield 0;
  }
  const boxes = concat(
    Int32Array,
    slabs.map((slab) => slab.trees.boxes),
  );
  const forest = gatherTrees(lattice, trees);
  const payload = yield* encodeRegions(lattice, { cull: { ...cull, boxes }, forest });
  return packRecord({ kind: REGIONS_RECORD, contentHash }, payload);
}
