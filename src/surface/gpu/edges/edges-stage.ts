import type { FieldResources } from '../../../field/gpu/resources.ts';
import { POINT_KEY_WGSL } from '../../../field/gpu/wgsl-lattice-points.ts';
import type { GpuContext } from '../../../gpu/context.ts';
import { compileKernels } from '../../../gpu/item-kernel.ts';
import { FIND_KEY_WGSL } from '../../../gpu/key-table.ts';
import { SCAN_READ_WGSL } from '../../../gpu/scan.ts';
import type { GpuPartition } from '../../../partition/gpu/forest-program.ts';
import { type GpuDetail, regionCode } from '../kit.ts';
import meshWgsl from '../mesh.wgsl';
import { SURFACE_WGSL, type SurfaceBuilder } from '../structs.ts';
import edgesWgsl from './edges.wgsl';
import emitEdgeVerticesWgsl from './emit-edge-vertices.wgsl';
import findRootsWgsl from './find-roots.wgsl';
import linkEdgesWgsl from './link-edges.wgsl';
import placeRootsWgsl from './place-roots.wgsl';

export interface EdgeCapacities {
  readonly corners: number;
  /** Edges on which f may vanish. */
  readonly edges: number;
  readonly edgeVertices: number;
}

/** The edges between corners, and the roots of f on them. See EdgeTable (surface/edges.ts). */
export interface GpuEdges {
  /** u32[3] a corner: see edges.wgsl. */
  readonly edgeEnds: GPUBuffer;
  /** vec2<u32>[3] a corner: first vertex, number of roots. */
  readonly edgeRoots: GPUBuffer;
  /** vec4<u32> an edge vertex: lower corner of its edge on the fine lattice, axis. */
  readonly places: GPUBuffer;
}

function kernelSources(resources: FieldResources) {
  const keyed = SURFACE_WGSL + POINT_KEY_WGSL;
  const edged = SURFACE_WGSL + edgesWgsl;
  return {
    link: [keyed + edgesWgsl + FIND_KEY_WGSL + linkEdgesWgsl, 'linkRect', 'counts[N_RECTS]'],
    findRoots: [edged + regionCode(resources, 1, 7) + findRootsWgsl, 'findRoots', 'counts[N_EDGES]'],
    placeRoots: [keyed + SCAN_READ_WGSL + placeRootsWgsl, 'placeRoots', 'counts[N_EDGES]'],
    emitVertices: [edged + meshWgsl + emitEdgeVerticesWgsl, 'emitEdgeVertices', 'counts[N_EDGES]'],
  } as const;
}

/** Compiles the stage, or finds it compiled. */
export async function createEdgesStage(resources: FieldResources, context: GpuContext) {
  const kernels = await compileKernels(context, 'edges', kernelSources(resources));
  return {
    /** Adds edges and their roots; the vertices are the mesh's first. */
    add(
      builder: SurfaceBuilder,
      partition: GpuPartition,
      detail: GpuDetail,
      vertices: GPUBuffer,
      capacities: EdgeCapacities,
    ): GpuEdges {
      const { counts } = builder;
      const { rects, rectCorners, byRects, corners, points, firstLayer } = partition;
      const nSlots = capacities.corners * 3;
      const edgeEnds = builder.create('edges.ends', nSlots * 4);
      const edgeRoots = builder.create('edges.roots', nSlots * 8);
      const places = builder.create('edges.places', capacities.edgeVertices * 16);
      builder.stage('edges');
      builder.clear(edgeEnds, edgeRoots);
      builder.scope(() => {
        const { slots, knownKeys } = corners;
        builder.each(kernels.link, byRects, counts, rects, rectCorners, slots, knownKeys, points, edgeEnds);
        const bySlots = builder.items('edgeSlots', nSlots);
        const { list, items } = builder.list('edges.open', bySlots, edgeEnds, {
          to: 'edges',
          capacity: capacities.edges,
          mask: 0x80000000,
        });
        const found = builder.create('edges.found', items.capacity * 16);
        const nRoots = builder.create('edges.nRoots', items.capacity * 4);
        const read = [list, edgeEnds, points, firstLayer];
        builder.each(kernels.findRoots, items, counts, ...read, found, nRoots, resources.rows);
        const { offsets, sums } = builder.scan('edges.vertices', items, nRoots, { to: 'edgeVertices' });
        const placed = [list, offsets, sums, nRoots, knownKeys, edgeRoots, places];
        builder.each(kernels.placeRoots, items, counts, ...placed);
        const emitted = [list, edgeEnds, points, edgeRoots, found, vertices];
        builder.each(kernels.emitVertices, items, detail.params, counts, ...emitted);
      });
      return { edgeEnds, edgeRoots, places };
    },
  };
}
