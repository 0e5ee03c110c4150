import { length3 } from '../arrays.ts';
import { nearestOnTriangle } from './nearest-on-triangle.ts';

/**
 * A triangle mesh under half-edge collapses and flips that keep it a 2-manifold: each vertex lists its triangle
 * corners in a linked list (corner 3 t + k is vertex k of triangle t). Dead triangles have corner -1.
 */
export class MeshEditor {
  readonly positions: Float64Array;
  /** i32[nTriangles * 3]; -1 where the triangle is gone. */
  readonly indices: Int32Array;
  nTriangles: number;
  nVertices: number;
  /** u8[nVertices or more], see `faceMasks`: a vertex stays on the faces that it lies on. */
  readonly faces: Uint8Array;
  /** u8[triangles]: 1 where a triangle is not the one that the constructor was given. */
  readonly isChanged: Uint8Array;
  /** i32[nVertices or more]: where a vertex that is gone was moved to, or -1. */
  private readonly movedTo: Int32Array;
  /** First corner of each vertex, or -1. */
  private readonly head: Int32Array;
  /** Next corner of the same vertex, or -1. */
  private readonly next: Int32Array;
  private readonly mark: Int32Array;
  private stamp = 0;
  private readonly normal = new Float64Array(3);
  /** Barycentric coordinates of the point that {@link distanceTo} found. */
  readonly nearest = new Float64Array(3);
  private readonly shares = new Float64Array(2);

  /**
   * @param positions f64[nVertices * 3 or more], read only.
   * @param indices i32[nTriangles * 3 or more], edited in place; what is longer is room for {@link splitEdge}.
   * @param faces u8[nVertices or more], the faces that each vertex lies on, where the mesh may be open, whether it is or not.
   */
  constructor(
    positions: Float64Array,
    nVertices: number,
    indices: Int32Array,
    nTriangles: number,
    faces: Uint8Array,
  ) {
    this.faces = faces;
    this.positions = positions;
    this.nVertices = nVertices;
    this.indices = indices;
    this.nTriangles = nTriangles;
    this.movedTo = new Int32Array(faces.length).fill(-1);
    this.head = new Int32Array(faces.length).fill(-1);
    this.next = new Int32Array(indices.length);
    this.isChanged = new Uint8Array(indices.length / 3);
    this.mark = new Int32Array(faces.length);
    for (let c = nTriangles * 3 - 1; c >= 0; c--) {
      this.next[c] = this.head[indices[c]];
      this.head[indices[c]] = c;
    }
  }

  /** Corners of vertex v, first to last: call with the corner before, or -1 to begin. */
  nextCorner(v: number, corner: number): number {
    return corner < 0 ? this.head[v] : this.next[corner];
  }

  /**
   * Whether moving `from` onto its neighbour `to` leaves a manifold that is open on the faces only: `to` lies on all faces
   * that `from` lies on, and their common neighbours are just the apexes.
   */
  isLinkSound(from: number, to: number): boolean {
    const { indices, mark, next, faces } = this;
    if ((faces[from] & ~faces[to]) !== 0) return false;
    const around = ++this.stamp;
    let nFaces = 0;
    let nFrom = 0;
    let nNeighbours = -1;
    for (let c = this.head[from]; c >= 0; c = next[c]) {
      const t = c - (c % 3);
      nFrom++;
      let hasTo = false;
      for (let k = 0; k < 3; k++) {
        if (mark[indices[t + k]] !== around) nNeighbours++;
        mark[indices[t + k]] = around;
        if (indices[t + k] === to) hasTo = true;
      }
      if (hasTo) nFaces++;
    }
    if (nFaces === 0 || nFaces > 2 || nFrom <= nFaces) return false;
    // A border vertex may only move along its border, or two borders could be pinched together.
    if (nFaces === 2 && nNeighbours > nFrom) return false;
    const counted = ++this.stamp;
    let nCommon = 0;
    let nTo = 0;
    for (let c = this.head[to]; c >= 0; c = next[c]) {
      const t = c - (c % 3);
      nTo++;
      for (let k = 0; k < 3; k++) {
        const v = indices[t + k];
        if (v === to || v === from || mark[v] !== around) continue;
        mark[v] = counted;
        nCommon++;
      }
    }
    return nCommon === nFaces && (nFaces === 1 || nFrom + nTo > 6);
  }

