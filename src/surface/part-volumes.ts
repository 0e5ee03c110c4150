import { DisjointSets } from './check-tuples.ts';
import type { MeshEditor } from './mesh-editor.ts';

/** The volumes that the parts of a mesh may still lose, as plain data: of a whole mesh, or of a piece of one. */
export interface VolumeLimits {
  /** i32[nVertices], the number of the part that each vertex is of. */
  readonly partOf: Int32Array;
  /** f64[nParts]: six times the volume that a part may lose, signed as its volume is; 0 or NaN where it is not held. */
  readonly most: Float64Array;
  /** f64[nParts * 3]: what each part's volume is measured from, on all the faces that it is open on. */
  readonly origins: Float64Array;
}

/**
 * Holds the parts of a mesh to the volumes that they had: none is to become flat, or to be turned inside out. A part that is open
 * on faces of the box which meet is closed by them; one that is open on opposite faces has no volume, and is not held.
 */
export class PartVolumes {
  readonly limits: VolumeLimits;
  private readonly editor: MeshEditor;
  /** f64[nParts]: six times what each part has gained so far. */
  readonly #gained: Float64Array;

  constructor(editor: MeshEditor, limits: VolumeLimits) {
    this.editor = editor;
    this.limits = limits;
    this.#gained = new Float64Array(limits.most.length);
  }

  /** @param leastShare of its volume that a part keeps. */
  static of(editor: MeshEditor, leastShare: number): PartVolumes {
    return new PartVolumes(editor, measureVolumes(editor, 1 - leastShare));
  }

  mayMove(v: number, place: ArrayLike<number>): boolean {
    const part = this.limits.partOf[v];
    const most = this.limits.most[part];
    return !(Math.abs(most) > 0) || (this.#gained[part] + this.#change(part, v, place)) / most > -1;
  }

  /** Is told of a move before it is made. */
  move(v: number, place: ArrayLike<number>): void {
    const part = this.limits.partOf[v];
    this.#gained[part] += this.#change(part, v, place);
  }

  #change(part: number, v: number, place: ArrayLike<number>): number {
    const { editor, limits } = this;
    const p = editor.positions.subarray(v * 3, v * 3 + 3);
    let sum = 0;
    for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) {
      const t = c - (c % 3);
      const b = editor.indices[t + ((c - t + 1) % 3)];
      const d = editor.indices[t + ((c - t + 2) % 3)];
      sum +=
        volumeOf(editor, limits.origins, part, place, b, d) - volumeOf(editor, limits.origins, part, p, b, d);
    }
    return sum;
  }
}

/** The limits of a mesh of whose parts each may lose a share of its volume. */
function measureVolumes(editor: MeshEditor, mayLose: number): VolumeLimits {
  const { indices, nVertices, positions } = editor;
  const sets = new DisjointSets(nVertices);
  const triangles = editor.liveTriangles();
  for (const t of triangles) for (let k = 1; k < 3; k++) sets.union(indices[t + k], indices[t]);
  const partOf = new Int32Array(nVertices);
  const firsts: number[] = [];
  for (let v = 0; v < nVertices; v++) {
    // A set is named after its first vertex.
    const first = sets.find(v);
    partOf[v] = first === v ? firsts.push(v) - 1 : partOf[first];
  }
  const nParts = firsts.length;
  const most = new Float64Array(nParts);
  const origins = Float64Array.from(
    { length: nParts * 3 },
    (_, i) => positions[firsts[(i / 3) | 0] * 3 + (i % 3)],
  );
  const open = putOriginsOnFaces(editor, triangles, partOf, origins);
  for (const t of triangles) {
    const [a, b, c] = [indices[t], indices[t + 1], indices[t + 2]];
    const part = partOf[a];
    most[part] += mayLose * volumeOf(editor, origins, part, positions.subarray(a * 3, a * 3 + 3), b, c);
  }
  for (let part = 0; part < nParts; part++)
    if ((open[part] & (open[part] >> 1) & 0b010101) !== 0) most[part] = Number.NaN;
  return { partOf, most, origins };
}

/** @returns u8[nParts]: the faces that each part is open on. */
function putOriginsOnFaces(
  editor: MeshEditor,
  triangles: readonly number[],
  partOf: Int32Array,
  origins: Float64Array,
): Uint8Array {
  const { indices, faces, positions } = editor;
  const open = new Uint8Array(origins.length / 3);
  for (const t of triangles) {
    for (let k = 0; k < 3; k++) {
      const a = indices[t + k];
      const b = indices[t + ((k + 1) % 3)];
      const shared = faces[a] & faces[b];
      if (shared === 0 || editor.triangleOf(b, a) >= 0) continue;
      const part = partOf[a];
      open[part] |= shared;
      for (let axis = 0; axis < 3; axis++)
        if (((shared >> (2 * axis)) & 3) !== 0) origins[part * 3 + axis] = positions[a * 3 + axis];
    }
  }
  return open;
}

/** Six times that of the tetrahedron of a place, two vertices and the part's origin. */
function volumeOf(
  { positions: p }: MeshEditor,
  origins: Float64Array,
  part: number,
  a: ArrayLike<number>,
  b: number,
  c: number,
): number {
  const x = origins[part * 3];
  const y = origins[part * 3 + 1];
  const z = origins[part * 3 + 2];
  const [bx, by, bz] = [p[b * 3] - x, p[b * 3 + 1] - y, p[b * 3 + 2] - z];
  const [cx, cy, cz] = [p[c * 3] - x, p[c * 3 + 1] - y, p[c * 3 + 2] - z];
  return (
    (a[0] - x) * (by * cz - bz * cy) + (a[1] - y) * (bz * cx - bx * cz) + (a[2] - z) * (bx * cy - by * cx)
  );
}
