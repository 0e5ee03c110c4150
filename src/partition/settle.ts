import { type CornerTable, latticeCoordinate, mayBeZero, mostNodes } from './corners.ts';
import { type Forest, NODE_EMPTY, NODE_PENDING, NODE_SETTLED, NODE_SPLIT, NODE_UNSETTLED } from './forest.ts';
import { MonotoneTest } from './monotone.ts';
import { RegionNetwork } from './region-network.ts';

/** Nodes of one base box after which what is left of it stays unsettled; more where the few boxes there are leave room. */
const MAX_NODES_PER_ROOT = 512;
const MAX_NODES_PER_FEW_ROOTS = 2048;
/**
 * Cosine of all gradients with the direction of a cell that planes pass through, at least: no crease is followed in it, and
 * across a sharper edge triangles that stand off by 0.75 tolerances may leave out more than one.
 */
const LEAST_COSINE = 0.8;
const NODES_PER_YIELD = 48;
const CORNERS_PER_YIELD = 2048;

/** The largest distance that there may be, in a box, between the zero sets of f and of what stands for it; local units. */
export type Allowance = (origin: ArrayLike<number>, size: ArrayLike<number>) => number;

/**
 * Bisects boxes until each is empty, or settled: f increases along some direction in it, and along some in-plane
 * direction on each of its faces that the surface may touch. Then neither the box nor its faces can hide a closed
 * piece of surface, and the surface in the box is a graph.
 *
 * A box that planes of the grid pass through is settled where that holds of the network g of its inputs' trilinear
 * interpolants, and is not divided at the planes where the surface is known to follow g's: |f - g| is at most `deviation`, g
 * rises along the direction by `slope`, so on a line along it the zeros of f lie within deviation / slope of that of g.
 * Nor is it one where the surface has a sharp edge.
 * @see docs/theory.md, "Cells"
 */
export class Settler {
  private readonly table: CornerTable;
  private readonly forest: Forest;
  private readonly net: RegionNetwork;
  private readonly faceNet: RegionNetwork;
  private readonly boxTest = new MonotoneTest();
  private readonly faceTest = new MonotoneTest();
  private readonly sizes = new Float64Array(3);
  private readonly faceSizes = new Float64Array(2);
  private readonly cornerIds = new Int32Array(8);
  private readonly faceIds = new Int32Array(4);
  private readonly nodesOfRoot: Int32Array;
  private readonly maxNodes: number;
  private readonly maxNodesOfRoot: number;
  private readonly allowance: Allowance;
  private readonly origin = new Float64Array(3);
  private readonly end = new Float64Array(3);
  private isPrepared = false;

  /**
   * @param allowance for boxes that planes pass through; default: there are none.
   * @param nRootsInAll roots of all forests that share the limit on nodes, this one's included.
   */
  constructor(
    table: CornerTable,
    forest: Forest,
    allowance: Allowance = () => 0,
    nRootsInAll = forest.nRoots,
  ) {
    this.allowance = allowance;
    this.table = table;
    this.forest = forest;
    this.net = new RegionNetwork(table.field);
    this.faceNet = new RegionNetwork(table.field);
    // The surface passes through so many base boxes of a root.
    const perRoot = 4 ** table.lattice.rootBits;
    this.maxNodes = mostNodes(forest.nRoots, table.field.nPreActivations, nRootsInAll, perRoot);
    this.maxNodesOfRoot = Math.max(
      MAX_NODES_PER_ROOT * perRoot,
      Math.min(MAX_NODES_PER_FEW_ROOTS, this.maxNodes / forest.nRoots),
    );
    this.nodesOfRoot = new Int32Array(forest.nRoots);
    for (let node = 0; node < forest.nNodes; node++) this.nodesOfRoot[forest.root[node]]++;
  }

