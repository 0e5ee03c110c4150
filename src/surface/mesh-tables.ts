/** The mesh while it is derived: its vertices, which edges, faces and leaves add to, and the triangles of the leaves. */
import { growFloat64, growInt32, length3 } from '../arrays.ts';
import type { Patch } from './patch.ts';

/** Vertex kinds. */
export const VERTEX_EDGE = 0;
export const VERTEX_FACE = 1;
const VERTEX_INTERIOR = 2;

/** The vertices of a mesh while it is derived, in local units and double precision. */
export class VertexTable {
  nVertices = 0;
  /** f64[nVertices * 3] */
  positions = new Float64Array(1024 * 3);
  /** Neuron whose hyperplane the vertex lies on, or -1. */
  neuron = new Int32Array(1024);
  /** VERTEX_EDGE (on a box edge), VERTEX_FACE (inside a box face) or VERTEX_INTERIOR. */
  kind = new Int32Array(1024);

  add(x: number, y: number, z: number, kind: number, neuron: number): number {
    const id = this.nVertices++;
    this.positions = growFloat64(this.positions, (id + 1) * 3);
    this.neuron = growInt32(this.neuron, id + 1);
    this.kind = growInt32(this.kind, id + 1);
    this.positions[id * 3] = x;
    this.positions[id * 3 + 1] = y;
    this.positions[id * 3 + 2] = z;
    this.neuron[id] = neuron;
    this.kind[id] = kind;
    return id;
  }
}

/** Share of the way to its triangle's centroid at which a corner's gradient is taken: inside the triangle's region. */
const NUDGE = 0.05;

/** The triangles of all leaves, as they are filled. */
export class TriangleSink {
  nTriangles = 0;
  /** i32[nTriangles * 3], counter-clockwise seen from f > 0. */
  indices = new Int32Array(4096);
  /** Sum of the adjacent triangles' one-sided gradient directions, area-weighted: f64[nVertices * 3]. */
  normals = new Float64Array(4096);
  /** Sums of |∇f| at each vertex and of their weights: f64[nVertices * 2]. */
  slopes = new Float64Array(4096);
  /** Leaf of each triangle. */
  triangleNode = new Int32Array(2048);
  /** Vertices that are not on the zero set yet. */
  readonly unsound: number[] = [];
  private readonly vertices: VertexTable;

  constructor(vertices: VertexTable) {
    this.vertices = vertices;
  }

  /** Takes the patch's triangles, and its new vertices into the mesh. */
  add(node: number, patch: Patch): void {
    const { vertices } = this;
    for (let i = 0; i < patch.nVertices; i++) {
      if (patch.id[i] >= 0) continue;
      patch.id[i] = vertices.add(patch.x[i], patch.y[i], patch.z[i], VERTEX_INTERIOR, patch.neuron[i]);
    }
    for (const i of patch.unsound) this.unsound.push(patch.id[i]);
    const { triangles } = patch;
    this.indices = growInt32(this.indices, this.nTriangles * 3 + triangles.length);
    this.triangleNode = growInt32(this.triangleNode, this.nTriangles + triangles.length / 3);
    this.normals = growFloat64(this.normals, vertices.nVertices * 3);
    this.slopes = growFloat64(this.slopes, vertices.nVertices * 2);
    for (let t = 0; t < triangles.length; t += 3) {
      const base = this.nTriangles * 3;
      for (let k = 0; k < 3; k++) this.indices[base + k] = patch.id[triangles[t + k]];
      this.triangleNode[this.nTriangles++] = node;
      this.addNormals(patch, t);
    }
  }

  private addNormals(patch: Patch, t: number): void {
    const { normals } = this;
    const { x, y, z, triangles } = patch;
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]];
    const [ux, uy, uz] = [x[b] - x[a], y[b] - y[a], z[b] - z[a]];
    const [vx, vy, vz] = [x[c] - x[a], y[c] - y[a], z[c] - z[a]];
    const area = length3(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) + Number.MIN_VALUE;
    const cx = (x[a] + x[b] + x[c]) / 3;
    const cy = (y[a] + y[b] + y[c]) / 3;
    const cz = (z[a] + z[b] + z[c]) / 3;
    for (const i of [a, b, c]) {
      patch.evaluate(x[i] + NUDGE * (cx - x[i]), y[i] + NUDGE * (cy - y[i]), z[i] + NUDGE * (cz - z[i]));
      const [gx, gy, gz] = patch.gradient;
      const slope = Math.sqrt(gx * gx + gy * gy + gz * gz);
      const weight = area / (slope || 1);
      this.slopes[patch.id[i] * 2] += area * slope;
      this.slopes[patch.id[i] * 2 + 1] += area;
      const o = patch.id[i] * 3;
      normals[o] += gx * weight;
      normals[o + 1] += gy * weight;
      normals[o + 2] += gz * weight;
    }
  }
}
