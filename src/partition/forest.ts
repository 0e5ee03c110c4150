import { growFloat64, growInt32 } from '../arrays.ts';
import { type Lattice, middleOf, rootCoordinate, rootCounts } from './corners.ts';
import { NumberMap } from './number-map.ts';

/** What is known of a node of the {@link Forest}. */
export const NODE_PENDING = 0;
/** No surface in it. */
export const NODE_EMPTY = 1;
/** f increases along `direction`: every piece of surface in it is a graph. */
export const NODE_SETTLED = 2;
/** The subdivision limit was reached before a direction was found. */
export const NODE_UNSETTLED = 3;
/** Bisected: see `axis`, `middle`, `child`. */
export const NODE_SPLIT = 4;

/**
 * The surviving boxes of the search, each the root of a kd-tree of bisections, at base planes as long as there are some in it,
 * then at dyadic midpoints. Nodes [0, nRoots) are the roots. Coordinates are integers of the {@link Lattice}.
 */
export class Forest {
  readonly nRoots: number;
  nNodes: number;
  /** i32[nNodes * 6]: min xyz, max xyz. */
  box: Int32Array;
  /** One of the NODE_ constants. */
  state: Int32Array;
  /** Axis, coordinate of the bisecting plane, and first child (the lower one; the other follows it) of split nodes. */
  axis: Int32Array;
  middle: Int32Array;
  child: Int32Array;
  root: Int32Array;
  /** f64[nNodes * 3], unit length, of settled nodes. */
  direction: Float64Array;
  /** Neurons that may change sign in a settled or unsettled node. */
  nUnits: Int32Array;
  /** Width of the certified range of f minus the interpolant of its corner values, in such a node. */
  errorSpan: Float64Array;
  private readonly rootIndex: NumberMap;
  private readonly counts: readonly [number, number, number];
  /** Side of a base box. */
  private readonly base: number;

  constructor(lattice: Lattice, boxes: Int32Array) {
    const n = boxes.length / 3;
    this.counts = rootCounts(lattice) as [number, number, number];
    this.base = 1 << lattice.subBits;
    this.nRoots = n;
    this.nNodes = n;
    this.box = new Int32Array(n * 6);
    this.state = new Int32Array(n);
    this.axis = new Int32Array(n);
    this.middle = new Int32Array(n);
    this.child = new Int32Array(n);
    this.root = new Int32Array(n);
    this.direction = new Float64Array(n * 3);
    this.nUnits = new Int32Array(n);
    this.errorSpan = new Float64Array(n);
    this.rootIndex = new NumberMap(n);
    for (let i = 0; i < n; i++) {
      this.root[i] = i;
      for (let k = 0; k < 3; k++) {
        this.box[i * 6 + k] = rootCoordinate(lattice, k, boxes[i * 3 + k]);
        this.box[i * 6 + 3 + k] = rootCoordinate(lattice, k, boxes[i * 3 + k] + 1);
      }
      this.rootIndex.set(this.rootKey(boxes[i * 3], boxes[i * 3 + 1], boxes[i * 3 + 2]), i);
    }
  }

  /** The root that is box (x, y, z) of the search, or -1. */
  findRoot(x: number, y: number, z: number): number {
    if (x < 0 || y < 0 || z < 0) return -1;
    if (x >= this.counts[0] || y >= this.counts[1] || z >= this.counts[2]) return -1;
    return this.rootIndex.get(this.rootKey(x, y, z));
  }

  /** Whether base planes pass through a node. */
  hasPlanes(node: number): boolean {
    for (let k = 0; k < 3; k++)
      if (this.box[node * 6 + 3 + k] - this.box[node * 6 + k] > this.base) return true;
    return false;
  }

  /** Bisects `node` along `axis`; gives the first child. */
  split(node: number, axis: number): number {
    const first = this.nNodes;
    this.reserve(first + 2);
    const middle = middleOf(this.box[node * 6 + axis], this.box[node * 6 + 3 + axis]);
    this.state[node] = NODE_SPLIT;
    this.axis[node] = axis;
    this.middle[node] = middle;
    this.child[node] = first;
    for (let side = 0; side < 2; side++) {
      const child = first + side;
      this.state[child] = NODE_PENDING;
      this.root[child] = this.root[node];
      for (let k = 0; k < 6; k++) this.box[child * 6 + k] = this.box[node * 6 + k];
      this.box[child * 6 + axis + (side === 0 ? 3 : 0)] = middle;
    }
    this.nNodes = first + 2;
    return first;
  }