  /** Settles all pending nodes; yields the fraction done of the first pass. */
  *run(): Generator<number, void> {
    let pending = this.pendingNodes();
    // A forest that was settled before, and comes from a record, has no pending nodes; its corners are wanted all the same.
    yield* this.prepare(
      this.isPrepared ? pending : [...this.forest.root.subarray(0, this.forest.nNodes).keys()],
    );
    this.isPrepared = true;
    const perYield = this.table.field.pointsPerSlice(NODES_PER_YIELD);
    while (pending.length > 0) {
      const next: number[] = [];
      for (let i = 0; i < pending.length; i++) {
        if (this.forest.hasPlanes(pending[i])) yield* this.prepareBound(pending[i], i / pending.length);
        this.settle(pending[i], next);
        if (i % perYield === 0) yield i / pending.length;
      }
      yield* this.prepare(next);
      pending = next;
    }
  }

  /** Bisects a settled node that turned out to need it; false where the limit is reached. */
  resplit(node: number): boolean {
    this.nodeSizes(node);
    const next: number[] = [];
    this.splitNode(node, this.longestAxis(node), next);
    if (next.length === 0) return false;
    for (const child of next) this.nodeCorners(child);
    this.table.flush();
    return true;
  }

  private pendingNodes(): number[] {
    const pending: number[] = [];
    for (let i = 0; i < this.forest.nNodes; i++) if (this.forest.state[i] === NODE_PENDING) pending.push(i);
    return pending;
  }

  /** Evaluates the nodes' corners. */
  private *prepare(nodes: readonly number[]): Generator<number, void> {
    for (let i = 0; i < nodes.length; i++) {
      this.nodeCorners(nodes[i]);
      if (i % (NODES_PER_YIELD * 16) === 0) yield 1;
    }
    const perFlush = this.table.field.pointsPerSlice(CORNERS_PER_YIELD);
    while (this.table.flush(perFlush) > 0) yield 1;
  }

  /** Builds what bounding a node takes, where that takes a while. */
  private *prepareBound(node: number, fraction: number): Generator<number, void> {
    this.nodeSizes(node);
    for (const _ of this.table.field.prepareBound(this.origin, this.end) ?? []) yield fraction;
  }

  private nodeCorners(node: number): void {
    const { box } = this.forest;
    for (let c = 0; c < 8; c++) {
      const x = box[node * 6 + (c & 1) * 3];
      const y = box[node * 6 + 1 + ((c >> 1) & 1) * 3];
      const z = box[node * 6 + 2 + (c >> 2) * 3];
      this.cornerIds[c] = this.table.add(x, y, z);
    }
  }

  private nodeSizes(node: number): void {
    const { box } = this.forest;
    const { lattice } = this.table;
    for (let k = 0; k < 3; k++) {
      this.origin[k] = latticeCoordinate(lattice, k, box[node * 6 + k]);
      this.end[k] = latticeCoordinate(lattice, k, box[node * 6 + 3 + k]);
      this.sizes[k] = this.end[k] - this.origin[k];
    }
  }

  /** The axis to bisect along which the node measured last is longest, at planes as long as there are some in it; -1: none. */
  private longestAxis(node: number): number {
    const { box } = this.forest;
    const least = this.forest.hasPlanes(node) ? 1 << this.table.lattice.subBits : 1;
    let longest = -1;
    for (let k = 0; k < 3; k++) {
      if (box[node * 6 + 3 + k] - box[node * 6 + k] <= least) continue;
      if (longest < 0 || this.sizes[k] > this.sizes[longest]) longest = k;
    }
    return longest;
  }

  private settle(node: number, next: number[]): void {
    const { forest, net } = this;
    this.nodeSizes(node);
    const hasPlanes = forest.hasPlanes(node);
    let deviation = 0;
    if (hasPlanes) {
      const cell = this.table.field.boundCell(this.origin, this.end);
      if (!mayBeZero(cell, this.table.isoOffset)) {
        forest.state[node] = NODE_EMPTY;
        return;
      }
      deviation = cell.deviation;
    }
    this.nodeCorners(node);
    net.build(this.table, this.cornerIds, 8);
    if (net.lo > deviation || net.hi < -deviation) {
      forest.state[node] = NODE_EMPTY;
      return;
    }
    const span = net.isOverflow ? Number.POSITIVE_INFINITY : net.fErrHi - net.fErrLo;
    forest.nUnits[node] = net.nUnits;
    forest.errorSpan[node] = span + 2 * deviation;
    if (!this.boxTest.find(net, this.sizes)) {
      // Planes first: they bound the interpolants, too.
      const axis = hasPlanes ? this.longestAxis(node) : this.worstAxis(node, this.boxTest, [0, 1, 2]);
      this.splitNode(node, axis, next);
      return;
    }
    const { slope, cosine } = this.boxTest;
    const isNear = cosine >= LEAST_COSINE && deviation <= slope * this.allowance(this.origin, this.sizes);
    if (hasPlanes && !isNear) {
      this.splitNode(node, this.longestAxis(node), next);
      return;
    }
    const faceAxis = net.nUnits === 0 ? -1 : this.unsettledFaceAxis(node);
    if (faceAxis >= 0) {
      this.splitNode(node, faceAxis, next);
      return;
    }
    forest.state[node] = NODE_SETTLED;
    forest.direction.set(this.boxTest.direction, node * 3);
  }

