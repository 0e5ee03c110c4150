import { nearestOnTriangle } from './nearest-on-triangle.ts';

/** Indexed triangles of a mesh. */
export interface Triangles {
  /** f32|f64[nVertices * 3] */
  readonly positions: Float32Array | Float64Array;
  /** [nTriangles * 3]; counter-clockwise seen from outside. */
  readonly indices: Uint32Array | Uint16Array;
}

/** Triangles in a leaf; 4 was 10-20 % faster than 8 and 16 over 100k triangles. */
const LEAF_SIZE = 4;
/** f64 a triangle: a corner and the two sides from it. */
export const TRIANGLE = 9;
/** f64 a node: min and max corner. */
export const BOX = 6;
/** Deeper than any tree of halves over 2^32 triangles. */
const MAX_STACK = 80;

/**
 * A tree of bounding boxes over triangles, for closest points. The left child of node i is i + 1, the right one is stored; a
 * leaf holds a run of triangles.
 */
export class TriangleTree {
  readonly nTriangles: number;
  /** The triangle that the last `closest` found, and the point on it. */
  triangle = -1;
  readonly point = new Float64Array(3);
  protected readonly nNodes: number;
  protected readonly triangles: Float64Array;
  protected readonly boxes: Float64Array;
  /** The right child, or ~first for a leaf. */
  protected readonly links: Int32Array;
  /** Triangles in a leaf, 0 for inner nodes. */
  protected readonly counts: Int32Array;
  protected readonly stack = new Int32Array(MAX_STACK);
  /** The triangles' own numbers, by their place in the leaves. */
  protected readonly order: Uint32Array;
  readonly #shares = new Float64Array(2);
  readonly #stackDistances = new Float64Array(MAX_STACK);

  constructor({ positions, indices }: Triangles) {
    const n = indices.length / 3;
    this.nTriangles = n;
    this.order = new Uint32Array(n).map((_, t) => t);
    const maxNodes = Math.max(1, 2 * n);
    this.boxes = new Float64Array(maxNodes * BOX);
    this.links = new Int32Array(maxNodes);
    this.counts = new Int32Array(maxNodes);
    this.triangles = new Float64Array(n * TRIANGLE);
    this.nNodes = n === 0 ? 0 : this.#build(centroidsOf(positions, indices));
    for (let i = 0; i < n; i++) {
      const t = this.order[i] * 3;
      for (let k = 0; k < 3; k++) {
        const a = positions[indices[t] * 3 + k];
        this.triangles[i * TRIANGLE + k] = a;
        this.triangles[i * TRIANGLE + 3 + k] = positions[indices[t + 1] * 3 + k] - a;
        this.triangles[i * TRIANGLE + 6 + k] = positions[indices[t + 2] * 3 + k] - a;
      }
    }
    for (let node = this.nNodes - 1; node >= 0; node--) this.#fit(node);
  }

  /**
   * Finds the closest point of the triangles: `triangle` and `point` say where.
   * @param limit only within this distance; a good one makes the search short.
   * @param enough ends with the first point found within this distance, which need not be the closest.
   * @returns the distance; Infinity, and `triangle` -1, where there is none within the limit.
   */
  closest(x: number, y: number, z: number, limit = Number.POSITIVE_INFINITY, enough = 0): number {
    this.triangle = -1;
    if (this.nTriangles === 0) return Number.POSITIVE_INFINITY;
    const { stack, counts, links, triangles } = this;
    const [stackDistances, shares] = [this.#stackDistances, this.#shares];
    let best = limit * limit;
    let found = -1;
    let fx = 0;
    let fy = 0;
    let fz = 0;
    let top = 0;
    stack[0] = 0;
    stackDistances[0] = 0;
    const good = enough > 0 ? enough * enough : 0;
    while (top >= 0 && !(found >= 0 && best <= good)) {
      const node = stack[top];
      if (stackDistances[top--] > best) continue;
      const count = counts[node];
      if (count === 0) {
        const left = node + 1;
        const right = links[node];
        const dl = this.#boxDistanceSquared(left, x, y, z);
        const dr = this.#boxDistanceSquared(right, x, y, z);
        const isLeftNearer = dl <= dr;
        const far = isLeftNearer ? dr : dl;
        const near = isLeftNearer ? dl : dr;
        if (far <= best) {
          stack[++top] = isLeftNearer ? right : left;
          stackDistances[top] = far;
        }
        if (near <= best) {
          stack[++top] = isLeftNearer ? left : right;
          stackDistances[top] = near;
        }
        continue;
      }
      const first = ~links[node];
      for (let i = first; i < first + count; i++) {
        const o = i * TRIANGLE;
        const px = x - triangles[o];
        const py = y - triangles[o + 1];
        const pz = z - triangles[o + 2];
        const ux = triangles[o + 3];
        const uy = triangles[o + 4];
        const uz = triangles[o + 5];
        const vx = triangles[o + 6];
        const vy = triangles[o + 7];
        const vz = triangles[o + 8];
        nearestOnTriangle(px, py, pz, ux, uy, uz, vx, vy, vz, shares);
        const s = shares[0];
        const t = shares[1];
        const ex = px - s * ux - t * vx;
        const ey = py - s * uy - t * vy;
        const ez = pz - s * uz - t * vz;
        const d = ex * ex + ey * ey + ez * ez;
        if (d <= best && (d < best || found < 0)) {
          best = d;
          found = i;
          fx = x - ex;
          fy = y - ey;
          fz = z - ez;
        }
      }
    }
    if (found < 0) return Number.POSITIVE_INFINITY;
    this.triangle = this.order[found];
    this.point[0] = fx;
    this.point[1] = fy;
    this.point[2] = fz;
    return Math.sqrt(best);
  }

  #boxDistanceSquared(node: number, x: number, y: number, z: number): number {
    const boxes = this.boxes;
    const k = node * BOX;
    const lx = boxes[k] - x;
    const hx = x - boxes[k + 3];
    const ly = boxes[k + 1] - y;
    const hy = y - boxes[k + 4];
    const lz = boxes[k + 2] - z;
    const hz = z - boxes[k + 5];
    const dx = lx > 0 ? lx : hx > 0 ? hx : 0;
    const dy = ly > 0 ? ly : hy > 0 ? hy : 0;
    const dz = lz > 0 ? lz : hz > 0 ? hz : 0;
    return dx * dx + dy * dy + dz * dz;
  }