  /** Moves `from` onto `to`; triangles with both vanish. Check {@link isLinkSound} before. */
  collapse(from: number, to: number): void {
    const { indices, next } = this;
    this.movedTo[from] = to;
    let last = -1;
    for (let c = this.head[from]; c >= 0; c = next[c]) {
      indices[c] = to;
      this.isChanged[(c - (c % 3)) / 3] = 1;
      last = c;
    }
    next[last] = this.head[to];
    this.head[to] = this.head[from];
    this.head[from] = -1;
    for (let c = this.head[to]; c >= 0; ) {
      const following = next[c];
      const t = c - (c % 3);
      const nTo =
        (indices[t] === to ? 1 : 0) + (indices[t + 1] === to ? 1 : 0) + (indices[t + 2] === to ? 1 : 0);
      if (nTo > 1) this.removeTriangle(t);
      c = following >= 0 && indices[following] < 0 ? this.head[to] : following;
    }
  }

  private removeTriangle(t: number): void {
    for (let k = 0; k < 3; k++) this.unlink(this.indices[t + k], t + k);
    for (let k = 0; k < 3; k++) this.indices[t + k] = -1;
  }

  private unlink(v: number, corner: number): void {
    const { next, head } = this;
    if (head[v] === corner) {
      head[v] = next[corner];
      return;
    }
    let c = head[v];
    while (c >= 0 && next[c] !== corner) c = next[c];
    if (c >= 0) next[c] = next[corner];
  }

  /** The vertex that v has become by collapses, v itself where there were none. */
  standingFor(v: number): number {
    const { movedTo } = this;
    let at = v;
    while (movedTo[at] >= 0) at = movedTo[at];
    return at;
  }

  /** The triangle with directed edge a -> b (its first corner's index), or -1. */
  triangleOf(a: number, b: number): number {
    const { indices, next } = this;
    for (let c = this.head[a]; c >= 0; c = next[c]) {
      const t = c - (c % 3);
      if (indices[t + ((c - t + 1) % 3)] === b) return t;
    }
    return -1;
  }

  /** The vertex of triangle t that is neither a nor b. */
  apex(t: number, a: number, b: number): number {
    for (let k = 0; k < 3; k++)
      if (this.indices[t + k] !== a && this.indices[t + k] !== b) return this.indices[t + k];
    return -1;
  }

  lengthOf(a: number, b: number): number {
    const p = this.positions;
    return length3(p[a * 3] - p[b * 3], p[a * 3 + 1] - p[b * 3 + 1], p[a * 3 + 2] - p[b * 3 + 2]);
  }

  /** Over the longest side; 0 where all corners are in one place. */
  heightOf(a: number, b: number, c: number): number {
    const n = this.triangleNormal(a, b, c);
    const longest = Math.max(this.lengthOf(a, b), this.lengthOf(b, c), this.lengthOf(c, a));
    return longest === 0 ? 0 : length3(n[0], n[1], n[2]) / longest;
  }

  /** The triangles of edge a-b and their apexes, where these may be joined instead: [t, s, c, d]. */
  quadrilateral(a: number, b: number): readonly [number, number, number, number] | undefined {
    const [t, s] = [this.triangleOf(a, b), this.triangleOf(b, a)];
    if (t < 0 || s < 0) return undefined;
    const [c, d] = [this.apex(t, a, b), this.apex(s, b, a)];
    if (c === d || this.triangleOf(c, d) >= 0 || this.triangleOf(d, c) >= 0) return undefined;
    return [t, s, c, d];
  }

  /** Replaces the edge a-b of triangles t (a -> b) and s (b -> a) by the edge between their apexes. */
  flip(t: number, s: number, a: number, b: number): void {
    const c = this.apex(t, a, b);
    const d = this.apex(s, a, b);
    for (const base of [t, s]) for (let k = 0; k < 3; k++) this.unlink(this.indices[base + k], base + k);
    this.setTriangle(t, a, d, c);
    this.setTriangle(s, d, b, c);
  }

  /** Whether the arrays have room for one more vertex and two triangles. */
  hasRoom(): boolean {
    return this.nVertices < this.faces.length && this.nTriangles * 3 + 6 <= this.indices.length;
  }