  /** The axis to bisect because of a face that may hide a closed curve, or -1. */
  private unsettledFaceAxis(node: number): number {
    for (let axis = 0; axis < 3; axis++) {
      if (this.boxTest.holdsAcross(this.net, axis)) continue;
      const u = (axis + 1) % 3;
      const v = (axis + 2) % 3;
      this.faceSizes[0] = this.sizes[u];
      this.faceSizes[1] = this.sizes[v];
      for (let side = 0; side < 2; side++) {
        let lo = Number.POSITIVE_INFINITY;
        let hi = Number.NEGATIVE_INFINITY;
        for (let c = 0; c < 4; c++) {
          const corner = (side << axis) | ((c & 1) << u) | ((c >> 1) << v);
          this.faceIds[c] = this.cornerIds[corner];
          lo = Math.min(lo, this.net.fCorner[corner]);
          hi = Math.max(hi, this.net.fCorner[corner]);
        }
        // The box's own bounds tell most faces off without a reduction of their own.
        if (lo + this.net.fErrLo > 0 || hi + this.net.fErrHi < 0) continue;
        this.faceNet.build(this.table, this.faceIds, 4);
        if (this.faceNet.nUnits === 0 || this.faceNet.lo > 0 || this.faceNet.hi < 0) continue;
        if (this.faceTest.find(this.faceNet, this.faceSizes)) continue;
        return this.worstAxis(node, this.faceTest, [u, v]);
      }
    }
    return -1;
  }

  /** The axis along which the gradient changes most; `axes` maps the test's axes to the box's. */
  private worstAxis(node: number, test: MonotoneTest, axes: readonly number[]): number {
    const { box } = this.forest;
    let worst = -1;
    let most = -1;
    for (let k = 0; k < axes.length; k++) {
      const axis = axes[k];
      if (box[node * 6 + 3 + axis] - box[node * 6 + axis] < 2) continue;
      if (test.variation[k] <= most) continue;
      most = test.variation[k];
      worst = axis;
    }
    return worst;
  }

  private splitNode(node: number, axis: number, next: number[]): void {
    const { forest } = this;
    const root = forest.root[node];
    const isThin = axis < 0 || forest.box[node * 6 + 3 + axis] - forest.box[node * 6 + axis] < 2;
    const isFull = forest.nNodes >= this.maxNodes;
    if (isThin || isFull || this.nodesOfRoot[root] >= this.maxNodesOfRoot) {
      forest.state[node] = NODE_UNSETTLED;
      return;
    }
    const child = forest.split(node, axis);
    this.nodesOfRoot[root] += 2;
    next.push(child, child + 1);
  }
}

/** Counts of nodes by state, roots included. */
export function countNodes(forest: Forest): {
  settled: number;
  unsettled: number;
  split: number;
  empty: number;
} {
  const count = { settled: 0, unsettled: 0, split: 0, empty: 0 };
  for (let i = 0; i < forest.nNodes; i++) {
    const state = forest.state[i];
    if (state === NODE_SETTLED) count.settled++;
    else if (state === NODE_UNSETTLED) count.unsettled++;
    else if (state === NODE_SPLIT) count.split++;
    else if (state === NODE_EMPTY) count.empty++;
  }
  return count;
}
