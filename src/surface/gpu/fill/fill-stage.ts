import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { createKernel, GROUP_SIZE } from '../../../gpu/kernel.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import { defineStruct } from '../../../gpu/struct.ts';
import type { GpuPartition } from '../../../partition/gpu/forest-program.ts';
import detailWgsl from '../detail.wgsl';
import type { GpuEdges } from '../edges/edges-stage.ts';
import { CHAIN_SLOTS, CHAIN_WGSL, type GpuFaces } from '../faces/faces-stage.ts';
import halfEdgesWgsl from '../half-edges.wgsl';
import { fieldBuffers, fieldCode, type GpuDetail, type GpuMesh, uploadFrame } from '../kit.ts';
import { OFF, precisionOf } from '../polish.ts';
import samplePatternWgsl from '../sample-pattern.wgsl';
import { SURFACE_WGSL, type SurfaceBuilder } from '../structs.ts';
import waysWgsl from '../ways.wgsl';
import clipEarsWgsl from './clip-ears.wgsl';
import describeLoopsWgsl from './describe-loops.wgsl';
import emitFilledWgsl from './emit-filled.wgsl';
import emitInsideWgsl from './emit-inside.wgsl';
import emitLoopsWgsl from './emit-loops.wgsl';
import fillLoopsWgsl from './fill-loops.wgsl';
import findLoopsWgsl from './find-loops.wgsl';
import halfChainsWgsl from './half-chains.wgsl';
import linkHalvesWgsl from './link-halves.wgsl';
import loopMeshWgsl from './loop-mesh.wgsl';
import loopPoolWgsl from './loop-pool.wgsl';
import nextHalvesWgsl from './next-halves.wgsl';
import orientLoopsWgsl from './orient-loops.wgsl';
import pairSegmentsWgsl from './pair-segments.wgsl';

export interface FillCapacities {
  readonly vertices: number;
  readonly edgeVertices: number;
  readonly chains: number;
  readonly segments: number;
  readonly loops: number;
  readonly loopVertices: number;
  /** Words that loops are filled with, see loop-pool.wgsl. */
  readonly filled: number;
}

/** A loop of chains around a leaf, and what is known of it. */
const LOOP = defineStruct('Loop', {
  /** Unit normal of the plane that it is filled in; the leaf's direction before. */
  normal: 'vec3<f32>',
  /** There, local units. */
  tolerance: 'f32',
  /** Where three creases meet, if `chords` is CORNER. */
  corner: 'vec3<f32>',
  /** CORNER; or the places of two chords that cross, as bytes; or 0. */
  chords: 'u32',
  /** Its leaf, local units. */
  low: 'vec3<f32>',
  /** Of its vertices, and how many. */
  first: 'u32',
  high: 'vec3<f32>',
  n: 'u32',
  /** One of its rectangles, with the highest bit set where the leaf is the one above. */
  beside: 'u32',
  /** What clipping ears left to be fanned, as bits. */
  left: 'u32',
  /** Once it is filled: vertices inside, and where in the pool it is. */
  inside: 'u32',
  filled: 'u32',
});

/** How loops are filled: see fill-loops.wgsl. */
const FILL = defineStruct('Fill', {
  /** Invocations, and the vertices and triangles that each has scratch for. */
  nLanes: 'u32',
  nVertices: 'u32',
  nTriangles: 'u32',
  /** Nobody comes after: a loop without room stays as it is. */
  isLast: 'u32',
  /** Vertices inside after which nothing is flipped any more, so that dividing must come to an end; looks at sides for each. */
  maxWithFlips: 'u32',
  maxFlips: 'u32',
  /** Places on a line that are looked at. */
  nTries: 'u32',
  /** Distance from the zero set that is on it; that may pass for it; |f| that passes in any case. */
  enough: 'f32',
  most: 'f32',
  noise: 'f32',
  /** Distance and slope that single precision does not tell from none. */
  least: 'f32',
  flat: 'f32',
  /** Farther than anything. */
  far: 'f32',
});

/** Invocations, and what each has room for. */
interface Lanes {
  readonly nLanes: number;
  readonly nVertices: number;
  readonly nTriangles: number;
}

/** Share of the tolerance for triangles: see plan.ts. */
const REFINE_SHARE = 0.75;
/** As in `Refiner`. */
const MAX_WITH_FLIPS = 24;
const MAX_FLIPS = 32;
const N_TRIES = 40;
/** Farther than anything. */
const FAR = 3e37;
/**
 * Scratch of an invocation, and how many there are: first for nearly all loops (on bunny-S at tolerance 4e-4 one in a thousand has more
 * than 126 triangles), then for the others. Software runs few at a time.
 */
