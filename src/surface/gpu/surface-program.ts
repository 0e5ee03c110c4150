import { uploadPlanes } from '../../field/gpu/block-bounds.ts';
import type { FieldResources } from '../../field/gpu/resources.ts';
import type { Box3 } from '../../format/asset.ts';
import { type GpuArena, USAGE } from '../../gpu/arena.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { takeTurn } from '../../gpu/kernel.ts';
import type { Program } from '../../gpu/program.ts';
import { createProgramTools, ProgramBuilder } from '../../gpu/program-builder.ts';
import { isoOffsetOf, type Lattice } from '../../partition/corners.ts';
import { countFirst, createCuller, searchOf } from '../../partition/gpu/cull-program.ts';
import { createPartitioner } from '../../partition/gpu/forest-program.ts';
import type { ToleranceBlocks } from '../detail-map.ts';
import type { SurfaceCapacities } from './capacities.ts';
import { createDecimateStage } from './decimate/decimate-stage.ts';
import { createEdgesStage } from './edges/edges-stage.ts';
import { createFacesStage } from './faces/faces-stage.ts';
import { createFillStage } from './fill/fill-stage.ts';
import { createFinishStage, createOutput, type GpuOutput } from './finish/finish-stage.ts';
import { type GpuDetail, type GpuMesh, TRIANGLE_BYTES } from './kit.ts';
import { createMeasurer } from './measure.ts';
import { createPolisher } from './polish.ts';
import { COUNTS, DETAIL, packCounts, SUMMARY_WORDS } from './structs.ts';
import { type Tile, wholeTile } from './tiles.ts';

/** What is derived: which part of the field, and how finely. */
export interface SurfacePlan {
  readonly lattice: Lattice;
  /** The box that the mesh may be open on. */
  readonly bounds: Box3;
  readonly tolerances: ToleranceBlocks;
  /** The box that the tolerances' blocks divide. */
  readonly domain: Box3;
  /** The part of the lattice that is derived, where it is not all of it. */
  readonly tile?: Tile | undefined;
}

/**
 * What is added to f while the surface's topology is found, in units of `isoOffsetOf`: far enough above single precision
 * for a surface on a plane of the lattice to have one side. Vertices are put on f = 0 afterwards.
 */
export const ISO_OFFSETS = 1000;

/** The compiled stages of a derivation. */
export type SurfaceStages = Awaited<ReturnType<typeof compileSurface>>;

/**
 * Compiles all kernels of a derivation, or finds them compiled; never blocks the page.
 * @param isHardware whether it is made for many processors (direct dispatches, wide workgroups), or for software that runs both sides of
 * every branch. The mesh is the same.
 * @throws {NsdfUnsupportedError} if the network is too large for generated kernels
 * @throws {NsdfGpuError} if the GPU refuses a shader
 */
export async function compileSurface(
  resources: FieldResources,
  context: GpuContext,
  isHardware = !context.isSoftware,
) {
  const [tools, culler, partitioner, polisher, measurer, edges, faces, fill, decimate, finish] =
    await Promise.all([
      takeTurn().then(() => createProgramTools(context, isHardware)),
      takeTurn().then(() => createCuller(resources, context)),
      takeTurn().then(() => createPartitioner(resources, context)),
      takeTurn().then(() => createPolisher(resources, context)),
      takeTurn().then(() => createMeasurer(resources, context)),
      takeTurn().then(() => createEdgesStage(resources, context)),
      takeTurn().then(() => createFacesStage(resources, context)),
      takeTurn().then(() => createFillStage(resources, context, isHardware)),
      takeTurn().then(() => createDecimateStage(resources, context, isHardware)),
      takeTurn().then(() => createFinishStage(resources, context)),
    ]);
  return { tools, culler, partitioner, polisher, measurer, edges, faces, fill, decimate, finish };
}

/** A derivation that can be run. */
export interface SurfaceProgram {
  readonly program: Program;
  /** See `COUNTS`; before a run they are `firstCounts`. */
  readonly counts: GPUBuffer;
  readonly firstCounts: Uint32Array<ArrayBuffer>;
  /** See `SUMMARY_AT`. */
  readonly summary: GPUBuffer;
  readonly output: GpuOutput;
  /** See {@link writeDetail}. */
  readonly detail: GpuDetail;
}

