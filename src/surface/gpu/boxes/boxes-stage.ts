import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import type { GpuPartition } from '../../../partition/gpu/forest-program.ts';
import type { Placer } from '../cast.ts';
import detailWgsl from '../detail.wgsl';
import type { GpuEdges } from '../edges/edges-stage.ts';
import { CHAIN_SLOTS, CHAIN_WGSL, type GpuFaces } from '../faces/faces-stage.ts';
import halfEdgesWgsl from '../half-edges.wgsl';
import { type GpuDetail, type GpuMesh, tolerancesWgsl } from '../kit.ts';
import { SURFACE_WGSL, type SurfaceBuilder } from '../structs.ts';
import clipEarsWgsl from './clip-ears.wgsl';
import describeLoopsWgsl from './describe-loops.wgsl';
import emitLoopsWgsl from './emit-loops.wgsl';
import fanLoopsWgsl from './fan-loops.wgsl';
import fanTriangleWgsl from './fan-triangle.wgsl';
import findLoopsWgsl from './find-loops.wgsl';
import halfChainsWgsl from './half-chains.wgsl';
import linkHalvesWgsl from './link-halves.wgsl';
import nextHalvesWgsl from './next-halves.wgsl';
import orientLoopsWgsl from './orient-loops.wgsl';
import pairFansWgsl from './pair-fans.wgsl';
import pairSegmentsWgsl from './pair-segments.wgsl';
import pairSidesWgsl from './pair-sides.wgsl';

export interface BoxCapacities {
  readonly edgeVertices: number;
  readonly chains: number;
  readonly segments: number;
  readonly loops: number;
  readonly loopVertices: number;
  /** Loops that are fanned. */
  readonly fans: number;
}

/** Share of the tolerance for triangles: see plan.ts. */
const REFINE_SHARE = 0.75;

/**
 * WGSL. MAX_VERTICES: of a loop, that a mask of bits can name. SIDES, PARTNER: of a loop's vertex the bits of the leaf's sides,
 * and from where on its partner's place is (describe-loops.wgsl).
 */
const SOURCES = (() => {
  const head = `${SURFACE_WGSL}${CHAIN_WGSL}const REFINE_SHARE = ${REFINE_SHARE};
const CHAIN_SLOTS = ${CHAIN_SLOTS}u;
const MAX_VERTICES = 32u;
const SIDES = 63u;
const PARTNER = 8u;
const CORNER = 0xffffffffu;
`;
  const meshed = head + halfEdgesWgsl;
  const clipped = meshed + detailWgsl + tolerancesWgsl(8);
  return {
    linkHalves: [head + halfChainsWgsl + linkHalvesWgsl, 'linkHalf', 'counts[N_HALVES]'],
    nextHalves: [head + nextHalvesWgsl, 'nextHalfChain', 'counts[N_HALVES]'],
    findLoops: [head + findLoopsWgsl, 'findLoop', 'counts[N_HALVES]'],
    emitLoops: [head + SCAN_READ_WGSL + emitLoopsWgsl, 'emitLoop', 'counts[N_LOOPS]'],
    orientLoops: [head + orientLoopsWgsl, 'orientLoop', 'counts[N_LOOPS]'],
    describeLoops: [head + describeLoopsWgsl, 'describeLoop', 'counts[N_LOOPS]'],
    clipEars: [clipped + clipEarsWgsl, 'clipEars', 'counts[N_LOOPS]'],
    pairSides: [meshed + fanTriangleWgsl + pairSidesWgsl, 'pairSides', 'counts[N_LOOPS]'],
    fanLoops: [meshed + fanTriangleWgsl + fanLoopsWgsl, 'fanLoop', 'counts[N_FANS]'],
    pairFans: [meshed + fanTriangleWgsl + pairFansWgsl, 'pairFan', 'counts[N_FANS]'],
    pairSegments: [meshed + pairSegmentsWgsl, 'pairSegment', 'counts[N_SEGMENTS]'],
  } as const;
})();