  #build(centroids: Float64Array): number {
    const order = this.order;
    const tasks: number[] = [0, order.length, -1];
    let nNodes = 0;
    while (tasks.length > 0) {
      const parent = tasks.pop() as number;
      const end = tasks.pop() as number;
      const first = tasks.pop() as number;
      const node = nNodes++;
      if (parent >= 0) this.links[parent] = node;
      if (end - first <= LEAF_SIZE) {
        this.links[node] = ~first;
        this.counts[node] = end - first;
        continue;
      }
      const middle = (first + end) >> 1;
      selectMiddle(order, centroids, longestAxis(order, centroids, first, end), first, end - 1, middle);
      tasks.push(middle, end, node, first, middle, -1);
    }
    return nNodes;
  }

  /** Box of a node; its children's are there. */
  #fit(node: number): void {
    const { boxes, triangles } = this;
    const k = node * BOX;
    boxes.fill(Number.POSITIVE_INFINITY, k, k + 3);
    boxes.fill(Number.NEGATIVE_INFINITY, k + 3, k + 6);
    if (this.counts[node] === 0) {
      for (const child of [node + 1, this.links[node]]) {
        for (let axis = 0; axis < 3; axis++) {
          boxes[k + axis] = Math.min(boxes[k + axis], boxes[child * BOX + axis]);
          boxes[k + 3 + axis] = Math.max(boxes[k + 3 + axis], boxes[child * BOX + 3 + axis]);
        }
      }
      return;
    }
    const first = ~this.links[node];
    for (let t = first * TRIANGLE; t < (first + this.counts[node]) * TRIANGLE; t += TRIANGLE) {
      for (let axis = 0; axis < 3; axis++) {
        const a = triangles[t + axis];
        const b = a + triangles[t + 3 + axis];
        const c = a + triangles[t + 6 + axis];
        boxes[k + axis] = Math.min(boxes[k + axis], a, b, c);
        boxes[k + 3 + axis] = Math.max(boxes[k + 3 + axis], a, b, c);
      }
    }
  }
}

function centroidsOf(positions: ArrayLike<number>, indices: Uint32Array | Uint16Array): Float64Array {
  const sums = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const t = i - (i % 3);
    for (let axis = 0; axis < 3; axis++) sums[t + axis] += positions[indices[i] * 3 + axis];
  }
  return sums;
}

function longestAxis(order: Uint32Array, centroids: Float64Array, first: number, end: number): number {
  let longest = 0;
  let longestExtent = -1;
  for (let axis = 0; axis < 3; axis++) {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = first; i < end; i++) {
      const value = centroids[order[i] * 3 + axis];
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (max - min > longestExtent) {
      longest = axis;
      longestExtent = max - min;
    }
  }
  return longest;
}

/** Quickselect: everything before `middle` is not above it along the axis, everything after not below. */
function selectMiddle(
  order: Uint32Array,
  centroids: Float64Array,
  axis: number,
  low: number,
  high: number,
  middle: number,
): void {
  while (low < high) {
    const pivot = centroids[order[(low + high) >> 1] * 3 + axis];
    let i = low;
    let j = high;
    while (i <= j) {
      while (centroids[order[i] * 3 + axis] < pivot) i++;
      while (centroids[order[j] * 3 + axis] > pivot) j--;
      if (i > j) break;
      const kept = order[i];
      order[i++] = order[j];
      order[j--] = kept;
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}
