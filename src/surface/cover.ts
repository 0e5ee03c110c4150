import { growFloat64, growInt32, length3 } from '../arrays.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Decimation, MeshFrame } from './clean.ts';
import type { DetailMap } from './detail-map.ts';
import { putOnZeroSet, type RawMesh } from './finish.ts';
import type { MeshEditor } from './mesh-editor.ts';
import { isUnfolded, OFF_ZERO, type VertexData } from './repair.ts';
import { TriangleTree } from './triangle-tree.ts';

/** Points of the zero set, and a vertex of the mesh near each, -1 where none is known. */
export interface Landmarks {
  /** f64[n * 3 or more] */
  positions: Float64Array;
  /** i32[n or more] */
  near: Int32Array;
  n: number;
}

/** Share of the tolerance beyond which the mesh is drawn to a point of the zero set. */
const SHARE = 0.9;
/** Share beyond which the middle of a side that is gone is put on the zero set, to be held against the mesh there. */
const MIDDLE_SHARE = 0.45;
/** Barycentric coordinate below which a point counts as on the side across. */
const ON_SIDE = 0.05;
const LANDMARKS_PER_YIELD = 1024;

/**
 * The other direction: the zero set has to be near the mesh too, where a tip, an edge or a sheet that triangles cut off is
 * not. What is known of the zero set are landmarks: the vertices that were removed, the middles of their sides, and points
 * that leaves were asked for. The mesh gets a vertex at those that it stands off.
 */
export class Coverer {
  readonly #editor: MeshEditor;
  readonly #raw: RawMesh;
  readonly #field: CpuField;
  readonly #at: VertexData;
  readonly #detail: DetailMap;
  readonly #frame: MeshFrame;
  readonly #landmarks: Landmarks;
  readonly #value = new Float64Array(1);
  readonly #gradient = new Float64Array(3);
  /** The triangles before, until the middles of their sides are landmarks. */
  #before: Int32Array;
  /** Of the last distance: the triangle. */
  #triangle = -1;

  /**
   * @param raw the editor's arrays, with room for new vertices.
   * @param at by vertex, both with room too: unit normals and |∇f|.
   * @param before i32[3n], the triangles that there were before vertices were removed, -1 for none.
   */
  constructor(
    editor: MeshEditor,
    raw: RawMesh,
    at: VertexData,
    { field, detail }: Decimation,
    frame: MeshFrame,
    before: Int32Array = new Int32Array(0),
  ) {
    this.#editor = editor;
    this.#raw = raw;
    this.#field = field;
    this.#at = at;
    this.#detail = detail;
    this.#frame = frame;
    this.#landmarks = this.#collect();
    this.#before = before;
  }

  /** Vertices wanted at landmarks that would have folded the mesh, or had no room. */
  nRefused = 0;

