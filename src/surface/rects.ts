import { growInt32 } from '../arrays.ts';
import type { CornerTable } from '../partition/corners.ts';
import { type Forest, NODE_SETTLED, NODE_SPLIT, NODE_UNSETTLED, rootIndex } from '../partition/forest.ts';

/**
 * The rectangles that box faces are divided in: one a face where no box beside it is bisected, else the common
 * refinement of the divisions of both sides, so that each is decided once, at the finest level that a box beside it
 * asks for.
 */
export class RectTable {
  nRects = 0;
  /** Corner ids c00, c10, c01, c11 of each, first in-plane axis (axis+1)%3, second (axis+2)%3. */
  corners = new Int32Array(4096);
  /** Normal axis. */
  axis = new Int32Array(1024);
  /** Leaf on the lower and on the upper side of the plane, or -1. */
  lower = new Int32Array(1024);
  upper = new Int32Array(1024);
  /** Rects of node n's six sides: list[listStart[n]...listStart[n+1]), each rect * 2 + (1 where it is n's upper side). */
  listStart = new Int32Array(0);
  list = new Int32Array(0);

  add(axis: number, lower: number, upper: number, corners: ArrayLike<number>): void {
    const rect = this.nRects++;
    this.corners = growInt32(this.corners, (rect + 1) * 4);
    this.axis = growInt32(this.axis, rect + 1);
    this.lower = growInt32(this.lower, rect + 1);
    this.upper = growInt32(this.upper, rect + 1);
    for (let c = 0; c < 4; c++) this.corners[rect * 4 + c] = corners[c];
    this.axis[rect] = axis;
    this.lower[rect] = lower;
    this.upper[rect] = upper;
  }

  /** Fills `listStart` and `list`. */
  link(nNodes: number): void {
    const start = new Int32Array(nNodes + 1);
    for (let r = 0; r < this.nRects; r++) {
      if (this.lower[r] >= 0) start[this.lower[r] + 1]++;
      if (this.upper[r] >= 0) start[this.upper[r] + 1]++;
    }
    for (let i = 0; i < nNodes; i++) start[i + 1] += start[i];
    const next = start.slice(0, nNodes);
    this.list = new Int32Array(start[nNodes]);
    for (let r = 0; r < this.nRects; r++) {
      if (this.lower[r] >= 0) this.list[next[this.lower[r]]++] = r * 2 + 1;
      if (this.upper[r] >= 0) this.list[next[this.upper[r]]++] = r * 2;
    }
    this.listStart = start;
  }
}

const NODES_PER_YIELD = 512;
const CORNERS_PER_YIELD = 2048;

/** Whether a node's surface is to be derived. */
export function isLeafWithSurface(forest: Forest, node: number): boolean {
  return node >= 0 && (forest.state[node] === NODE_SETTLED || forest.state[node] === NODE_UNSETTLED);
}

/**
 * What of a forest is to be derived, where the rest is a neighbour's: the trees of the first roots. The other trees are those
 * across the seams, which have a say in how the faces on them are divided.
 */
export interface Part {
  /** Roots [0, nOwn) are this part's. */
  readonly nOwn: number;
  /** Seams are orthogonal to this axis. */
  readonly axis: number;
  /** The planes that the part shares with others, integers of the lattice: the lower one, the upper one. */
  readonly seams: readonly number[];
}

/** A forest that has no neighbours. */
export function wholeForest(forest: Forest): Part {
  return { nOwn: forest.nRoots, axis: 0, seams: [] };
}

/** Rectangles, and how many there are up to the end of each seam. */
export interface PartRects {
  readonly rects: RectTable;
  readonly seamEnds: readonly number[];
}

/**
 * All rectangles between (and around) the leaves of a part of a settled forest. Those on seams come first, in an order that is
 * the same in both parts that meet there. New corners are added to `table` and evaluated. Yields the fraction done.
 */
export function* buildRects(
  forest: Forest,
  table: CornerTable,
  part: Part = wholeForest(forest),
): Generator<number, PartRects> {
  const builder = new RectBuilder(forest, table);
  const seamEnds: number[] = [];
  for (const plane of part.seams) {
    builder.addSeam(part.axis, plane);
    seamEnds.push(builder.rects.nRects);
    yield 0;
  }
  for (let node = 0; node < forest.nNodes; node++) {
    if (node < part.nOwn) builder.addRootFaces(node, part);
    if (forest.state[node] === NODE_SPLIT && forest.root[node] < part.nOwn) builder.addSplitFace(node);
    if (node % NODES_PER_YIELD === 0) yield node / forest.nNodes;
  }
  while (table.flush(CORNERS_PER_YIELD) > 0) yield 1;
  builder.rects.link(forest.nNodes);
  return { rects: builder.rects, seamEnds };
}