const SMALL = { nVertices: 64, nTriangles: 128 } as const;
const LARGE = { nVertices: 240, nTriangles: 480 } as const;
const LANES: Readonly<Record<'hardware' | 'software', readonly Lanes[]>> = {
  hardware: [
    { nLanes: 8192, ...SMALL },
    { nLanes: 2048, ...LARGE },
  ],
  software: [
    { nLanes: 192, ...SMALL },
    { nLanes: 128, ...LARGE },
  ],
};
const WORDS_OF_VERTEX = 8;
const WORDS_OF_TRIANGLE = 4;

/**
 * WGSL. MAX_VERTICES: of a loop, that a mask of bits can name. SIDES, PARTNER: of a loop's vertex the bits of the leaf's sides,
 * and from where on its partner's place is (describe-loops.wgsl); EAR, EAR_BITS: from where on an ear's places are, and bits of each.
 */
function sourcesOf(resources: FieldResources) {
  const head = `${SURFACE_WGSL}${CHAIN_WGSL}${LOOP.wgsl}const REFINE_SHARE = ${REFINE_SHARE};
const CHAIN_SLOTS = ${CHAIN_SLOTS}u;
const MAX_VERTICES = 32u;
const SIDES = 63u;
const PARTNER = 8u;
const EAR = 8u;
const EAR_BITS = 5u;
const CORNER = 0xffffffffu;
const OFF = ${OFF}.0;
const WITHOUT_ROOM = 0xffffffffu;
`;
  const meshed = head + halfEdgesWgsl;
  const pooled = meshed + loopPoolWgsl + SCAN_READ_WGSL;
  const filled = `${FILL.wgsl}const GROUP = ${GROUP_SIZE}u;\n${meshed}${loopPoolWgsl}${samplePatternWgsl}${waysWgsl}`;
  return {
    kernels: {
      linkHalves: [head + halfChainsWgsl + linkHalvesWgsl, 'linkHalf', 'counts[N_HALVES]'],
      nextHalves: [head + nextHalvesWgsl, 'nextHalfChain', 'counts[N_HALVES]'],
      findLoops: [head + findLoopsWgsl, 'findLoop', 'counts[N_HALVES]'],
      emitLoops: [head + SCAN_READ_WGSL + emitLoopsWgsl, 'emitLoop', 'counts[N_LOOPS]'],
      orientLoops: [head + detailWgsl + orientLoopsWgsl, 'orientLoop', 'counts[N_LOOPS]'],
      describeLoops: [head + describeLoopsWgsl, 'describeLoop', 'counts[N_LOOPS]'],
      clipEars: [head + clipEarsWgsl, 'clipEars', 'counts[N_LOOPS]'],
      emitInside: [pooled + emitInsideWgsl, 'emitInside', 'counts[N_LOOPS]'],
      emitFilled: [pooled + emitFilledWgsl, 'emitFilled', 'counts[N_LOOPS]'],
      pairSegments: [meshed + pairSegmentsWgsl, 'pairSegment', 'counts[N_SEGMENTS]'],
    },
    fill: filled + fieldCode(resources, 9, true) + loopMeshWgsl + fillLoopsWgsl,
  } as const;
}

