/** Numbers of one quadric: the upper triangle of A, b, c in x·Ax + 2 b·x + c. */
const SIZE = 10;
/** Pull toward the place asked about, as a share of the quadric's trace: flat neighbourhoods determine no place of their own. */
const PULL = 1e-4;

/**
 * Error quadrics of a mesh's vertices: sums of squared distances from planes and points, weighted.
 * @see Garland and Heckbert 1997, "Surface simplification using quadric error metrics".
 */
export class Quadrics {
  private readonly q: Float64Array;

  constructor(nVertices: number) {
    this.q = new Float64Array(nVertices * SIZE);
  }

  /** Adds `weight` times the squared distance from the plane n·x = d, n of unit length. */
  addPlane(v: number, n: ArrayLike<number>, d: number, weight: number): void {
    const { q } = this;
    const o = v * SIZE;
    const [x, y, z] = [n[0], n[1], n[2]];
    q[o] += weight * x * x;
    q[o + 1] += weight * x * y;
    q[o + 2] += weight * x * z;
    q[o + 3] += weight * y * y;
    q[o + 4] += weight * y * z;
    q[o + 5] += weight * z * z;
    q[o + 6] -= weight * x * d;
    q[o + 7] -= weight * y * d;
    q[o + 8] -= weight * z * d;
    q[o + 9] += weight * d * d;
  }

  /** Adds `weight` times the squared distance from a point. */
  addPoint(v: number, x: number, y: number, z: number, weight: number): void {
    const { q } = this;
    const o = v * SIZE;
    q[o] += weight;
    q[o + 3] += weight;
    q[o + 5] += weight;
    q[o + 6] -= weight * x;
    q[o + 7] -= weight * y;
    q[o + 8] -= weight * z;
    q[o + 9] += weight * (x * x + y * y + z * z);
  }

  /** Adds the quadric of vertex `from` to that of `to`. */
  merge(from: number, to: number): void {
    for (let i = 0; i < SIZE; i++) this.q[to * SIZE + i] += this.q[from * SIZE + i];
  }

  /** The error of vertex v at a place, by its own quadric and, where one is given, that of w too. */
  error(v: number, x: number, y: number, z: number, w = -1): number {
    const sum = this.errorOf(v * SIZE, x, y, z);
    return Math.max(0, w < 0 ? sum : sum + this.errorOf(w * SIZE, x, y, z));
  }

  private errorOf(o: number, x: number, y: number, z: number): number {
    const { q } = this;
    return (
      x * (q[o] * x + 2 * (q[o + 1] * y + q[o + 2] * z + q[o + 6])) +
      y * (q[o + 3] * y + 2 * (q[o + 4] * z + q[o + 7])) +
      z * (q[o + 5] * z + 2 * q[o + 8]) +
      q[o + 9]
    );
  }

  /**
   * The place of least error for v near (x, y, z), moving only along the axes that are free.
   * @param held bit k: coordinate k stays.
   */
  best(v: number, x: number, y: number, z: number, held: number): [number, number, number] {
    const { q } = this;
    const o = v * SIZE;
    const pull = PULL * (q[o] + q[o + 3] + q[o + 5]);
    const a = [
      [q[o] + pull, q[o + 1], q[o + 2]],
      [q[o + 1], q[o + 3] + pull, q[o + 4]],
      [q[o + 2], q[o + 4], q[o + 5] + pull],
    ];
    const p = [x, y, z];
    const gradient = [0, 1, 2].map(
      (k) => -(a[k][0] * x + a[k][1] * y + a[k][2] * z - pull * p[k] + q[o + 6 + k]),
    );
    const step = solveSymmetric(a, gradient, held);
    return [x + step[0], y + step[1], z + step[2]];
  }
}

/** Solves a x = b for a symmetric positive definite a, with x zero along the axes held, by elimination: the pull bounds its condition. */
function solveSymmetric(a: number[][], b: number[], held: number): number[] {
  const free = [0, 1, 2].filter((k) => ((held >> k) & 1) === 0);
  const x = [0, 0, 0];
  for (let i = 0; i < free.length; i++) {
    const r = free[i];
    if (!(a[r][r] > 0)) return x;
    for (let j = i + 1; j < free.length; j++) {
      const s = free[j];
      const factor = a[s][r] / a[r][r];
      for (const c of free) a[s][c] -= factor * a[r][c];
      b[s] -= factor * b[r];
    }
  }
  for (let i = free.length - 1; i >= 0; i--) {
    const r = free[i];
    let sum = b[r];
    for (let j = i + 1; j < free.length; j++) sum -= a[r][free[j]] * x[free[j]];
    x[r] = sum / a[r][r];
  }
  return x;
}

/** Candidates for a collapse, cheapest first: a binary heap of numbers into arrays that grow. */
export class CollapseQueue {
  private readonly costs: number[] = [];
  private readonly ends: number[] = [];
  private readonly ages: number[] = [];
  private readonly heap: number[] = [];
  private readonly free: number[] = [];

  /** @param age of the two ends' neighbourhoods, to tell what is out of date. */
  push(cost: number, from: number, to: number, age: number): void {
    const item = this.free.pop() ?? this.costs.length;
    this.costs[item] = cost;
    this.ends[item * 2] = from;
    this.ends[item * 2 + 1] = to;
    this.ages[item] = age;
    const { heap, costs } = this;
    let i = heap.length;
    heap.push(item);
    for (let up = (i - 1) >> 1; i > 0 && costs[heap[up]] > cost; up = (i - 1) >> 1) {
      heap[i] = heap[up];
      i = up;
    }
    heap[i] = item;
  }

  /** The cheapest, as [from, to, age]; undefined where there is none. */
  pop(): [from: number, to: number, age: number] | undefined {
    const { heap, costs } = this;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return undefined;
    this.free.push(top);
    let i = 0;
    for (let down = 1; down < heap.length; down = 2 * i + 1) {
      if (down + 1 < heap.length && costs[heap[down + 1]] < costs[heap[down]]) down++;
      if (costs[heap[down]] >= costs[last]) break;
      heap[i] = heap[down];
      i = down;
    }
    if (heap.length > 0) heap[i] = last;
    return [this.ends[top * 2], this.ends[top * 2 + 1], this.ages[top]];
  }
}