  private rootKey(x: number, y: number, z: number): number {
    return x + this.counts[0] * (y + this.counts[1] * z);
  }

  private reserve(n: number): void {
    this.box = growInt32(this.box, n * 6);
    this.state = growInt32(this.state, n);
    this.axis = growInt32(this.axis, n);
    this.middle = growInt32(this.middle, n);
    this.child = growInt32(this.child, n);
    this.root = growInt32(this.root, n);
    this.direction = growFloat64(this.direction, n * 3);
    this.nUnits = growInt32(this.nUnits, n);
    this.errorSpan = growFloat64(this.errorSpan, n);
  }
}

/** Which box of the search a root is, along an axis. */
export function rootIndex(
  { subBits, rootBits }: Lattice,
  { box }: Forest,
  root: number,
  axis: number,
): number {
  return box[root * 6 + axis] >> (subBits + rootBits);
}

/** What of a {@link Forest} tells it from another on the same lattice: what is posted between threads. */
export interface ForestData {
  /** Box of the search that each root is: i32[nRoots * 3]. */
  readonly boxes: Int32Array;
  readonly state: Int32Array;
  readonly axis: Int32Array;
  readonly direction: Float64Array;
  readonly nUnits: Int32Array;
  readonly errorSpan: Float64Array;
}

/** Trees out of a forest: all of them, or those of some roots. */
export interface TreeChoice {
  readonly forest: Forest;
  /** Default: all. */
  readonly roots?: readonly number[];
}

/**
 * Copies trees into a new forest: roots in the order given, then their nodes breadth-first, so that the order in which they
 * were bisected leaves no trace.
 */
export function gatherTrees(lattice: Lattice, choices: readonly TreeChoice[]): Forest {
  const sources: Forest[] = [];
  const nodes: number[] = [];
  for (const { forest, roots = [...Array(forest.nRoots).keys()] } of choices) {
    for (const root of roots) {
      sources.push(forest);
      nodes.push(root);
    }
  }
  const boxes = new Int32Array(nodes.length * 3);
  nodes.forEach((root, i) => {
    for (let k = 0; k < 3; k++) boxes[i * 3 + k] = rootIndex(lattice, sources[i], root, k);
  });
  const gathered = new Forest(lattice, boxes);
  for (let node = 0; node < nodes.length; node++) {
    const [source, from] = [sources[node], nodes[node]];
    if (source.state[from] === NODE_SPLIT) {
      gathered.split(node, source.axis[from]);
      sources.push(source, source);
      nodes.push(source.child[from], source.child[from] + 1);
      continue;
    }
    gathered.state[node] = source.state[from];
    gathered.nUnits[node] = source.nUnits[from];
    gathered.errorSpan[node] = source.errorSpan[from];
    gathered.direction.set(source.direction.subarray(from * 3, from * 3 + 3), node * 3);
  }
  return gathered;
}

/** Copies out what {@link forestOf} makes the forest of; its nodes have to be breadth-first, as {@link gatherTrees} has them. */
export function forestData(forest: Forest, lattice: Lattice): ForestData {
  const { nNodes, nRoots } = forest;
  const boxes = Int32Array.from({ length: nRoots * 3 }, (_, i) =>
    rootIndex(lattice, forest, Math.floor(i / 3), i % 3),
  );
  return {
    boxes,
    state: forest.state.slice(0, nNodes),
    axis: forest.axis.slice(0, nNodes),
    direction: forest.direction.slice(0, nNodes * 3),
    nUnits: forest.nUnits.slice(0, nNodes),
    errorSpan: forest.errorSpan.slice(0, nNodes),
  };
}

export function forestOf(lattice: Lattice, data: ForestData): Forest {
  const forest = new Forest(lattice, data.boxes);
  for (let node = 0; node < forest.nNodes; node++) {
    if (data.state[node] === NODE_SPLIT) forest.split(node, data.axis[node]);
    else forest.state[node] = data.state[node];
  }
  forest.direction.set(data.direction);
  forest.nUnits.set(data.nUnits);
  forest.errorSpan.set(data.errorSpan);
  return forest;
}
