import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { ERROR_SEARCH } from '../../rules.ts';
import {
  MISSED,
  SUMMARY_OF_FINISH,
  SURFACE_WGSL,
  type SurfaceBuilder,
  type SurfaceCount,
} from '../counts.ts';
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
import { FINISH } from '../structs.ts';
import waysWgsl from '../ways.wgsl';
import checkVerticesWgsl from './check-vertices.wgsl';
import emitTrianglesWgsl from './emit-triangles.wgsl';
import emitVerticesWgsl from './emit-vertices.wgsl';
import findFlatWgsl from './find-flat.wgsl';
import findLiveWgsl from './find-live.wgsl';
import findTwiceWgsl from './find-twice.wgsl';
import findTwinEdgesWgsl from './find-twin-edges.wgsl';
import findTwinVerticesWgsl from './find-twin-vertices.wgsl';
import measureErrorWgsl from './measure-error.wgsl';
import moveFlatWgsl from './move-flat.wgsl';
import wholeRingsWgsl from './whole-rings.wgsl';

export interface FinishCapacities {
  readonly vertices: number;
  readonly triangles: number;
}

/** The mesh as engines take it, in buffers with room for more; counts[outVertices] and counts[outTriangles] are used. */
export interface GpuOutput {
  /** f32[3] a vertex. */
  readonly positions: GPUBuffer;
  /** f32[3] a vertex, unit length. */
  readonly normals: GPUBuffer;
  /** u32[3] a triangle. */
  readonly indices: GPUBuffer;
}

/** Relative to the domain's diagonal: height of a triangle without area, way that a vertex is moved to give it some. */
const LEAST_HEIGHT = 1e-8;
const STEP = 2e-7;
/** Triangles at which the error is measured. */
export const N_MEASURED = 8192;

function kernelSources(resources: FieldResources) {
  const head = SURFACE_WGSL + FINISH.wgsl + halfEdgesWgsl;
  const read = head + halfEdgeReadsWgsl;
  const ringed = read + wholeRingsWgsl;
  const rules = ruleConstants({
    FAR: MISSED.far,
    AIMS: ERROR_SEARCH.aims,
    PARTS: ERROR_SEARCH.parts,
    GROWTH: ERROR_SEARCH.growth,
    LEAST: ERROR_SEARCH.least,
  });
  const measured = `${head}const N_MEASURED = ${N_MEASURED}u;
const N_AIMS = ${ERROR_SEARCH.aims.length}u;
const N_PARTS = ${ERROR_SEARCH.parts.length}u;
${rules}${fieldCode(resources, 8, true)}${waysWgsl}${detailWgsl}`;
  return {
    findLive: [head + findLiveWgsl, 'findLive', 'counts[finish.triangles]'],
    findFlat: [head + findFlatWgsl, 'findFlat', 'counts[finish.triangles]'],
    moveFlat: [ringed + moveFlatWgsl, 'moveFlat', 'counts[finish.vertices]'],
    checkVertices: [ringed + checkVerticesWgsl, 'checkVertex', 'counts[N_OUT_VERTICES]'],
    emitVertices: [ringed + emitVerticesWgsl, 'emitVertex', 'counts[N_OUT_VERTICES]'],
    emitTriangles: [read + emitTrianglesWgsl, 'emitTriangle', 'counts[N_OUT_TRIANGLES]'],
    findTwinVertices: [
      head + findTwiceWgsl + findTwinVerticesWgsl,
      'findTwinVertex',
      'counts[N_OUT_VERTICES]',
    ],
    findTwinEdges: [read + findTwiceWgsl + findTwinEdgesWgsl, 'findTwinEdge', 'counts[N_OUT_TRIANGLES]'],
    measureError: [measured + measureErrorWgsl, 'measureError', 'N_MEASURED'],
  } as const;
}

/** Bytes of a hash table for so many items: half of it stays empty. */
function slotBytes(nItems: number): number {
  return 4 * 2 ** Math.ceil(Math.log2(2 * nItems));
}

/** The buffers of a mesh's output. */
export function createOutput(builder: SurfaceBuilder, { vertices, triangles }: FinishCapacities): GpuOutput {
  return {
    positions: builder.create('finish.positions', vertices * 12),
    normals: builder.create('finish.normals', vertices * 12),
    indices: builder.create('finish.indices', triangles * 12),
  };
}

/** Compiles the stage, or finds it compiled. */
export async function createFinishStage(resources: FieldResources, context: GpuContext) {
  const kernels = await compileKernels(context, 'finish', kernelSources(resources));
  return {
    /** Adds what writes the mesh's output: what is left of it, in its order, with normals; and what is wrong with it. */
    add(
      builder: SurfaceBuilder,
      { vertices, normals, triangles, summary }: GpuMesh,
      detail: GpuDetail,
      at: { readonly vertices: SurfaceCount; readonly triangles: SurfaceCount },
      capacities: FinishCapacities,
      out: GpuOutput,
    ): void {
      const { counts } = builder;
      const { vertices: nVertices, triangles: nTriangles } = capacities;
      const params = builder.uniform(
        'finish.params',
        FINISH.pack({
          vertices: builder.at(at.vertices),
          triangles: builder.at(at.triangles),
          least: LEAST_HEIGHT * diagonalOf(resources),
          step: STEP * diagonalOf(resources),
        }),
      );
      builder.stage('finish');
      // Of an earlier finish.
      builder.program.clear(summary, SUMMARY_OF_FINISH * 4);
      builder.scope(() => {
        const spokes = builder.create('finish.spokes', nVertices * 4);
        const isLive = builder.create('finish.isLive', nTriangles * 4);
        const byTriangles = builder.items(at.triangles, nTriangles);
        const byVertices = builder.items(at.vertices, nVertices);
        builder.clear(spokes);
        builder.each(kernels.findLive, byTriangles, params, counts, triangles, isLive, spokes);
        const isFlat = builder.create('finish.isFlat', nVertices * 4);
        builder.clear(isFlat);
        builder.each(kernels.findFlat, byTriangles, params, counts, triangles, vertices, isFlat);
        const moved = [triangles, spokes, normals, isFlat, vertices];
        builder.each(kernels.moveFlat, byVertices, params, detail.params, counts, ...moved);
        const used = builder.list('finish.vertices', byVertices, spokes, { to: 'outVertices' });
        const live = builder.list('finish.triangles', byTriangles, isLive, { to: 'outTriangles' });
        const ringed = [used.list, triangles];
        builder.each(kernels.checkVertices, used.items, counts, ...ringed, spokes, vertices, summary);
        const shaded = [vertices, normals, spokes, out.positions, out.normals];
        builder.each(kernels.emitVertices, used.items, counts, ...ringed, ...shaded);
        const emitted = [live.list, triangles, vertices, spokes, out.indices, summary];
        builder.each(kernels.emitTriangles, live.items, counts, ...emitted);
        const slots = builder.create('finish.slots', slotBytes(Math.max(nVertices, 1.5 * nTriangles)));
        builder.clear(slots);
        builder.each(kernels.findTwinVertices, used.items, counts, used.list, slots, summary, vertices);
        builder.clear(slots);
        builder.each(kernels.findTwinEdges, live.items, counts, live.list, slots, summary, triangles);
        const frame = uploadFrame(builder, resources);
        const field = fieldBuffers(resources);
        const measured = [triangles, vertices, detail.tolerances, summary, ...field];
        const about = [frame, params, detail.params, counts];
        builder.program.eachOf(kernels.measureError, N_MEASURED, ...about, ...measured);
      });
    },
  };
}
