import { createCpuField } from '../field/cpu-field.ts';
import { createGpuField } from '../field/gpu/gpu-field.ts';
import { isHalfTable } from '../field/gpu/resources.ts';
import type { FieldAsset } from '../format/asset.ts';
import { GpuArena } from '../gpu/arena.ts';
import type { DeriveStage } from '../options.ts';
import { isoOffsetOf } from '../partition/corners.ts';
import type { Candidates } from '../partition/cull.ts';
import { cullOnGpu } from '../partition/gpu/gpu-cull.ts';
import type { GpuSurface } from '../surface/gpu/gpu-surface.ts';
import type { SurfacePlan } from '../surface/gpu/surface-program.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { BackendControl } from './backend.ts';
import { conclude, NO_STOPS } from './figures.ts';
import { copyBuffers, type SurfaceBuffers, uploadBuffers } from './gpu-buffers.ts';
import { contextFor } from './gpu-device.ts';
import type { GpuBuffers } from './gpu-mesh.ts';
import { acquire, prepare, release, sessionOf } from './gpu-sessions.ts';
import { deriveTiles, isTooLarge, type SurfaceFacts, type TiledSurface } from './gpu-tiles.ts';
import { toleranceOf } from './lattice-rule.ts';
import { makePlan } from './plan.ts';
import type { DerivedSurface, JobOptions, SurfaceStats } from './steps.ts';
import { createEventYield } from './yield-to-events.ts';

/** Boxes that the GPU left over, and how that went. */
export interface GpuCulled {
  readonly candidates: Candidates;
  readonly timeMs: number;
  readonly adapterName: string;
}

/** A surface that the GPU derived. */
export interface GpuDerived {
  readonly surface: DerivedSurface;
  /** On what adapter, and how. */
  readonly where: string;
}

/**
 * Derives a field's surface on the GPU and reads it back.
 * @throws {NsdfGpuError} if there is no usable GPU, it fails, or the mesh is not sound in single precision
 * @throws {NsdfUnsupportedError} if the field cannot be derived there
 * @throws {NsdfBudgetError} if it needs more memory than there may be, and tiles of it do, too
 * @throws {BackendUnavailableError} if nobody asked for the GPU and it computes on the processor
 */
