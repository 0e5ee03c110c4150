import type { PlaneTable } from '../../field/gpu/block-bounds.ts';
import { type FieldResources, tableBuffers } from '../../field/gpu/resources.ts';
import { FINE_LATTICE, firstLayerVectors } from '../../field/gpu/wgsl-lattice-points.ts';
import { USAGE } from '../../gpu/arena.ts';
import type { GpuContext } from '../../gpu/context.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import type { KeyTable } from '../../gpu/key-table.ts';
import type { ProgramBuilder } from '../../gpu/program-builder.ts';
import type { Lattice } from '../corners.ts';
import { compilePartition, type PartitionKernels, SETTLE_PART } from './forest-kernels.ts';
import { LEVEL, type PartitionCount } from './partition-counts.ts';

/** Rounds with a dispatch for each step; in those after them so few nodes are left that one workgroup bisects them. */
const LARGE_LEVELS = 2;
/** Bytes of a root in WGSL: two vec3 and eight words. */
const ROOT_BYTES = 64;

/** How many of each there is room for. */
export interface PartitionCapacities {
  readonly roots: number;
  readonly rootCorners: number;
  readonly nodes: number;
  readonly rects: number;
  /** Rectangles with a corner that is no root's. */
  readonly fineRects: number;
  readonly corners: number;
}

/** The settled partition on the GPU. */
export interface GpuPartition {
  /** `FineLattice` */
  readonly fine: GPUBuffer;
  readonly roots: GPUBuffer;
  readonly nodes: GPUBuffer;
  /** vec4<f32> a node: unit direction in which f increases, or zero; range of f less its interpolant. */
  readonly nodeBounds: GPUBuffer;
  /** vec4<u32> a rectangle: leaf below, leaf above, axis, and as f32 the range of f less its interpolant. */
  readonly rects: GPUBuffer;
  /** u32[4] a rectangle: corners c00, c10, c01, c11. */
  readonly rectCorners: GPUBuffer;
  readonly byRects: ItemCount;
  /** The corners: `knownKeys` are their coordinates. */
  readonly corners: KeyTable;
  /** vec4<f32> a corner: local coordinates, f + isoOffset. */
  readonly points: GPUBuffer;
  /** vec4<f32>[firstLayerVectors] a corner: the first layer's pre-activations. */
  readonly firstLayer: GPUBuffer;
}

export interface Partitioner {
  /**
   * Adds to a program what follows the search: corners, bisections until each box is empty or holds graphs only, and the
   * rectangles between boxes.
   * @param blocks the boxes that the search left, counts[roots] of them
   */
  add(
    builder: ProgramBuilder<PartitionCount>,
    table: PlaneTable,
    lattice: Lattice,
    blocks: GPUBuffer,
    capacities: PartitionCapacities,
    isoOffset: number,
  ): Generator<void, GpuPartition, void>;
}

/**
 * Compiles the partition's kernels, or finds them compiled.
 * @param isSpread a region of a small level has an invocation of its own: with many processors faster, with few slower.
 */
export async function createPartitioner(
  resources: FieldResources,
  context: GpuContext,
  isSpread = !context.isSoftware,
): Promise<Partitioner> {
  const kernels = await compilePartition(resources, context, isSpread);
  return {
    add: (builder, table, lattice, blocks, capacities, isoOffset) => {
      const parts = { resources, kernels, builder, table, lattice, isoOffset };
      return builder.scopeSteps(new Partition(parts, capacities).add(blocks));
    },
  };
}

/** Bits of `nChildren` that tell faces to look into: see settle.wgsl. */
const FACES_MASK = 63 << 8;
/** Workgroups of a spread level; each takes as many nodes as there are. */
const SPREAD_GROUPS = 256;

interface Parts {
  readonly resources: FieldResources;
  readonly kernels: PartitionKernels;
  readonly builder: ProgramBuilder<PartitionCount>;
  readonly table: PlaneTable;
  readonly lattice: Lattice;
  readonly isoOffset: number;
}

class Partition {
  readonly #parts: Parts;
  readonly #capacities: PartitionCapacities;
  readonly #fine: GPUBuffer;
  readonly #coordinates: GPUBuffer;
  readonly #corners: KeyTable;
  readonly #points: GPUBuffer;
  readonly #firstLayer: GPUBuffer;
  readonly #roots: GPUBuffer;
  readonly #rootsAt: GPUBuffer;
  readonly #nodes: GPUBuffer;
  readonly #nodeBounds: GPUBuffer;