/**
 * Makes the buffers and bind groups of a derivation, in the arena. Yields after every few milliseconds of work.
 * @throws {NsdfGpuError} if a buffer is larger than the device's limits allow
 */
export function* buildSurface(
  stages: SurfaceStages,
  resources: FieldResources,
  arena: GpuArena,
  plan: SurfacePlan,
  capacities: SurfaceCapacities,
): Generator<void, SurfaceProgram, void> {
  const builder = new ProgramBuilder(stages.tools, arena, COUNTS);
  const { lattice } = plan;
  const isoOffset = ISO_OFFSETS * isoOffsetOf(resources.asset);
  const table = uploadPlanes(resources, arena, lattice.planes);
  yield;
  const detail = uploadDetail(builder, arena, plan);
  const { vertices: nVertices, triangles: nTriangles } = capacities;
  const summary = builder.create('surface.summary', SUMMARY_WORDS * 4);
  builder.clear(summary);
  yield;
  const blocks = stages.culler.add(builder, table, countFirst(table.counts), capacities, isoOffset);
  yield;
  const partition = yield* stages.partitioner.add(builder, table, lattice, blocks, capacities, isoOffset);
  yield;
  const mesh: GpuMesh = {
    vertices: builder.create('mesh.vertices', nVertices * 16),
    normals: builder.create('mesh.normals', nVertices * 16),
    marks: builder.create('mesh.marks', nVertices * 4),
    triangles: builder.create('mesh.triangles', nTriangles * TRIANGLE_BYTES),
    summary,
  };
  const extract = function* (): Generator<void, void, void> {
    const edges = stages.edges.add(builder, partition, detail, mesh.vertices, capacities);
    yield;
    const faces = stages.faces.add(builder, partition, edges, detail, mesh.vertices, capacities);
    const byVertices = builder.items('chainVertices', nVertices);
    stages.polisher.add(builder, byVertices, mesh, detail);
    yield;
    yield* stages.fill.add(builder, partition, edges, faces, detail, mesh, capacities);
  };
  yield* builder.scopeSteps(extract());
  yield;
  stages.decimate.add(builder, mesh, lattice, detail, capacities);
  yield;
  const output = createOutput(builder, capacities);
  stages.finish.add(builder, mesh, detail, stages.measurer, capacities, output);
  const program = builder.endProgram();
  const firstCounts = packCounts(searchOf(table.counts));
  return { program, counts: builder.counts, firstCounts, summary, output, detail };
}

/** Where the mesh lies and how fine it is to be, on the GPU. */
export function uploadDetail(builder: ProgramBuilder<never>, arena: GpuArena, plan: SurfacePlan): GpuDetail {
  return {
    params: builder.uniform('surface.detail', packDetail(plan)),
    tolerances: arena.upload('surface.tolerances', valuesOf(plan), USAGE.storage),
  };
}

/** Changes the tolerances for the next run; there have to be as many of them. */
export function writeDetail(arena: GpuArena, { params, tolerances }: GpuDetail, plan: SurfacePlan): void {
  arena.write(params, packDetail(plan));
  arena.write(tolerances, valuesOf(plan));
}

function valuesOf({ tolerances: { tolerances } }: SurfacePlan): Float32Array<ArrayBuffer> {
  return Float32Array.from(tolerances);
}

function packDetail(plan: SurfacePlan): ArrayBuffer {
  const { bounds, domain, lattice, tolerances } = plan;
  const { counts } = tolerances;
  const values = valuesOf(plan);
  const tile = plan.tile ?? wholeTile(lattice);
  return DETAIL.pack({
    counts,
    isUniform: values.every((each) => each === values[0]) ? 1 : 0,
    origin: domain.min,
    size: domain.max.map((high, k) => (high - domain.min[k]) / counts[k]),
    low: bounds.min,
    high: bounds.max,
    tileFirst: tile.first,
    tileEnd: tile.end,
    seamLow: tile.seams.min,
    seamHigh: tile.seams.max,
  });
}
