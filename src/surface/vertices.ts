import { growFloat64, growInt32 } from '../partition/grow.ts';

/** Vertex kinds. */
export const VERTEX_EDGE = 0;
export const VERTEX_FACE = 1;
export const VERTEX_INTERIOR = 2;

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
