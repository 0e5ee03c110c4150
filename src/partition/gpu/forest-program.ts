import type { PlaneTable } from '../../field/gpu/block-bounds.ts';
import { type FieldResources, tableBuffers } from '../../field/gpu/resources.ts';
import { FINE_LATTICE, firstLayerVectors } from '../../field/gpu/wgsl-lattice-points.ts';
import { USAGE } from '../../gpu/arena.ts';
import type { GpuContext } from '../../gpu/context.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import { GROUP_SIZE } from '../../gpu/kernel.ts';
import type { KeyTable } from '../../gpu/key-table.ts';
import type { ProgramBuilder } from '../../gpu/program-builder.ts';
import { type Lattice, roomForNodes } from '../corners.ts';
import { compilePartition, type PartitionKernels } from './forest-kernels.ts';
import { type PartitionCount, SETTLING } from './partition-counts.ts';

/** Bytes of a cell in WGSL: two vec4 and a vec2, padded. */
const CELL_BYTES = 48;
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

/** The nodes that there may be for each root, and beside: see `mostNodes`. */
export type NodeRoom = ReturnType<typeof roomForNodes>;

/** Compiles the partition's kernels, or finds them compiled. */
export async function createPartitioner(
  resources: FieldResources,
  context: GpuContext,
  nodeRoom: NodeRoom = roomForNodes(resources.network.nPreActivations),
): Promise<Partitioner> {
  const kernels = await compilePartition(resources, context);
  return {
    add: (builder, table, lattice, blocks, capacities, isoOffset) => {
      const parts = { resources, kernels, builder, table, lattice, isoOffset, nodeRoom };
      return builder.scopeSteps(new Partition(parts, capacities).add(blocks));
    },
  };
}

interface Parts {
  readonly resources: FieldResources;
  readonly kernels: PartitionKernels;
  readonly builder: ProgramBuilder<PartitionCount>;
  readonly table: PlaneTable;
  readonly lattice: Lattice;
  readonly isoOffset: number;
  readonly nodeRoom: NodeRoom;
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
  readonly #settling: GPUBuffer;

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
    const struct = SETTLING.pack({ room: nodes, nPasses: 2, ...parts.nodeRoom });
    this.#settling = builder.uniform('partition.settling', struct);
  }

  *add(blocks: GPUBuffer): Generator<void, GpuPartition, void> {
    const { builder } = this.#parts;
    builder.stage('corners');
    const byRoots = builder.items('roots', this.#capacities.roots);
    builder.scope(() => this.#addRootCorners(blocks, byRoots));
    yield;
    builder.stage('settle');
    builder.scope(() => this.#settle(byRoots));
    yield;
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

  #addRootCorners(blocks: GPUBuffer, byRoots: ItemCount): void {
    const { builder, kernels } = this.#parts;
    const { roots } = this.#capacities;
    const { counts } = builder;
    const keys = builder.create('partition.rootKeys', roots * 64);
    builder.clear(this.#corners.slots, this.#rootsAt);
    builder.each(kernels.request, byRoots, this.#fine, counts, blocks, keys);
    const requests = builder.items('rootRequests', roots * 8);
    const cornerOf = builder.number('partition.rootCorners', this.#corners, requests, keys, {
      after: 'rootCorners',
    });
    const links = [blocks, cornerOf, this.#coordinates, this.#roots, this.#rootsAt];
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

  #settle(byRoots: ItemCount): void {
    const { builder, kernels, resources } = this.#parts;
    const { roots, nodes } = this.#capacities;
    const { counts } = builder;
    const settling = this.#settling;
    const cells = builder.create('partition.cells', nodes * CELL_BYTES);
    const totals = builder.create('partition.totals', Math.ceil(roots / GROUP_SIZE) * 4);
    const pool = builder.zeros(4);
    const read = [this.#fine, settling, counts, this.#roots, this.#firstLayer, cells, resources.rows];
    builder.each(kernels.settleRoots, byRoots, ...read, pool, totals);
    const placed = [cells, totals, pool, this.#nodes, this.#nodeBounds];
    builder.each(kernels.placeNodes, byRoots, settling, counts, ...placed);
  }

  #addRects(): { rects: GPUBuffer; rectCorners: GPUBuffer; byRects: ItemCount } {
    const { builder, kernels } = this.#parts;
    const { nodes, rects: nRectsMost, fineRects } = this.#capacities;
    const { counts } = builder;
    const rects = builder.create('partition.rects', nRectsMost * 16);
    const rectCorners = builder.create('partition.rectCorners', nRectsMost * 16);
    const keys = builder.create('partition.rectKeys', fineRects * 32);
    builder.scope(() => {
      const byNodes = builder.items('nodes', nodes);
      const found = builder.create('partition.found', (nodes + Math.ceil(nodes / GROUP_SIZE)) * 8);
      const read = [this.#fine, this.#settling, counts, this.#nodes, this.#roots, this.#rootsAt, found];
      builder.each(kernels.countRects, byNodes, ...read);
      builder.each(kernels.emitRects, byNodes, ...read, rects, rectCorners, keys);
    });
    const byRects = builder.items('rects', nRectsMost);
    const requests = builder.items('rectRequests', fineRects * 4);
    const numbers = builder.number('partition.fineCorners', this.#corners, requests, keys, {
      before: 'rootCorners',
      after: 'corners',
      added: 'newCorners',
    });
    const completed = [this.#nodeBounds, numbers, rects, rectCorners];
    builder.each(kernels.completeRects, byRects, counts, ...completed);
    return { rects, rectCorners, byRects };
  }
}
