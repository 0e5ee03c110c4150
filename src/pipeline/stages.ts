import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { CornerTable } from '../partition/corners.ts';
import type { CullResult } from '../partition/cull.ts';
import { Forest } from '../partition/forest.ts';
import { countNodes, Settler } from '../partition/settle.ts';
import { cleanMesh } from '../surface/clean.ts';
import { explainEmpty } from '../surface/explain-empty.ts';
import { type Extraction, extractSurface } from '../surface/extract.ts';
import { directNormals, finishMesh, putOnZeroSet, type RawMesh } from '../surface/finish.ts';
import { measureMeshError } from '../surface/mesh-error.ts';
import type { RegionStructure } from '../surface/structure.ts';
import { conclude, NO_STOPS } from './figures.ts';
import { findRegions, recordRegions } from './find-regions.ts';
import { latticeSpacing } from './lattice-rule.ts';
import { latticeSteps } from './lattice-steps.ts';
import type { DeriveProgress, DeriveStage, DeriveStops } from './options.ts';
import { makePlan, type Plan } from './plan.ts';
import type { DerivedSurface, JobOptions } from './steps.ts';

const NONE = new Float64Array(0);

/** Share of the whole job that each stage takes, measured on bunny-S at tolerance 1e-3: for progress only. */
const STAGE_END: Readonly<Record<DeriveStage, number>> = {
  partition: 0.3,
  settle: 0.5,
  edges: 0.52,
  faces: 0.7,
  polygons: 0.92,
  refine: 0.95,
  simplify: 0.97,
  normals: 1,
};

/**
 * The whole derivation of one field's mesh: certified culling, settling, edges, faces, polygons, cleaning. Yields
 * after at most a few milliseconds of work; the driver decides when to go on.
 */
export function* deriveSteps(
  asset: FieldAsset,
  options: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  if (options.derived !== undefined) return options.derived;
  const spacing = latticeSpacing(asset, options);
  if (spacing !== undefined) return yield* latticeSteps(asset, options, spacing);
  const clock = new StageClock();
  const field = createCpuField(asset);
  const plan = makePlan(field, options);
  const table = new CornerTable(field, plan.lattice);
  const regions = yield* clock.follow('partition', findRegions(table, options));
  const { cull } = regions;
  const forest = regions.forest ?? new Forest(plan.lattice, cull.boxes);
  const settler = new Settler(table, forest);
  const hasStructure = options.structure === true;
  let record: Uint8Array | undefined;
  const { recordsFor } = options;
  const keepRegions = function* (): Generator<number, void> {
    if (recordsFor !== undefined && regions.forest === undefined) {
      record = yield* recordRegions(table, regions, forest, recordsFor);
    }
  };
  const steps = extractSurface(table, forest, settler, { ...plan, hasStructure, onSettled: keepRegions });
  let extraction: Extraction | undefined;
  while (extraction === undefined) {
    const step = steps.next();
    if (step.done) extraction = step.value;
    else yield clock.at(step.value.stage, step.value.fraction);
  }
  yield clock.at('refine', 0);
  const structure = yield* buildStructure(extraction, cull, clock);
  const raw = rawMesh(extraction);
  finishVertices(field, plan, raw, [...extraction.faces.unsound, ...extraction.filler.sink.unsound]);
  const decimation = plan.isExact ? undefined : { field, detail: plan.detail, spacing: boxSize(plan) };
  const cleaned = yield* clock.follow('refine', cleanMesh(raw, plan.frame, decimation));
  yield clock.at('normals', 0);
  const mesh = finishMesh(raw);
  const { suspects = NONE, missed = 0, stops = {} } = cleaned ?? {};
  const errorLocal = Math.max(measureMeshError(mesh, field, asset.domain, suspects), missed);
  clock.at('normals', 1);
  const counts = countNodes(forest);
  return {
    mesh,
    isEmpty: mesh.indices.length === 0,
    ...(structure && { structure }),
    ...(recordsFor && { records: { ...(record && { regions: record }), isSeeded: regions.isSeeded } }),
    stats: conclude({
      method: 'derived',
      nVertices: mesh.positions.length / 3,
      nTriangles: mesh.indices.length / 3,
      nBoxes: cull.nTotal,
      nBoxesTested: cull.nTested,
      nBoxesSurviving: cull.nBoxes,
      nBoxesUnsettled: counts.unsettled,
      toleranceLocal: plan.toleranceLocal,
      errorLocal,
      stops: { ...NO_STOPS, ...stopsOf(extraction), ...stops },
      ...(mesh.indices.length === 0 && { emptyReason: explainEmpty(field, plan.frame.bounds) }),
      timeMs: clock.end(),
    }),
  };
}

/** The structure that was asked for, before the vertices are moved or rounded. */
function* buildStructure(
  { structure }: Extraction,
  cull: CullResult,
  clock: StageClock,
): Generator<DeriveProgress, RegionStructure | undefined, void> {
  if (structure === undefined) return undefined;
  const steps = structure.build(cull.boxes);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield clock.at('refine', 0);
  }
}

function stopsOf({ nUnsound, filler }: Extraction): Partial<DeriveStops> {
  return { nBoxesUnsound: nUnsound, nBoxesFull: filler.nFull, nBoxesUnrefined: filler.nUnrefined };
}

function rawMesh({ vertices, filler }: Extraction): RawMesh {
  return {
    positions: vertices.positions,
    normals: filler.sink.normals,
    slopes: filler.sink.slopes,
    nVertices: vertices.nVertices,
    indices: filler.sink.indices,
    nTriangles: filler.sink.nTriangles,
    landmarks: filler.landmarks,
  };
}

/** Puts the few vertices on the zero set that their box's own derivation could not, and directs what has no normal. */
function finishVertices(field: CpuField, plan: Plan, raw: RawMesh, unsound: readonly number[]): void {
  putOnZeroSet(field, raw, plan.frame.bounds, boxSize(plan), unsound);
  directNormals(field, raw);
}

/** Mean size of the lattice's boxes along x, in local units. */
function boxSize({ frame: { bounds }, lattice }: Plan): number {
  return (bounds.max[0] - bounds.min[0]) / (lattice.planes[0].length - 1);
}

/** Wall time by stage; also maps a stage's fraction to the job's. */
class StageClock {
  private readonly times: Partial<Record<DeriveStage, number>> = {};
  private stage: DeriveStage = 'partition';
  private since = performance.now();

  at(stage: DeriveStage, fraction: number): DeriveProgress {
    const now = performance.now();
    this.times[this.stage] = (this.times[this.stage] ?? 0) + now - this.since;
    this.since = now;
    this.stage = stage;
    const stages = Object.keys(STAGE_END) as DeriveStage[];
    const before = stages[stages.indexOf(stage) - 1];
    const from = before === undefined ? 0 : STAGE_END[before];
    return { stage, fraction: from + fraction * (STAGE_END[stage] - from) };
  }

  /** Runs a generator of fractions as one stage. */
  *follow<T>(stage: DeriveStage, fractions: Generator<number, T, void>): Generator<DeriveProgress, T, void> {
    for (;;) {
      const step = fractions.next();
      if (step.done) return step.value;
      yield this.at(stage, step.value);
    }
  }

  end(): Readonly<Partial<Record<DeriveStage, number>>> {
    this.at(this.stage, 1);
    return this.times;
  }
}
