import { createCpuField } from '../field/cpu-field.ts';
import { createGpuField, type GpuField } from '../field/gpu/gpu-field.ts';
import { isHalfTable } from '../field/gpu/half-table.ts';
import type { FieldAsset } from '../format/asset.ts';
import { isSameNetwork } from '../format/network-map.ts';
import { GpuArena, USAGE } from '../gpu/arena.ts';
import { createGpuContext, disposeGpu, type GpuContext, guarded, shareDevice } from '../gpu/context.ts';
import { isoOffsetOf } from '../partition/corners.ts';
import type { Candidates } from '../partition/cull.ts';
import { cullOnGpu } from '../partition/gpu/gpu-cull.ts';
import { type GpuSurface, GpuSurfaceDeriver } from '../surface/gpu/gpu-surface.ts';
import type { SurfacePlan } from '../surface/gpu/surface-program.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import { type BackendControl, BackendUnavailableError } from './backend.ts';
import type { GpuBuffers } from './gpu-mesh.ts';
import type { DeriveStage } from './options.ts';
import { makePlan, toleranceOf } from './plan.ts';
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
  readonly adapterName: string;
}

/** A device, and the field that was derived on it last: the next tolerance of it needs no upload and no buffers. */
interface Session {
  readonly context: GpuContext;
  current: CurrentField | undefined;
}

