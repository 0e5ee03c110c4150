import { diagonalOf } from '../box.ts';
import { NsdfBudgetError, NsdfGpuError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { countBoxes } from '../partition/cull.ts';
import type { GpuSurface, GpuSurfaceDeriver, GpuSurfaceOptions } from '../surface/gpu/gpu-surface.ts';
import type { SurfacePlan } from '../surface/gpu/surface-program.ts';
import { type BoxRange, halve, planTile, wholeRange } from '../surface/gpu/tiles.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import { TileWelder } from '../surface/weld-tiles.ts';

/** What is known of a surface on the GPU, or of all the parts of one. */
export type SurfaceFacts = Omit<GpuSurface, 'positions' | 'normals' | 'indices'>;

/** A surface that was derived in parts, read back and joined. */
export interface TiledSurface {
  readonly mesh: SurfaceMesh;
  /** Boxes beside seams count in every part that has them. */
  readonly facts: SurfaceFacts;
  readonly nTiles: number;
}

/** How far a vertex may have been moved off the plane it was found on, as a share of the domain's diagonal: see cast.ts. */
const REACH = 1e-3;
/** Work on this thread between two looks at the event loop. */
const SLICE_MS = 4;

/** Whether a derivation failed for want of memory only. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof NsdfBudgetError || (error instanceof NsdfGpuError && error.limit !== undefined);
}

/**
 * Derives a surface that is too large for the GPU's memory in tiles, one after the other: its boxes are halved, and halves
 * again, until each finds room.
 * @param read reads a tile's mesh back.
 * @param reason why the whole found no room; thrown where it cannot be halved.
 * @throws as {@link GpuSurfaceDeriver.derive}
 * @throws {NsdfBudgetError} if the smallest tile does not find room
 * @throws {NsdfGpuError} if two tiles do not fit together
 */
export async function deriveTiles(
  deriver: GpuSurfaceDeriver,
  plan: SurfacePlan,
  options: GpuSurfaceOptions,
  read: (surface: GpuSurface) => Promise<SurfaceMesh>,
  reason: unknown,
): Promise<TiledSurface> {
  const welder = new TileWelder(plan.bounds, REACH * diagonalOf(plan.domain));
  const tiles: SurfaceFacts[] = [];
  const visit = async (range: BoxRange, from: number, share: number): Promise<void> => {
    const tilePlan = planTile(plan, range);
    const onProgress = (stage: string, fraction: number): void =>
      options.onProgress?.(stage, from + share * fraction);
    let mesh: SurfaceMesh;
    try {
      mesh = await deriver.derive(tilePlan, { ...options, onProgress }, async (surface) => {
        const { positions, normals, indices, ...facts } = surface;
        tiles.push(facts);
        return read(surface);
      });
    } catch (error) {
      if (isTooLarge(error)) return visitHalves(range, from, share, error);
      throw error;
    }
    if (tilePlan.tile) await inSlices(welder.add(mesh, tilePlan.tile.seams), options);
  };
  const visitHalves = async (range: BoxRange, from: number, share: number, error: unknown): Promise<void> => {
    const halves = halve(range);
    if (halves === undefined) throw error;
    await visit(halves[0], from, share / 2);
    await visit(halves[1], from + share / 2, share / 2);
  };
  await visitHalves(wholeRange(plan.lattice), 0, 1, reason);
  const mesh = await inSlices(welder.finish(), options);
  if (typeof mesh === 'number') {
    throw new NsdfGpuError('surface', `In single precision ${mesh} sides of tiles do not fit together.`);
  }
  const nBoxes = countBoxes(plan.lattice);
  return { mesh, facts: { ...addUp(tiles, mesh), nBoxes }, nTiles: tiles.length };
}

async function inSlices<T>(
  steps: Generator<void, T, void>,
  { signal, giveWay }: GpuSurfaceOptions,
): Promise<T> {
  for (;;) {
    const startMs = performance.now();
    let step = steps.next();
    while (!step.done && performance.now() - startMs < SLICE_MS) step = steps.next();
    if (step.done) return step.value;
    await giveWay();
    signal?.throwIfAborted();
  }
}

function addUp(tiles: readonly SurfaceFacts[], { positions, indices }: SurfaceMesh): SurfaceFacts {
  const sum = (of: (tile: SurfaceFacts) => number): number =>
    tiles.reduce((total, tile) => total + of(tile), 0);
  const most = (of: (tile: SurfaceFacts) => number): number => Math.max(...tiles.map(of));
  const gpuTimeMs: Record<string, number> = {};
  for (const tile of tiles) {
    for (const [label, timeMs] of Object.entries(tile.gpuTimeMs))
      gpuTimeMs[label] = (gpuTimeMs[label] ?? 0) + timeMs;
  }
  return {
    nVertices: positions.length / 3,
    nTriangles: indices.length / 3,
    bounds: unionOf(tiles.flatMap(({ bounds }) => bounds ?? [])),
    errorLocal: most(({ errorLocal }) => errorLocal),
    errorBackLocal: most(({ errorBackLocal }) => errorBackLocal),
    stops: {
      nBoxesUnsound: sum(({ stops }) => stops.nBoxesUnsound),
      nPlacesLeft: sum(({ stops }) => stops.nPlacesLeft),
      nDivisionsRefused: sum(({ stops }) => stops.nDivisionsRefused),
    },
    nBoxes: sum(({ nBoxes }) => nBoxes),
    nBoxesTested: sum(({ nBoxesTested }) => nBoxesTested),
    nBoxesSurviving: sum(({ nBoxesSurviving }) => nBoxesSurviving),
    nBoxesUnsettled: sum(({ nBoxesUnsettled }) => nBoxesUnsettled),
    nEdgeRoots: sum(({ nEdgeRoots }) => nEdgeRoots),
    nBytes: most(({ nBytes }) => nBytes),
    gpuTimeMs,
  };
}

function unionOf(boxes: readonly Box3[]): Box3 | undefined {
  if (boxes.length === 0) return undefined;
  const at = (k: number) => ({
    min: Math.min(...boxes.map(({ min }) => min[k])),
    max: Math.max(...boxes.map(({ max }) => max[k])),
  });
  const [x, y, z] = [at(0), at(1), at(2)];
  return { min: [x.min, y.min, z.min], max: [x.max, y.max, z.max] };
}