class RectBuilder {
  readonly rects = new RectTable();
  private readonly forest: Forest;
  private readonly table: CornerTable;
  private readonly ids = new Int32Array(4);

  constructor(forest: Forest, table: CornerTable) {
    this.forest = forest;
    this.table = table;
  }

  /** The faces on a seam: those of the roots below it, then those of the roots above it that have none below. */
  addSeam(axis: number, plane: number): void {
    const { nRoots, box } = this.forest;
    for (let root = 0; root < nRoots; root++)
      if (box[root * 6 + 3 + axis] === plane)
        this.addFace(root, axis, 1, root, this.neighbour(root, axis, 1));
    for (let root = 0; root < nRoots; root++)
      if (box[root * 6 + axis] === plane && this.neighbour(root, axis, -1) < 0)
        this.addFace(root, axis, 0, -1, root);
  }

  addRootFaces(root: number, { axis: seamAxis, seams }: Part): void {
    const { box } = this.forest;
    for (let axis = 0; axis < 3; axis++) {
      const isSeam = (side: number) => axis === seamAxis && seams.includes(box[root * 6 + axis + side * 3]);
      if (!isSeam(1)) this.addFace(root, axis, 1, root, this.neighbour(root, axis, 1));
      if (!isSeam(0) && this.neighbour(root, axis, -1) < 0) this.addFace(root, axis, 0, -1, root);
    }
  }

  /** The root beside another along an axis, or -1. */
  private neighbour(root: number, axis: number, step: number): number {
    const { lattice } = this.table;
    const at = [0, 1, 2].map((k) => rootIndex(lattice, this.forest, root, k) + (k === axis ? step : 0));
    return this.forest.findRoot(at[0], at[1], at[2]);
  }

  /** The face of a node on the given side of `axis`, between the trees `lower` and `upper`. */
  private addFace(node: number, axis: number, side: 0 | 1, lower: number, upper: number): void {
    const { box } = this.forest;
    const u = (axis + 1) % 3;
    const v = (axis + 2) % 3;
    const plane = box[node * 6 + axis + side * 3];
    const n = node * 6;
    this.refine(axis, plane, box[n + u], box[n + u + 3], box[n + v], box[n + v + 3], lower, upper);
  }

  addSplitFace(node: number): void {
    const { forest } = this;
    const axis = forest.axis[node];
    const child = forest.child[node];
    this.addFace(child, axis, 1, child, child + 1);
  }

  private refine(
    axis: number,
    plane: number,
    u0: number,
    u1: number,
    v0: number,
    v1: number,
    lower: number,
    upper: number,
  ): void {
    const { forest } = this;
    const u = (axis + 1) % 3;
    for (let side = 0; side < 2; side++) {
      let node = side === 0 ? lower : upper;
      while (node >= 0 && forest.state[node] === NODE_SPLIT) {
        const middle = forest.middle[node];
        const child = forest.child[node];
        if (forest.axis[node] === axis) {
          node = side === 0 ? child + 1 : child;
          continue;
        }
        const isU = forest.axis[node] === u;
        const from = isU ? u0 : v0;
        const to = isU ? u1 : v1;
        if (middle <= from) node = child + 1;
        else if (middle >= to) node = child;
        else {
          const l = side === 0 ? node : lower;
          const r = side === 0 ? upper : node;
          this.refine(axis, plane, u0, isU ? middle : u1, v0, isU ? v1 : middle, l, r);
          this.refine(axis, plane, isU ? middle : u0, u1, isU ? v0 : middle, v1, l, r);
          return;
        }
      }
      if (side === 0) lower = node;
      else upper = node;
    }
    this.emit(axis, plane, u0, u1, v0, v1, lower, upper);
  }

  private emit(
    axis: number,
    plane: number,
    u0: number,
    u1: number,
    v0: number,
    v1: number,
    lower: number,
    upper: number,
  ): void {
    const below = isLeafWithSurface(this.forest, lower) ? lower : -1;
    const above = isLeafWithSurface(this.forest, upper) ? upper : -1;
    const p = [0, 0, 0];
    p[axis] = plane;
    for (let c = 0; c < 4; c++) {
      p[(axis + 1) % 3] = c & 1 ? u1 : u0;
      p[(axis + 2) % 3] = c & 2 ? v1 : v0;
      this.ids[c] = this.table.add(p[0], p[1], p[2]);
    }
    if (below >= 0 || above >= 0) this.rects.add(axis, below, above, this.ids);
  }
}
