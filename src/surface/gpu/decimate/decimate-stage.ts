import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { COLLAPSE } from '../../rules.ts';
import { SURFACE_WGSL, type SurfaceBuilder, type SurfaceCount } from '../counts.ts';
import detailWgsl from '../detail.wgsl';
import halfEdgeReadsWgsl from '../half-edge-reads.wgsl';
import halfEdgesWgsl from '../half-edges.wgsl';
import {
  diagonalOf,
  fieldBuffers,
  fieldCode,
  type GpuDetail,
  type GpuMesh,
  ruleConstants,
  uploadFrame,
} from '../kit.ts';
import { THINNING } from '../structs.ts';
import checkCollapsesWgsl from './check-collapses.wgsl';
import claimNumberWgsl from './claim-number.wgsl';
import claimRingsWgsl from './claim-rings.wgsl';
import collapseWgsl from './collapse.wgsl';
import findSpokesWgsl from './find-spokes.wgsl';
import flagContendersWgsl from './flag-contenders.wgsl';
import flagDirtyWgsl from './flag-dirty.wgsl';
import judgeVerticesWgsl from './judge-vertices.wgsl';
import linkSoundWgsl from './link-sound.wgsl';
import { RINGS_WGSL } from './rings.ts';
import triangleDistanceWgsl from './triangle-distance.wgsl';
import winRingsWgsl from './win-rings.wgsl';

export interface DecimateCapacities {
  readonly vertices: number;
  readonly triangles: number;
}

/** Edges shorter than this share of the domain's diagonal go in any case: see clean.ts. */
const LEAST_EDGE = 1e-6;

function kernelSources(resources: FieldResources) {
  const head = SURFACE_WGSL + THINNING.wgsl + halfEdgesWgsl;
  const ringed = head + halfEdgeReadsWgsl + RINGS_WGSL;
  const rules = ruleConstants({
    LEAST_COSINE: COLLAPSE.leastCosine,
    LEAST_ASPECT: COLLAPSE.leastAspect,
    SAMPLE_SHARE: COLLAPSE.sampleShare,
  });
  const contested = ringed + claimNumberWgsl;
  const checked = ringed + fieldCode(resources, 8, false);
  return {
    findSpokes: [head + findSpokesWgsl, 'findSpokes', 'counts[thinning.triangles]'],
    flagDirty: [head + flagDirtyWgsl, 'flagDirty', 'counts[thinning.vertices]'],
    judgeVertices: [
      ringed + linkSoundWgsl + detailWgsl + triangleDistanceWgsl + rules + judgeVerticesWgsl,
      'judgeVertex',
      'counts[N_DIRTY]',
    ],
    flagContenders: [head + flagContendersWgsl, 'flagContender', 'counts[thinning.vertices]'],
    claimRings: [contested + claimRingsWgsl, 'claimRing', 'counts[N_CONTENDERS]'],
    winRings: [contested + linkSoundWgsl + winRingsWgsl, 'winRing', 'counts[N_CONTENDERS]'],
    checkCollapses: [checked + checkCollapsesWgsl, 'checkCollapse', 'counts[N_WINNERS]'],
    collapse: [ringed + collapseWgsl, 'collapse', 'counts[N_WINNERS]'],
  } as const;
}

/** Compiles the stage, or finds it compiled. */
export async function createDecimateStage(resources: FieldResources, context: GpuContext) {
  const kernels = await compileKernels(context, 'decimate', kernelSources(resources));
  return {
    /**
     * Adds passes that remove vertices which the tolerance does not need. In each pass those are removed that have the
     * largest number among all that want to go around them, so that no two have a neighbour in common.
     * @param shares of the tolerance, by which a vertex removed in each pass may stand off what replaces it.
     * @see Decimator (decimate.ts): the same checks, one vertex after the other
     */
    add(
      builder: SurfaceBuilder,
      { vertices, normals, triangles }: GpuMesh,
      detail: GpuDetail,
      at: { readonly vertices: SurfaceCount; readonly triangles: SurfaceCount },
      shares: readonly number[],
      capacities: DecimateCapacities,
    ): Generator<void, void, void> {
      const { counts } = builder;
      const { vertices: nVertices, triangles: nTriangles } = capacities;
      const field = fieldBuffers(resources);
      const frame = uploadFrame(builder, resources);
      const thinningOf = (share: number, contest: number): GPUBuffer =>
        builder.uniform(
          'decimate.thinning',
          THINNING.pack({
            share,
            mostShare: Math.max(...shares),
            leastEdge: LEAST_EDGE * diagonalOf(resources),
            contest,
            vertices: builder.at(at.vertices),
            triangles: builder.at(at.triangles),
          }),
        );
      const steps = function* (): Generator<void, void, void> {
        builder.stage('decimate');
        const spokes = builder.create('decimate.spokes', nVertices * 4);
        const goals = builder.create('decimate.goals', nVertices * 16);
        const isDirty = builder.create('decimate.isDirty', nVertices * 4);
        const ringClaims = builder.create('decimate.ringClaims', nVertices * 4);
        const first = thinningOf(0, 0);
        const byVertices = builder.items(at.vertices, nVertices);
        const byTriangles = builder.items(at.triangles, nTriangles);
        builder.clear(spokes);
        builder.each(kernels.findSpokes, byTriangles, first, counts, triangles, spokes);
        builder.each(kernels.flagDirty, byVertices, first, counts, spokes, vertices, isDirty, goals);
        for (const [contest, share] of shares.entries()) {
          const thinning = thinningOf(share, contest);
          yield;
          builder.scope(() => {
            const dirty = builder.list('decimate.dirty', byVertices, isDirty, { to: 'dirty' });
            builder.clear(isDirty, ringClaims);
            const judged = [dirty.list, triangles, spokes, vertices, normals, detail.tolerances, goals];
            builder.each(kernels.judgeVertices, dirty.items, thinning, detail.params, counts, ...judged);
            const isContender = builder.create('decimate.isContender', nVertices * 4);
            builder.each(kernels.flagContenders, byVertices, thinning, counts, goals, isContender);
            const { list, items } = builder.list('decimate.contenders', byVertices, isContender, {
              to: 'contenders',
            });
            const isWinner = builder.create('decimate.isWinner', nVertices * 4);
            const ringed = [list, goals, triangles, ringClaims];
            builder.each(kernels.claimRings, items, thinning, counts, ...ringed);
            builder.each(kernels.winRings, items, thinning, counts, ...ringed, isWinner);
            const winners = builder.list('decimate.winners', items, isWinner, { to: 'winners' });
            const isNear = builder.create('decimate.isNear', nVertices * 4);
            const checked = [list, winners.list, goals, triangles, vertices, isNear];
            builder.each(kernels.checkCollapses, winners.items, frame, counts, ...checked, ...field);
            const moved = [list, winners.list, isNear, goals, triangles, spokes, isDirty];
            builder.each(kernels.collapse, winners.items, counts, ...moved);
          });
        }
      };
      return builder.scopeSteps(steps());
    },
  };
}
