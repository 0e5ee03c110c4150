import { DisjointSets } from './check-tuples.ts';
import type { MeshEditor } from './mesh-editor.ts';

/**
 * The volumes that the parts of a mesh have and had: none is to become flat, or to be turned inside out. A part that is open
 * on faces of the box which meet is closed by them; one that is open on opposite faces has no volume, and is not held.
 */
export class PartVolumes {
  private readonly editor: MeshEditor;
  private readonly leastShare: number;
  private readonly partOf: DisjointSets;
  /** f64[nVertices], at the first vertex of each part; 0 or NaN where it has none. */
  private readonly first: Float64Array;
  private readonly now: Float64Array;
  /** f64[nVertices * 3]: what each part's volume is measured from, on all the faces that it is open on. */
  private readonly origins: Float64Array;

  /** @param leastShare of its volume that a part keeps. */
  constructor(editor: MeshEditor, leastShare: number) {
    const { indices, nVertices, positions } = editor;
    this.editor = editor;
    this.leastShare = leastShare;
    this.partOf = new DisjointSets(nVertices);
    const triangles = editor.liveTriangles();
    for (const t of triangles) for (let k = 1; k < 3; k++) this.partOf.union(indices[t + k], indices[t]);
    this.first = new Float64Array(nVertices);
    this.origins = positions.slice(0, nVertices * 3);
    this.putOriginsOnFaces(triangles);
    for (const t of triangles) {
      const [a, b, c] = indices.subarray(t, t + 3);
      const part = this.partOf.find(a);
      this.first[part] += this.volumeOf(part, positions.subarray(a * 3, a * 3 + 3), b, c);
    }
    this.now = this.first.slice();
  }

  mayMove(v: number, place: ArrayLike<number>): boolean {
    const part = this.partOf.find(v);
    const first = this.first[part];
    return !(Math.abs(first) > 0) || (this.now[part] + this.change(part, v, place)) / first > this.leastShare;
  }

  /** Is told of a move before it is made. */
  move(v: number, place: ArrayLike<number>): void {
    const part = this.partOf.find(v);
    this.now[part] += this.change(part, v, place);
  }

  private putOriginsOnFaces(triangles: readonly number[]): void {
    const { indices, faces, positions } = this.editor;
    const open = new Uint8Array(this.first.length);
    for (const t of triangles) {
      for (let k = 0; k < 3; k++) {
        const a = indices[t + k];
        const b = indices[t + ((k + 1) % 3)];
        const shared = faces[a] & faces[b];
        if (shared === 0 || this.editor.triangleOf(b, a) >= 0) continue;
        const part = this.partOf.find(a);
        open[part] |= shared;
        for (let axis = 0; axis < 3; axis++)
          if (((shared >> (2 * axis)) & 3) !== 0) this.origins[part * 3 + axis] = positions[a * 3 + axis];
      }
    }
    for (let v = 0; v < open.length; v++)
      if ((open[v] & (open[v] >> 1) & 0b010101) !== 0) this.first[v] = Number.NaN;
  }

  private change(part: number, v: number, place: ArrayLike<number>): number {
    const { editor } = this;
    const p = editor.positions.subarray(v * 3, v * 3 + 3);
    let sum = 0;
    for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) {
      const t = c - (c % 3);
      const b = editor.indices[t + ((c - t + 1) % 3)];
      const d = editor.indices[t + ((c - t + 2) % 3)];
      sum += this.volumeOf(part, place, b, d) - this.volumeOf(part, p, b, d);
    }
    return sum;
  }

  /** Six times that of the tetrahedron of a place, two vertices and the part's origin. */
  private volumeOf(part: number, a: ArrayLike<number>, b: number, c: number): number {
    const [x, y, z] = [this.origins[part * 3], this.origins[part * 3 + 1], this.origins[part * 3 + 2]];
    const p = this.editor.positions;
    const [bx, by, bz] = [p[b * 3] - x, p[b * 3 + 1] - y, p[b * 3 + 2] - z];
    const [cx, cy, cz] = [p[c * 3] - x, p[c * 3 + 1] - y, p[c * 3 + 2] - z];
    return (
      (a[0] - x) * (by * cz - bz * cy) + (a[1] - y) * (bz * cx - bx * cz) + (a[2] - z) * (bx * cy - by * cx)
    );
  }
}
