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
const TRIANGLE = 9;
/** f64 a node: min and max corner. */
const BOX = 6;
/** f64 a node: centre of area, radius around it, sum of area vectors, area. */
const DIPOLE = 8;
/** Nodes farther than this many of their radii are taken for one dipole: the value of the paper, errors near 1e-2. */
const BETA = 2;
/** Deeper than any tree of halves over 2^32 triangles. */
const MAX_STACK = 80;

/**
 * A tree of bounding boxes over triangles, for closest points and generalised winding numbers. The left child of node i is
 * i + 1, the right one is stored; a leaf holds a run of triangles.
 *
 * @see Barill, Dickson, Schmidt, Levin, Jacobson 2018, "Fast Winding Numbers for Soups and Clouds": the first-order
 * (dipole) expansion.
 */
export class TriangleTree {
  readonly nTriangles: number;
  /** The triangle that the last `closest` found, and the point on it. */
  triangle = -1;
  readonly point = new Float64Array(3);
  private readonly order: Uint32Array;
  private readonly triangles: Float64Array;
  private readonly boxes: Float64Array;
  private readonly dipoles: Float64Array;
  /** The right child, or ~first for a leaf. */
  private readonly links: Int32Array;
  /** Triangles in a leaf, 0 for inner nodes. */
  private readonly counts: Int32Array;
  private readonly shares = new Float64Array(2);
  private readonly stack = new Int32Array(MAX_STACK);
  private readonly stackDistances = new Float64Array(MAX_STACK);