  constructor(parts: Parts, capacities: PartitionCapacities) {
    const { builder, lattice, resources } = parts;
    const { roots, rootCorners, nodes, corners } = capacities;
    this.#parts = parts;
    this.#capacities = capacities;
    this.#fine = this.#lattice(undefined, 'rootCorners');
    const { planes } = lattice;
    const coordinates = Float32Array.from([...planes[0], ...planes[1], ...planes[2]]);
    this.#coordinates = builder.arena.upload('partition.coordinates', coordinates, USAGE.storage);
    this.#corners = builder.keyTable('partition.corners', corners);
    this.#points = builder.create('partition.points', corners * 16);
    const nVectors = firstLayerVectors(resources.shape);
    this.#firstLayer = builder.create('partition.firstLayer', corners * nVectors * 16);
    this.#roots = builder.create('partition.roots', roots * ROOT_BYTES);
    this.#rootsAt = builder.create('partition.rootsAt', rootCorners * 32);
    this.#nodes = builder.create('partition.nodes', nodes * 16);
    this.#nodeBounds = builder.create('partition.nodeBounds', nodes * 16);
  }

  *add(blocks: GPUBuffer): Generator<void, GpuPartition, void> {
    const { builder } = this.#parts;
    builder.stage('corners');
    builder.scope(() => this.#addRootCorners(blocks));
    yield;
    builder.stage('settle');
    yield* builder.scopeSteps(this.#addLevels());
    builder.stage('rects');
    const { rects, rectCorners, byRects } = builder.scope(() => this.#addRects());
    this.#addEvaluation(this.#lattice('rootCorners', 'corners'), 'newCorners');
    return {
      fine: this.#fine,
      roots: this.#roots,
      nodes: this.#nodes,
      nodeBounds: this.#nodeBounds,
      rects,
      rectCorners,
      byRects,
      corners: this.#corners,
      points: this.#points,
      firstLayer: this.#firstLayer,
    };
  }

  /** The lattice, and which corners are evaluated. */
  #lattice(first: PartitionCount | undefined, end: PartitionCount): GPUBuffer {
    const { builder, table, lattice, isoOffset } = this.#parts;
    const struct = FINE_LATTICE.pack({
      nBoxes: table.counts,
      subBits: lattice.subBits,
      firstPlane: table.firstPlane,
      isoOffset,
      first: first === undefined ? 0 : builder.at(first),
      end: builder.at(end),
    });
    return builder.uniform('partition.fine', struct);
  }

  #addRootCorners(blocks: GPUBuffer): void {
    const { builder, kernels } = this.#parts;
    const { roots } = this.#capacities;
    const { counts } = builder;
    const byRoots = builder.items('roots', roots);
    const keys = builder.create('partition.rootKeys', roots * 64);
    builder.clear(this.#corners.slots, this.#rootsAt);
    builder.each(kernels.request, byRoots, this.#fine, counts, blocks, keys);
    const requests = builder.items('rootRequests', roots * 8);
    const cornerOf = builder.number('partition.rootCorners', this.#corners, requests, keys, {
      after: 'rootCorners',
    });
    const links = [blocks, cornerOf, this.#coordinates, this.#roots, this.#rootsAt, this.#nodes];
    builder.each(kernels.link, byRoots, this.#fine, counts, ...links);
    this.#addEvaluation(this.#fine, 'rootCorners');
  }

  #addEvaluation(fine: GPUBuffer, of: PartitionCount): void {
    const { builder, kernels, resources, table } = this.#parts;
    const { knownKeys } = this.#corners;
    const at = [this.#coordinates, knownKeys, this.#points, this.#firstLayer];
    const items = builder.items(of, this.#capacities.corners);
    const field = [resources.weights, ...tableBuffers(resources)];
    builder.each(kernels.evaluate, items, fine, builder.counts, table.planes, ...at, ...field);
  }

  *#addLevels(): Generator<void, void, void> {
    const { builder, kernels, lattice } = this.#parts;
    const { counts } = builder;
    const { roots, nodes } = this.#capacities;
    const fine = this.#fine;
    const unlisted = builder.create('partition.unlisted', 16);
    const nChildren = builder.create('partition.nChildren', nodes * 4);
    let items = builder.items('pending0', roots);
    for (let l = 0; l <= 3 * lattice.subBits; l++) {
      if (l % 4 === 3) yield;
      if (l < LARGE_LEVELS) {
        builder.scope(() => this.#addLargeLevel(l, items, nChildren));
        items = builder.items(`pending${l + 1}`, nodes);
        continue;
      }
      const level = this.#level(l, SETTLE_PART.both);
      const bound = this.#settled(level, nChildren);
      if (kernels.settleSpread) builder.program.dispatch(kernels.settleSpread, [SPREAD_GROUPS, 1], ...bound);
      else builder.each(kernels.settleNodes, items, ...bound, unlisted);
      items = builder.dispatched(builder.at(`pending${l + 1}`), nodes, (groups) => {
        const read = [fine, level, counts, nChildren, this.#nodes, groups];
        builder.program.dispatch(kernels.bisectSmall, [1, 1], ...read);
      });
    }
  }

  #level(l: number, part: number): GPUBuffer {
    const { builder } = this.#parts;
    return builder.uniform(
      'partition.level',
      LEVEL.pack({
        first: builder.at(`first${l}`),
        pending: builder.at(`pending${l}`),
        nextFirst: builder.at(`first${l + 1}`),
        nextPending: builder.at(`pending${l + 1}`),
        room: this.#capacities.nodes,
        part,
      }),
    );
  }

  /** What settling reads and writes. */
  #settled(level: GPUBuffer, nChildren: GPUBuffer): GPUBuffer[] {
    const { builder, resources } = this.#parts;
    const read = [this.#fine, builder.counts, this.#roots, this.#firstLayer, this.#nodes, nChildren];
    return [...read, level, resources.rows, this.#nodeBounds];
  }

  /** As a whole first: then only nodes with faces to look into wait for each other. */
  #addLargeLevel(l: number, items: ItemCount, nChildren: GPUBuffer): void {
    const { builder, kernels } = this.#parts;
    const [whole, faces] = [this.#level(l, SETTLE_PART.whole), this.#level(l, SETTLE_PART.faces)];
    const unlisted = builder.create('partition.unlisted', 16);
    builder.each(kernels.settleNodes, items, ...this.#settled(whole, nChildren), unlisted);
    const faced = builder.list('partition.faced', items, nChildren, { to: 'faced', mask: FACES_MASK });
    builder.each(kernels.settleNodes, faced.items, ...this.#settled(faces, nChildren), faced.list);
    const { offsets, sums } = builder.scan('partition.children', items, nChildren, { to: 'children' });
    const places = [nChildren, offsets, sums];
    builder.each(kernels.bisect, items, this.#fine, whole, builder.counts, ...places, this.#nodes);
  }

  #addRects(): { rects: GPUBuffer; rectCorners: GPUBuffer; byRects: ItemCount } {
    const { builder, kernels } = this.#parts;
    const { nodes, rects: nRectsMost, fineRects } = this.#capacities;
    const { counts } = builder;
    const fine = this.#fine;
    const rects = builder.create('partition.rects', nRectsMost * 16);
    const rectCorners = builder.create('partition.rectCorners', nRectsMost * 16);
    const read = [this.#nodes, this.#roots, this.#rootsAt];
    builder.scope(() => {
      const nRects = builder.create('partition.nRects', nodes * 4);
      const byNodes = builder.items('nodes', nodes);
      builder.each(kernels.countRects, byNodes, fine, counts, ...read, nRects);
      const { offsets, sums } = builder.scan('partition.rects', byNodes, nRects, { to: 'rects' });
      builder.each(kernels.emitRects, byNodes, fine, counts, ...read, offsets, sums, rects, rectCorners);
    });
    const byRects = builder.items('rects', nRectsMost);
    const isFine = builder.create('partition.isFine', nRectsMost * 4);
    const keys = builder.create('partition.rectKeys', fineRects * 32);
    builder.each(kernels.flagRects, byRects, counts, rects, isFine);
    const { offsets, sums } = builder.scan('partition.fineRects', byRects, isFine, { to: 'fineRects' });
    builder.each(kernels.requestRects, byRects, counts, rects, rectCorners, offsets, sums, keys);
    const requests = builder.items('rectRequests', fineRects * 4);
    const numbers = builder.number('partition.fineCorners', this.#corners, requests, keys, {
      before: 'rootCorners',
      after: 'corners',
      added: 'newCorners',
    });
    const completed = [this.#nodeBounds, offsets, sums, numbers, rects, rectCorners];
    builder.each(kernels.completeRects, byRects, counts, ...completed);
    return { rects, rectCorners, byRects };
  }
}
