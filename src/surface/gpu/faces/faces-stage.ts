import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import type { ItemCount } from '../../../gpu/item-count.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import type { GpuPartition } from '../../../partition/gpu/forest-program.ts';
import detailWgsl from '../detail.wgsl';
import edgesWgsl from '../edges/edges.wgsl';
import type { GpuEdges } from '../edges/edges-stage.ts';
import { type GpuDetail, regionCode, tolerancesWgsl } from '../kit.ts';
import meshWgsl from '../mesh.wgsl';
import { SURFACE_WGSL, type SurfaceBuilder } from '../structs.ts';
import countCurvesWgsl from './count-curves.wgsl';
import emitChainVerticesWgsl from './emit-chain-vertices.wgsl';
import frameRectsWgsl from './frame-rects.wgsl';
import gatherRootsWgsl from './gather-roots.wgsl';
import rectFrameWgsl from './rect-frame.wgsl';
import sideRootsWgsl from './side-roots.wgsl';
import traceCurvesWgsl from './trace-curves.wgsl';

export interface FaceCapacities {
  readonly rects: number;
  readonly curvedRects: number;
  readonly chains: number;
}

/** The zero curves on rectangles, as chains of vertices. See FaceTable (faces.ts). */
export interface GpuFaces {
  /**
   * vec4<u32> a chain: start vertex, end vertex, rectangle with the axis in the two highest bits, first inner vertex with
   * the number of them, and whether it went astray (`CHAIN_WGSL`), in the eight highest bits. f > 0 on the left, seen from the upper side of the rectangle.
   */
  readonly chains: GPUBuffer;
  /** vec2<u32>, `CHAIN_SLOTS` a chain: place of an inner point, 16 bits a coordinate; neuron whose sign changes there, + 1. */
  readonly chainPoints: GPUBuffer;
  readonly byChains: ItemCount;
}

/** WGSL. ASTRAY: set in a chain's number of inner points where no walk found its curve. */
export const CHAIN_WGSL = 'const ASTRAY = 128u;\n';
/** Inner points that a chain keeps at most: nothing puts in what they leave out. */
export const CHAIN_SLOTS = 6;
/** Share of the tolerance to which chains follow their curves: see plan.ts. */
const CHAIN_SHARE = 0.63;
/** Bytes of a `RectFrame`. */
const FRAME_BYTES = 80;

/** What chains keep of their curves. */
export interface ChainShape {
  /** Inner points that there is room for. */
  readonly nSlots: number;
  /** Every kink, however low, and no points for curvature but those the tolerance asks for: as in `CurveShape`. */
  readonly keepsKinks: boolean;
}

function kernelSources(resources: FieldResources, { nSlots, keepsKinks }: ChainShape) {
  const head = `${SURFACE_WGSL}${CHAIN_WGSL}const CHAIN_SLOTS = ${nSlots}u;
const CHAIN_SHARE = ${CHAIN_SHARE};
const KEEPS_KINKS = ${keepsKinks};
`;
  const placed = head + SCAN_READ_WGSL;
  const sided = head + edgesWgsl + sideRootsWgsl;
  const traced = head + rectFrameWgsl + detailWgsl + tolerancesWgsl(8) + regionCode(resources, 2, 9);
  return {
    countCurves: [sided + countCurvesWgsl, 'countCurves', 'counts[N_RECTS]'],
    frameRects: [placed + rectFrameWgsl + frameRectsWgsl, 'frameRect', 'counts[N_CURVED_RECTS]'],
    gatherRoots: [sided + rectFrameWgsl + gatherRootsWgsl, 'gatherRoots', 'counts[N_CURVED_RECTS]'],
    trace: [traced + traceCurvesWgsl, 'traceCurves', 'counts[N_CURVED_RECTS]'],
    emitVertices: [placed + meshWgsl + emitChainVerticesWgsl, 'emitChainVertices', 'counts[N_CHAINS]'],
  } as const;
}

/**
 * Compiles the stage, or finds it compiled.
 * @param shape what the mesh needs, unless chains are only to be looked at.
 */
export async function createFacesStage(
  resources: FieldResources,
  context: GpuContext,
  shape: ChainShape = { nSlots: CHAIN_SLOTS, keepsKinks: false },
) {
  const kernels = await compileKernels(context, 'faces', kernelSources(resources, shape));
  return {
    /** Adds the curves of all rectangles; their inner vertices come after the edges'. */
    add(
      builder: SurfaceBuilder,
      { rectCorners, rects, byRects, points, firstLayer }: GpuPartition,
      { edgeEnds, edgeRoots }: GpuEdges,
      detail: GpuDetail,
      vertices: GPUBuffer,
      capacities: FaceCapacities,
    ): GpuFaces {
      const { counts } = builder;
      const { rects: nRects, curvedRects, chains: nChains } = capacities;
      const chains = builder.create('faces.chains', nChains * 16);
      const chainPoints = builder.create('faces.points', nChains * shape.nSlots * 8);
      builder.stage('faces');
      const byChains = builder.scope(() => {
        const nCurves = builder.create('faces.nCurves', nRects * 4);
        builder.each(kernels.countCurves, byRects, counts, rects, rectCorners, edgeEnds, edgeRoots, nCurves);
        const { offsets, sums } = builder.scan('faces.chains', byRects, nCurves, { to: 'chains' });
        const { list, items } = builder.list('faces.curved', byRects, nCurves, {
          to: 'curvedRects',
          capacity: curvedRects,
        });
        const frames = builder.create('faces.frames', curvedRects * FRAME_BYTES);
        const boundary = builder.create('faces.boundary', nChains * 32);
        const framed = [list, rects, rectCorners, points, offsets, sums, frames];
        builder.each(kernels.frameRects, items, counts, ...framed);
        builder.each(kernels.gatherRoots, items, counts, edgeEnds, edgeRoots, vertices, frames, boundary);
        const nPoints = builder.create('faces.nPoints', nChains * 4);
        const traced = [frames, boundary, firstLayer, chains, chainPoints, nPoints, detail.tolerances];
        builder.each(kernels.trace, items, detail.params, counts, ...traced, resources.rows);
        const all = builder.items('chains', nChains);
        const places = builder.scan('faces.vertices', all, nPoints, {
          base: 'edgeVertices',
          to: 'chainVertices',
          sum: 'chainPoints',
        });
        const emitted = [places.offsets, places.sums, rectCorners, points, chainPoints, chains, vertices];
        builder.each(kernels.emitVertices, all, detail.params, counts, ...emitted);
        builder.combine('segments', { chainPoints: 1, chains: 1 });
        builder.combine('halves', { chains: 2 });
        return all;
      });
      return { chains, chainPoints, byChains };
    },
  };
}