export function deriveField(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuDerived> {
  const describe = (mesh: SurfaceMesh, stats: SurfaceStats, where: string): GpuDerived => ({
    surface: { mesh, isEmpty: mesh.indices.length === 0, stats },
    where,
  });
  return run(asset, options, control, {
    whole: async (surface, { stats, arena, where }) => describe(await readMesh(surface, arena), stats, where),
    tiled: async ({ mesh }, { stats, where }) => describe(mesh, stats, where),
  });
}

/** The same, but the mesh stays on the GPU. @throws as `deriveField` */
export function deriveBuffers(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuBuffers> {
  const describe = (
    { nVertices, nTriangles, bounds }: SurfaceFacts,
    buffers: SurfaceBuffers,
    { stats, where }: Run,
  ): GpuBuffers => ({ ...buffers, nVertices, nTriangles, bounds, stats, where });
  return run(asset, options, control, {
    whole: async (surface, at) => describe(surface, await copyBuffers(surface, at.arena.context), at),
    tiled: async ({ facts, mesh }, at) => describe(facts, await uploadBuffers(mesh, at.arena.context), at),
  });
}

/** A run on the GPU. */
interface Run {
  readonly arena: GpuArena;
  readonly stats: SurfaceStats;
  /** On what adapter, and how. */
  readonly where: string;
}

/** What becomes of the mesh. */
interface Takers<T> {
  /** Receives it while it is on the GPU. */
  whole(surface: GpuSurface, run: Run): Promise<T>;
  /** Receives one that was read back, because it was derived in tiles. */
  tiled(surface: TiledSurface, run: Run): Promise<T>;
}

/** Derives on the GPU, in tiles where there is not enough memory for all at once. */
async function run<T>(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
  take: Takers<T>,
): Promise<T> {
  const context = await contextFor(control);
  const { signal, onProgress } = control;
  const events = createEventYield();
  const current = acquire(sessionOf(context), asset);
  const arena = new GpuArena(context);
  try {
    const startMs = performance.now();
    onProgress?.({ stage: 'partition', fraction: 0 });
    const { deriver } = await current.ready;
    const plan = planOf(asset, options);
    const stageProgress = (stage: string, fraction: number): void =>
      onProgress?.({ stage: STAGES[stage] ?? 'partition', fraction: fraction * SURFACE_SHARE });
    const how = { signal, onProgress: stageProgress, giveWay: events.giveWay };
    const at = (facts: SurfaceFacts, where: string): Run => ({
      arena,
      stats: statsOf(asset, options, facts, performance.now() - startMs),
      where,
    });
    const { adapterName } = context;
    let result: T;
    try {
      result = await deriver.derive(plan, how, (surface) => take.whole(surface, at(surface, adapterName)));
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const surface = await deriveTiles(deriver, plan, how, (tile) => readMesh(tile, arena), error);
      const where = `${adapterName} in ${surface.nTiles} tiles`;
      result = await take.tiled(surface, at(surface.facts, where));
    }
    onProgress?.({ stage: 'normals', fraction: 1 });
    return result;
  } finally {
    arena.dispose();
    events.close();
    release(current);
  }
}

/** Share of the progress until the mesh is on the GPU. */
const SURFACE_SHARE = 0.95;
/** What the GPU's stages are called elsewhere. */
const STAGES: Readonly<Record<string, DeriveStage>> = {
  cull: 'partition',
  corners: 'partition',
  settle: 'settle',
  rects: 'settle',
  edges: 'edges',
  faces: 'faces',
  fill: 'polygons',
  decimate: 'refine',
  finish: 'normals',
};

function planOf(asset: FieldAsset, options: JobOptions): SurfacePlan {
  const { lattice, frame, detail } = makePlan(createCpuField(asset), options);
  const tolerances = options.blocks ?? { counts: [1, 1, 1] as const, tolerances: [detail.least] };
  return { lattice, bounds: frame.bounds, tolerances, domain: asset.domain };
}

function statsOf(
  asset: FieldAsset,
  options: JobOptions,
  surface: SurfaceFacts,
  totalMs: number,
): SurfaceStats {
  const { nVertices, nTriangles, nBoxes, nBoxesTested, nBoxesSurviving, nBoxesUnsettled } = surface;
  const timeMs: Partial<Record<DeriveStage, number>> = {};
  for (const [label, time] of Object.entries(surface.gpuTimeMs)) {
    const stage = STAGES[label] ?? 'partition';
    timeMs[stage] = (timeMs[stage] ?? 0) + time;
  }
  const toleranceLocal = options.blocks
    ? Math.max(...Array.from(options.blocks.tolerances))
    : toleranceOf(asset, options);
  return conclude({
    method: 'derived',
    nVertices,
    nTriangles,
    nBoxes,
    nBoxesTested,
    nBoxesSurviving,
    nBoxesUnsettled,
    toleranceLocal,
    errorLocal: surface.errorLocal,
    errorBackLocal: surface.errorBackLocal,
    stops: { ...NO_STOPS, ...surface.stops },
    timeMs: Object.keys(timeMs).length > 0 ? timeMs : { partition: totalMs },
  });
}

async function readMesh(surface: GpuSurface, arena: GpuArena): Promise<SurfaceMesh> {
  const { nVertices, nTriangles } = surface;
  const sources = [
    [surface.positions, nVertices * 12],
    [surface.normals, nVertices * 12],
    [surface.indices, nTriangles * 12],
  ] as const;
  const [positions, normals, indices] = await arena.readAll(sources, 'surface');
  return {
    positions: new Float32Array(positions),
    normals: new Float32Array(normals),
    indices: new Uint32Array(indices),
  };
}

/**
 * Compiles what deriving such a field needs.
 * @param nLevels grid levels that it will have, where some are still to come.
 * @throws as `deriveField`
 */
export async function compile(
  asset: FieldAsset,
  nLevels: number | undefined,
  control: BackendControl,
): Promise<void> {
  const context = await contextFor(control);
  const field = await createGpuField(standIn(asset, nLevels), context, isHalfTable(asset));
  try {
    await prepare(field);
  } finally {
    field.dispose();
  }
}

/** A field of as many levels and of the shape that kernels are made for, with next to nothing to upload. */
function standIn(asset: FieldAsset, nLevels: number | undefined): FieldAsset {
  const { encoding, layers } = asset;
  if (encoding.kind !== 'hash-grid' || encoding.levels.length === 0) return asset;
  const { nFeaturesPerLevel } = encoding;
  const nEntries = 8;
  const params = new Float32Array(nEntries * nFeaturesPerLevel);
  const level = { resolution: 2, scale: 1, offset: 0.5, nEntries, isDense: true, params };
  const nAll = Math.max(encoding.levels.length, nLevels ?? 0);
  const levels = Array.from({ length: nAll }, () => level);
  // Levels that are still to come count for nothing.
  const [first, ...rest] = layers;
  const nIn = nAll * nFeaturesPerLevel;
  const weights = new Float32Array(first.nOut * nIn);
  for (let row = 0; row < first.nOut; row++) {
    weights.set(first.weights.subarray(row * first.nIn, (row + 1) * first.nIn), row * nIn);
  }
  return { ...asset, encoding: { ...encoding, levels }, layers: [{ ...first, nIn, weights }, ...rest] };
}

/** Culls a field's boxes on the GPU. @throws as `deriveField` */
export async function cullField(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuCulled> {
  const startMs = performance.now();
  const context = await contextFor(control);
  const plan = makePlan(createCpuField(asset), options);
  const { boxes, nTested } = await cullOnGpu(context, asset, plan.lattice, {
    isoOffset: isoOffsetOf(asset),
    signal: control.signal,
    onProgress: (fraction) => control.onProgress?.({ stage: 'partition', fraction }),
  });
  return {
    candidates: { boxes, nTested },
    timeMs: performance.now() - startMs,
    adapterName: context.adapterName,
  };
}