interface CurrentField {
  readonly asset: FieldAsset;
  readonly ready: Promise<{ readonly field: GpuField; readonly deriver: GpuSurfaceDeriver }>;
  nUsers: number;
  isReplaced: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A field that nobody asked for so long leaves the GPU. */
const IDLE_MS = 10_000;

// One device serves all derivations of a page, as one pool of workers does; made at the first, replaced when lost.
let own: Promise<GpuContext> | undefined;
let sessions = new WeakMap<GPUDevice, Session>();
const shared = new WeakMap<GPUDevice, GpuContext>();

/** See `GpuModule.deriveField`. */
export function deriveField(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuDerived> {
  return run(asset, options, control, async (surface, arena, stats, adapterName) => {
    const mesh = await readMesh(surface, arena);
    return { surface: { mesh, isEmpty: surface.nTriangles === 0, stats }, adapterName };
  });
}

/** See `GpuModule.deriveBuffers`. */
export function deriveBuffers(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
): Promise<GpuBuffers> {
  return run(asset, options, control, async (surface, arena, stats, adapterName) => {
    const buffers = await copyBuffers(surface, arena.context);
    const { nVertices, nTriangles, bounds } = surface;
    return { ...buffers, nVertices, nTriangles, bounds, stats, adapterName };
  });
}

/** Derives on the GPU; `take` receives the mesh while it is there. */
async function run<T>(
  asset: FieldAsset,
  options: JobOptions,
  control: BackendControl,
  take: (surface: GpuSurface, arena: GpuArena, stats: SurfaceStats, adapterName: string) => Promise<T>,
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
    return await deriver.derive(
      plan,
      { signal, onProgress: stageProgress, giveWay: events.giveWay },
      async (surface) => {
        const stats = statsOf(asset, options, surface, performance.now() - startMs);
        const result = await take(surface, arena, stats, context.adapterName);
        onProgress?.({ stage: 'normals', fraction: 1 });
        return result;
      },
    );
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
  boxes: 'polygons',
  refine: 'refine',
  decimate: 'refine',
  finish: 'normals',
};

function planOf(asset: FieldAsset, options: JobOptions): SurfacePlan {
  const { lattice, frame, detail } = makePlan(createCpuField(asset), options);
  const tolerances = options.blocks ?? { counts: [1, 1, 1] as const, tolerances: [detail.least] };
  return { lattice, bounds: frame.bounds, tolerances, domain: asset.domain };
}

function statsOf(asset: FieldAsset, options: JobOptions, surface: GpuSurface, totalMs: number): SurfaceStats {
  const { nVertices, nTriangles, nBoxes, nBoxesTested, nBoxesSurviving, nBoxesUnsettled } = surface;
  const timeMs: Partial<Record<DeriveStage, number>> = {};
  for (const [label, time] of Object.entries(surface.gpuTimeMs)) {
    const stage = STAGES[label] ?? 'partition';
    timeMs[stage] = (timeMs[stage] ?? 0) + time;
  }
  const toleranceLocal = options.blocks
    ? Math.max(...Array.from(options.blocks.tolerances))
    : toleranceOf(asset, options);
  return {
    nVertices,
    nTriangles,
    nBoxes,
    nBoxesTested,
    nBoxesSurviving,
    nBoxesUnsettled,
    toleranceLocal,
    errorLocal: surface.errorLocal,
    timeMs: Object.keys(timeMs).length > 0 ? timeMs : { partition: totalMs },
  };
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

/** How engines draw from the buffers. */
const DRAWN = { index: 0x10, vertex: 0x20, indirect: 0x100 } as const;

async function copyBuffers(surface: GpuSurface, context: GpuContext) {
  const { nVertices, nTriangles } = surface;
  const arena = new GpuArena(context);
  const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
  try {
    return await guarded(context, 'surface', () => {
      const encoder = context.device.createCommandEncoder({ label: 'nsdf.surface.copy' });
      const copy = (label: string, from: GPUBuffer, nBytes: number, use: number): GPUBuffer => {
        const to = arena.create(`surface.${label}`, nBytes, usage | use);
        if (nBytes > 0) encoder.copyBufferToBuffer(from, 0, to, 0, nBytes);
        return to;
      };
      const positions = copy('positions', surface.positions, nVertices * 12, DRAWN.vertex);
      const normals = copy('normals', surface.normals, nVertices * 12, DRAWN.vertex);
      const indices = copy('indices', surface.indices, nTriangles * 12, DRAWN.index);
      context.device.queue.submit([encoder.finish()]);
      const draw = Uint32Array.of(3 * nTriangles, 1, 0, 0, 0);
      const drawArguments = arena.upload('surface.draw', draw, usage | DRAWN.indirect);
      return { positions, normals, indices, drawArguments, dispose: () => arena.dispose() };
    });
  } catch (error) {
    arena.dispose();
    throw error;
  }
}

/** See `GpuModule.compile`. */
export async function compile(
  asset: FieldAsset,
  nLevels: number | undefined,
  control: BackendControl,
): Promise<void> {
  const context = await contextFor(control);
  const field = await createGpuField(standIn(asset, nLevels), context, isHalfTable(asset));
  try {
    await GpuSurfaceDeriver.create(field);
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

/** See `GpuModule.cullField`. */
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

/** See `GpuModule.releaseDevice`. */
export function releaseDevice(): void {
  void own?.then(disposeGpu, () => {});
  own = undefined;
  sessions = new WeakMap();
}

async function contextFor({ device, isAuto }: BackendControl): Promise<GpuContext> {
  const context = device ? contextOf(device) : await ownContext();
  if (isAuto && context.isSoftware) {
    // SwiftShader against one worker, bunny-L: 24 s of processor time against 5 s (2026-11-24).
    throw new BackendUnavailableError(
      `${context.adapterName} computes on the processor, slower than a worker`,
    );
  }
  return context;
}

async function ownContext(): Promise<GpuContext> {
  const current = own ?? createGpuContext();
  own = current;
  try {
    const context = await current;
    if (context.lossReason() === undefined) return context;
  } catch (error) {
    if (own === current) own = undefined;
    throw error;
  }
  if (own === current) own = undefined;
  return ownContext();
}

function contextOf(device: GPUDevice): GpuContext {
  const context = shared.get(device) ?? shareDevice(device);
  shared.set(device, context);
  return context;
}

function sessionOf(context: GpuContext): Session {
  const session = sessions.get(context.device) ?? { context, current: undefined };
  sessions.set(context.device, session);
  return session;
}

/** The field on the GPU, uploaded where it is not there; another one leaves when nobody uses it any more. */
function acquire(session: Session, asset: FieldAsset): CurrentField {
  const { current } = session;
  if (current && !current.isReplaced && isSameNetwork(current.asset, asset)) {
    clearTimeout(current.timer);
    current.nUsers++;
    return current;
  }
  if (current && !current.isReplaced) {
    current.isReplaced = true;
    clearTimeout(current.timer);
    if (current.nUsers === 0) drop(current);
  }
  const next: CurrentField = {
    asset,
    ready: open(asset, session.context),
    nUsers: 1,
    isReplaced: false,
    timer: undefined,
  };
  session.current = next;
  next.ready.catch(() => {
    if (session.current === next) session.current = undefined;
  });
  return next;
}

async function open(asset: FieldAsset, context: GpuContext) {
  const field = await createGpuField(asset, context);
  try {
    return { field, deriver: await GpuSurfaceDeriver.create(field) };
  } catch (error) {
    field.dispose();
    throw error;
  }
}

function release(current: CurrentField): void {
  current.nUsers--;
  if (current.nUsers > 0) return;
  if (current.isReplaced) drop(current);
  else current.timer = unref(setTimeout(() => leave(current), IDLE_MS));
}

/** A timer that keeps no process alive. */
function unref(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.();
  return timer;
}

function leave(current: CurrentField): void {
  current.isReplaced = true;
  drop(current);
}

function drop(current: CurrentField): void {
  void current.ready.then(
    ({ field, deriver }) => {
      deriver.release();
      field.dispose();
    },
    () => {},
  );
}