  /** Divides the triangles of edge a-b (one or two) at vertex v on it. */
  splitEdge(a: number, b: number, v: number): void {
    const t = this.triangleOf(a, b);
    const s = this.triangleOf(b, a);
    if (t >= 0) this.splitTriangle(t, a, b, v);
    if (s >= 0) this.splitTriangle(s, b, a, v);
  }

  /** Divides triangle t at vertex v in three. */
  splitInside(t: number, v: number): void {
    const [a, b, c] = [this.indices[t], this.indices[t + 1], this.indices[t + 2]];
    for (let k = 0; k < 3; k++) this.unlink(this.indices[t + k], t + k);
    this.setTriangle(t, a, b, v);
    this.setTriangle(this.nTriangles++ * 3, b, c, v);
    this.setTriangle(this.nTriangles++ * 3, c, a, v);
  }

  private splitTriangle(t: number, a: number, b: number, v: number): void {
    const c = this.apex(t, a, b);
    for (let k = 0; k < 3; k++) this.unlink(this.indices[t + k], t + k);
    this.setTriangle(t, a, v, c);
    this.setTriangle(this.nTriangles++ * 3, v, b, c);
  }

  private setTriangle(t: number, a: number, b: number, c: number): void {
    this.isChanged[t / 3] = 1;
    this.setCorner(t, a);
    this.setCorner(t + 1, b);
    this.setCorner(t + 2, c);
  }

  private setCorner(c: number, v: number): void {
    this.indices[c] = v;
    this.next[c] = this.head[v];
    this.head[v] = c;
  }

  /** Normal of triangle (a, b, c), twice its area long; the array is overwritten by the next call. */
  triangleNormal(a: number, b: number, c: number): Float64Array {
    const p = this.positions;
    const n = this.normal;
    const ux = p[b * 3] - p[a * 3];
    const uy = p[b * 3 + 1] - p[a * 3 + 1];
    const uz = p[b * 3 + 2] - p[a * 3 + 2];
    const vx = p[c * 3] - p[a * 3];
    const vy = p[c * 3 + 1] - p[a * 3 + 1];
    const vz = p[c * 3 + 2] - p[a * 3 + 2];
    n[0] = uy * vz - uz * vy;
    n[1] = uz * vx - ux * vz;
    n[2] = ux * vy - uy * vx;
    return n;
  }

  /** Distance of a point from triangle (a, b, c); where on it the nearest point is goes to `nearest`. */
  distanceTo(a: number, b: number, c: number, x: number, y: number, z: number): number {
    const { positions: p, nearest } = this;
    const [px, py, pz] = [x - p[a * 3], y - p[a * 3 + 1], z - p[a * 3 + 2]];
    const [ux, uy, uz] = [p[b * 3] - p[a * 3], p[b * 3 + 1] - p[a * 3 + 1], p[b * 3 + 2] - p[a * 3 + 2]];
    const [vx, vy, vz] = [p[c * 3] - p[a * 3], p[c * 3 + 1] - p[a * 3 + 1], p[c * 3 + 2] - p[a * 3 + 2]];
    nearestOnTriangle(px, py, pz, ux, uy, uz, vx, vy, vz, this.shares);
    const [s, t] = this.shares;
    nearest[0] = 1 - s - t;
    nearest[1] = s;
    nearest[2] = t;
    return Math.sqrt((px - s * ux - t * vx) ** 2 + (py - s * uy - t * vy) ** 2 + (pz - s * uz - t * vz) ** 2);
  }

  /** First corners of the live triangles, in order. */
  liveTriangles(): number[] {
    const live: number[] = [];
    for (let t = 0; t < this.nTriangles * 3; t += 3) if (this.indices[t] >= 0) live.push(t);
    return live;
  }

  /** Live triangles, in order. */
  compactIndices(): Int32Array {
    const out = new Int32Array(this.nTriangles * 3);
    let n = 0;
    for (let t = 0; t < this.nTriangles * 3; t += 3) {
      if (this.indices[t] < 0) continue;
      for (let k = 0; k < 3; k++) out[n++] = this.indices[t + k];
    }
    return out.subarray(0, n);
  }
}
