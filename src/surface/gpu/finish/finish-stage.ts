import type { FieldResources } from '../../../field/gpu/resources.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import halfEdgeReadsWgsl from '../half-edge-reads.wgsl';
import halfEdgesWgsl from '../half-edges.wgsl';
import { diagonalOf, type GpuDetail, type GpuMesh } from '../kit.ts';
import type { Measurer } from '../measure.ts';
import { FINISH, SURFACE_WGSL, type SurfaceBuilder } from '../structs.ts';
import checkVerticesWgsl from './check-vertices.wgsl';
import emitTrianglesWgsl from './emit-triangles.wgsl';
import emitVerticesWgsl from './emit-vertices.wgsl';
import findLiveWgsl from './find-live.wgsl';
import findTwiceWgsl from './find-twice.wgsl';
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

function kernelSources() {
  const head = SURFACE_WGSL + FINISH.wgsl + halfEdgesWgsl;
  const read = head + halfEdgeReadsWgsl;
  const ringed = read + wholeRingsWgsl;
  return {
    findLive: [head + findLiveWgsl, 'findLive', 'counts[N_MESH_TRIANGLES]'],
    moveFlat: [ringed + moveFlatWgsl, 'moveFlat', 'counts[N_MESH_VERTICES]'],
    checkVertices: [ringed + findTwiceWgsl + checkVerticesWgsl, 'checkVertex', 'counts[N_OUT_VERTICES]'],
    emitVertices: [ringed + emitVerticesWgsl, 'emitVertex', 'counts[N_OUT_VERTICES]'],
    emitTriangles: [read + findTwiceWgsl + emitTrianglesWgsl, 'emitTriangle', 'counts[N_OUT_TRIANGLES]'],
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
  const kernels = await compileKernels(context, 'finish', kernelSources());
  return {
    /** Adds what writes the mesh's output: what is left of it, in its order, with normals; and what is wrong with it. */
    add(
      builder: SurfaceBuilder,
      mesh: GpuMesh,
      detail: GpuDetail,
      measurer: Measurer,
      capacities: FinishCapacities,
      out: GpuOutput,
    ): void {
      const { counts } = builder;
      const { vertices, normals, marks, triangles, summary } = mesh;
      const { vertices: nVertices, triangles: nTriangles } = capacities;
      const params = builder.uniform(
        'finish.params',
        FINISH.pack({
          least: LEAST_HEIGHT * diagonalOf(resources),
          step: STEP * diagonalOf(resources),
        }),
      );
      builder.stage('finish');
      builder.scope(() => {
        const spokes = builder.create('finish.spokes', nVertices * 4);
        const isLive = builder.create('finish.isLive', nTriangles * 4);
        const byTriangles = builder.items('meshTriangles', nTriangles);
        const byVertices = builder.items('meshVertices', nVertices);
        const isFlat = builder.create('finish.isFlat', nVertices * 4);
        builder.clear(spokes);
        builder.clear(isFlat);
        const found = [isLive, spokes, marks, isFlat];
        builder.each(kernels.findLive, byTriangles, params, counts, triangles, vertices, ...found);
        const moved = [triangles, spokes, normals, isFlat, vertices];
        builder.each(kernels.moveFlat, byVertices, params, detail.params, counts, ...moved);
        const used = builder.list('finish.vertices', byVertices, spokes, { to: 'outVertices' });
        const live = builder.list('finish.triangles', byTriangles, isLive, { to: 'outTriangles' });
        const slots = builder.create('finish.slots', slotBytes(Math.max(nVertices, 1.5 * nTriangles)));
        builder.clear(slots);
        const checked = [used.list, slots, summary, triangles, spokes, vertices, marks];
        builder.each(kernels.checkVertices, used.items, counts, ...checked);
        const left = { listed: live.list, byTriangles: live.items, byVertices };
        measurer.add(builder, left, mesh, detail);
        const shaded = [used.list, triangles, vertices, normals, spokes, out.positions, out.normals];
        builder.each(kernels.emitVertices, used.items, counts, ...shaded);
        builder.clear(slots);
        const emitted = [live.list, slots, summary, triangles, vertices, spokes, out.indices];
        builder.each(kernels.emitTriangles, live.items, counts, ...emitted);
      });
    },
  };
}