  /** The landmarks that were given, and the vertices that are gone as far as they are on the zero set. */
  #collect(): Landmarks {
    const raw = this.#raw;
    const editor = this.#editor;
    const field = this.#field;
    const frame = this.#frame;
    const { slopes } = this.#at;
    const gone: number[] = [];
    for (let v = 0; v < raw.nVertices; v++) if (editor.nextCorner(v, -1) < 0) gone.push(v);
    const points = new Float64Array(gone.length * 3);
    for (const [i, v] of gone.entries()) points.set(raw.positions.subarray(v * 3, v * 3 + 3), i * 3);
    const values = new Float64Array(gone.length);
    field.evaluate(points, values);
    const given = raw.landmarks;
    const onZero = gone.filter((v, i) => Math.abs(values[i]) <= OFF_ZERO * frame.diagonal * slopes[v]);
    const n = onZero.length + (given?.n ?? 0);
    const all = { positions: new Float64Array(n * 3), near: new Int32Array(n), n };
    onZero.forEach((v, i) => {
      all.positions.set(raw.positions.subarray(v * 3, v * 3 + 3), i * 3);
      all.near[i] = editor.standingFor(v);
    });
    if (given !== undefined) {
      all.positions.set(given.positions.subarray(0, given.n * 3), onZero.length * 3);
      for (let i = 0; i < given.n; i++)
        all.near[onZero.length + i] = given.near[i] < 0 ? -1 : editor.standingFor(given.near[i]);
    }
    return all;
  }

  /** Along a ridge between two vertices that are gone the mesh may be farther off than at them. */
  *#addMiddles(): Generator<number, void> {
    const raw = this.#raw;
    const editor = this.#editor;
    const before = this.#before;
    this.#before = new Int32Array(0);
    const p = raw.positions;
    let middles: number[] = [];
    let seeds: number[] = [];
    const point = new Float64Array(3);
    for (let c = 0; c < before.length; c++) {
      if (c % (3 * LANDMARKS_PER_YIELD) === 0) yield c / before.length;
      const a = before[c];
      if (a < 0) continue;
      const b = before[c - (c % 3) + ((c + 1) % 3)];
      const seed = editor.standingFor(a);
      if (a > b || (seed === a && editor.standingFor(b) === b)) continue;
      for (let k = 0; k < 3; k++) point[k] = 0.5 * (p[a * 3 + k] + p[b * 3 + k]);
      const enough = MIDDLE_SHARE * this.#detail.at(point, 0);
      if (this.#distanceOf(point[0], point[1], point[2], seed, enough) <= enough) continue;
      middles.push(...point);
      seeds.push(seed);
      if (seeds.length < LANDMARKS_PER_YIELD) continue;
      this.#addOnZeroSet(middles, seeds);
      [middles, seeds] = [[], []];
    }
    if (seeds.length > 0) this.#addOnZeroSet(middles, seeds);
  }

  /** Adds points, where they come onto the zero set, and a vertex near each. */
  #addOnZeroSet(middles: readonly number[], seeds: readonly number[]): void {
    const to = this.#landmarks;
    const raw = this.#raw;
    const field = this.#field;
    const frame = this.#frame;
    const n = seeds.length;
    const found: RawMesh = { ...raw, positions: Float64Array.from(middles), nVertices: n };
    putOnZeroSet(field, found, frame.bounds, this.#detail.least, [...seeds.keys()]);
    const values = new Float64Array(n);
    field.evaluate(found.positions, values);
    to.positions = growFloat64(to.positions, (to.n + n) * 3);
    to.near = growInt32(to.near, to.n + n);
    for (let i = 0; i < n; i++) {
      if (Math.abs(values[i]) > OFF_ZERO * frame.diagonal * this.#at.slopes[seeds[i]]) continue;
      to.positions.set(found.positions.subarray(i * 3, i * 3 + 3), to.n * 3);
      to.near[to.n++] = seeds[i];
    }
  }

  /** Adds vertices where landmarks are farther from the mesh than they may be; gives the triangles that changed. */
  *mend(): Generator<number, number[]> {
    const editor = this.#editor;
    yield* this.#addMiddles();
    const touched = new Set<number>();
    const far = yield* this.#farther();
    this.nRefused = 0;
    for (const id of far) {
      // An earlier one may have brought the mesh here.
      if (this.#distanceFrom(this.#landmarks.near[id], id, 0) <= SHARE * this.#tolerance(id)) continue;
      const v = this.#insert(id);
      if (v < 0) this.nRefused++;
      else
        for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) touched.add(c - (c % 3));
    }
    return [...touched];
  }

  /** Takes more points of the zero set, f64[3n]. */
  add(points: Float64Array): void {
    const to = this.#landmarks;
    const n = points.length / 3;
    to.positions = growFloat64(to.positions, (to.n + n) * 3);
    to.near = growInt32(to.near, to.n + n).fill(-1, to.n, to.n + n);
    to.positions.set(points, to.n * 3);
    to.n += n;
  }

  /** f64[3n]: all points of the zero set that are known. */
  known(): Float64Array {
    const { positions, n } = this.#landmarks;
    return positions.subarray(0, n * 3);
  }

  /** The landmarks farther from the mesh than {@link SHARE}; puts a vertex near each into `near`. */
  *#farther(): Generator<number, number[]> {
    const { n, near, positions: points } = this.#landmarks;
    const unsure: number[] = [];
    for (let i = 0; i < n; i++) {
      if (i % LANDMARKS_PER_YIELD === 0) yield i / n;
      const enough = SHARE * this.#tolerance(i);
      if (near[i] < 0 || this.#distanceFrom(near[i], i, enough) > enough) unsure.push(i);
    }
    const far: number[] = [];
    if (unsure.length === 0) return far;
    // The nearest triangle may be none that a way leads to from there.
    const { positions } = this.#editor;
    const indices = Uint32Array.from(this.#editor.compactIndices());
    const tree = new TriangleTree({ positions, indices });
    for (const id of unsure) {
      const [x, y, z] = points.subarray(id * 3, id * 3 + 3);
      const distance = tree.closest(x, y, z);
      // A mesh without triangles has no place for vertices.
      if (tree.triangle < 0) return [];
      near[id] = indices[tree.triangle * 3];
      if (distance > SHARE * this.#tolerance(id)) far.push(id);
      yield 1;
    }
    return far;
  }

  #tolerance(id: number): number {
    return this.#detail.at(this.#landmarks.positions, id * 3);
  }

  #distanceFrom(seed: number, id: number, enough: number): number {
    const { positions: p } = this.#landmarks;
    return this.#distanceOf(p[id * 3], p[id * 3 + 1], p[id * 3 + 2], seed, enough);
  }

  /**
   * Distance of a point from the nearest triangle that is found by going from `seed` to ever nearer ones: an upper bound.
   * Ends early below `enough`.
   */
  #distanceOf(x: number, y: number, z: number, seed: number, enough: number): number {
    const { indices } = this.#editor;
    this.#triangle = -1;
    let least = this.#nearerAround(seed, x, y, z, Number.POSITIVE_INFINITY, enough);
    for (let from = -1; this.#triangle !== from && least > enough; ) {
      from = this.#triangle;
      for (let k = 0; k < 3 && least > enough; k++)
        least = this.#nearerAround(indices[from + k], x, y, z, least, enough);
    }
    return least;
  }

  /** The least of a distance and those of the triangles around a vertex, or the first of them that is enough. */
  #nearerAround(v: number, x: number, y: number, z: number, most: number, enough: number): number {
    const editor = this.#editor;
    const { indices } = editor;
    let least = most;
    for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) {
      const t = c - (c % 3);
      const distance = editor.distanceTo(indices[t], indices[t + 1], indices[t + 2], x, y, z);
      if (distance >= least) continue;
      least = distance;
      this.#triangle = t;
      if (least <= enough) return least;
    }
    return least;
  }

  /** Puts a vertex at the landmark into the triangle found last or on one of its sides; -1 where every way folds. */
  #insert(id: number): number {
    const editor = this.#editor;
    const raw = this.#raw;
    const at = this.#at;
    const field = this.#field;
    const value = this.#value;
    const gradient = this.#gradient;
    const triangle = this.#triangle;
    const v = editor.nVertices;
    if (!editor.hasRoom()) return -1;
    const point = this.#landmarks.positions.subarray(id * 3, id * 3 + 3);
    field.evaluateWithGradient(point, value, gradient, 1);
    const slope = length3(gradient[0], gradient[1], gradient[2]);
    for (let k = 0; k < 3; k++) {
      raw.positions[v * 3 + k] = Math.fround(point[k]);
      at.normals[v * 3 + k] = gradient[k] / (slope || 1);
      raw.normals[v * 3 + k] = gradient[k] / (slope || 1);
    }
    at.slopes[v] = slope;
    editor.faces[v] = 0;
    const corners = [...editor.indices.subarray(triangle, triangle + 3)];
    const [x, y, z] = point;
    editor.distanceTo(corners[0], corners[1], corners[2], x, y, z);
    // Where the nearest point is on a side, or next to it, the side is divided.
    const sides = [0, 1, 2].sort((i, j) => editor.nearest[(i + 2) % 3] - editor.nearest[(j + 2) % 3]);
    const [first] = sides;
    const isOnSide = editor.nearest[(first + 2) % 3] < ON_SIDE;
    const isInserted =
      (isOnSide && this.#splitSide(corners[first], corners[(first + 1) % 3], v)) ||
      this.#splitInside(triangle, corners, v) ||
      sides.some((k) => this.#splitSide(corners[k], corners[(k + 1) % 3], v));
    if (!isInserted) return -1;
    editor.nVertices++;
    raw.nVertices = editor.nVertices;
    return v;
  }

  #splitInside(t: number, corners: readonly number[], v: number): boolean {
    const editor = this.#editor;
    const at = this.#at;
    const old = editor.triangleNormal(corners[0], corners[1], corners[2]).slice();
    const isSound = [0, 1, 2].every((k) =>
      isUnfolded(editor, at.normals, old, [corners[k], corners[(k + 1) % 3], v], v),
    );
    if (isSound) editor.splitInside(t, v);
    return isSound;
  }

  #splitSide(a: number, b: number, v: number): boolean {
    const editor = this.#editor;
    const at = this.#at;
    const [t, s] = [editor.triangleOf(a, b), editor.triangleOf(b, a)];
    // The border stays on the faces.
    if (t < 0 || s < 0) return false;
    const isSound = [t, s].every((triangle, i) => {
      const [from, to] = i === 0 ? [a, b] : [b, a];
      const c = editor.apex(triangle, a, b);
      const old = editor.triangleNormal(from, to, c).slice();
      return (
        isUnfolded(editor, at.normals, old, [from, v, c], v) &&
        isUnfolded(editor, at.normals, old, [v, to, c], v)
      );
    });
    if (isSound) editor.splitEdge(a, b, v);
    return isSound;
  }
}