  constructor({ positions, indices }: Triangles) {
    const n = indices.length / 3;
    this.nTriangles = n;
    this.order = new Uint32Array(n).map((_, t) => t);
    const maxNodes = Math.max(1, 2 * n);
    this.boxes = new Float64Array(maxNodes * BOX);
    this.dipoles = new Float64Array(maxNodes * DIPOLE);
    this.links = new Int32Array(maxNodes);
    this.counts = new Int32Array(maxNodes);
    this.triangles = new Float64Array(n * TRIANGLE);
    if (n === 0) return;
    const nNodes = this.build(centroidsOf(positions, indices));
    for (let i = 0; i < n; i++) {
      const t = this.order[i] * 3;
      for (let k = 0; k < 3; k++) {
        const a = positions[indices[t] * 3 + k];
        this.triangles[i * TRIANGLE + k] = a;
        this.triangles[i * TRIANGLE + 3 + k] = positions[indices[t + 1] * 3 + k] - a;
        this.triangles[i * TRIANGLE + 6 + k] = positions[indices[t + 2] * 3 + k] - a;
      }
    }
    for (let node = nNodes - 1; node >= 0; node--) this.fit(node);
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
    const { stack, stackDistances, counts, links, triangles, shares } = this;
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
        const dl = this.boxDistanceSquared(left, x, y, z);
        const dr = this.boxDistanceSquared(right, x, y, z);
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

  /**
   * The generalised winding number at a point: 1 inside of closed, outward surfaces, 0 outside, between where they are
   * open. Near triangles by their solid angles, far ones as dipoles.
   */
  windingNumber(x: number, y: number, z: number): number {
    if (this.nTriangles === 0) return 0;
    const { stack, counts, links, dipoles } = this;
    let sum = 0;
    let top = 0;
    stack[0] = 0;
    while (top >= 0) {
      const node = stack[top--];
      const o = node * DIPOLE;
      const dx = dipoles[o] - x;
      const dy = dipoles[o + 1] - y;
      const dz = dipoles[o + 2] - z;
      const d2 = dx * dx + dy * dy + dz * dz;
      const reach = BETA * dipoles[o + 3];
      if (d2 > reach * reach) {
        sum += (dx * dipoles[o + 4] + dy * dipoles[o + 5] + dz * dipoles[o + 6]) / (d2 * Math.sqrt(d2));
      } else if (counts[node] === 0) {
        stack[++top] = links[node];
        stack[++top] = node + 1;
      } else {
        const first = ~links[node];
        for (let i = first; i < first + counts[node]; i++) sum += this.solidAngle(i * TRIANGLE, x, y, z);
      }
    }
    return sum / (4 * Math.PI);
  }

  /** @see Van Oosterom, Strackee 1983. */
  private solidAngle(o: number, x: number, y: number, z: number): number {
    const t = this.triangles;
    const ax = t[o] - x;
    const ay = t[o + 1] - y;
    const az = t[o + 2] - z;
    const bx = ax + t[o + 3];
    const by = ay + t[o + 4];
    const bz = az + t[o + 5];
    const cx = ax + t[o + 6];
    const cy = ay + t[o + 7];
    const cz = az + t[o + 8];
    const a = Math.sqrt(ax * ax + ay * ay + az * az);
    const b = Math.sqrt(bx * bx + by * by + bz * bz);
    const c = Math.sqrt(cx * cx + cy * cy + cz * cz);
    const det = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
    const rest =
      a * b * c +
      (ax * bx + ay * by + az * bz) * c +
      (bx * cx + by * cy + bz * cz) * a +
      (cx * ax + cy * ay + cz * az) * b;
    return 2 * Math.atan2(det, rest);
  }

  private boxDistanceSquared(node: number, x: number, y: number, z: number): number {
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

  private build(centroids: Float64Array): number {
    const { order } = this;
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

  /** Box and dipole of a node; its children's are there. */
  private fit(node: number): void {
    const { boxes, dipoles } = this;
    const k = node * BOX;
    const o = node * DIPOLE;
    boxes.fill(Number.POSITIVE_INFINITY, k, k + 3);
    boxes.fill(Number.NEGATIVE_INFINITY, k + 3, k + 6);
    if (this.counts[node] === 0) this.fitChildren(k, o, [node + 1, this.links[node]]);
    else this.fitTriangles(k, o, ~this.links[node], this.counts[node]);
    const area = dipoles[o + 7];
    let radius2 = 0;
    for (let axis = 0; axis < 3; axis++) {
      const [low, high] = [boxes[k + axis], boxes[k + 3 + axis]];
      dipoles[o + axis] = area > 0 ? dipoles[o + axis] / area : 0.5 * (low + high);
      radius2 += Math.max(high - dipoles[o + axis], dipoles[o + axis] - low) ** 2;
    }
    dipoles[o + 3] = Math.sqrt(radius2);
  }

  private fitChildren(k: number, o: number, children: readonly number[]): void {
    const { boxes, dipoles } = this;
    for (const child of children) {
      const from = child * DIPOLE;
      const area = dipoles[from + 7];
      for (let axis = 0; axis < 3; axis++) {
        boxes[k + axis] = Math.min(boxes[k + axis], boxes[child * BOX + axis]);
        boxes[k + 3 + axis] = Math.max(boxes[k + 3 + axis], boxes[child * BOX + 3 + axis]);
        dipoles[o + axis] += area * dipoles[from + axis];
        dipoles[o + 4 + axis] += dipoles[from + 4 + axis];
      }
      dipoles[o + 7] += area;
    }
  }

  private fitTriangles(k: number, o: number, first: number, count: number): void {
    const { boxes, dipoles, triangles } = this;
    const vector = [0, 0, 0];
    for (let t = first * TRIANGLE; t < (first + count) * TRIANGLE; t += TRIANGLE) {
      for (let axis = 0; axis < 3; axis++) {
        const [p, q] = [(axis + 1) % 3, (axis + 2) % 3];
        vector[axis] =
          0.5 * (triangles[t + 3 + p] * triangles[t + 6 + q] - triangles[t + 3 + q] * triangles[t + 6 + p]);
      }
      const area = Math.hypot(vector[0], vector[1], vector[2]);
      for (let axis = 0; axis < 3; axis++) {
        const a = triangles[t + axis];
        const b = a + triangles[t + 3 + axis];
        const c = a + triangles[t + 6 + axis];
        boxes[k + axis] = Math.min(boxes[k + axis], a, b, c);
        boxes[k + 3 + axis] = Math.max(boxes[k + 3 + axis], a, b, c);
        dipoles[o + axis] += (area * (a + b + c)) / 3;
        dipoles[o + 4 + axis] += vector[axis];
      }
      dipoles[o + 7] += area;
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