/** Compiles the stage, or finds it compiled. */
export async function createBoxesStage(context: GpuContext) {
  const kernels = await compileKernels(context, 'boxes', SOURCES);
  return {
    /**
     * Links chains to loops around the leaves and fills them with triangles. See LoopLinker (loops.ts) and LeafFiller
     * (leaves.ts).
     */
    add(
      builder: SurfaceBuilder,
      { fine, rects, nodes, nodeBounds, roots }: GpuPartition,
      { places }: GpuEdges,
      { chains, chainPoints }: GpuFaces,
      detail: GpuDetail,
      mesh: GpuMesh,
      placer: Placer,
      capacities: BoxCapacities,
    ): void {
      const { counts } = builder;
      const { vertices, normals, triangles, summary } = mesh;
      const {
        edgeVertices,
        chains: nChains,
        segments,
        loops: nLoops,
        loopVertices: nLoopVertices,
        fans: nFans,
      } = capacities;
      builder.stage('boxes');
      builder.scope(() => {
        const halves = builder.items('halves', nChains * 2);
        const begins = builder.create('boxes.begins', edgeVertices * 16);
        const follows = builder.create('boxes.follows', nChains * 8);
        const lengths = builder.create('boxes.lengths', nChains * 8);
        builder.clear(begins);
        builder.each(
          kernels.linkHalves,
          halves,
          fine,
          detail.params,
          counts,
          chains,
          rects,
          nodes,
          roots,
          places,
          begins,
          follows,
        );
        builder.each(kernels.nextHalves, halves, counts, begins, follows);
        builder.each(kernels.findLoops, halves, counts, chains, follows, lengths, summary);
        const { list, items } = builder.list('boxes.loops', halves, lengths, {
          to: 'loops',
          capacity: nLoops,
        });
        const { offsets, sums } = builder.scan('boxes.vertices', halves, lengths, { to: 'loopVertices' });
        const loops = builder.create('boxes.loops', nLoops * 16);
        const loopVertices = builder.create('boxes.loopVertices', nLoopVertices * 16);
        const loopPlaces = builder.create('boxes.loopPlaces', nLoopVertices * 16);
        const loopNormals = builder.create('boxes.loopNormals', nLoops * 32);
        const isFanned = builder.create('boxes.isFanned', nLoops * 4);
        const around = [list, chains, follows, offsets, sums];
        builder.each(kernels.emitLoops, items, counts, ...around, loops, loopVertices);
        builder.each(kernels.orientLoops, items, counts, list, chains, rects, nodeBounds, loopNormals);
        const described = [loopVertices, vertices, loops, loopNormals, loopPlaces, chainPoints, normals];
        builder.each(kernels.describeLoops, items, counts, ...described);
        const clipped = [loops, loopPlaces, vertices, normals, triangles, isFanned, detail.tolerances];
        builder.each(kernels.clipEars, items, detail.params, counts, ...clipped);
        const segmentHalves = builder.create('boxes.segmentHalves', segments * 8);
        const sideHalves = builder.create('boxes.sideHalves', nLoopVertices * 4);
        builder.clear(segmentHalves);
        const paired = [loops, loopVertices, isFanned, triangles, segmentHalves, sideHalves];
        builder.each(kernels.pairSides, items, counts, ...paired);
        const fans = builder.list('boxes.fans', items, isFanned, { to: 'fans', capacity: nFans });
        const casts = placer.reserve(builder, nFans);
        const fanned = [fans.list, loops, loopVertices];
        builder.each(
          kernels.fanLoops,
          fans.items,
          counts,
          ...fanned,
          loopNormals,
          vertices,
          triangles,
          casts.orders,
        );
        builder.each(
          kernels.pairFans,
          fans.items,
          counts,
          ...fanned,
          triangles,
          segmentHalves,
          sideHalves,
          summary,
        );
        const bySegments = builder.items('segments', segments);
        builder.each(kernels.pairSegments, bySegments, counts, segmentHalves, triangles);
        placer.add(builder, fans.items, casts, mesh, detail, true);
        builder.combine('vertices0', { chainVertices: 1, fans: 1 });
        builder.combine('triangles0', { loopVertices: 1, loops: -2, fans: 2 });
      });
    },
  };
}