/** Compiles the stage, or finds it compiled. @param isHardware see `compileSurface`. */
export async function createFillStage(resources: FieldResources, context: GpuContext, isHardware: boolean) {
  const { kernels: sources, fill } = sourcesOf(resources);
  const [kernels, fillLoops] = await Promise.all([
    compileKernels(context, 'fill', sources),
    createKernel(context, { label: 'fill.fillLoops', code: fill, entryPoint: 'fillLoops' }),
  ]);
  const uploadFill = (builder: SurfaceBuilder, lanes: Lanes, isLast: boolean): GPUBuffer => {
    const limits = { maxWithFlips: MAX_WITH_FLIPS, maxFlips: MAX_FLIPS, nTries: N_TRIES, far: FAR };
    const params = FILL.pack({ ...precisionOf(resources), ...lanes, ...limits, isLast: isLast ? 1 : 0 });
    return builder.uniform('fill.params', params);
  };
  return {
    /**
     * Links chains to loops around the leaves, fills them with triangles, and divides those. See LoopLinker (loops.ts), LeafFiller
     * (leaves.ts) and Refiner (refine.ts).
     */
    add(
      builder: SurfaceBuilder,
      { fine, rects, nodes, nodeBounds, roots, points }: GpuPartition,
      { places }: GpuEdges,
      { chains, chainPoints }: GpuFaces,
      detail: GpuDetail,
      mesh: GpuMesh,
      capacities: FillCapacities,
    ): Generator<void, void, void> {
      const { counts } = builder;
      const { vertices, normals, marks, triangles, summary } = mesh;
      const {
        edgeVertices,
        chains: nChains,
        segments,
        loops: nLoops,
        loopVertices: nLoopVertices,
      } = capacities;
      /** What is needed of the loops once they are described; the rest of the buffers is free then. */
      const link = function* () {
        const halves = builder.items('halves', nChains * 2);
        const begins = builder.create('fill.begins', edgeVertices * 16);
        const follows = builder.create('fill.follows', nChains * 8);
        const lengths = builder.create('fill.lengths', nChains * 8);
        builder.clear(begins);
        const linked = [fine, detail.params, counts, chains, rects, nodes, roots, places, begins, follows];
        builder.each(kernels.linkHalves, halves, ...linked);
        builder.each(kernels.nextHalves, halves, counts, begins, follows);
        builder.each(kernels.findLoops, halves, counts, chains, follows, lengths, summary);
        yield;
        const { list, items } = builder.list('fill.loops', halves, lengths, {
          to: 'loops',
          capacity: nLoops,
        });
        const { offsets, sums } = builder.scan('fill.vertices', halves, lengths, { to: 'loopVertices' });
        const loops = builder.create('fill.loops', nLoops * LOOP.byteLength);
        const loopVertices = builder.create('fill.loopVertices', nLoopVertices * 16);
        const loopPlaces = builder.create('fill.loopPlaces', nLoopVertices * 16);
        const rim = builder.create('fill.rim', nLoopVertices * 16);
        const around = [list, chains, follows, offsets, sums];
        builder.each(kernels.emitLoops, items, counts, ...around, loops, loopVertices);
        const oriented = [rects, nodes, nodeBounds, roots, points, detail.tolerances, loops];
        builder.each(kernels.orientLoops, items, fine, detail.params, counts, ...oriented);
        const described = [loopVertices, vertices, loops, loopPlaces, chainPoints, normals];
        builder.each(kernels.describeLoops, items, counts, ...described);
        builder.each(kernels.clipEars, items, counts, loops, loopPlaces, vertices, normals, rim, summary);
        yield;
        return { items, loops, loopVertices, rim };
      };
      const fill = function* (): Generator<void, void, void> {
        const { items, loops, loopVertices, rim } = yield* builder.scopeSteps(link());
        const nInside = builder.create('fill.nInside', nLoops * 4);
        const pool = builder.create('fill.pool', capacities.filled * 4);
        const frame = uploadFrame(builder, resources);
        const lanes = LANES[isHardware ? 'hardware' : 'software'].map(({ nLanes, ...room }) => {
          const nGroups = Math.ceil(Math.min(nLanes, nLoops) / GROUP_SIZE);
          const nWords = room.nVertices * WORDS_OF_VERTEX + room.nTriangles * WORDS_OF_TRIANGLE;
          return { ...room, nGroups, nLanes: nGroups * GROUP_SIZE, nWords };
        });
        builder.scope(() => {
          const nWords = Math.max(...lanes.map((each) => each.nLanes * each.nWords));
          // Nothing is in the mesh's triangles before loops are filled.
          const scratch =
            triangles.size >= nWords * 4 ? triangles : builder.create('fill.scratch', nWords * 4);
          for (const [i, each] of lanes.entries()) {
            const params = uploadFill(builder, each, i === lanes.length - 1);
            const bound = [
              frame,
              params,
              detail.params,
              counts,
              loops,
              rim,
              scratch,
              pool,
              nInside,
              ...fieldBuffers(resources),
            ];
            builder.program.dispatch(fillLoops, [each.nGroups, 1], ...bound);
          }
        });
        yield;
        const inside = builder.scan('fill.inside', items, nInside, { to: 'inside' });
        const ranked = [pool, inside.offsets, inside.sums];
        builder.each(kernels.emitInside, items, counts, loops, ...ranked, vertices, normals, marks);
        const segmentHalves = builder.create('fill.segmentHalves', segments * 8);
        builder.clear(segmentHalves);
        builder.each(
          kernels.emitFilled,
          items,
          counts,
          loops,
          loopVertices,
          ...ranked,
          triangles,
          segmentHalves,
        );
        builder.each(
          kernels.pairSegments,
          builder.items('segments', segments),
          counts,
          segmentHalves,
          triangles,
        );
        builder.combine('meshVertices', { chainVertices: 1, inside: 1 });
        builder.combine('meshTriangles', { loopVertices: 1, loops: -2, inside: 2 });
      };
      builder.stage('fill');
      return builder.scopeSteps(fill());
    },
  };
}
