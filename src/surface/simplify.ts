import { length3, placeKey } from '../arrays.ts';
import { NsdfBudgetError } from '../errors.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { MeshFrame } from './clean.ts';
import { faceMasks, finishMesh, heldAxes, putOnZeroSet, type RawMesh } from './finish.ts';
import type { SurfaceMesh } from './mesh.ts';
import { MeshEditor } from './mesh-editor.ts';
import { PartVolumes } from './part-volumes.ts';
import { CollapseQueue, Quadrics } from './quadrics.ts';

/** What a collapse must keep. The second is for budgets that the first does not reach. */
interface Limits {
  /** Least cosine between a new triangle's normal and that of the one it replaces. */
  readonly leastCosine: number;
  /** Least height over longest side of a new triangle, unless the one it replaces was worse. */
  readonly leastAspect: number;
}

const LIMITS: readonly Limits[] = [
  { leastCosine: 0.25, leastAspect: 0.003 },
  { leastCosine: 1e-3, leastAspect: 1e-4 },
];
/** Least share of its volume that a closed part keeps: of a ball a tetrahedron has 0.12. */
const LEAST_VOLUME = 0.01;
/** Sine below which two neighbours that turn back are a fold, and not a sharp edge. */
const FOLD = 1e-3;
/** Weight of the distance from a vertex itself beside that from its triangles' planes: spreads vertices where all is flat. */
const POINT_WEIGHT = 1e-7;
/** Times that vertices are moved to their best places. bunny-S at 4,567 vertices comes to a mean error of 4.2e-4 by it. */
const N_RELOCATIONS = 3;
/** Cosine between gradient and triangle's normal from which on the gradient shades the triangle: 20 degrees, as on the GPU. */
const FITS = 0.94;
/** |f| over the slope beyond which a vertex of a cap is not the surface's, as a share of the domain's diagonal. */
const OFF_ZERO = 1e-5;
/** Distance from the zero set that single precision explains, as a share of the diagonal: a vertex is not moved farther off. */
const ON_ZERO = 2e-7;
const STEPS_PER_YIELD = 256;

/**
 * Simplifies a mesh to at most `maxVertices` vertices, and to just as many where its topology allows: collapses of edges
 * onto one of their ends in the order of the quadric error, then a few moves of what is left to where that error is least,
 * back on the zero set. Every step keeps the mesh a manifold with all its parts, its orientation and its border on the faces of the domain,
 * and none makes a fold. Yields the fraction done.
 * @throws {NsdfBudgetError} if no mesh of that size is found; `needed` is the size of the smallest, which can be asked for.
 * @see Garland and Heckbert 1997. Departs: vertices stay on the field's zero set.
 */
export function* simplifyMesh(
  mesh: SurfaceMesh,
  field: CpuField,
  maxVertices: number,
  frame: MeshFrame,
): Generator<number, SurfaceMesh> {
  const simplifier = new Simplifier(mesh, field, frame);
  const nVertices = yield* simplifier.collapseTo(maxVertices);
  if (nVertices > maxVertices) {
    throw new NsdfBudgetError(
      `The surface cannot be simplified to ${maxVertices} vertices: with all its parts, closed and without folds it takes ${nVertices}. Set maxVertices to ${nVertices} or more.`,
      nVertices,
      maxVertices,
    );
  }
  for (let i = 0; i < N_RELOCATIONS; i++) {
    yield 0.9 + (0.1 * i) / N_RELOCATIONS;
    simplifier.relocate();
  }
  return simplifier.finish();
}

interface Shape {
  /** Twice the area long. */
  readonly normal: readonly number[];
  readonly size: number;
  /** Height over longest side. */
  readonly aspect: number;
}

class Simplifier {
  readonly #raw: RawMesh;
  readonly #field: CpuField;
  readonly #frame: MeshFrame;
  readonly #editor: MeshEditor;
  readonly #quadrics: Quadrics;
  readonly #queue = new CollapseQueue();
  readonly #parts: PartVolumes;
  /** i32[nVertices], counts the changes around each vertex. */
  readonly #age: Int32Array;
  /** u8[nVertices]: not on the zero set, a corner of a cap. */
  readonly #isFixed: Uint8Array;
  #nLeft: number;
  #limits = LIMITS[0];

  constructor(mesh: SurfaceMesh, field: CpuField, frame: MeshFrame) {
    const n = mesh.positions.length / 3;
    const positions = Float64Array.from(mesh.positions);
    const indices = Int32Array.from(mesh.indices);
    this.#raw = {
      positions,
      normals: Float64Array.from(mesh.normals),
      slopes: new Float64Array(n * 2),
      nVertices: n,
      indices,
      nTriangles: indices.length / 3,
    };
    this.#field = field;
    this.#frame = frame;
    this.#editor = new MeshEditor(
      positions,
      n,
      indices,
      indices.length / 3,
      faceMasks(positions, n, frame.bounds),
    );
    this.#quadrics = new Quadrics(n);
    this.#parts = PartVolumes.of(this.#editor, LEAST_VOLUME);
    this.#age = new Int32Array(n);
    this.#nLeft = n;
    this.#isFixed = new Uint8Array(n);
    this.#findFixed();
    this.#addQuadrics();
  }

  #findFixed(): void {
    const { positions, nVertices } = this.#raw;
    const onFace = [...this.#editor.faces.subarray(0, nVertices).keys()].filter(
      (v) => this.#editor.faces[v] !== 0,
    );
    const points = Float64Array.from(onFace.flatMap((v) => [...positions.subarray(v * 3, v * 3 + 3)]));
    const values = new Float64Array(onFace.length);
    const gradients = new Float64Array(points.length);
    this.#field.evaluateWithGradient(points, values, gradients, onFace.length);
    onFace.forEach((v, i) => {
      const slope = length3(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
      if (Math.abs(values[i]) > OFF_ZERO * this.#frame.diagonal * slope) this.#isFixed[v] = 1;
    });
  }

  #addQuadrics(): void {
    const editor = this.#editor;
    const p = editor.positions;
    for (let t = 0; t < editor.nTriangles * 3; t += 3) {
      const corners = [editor.indices[t], editor.indices[t + 1], editor.indices[t + 2]];
      const n = editor.triangleNormal(corners[0], corners[1], corners[2]);
      const size = length3(n[0], n[1], n[2]);
      if (!(size > 0)) continue;
      const unit = [n[0] / size, n[1] / size, n[2] / size];
      const [x, y, z] = [0, 1, 2].map((k) => p[corners[0] * 3 + k]);
      for (const v of corners) {
        this.#quadrics.addPlane(v, unit, unit[0] * x + unit[1] * y + unit[2] * z, size);
        this.#quadrics.addPoint(v, p[v * 3], p[v * 3 + 1], p[v * 3 + 2], POINT_WEIGHT * size);
      }
      for (let k = 0; k < 3; k++) this.#addBorder(corners[k], corners[(k + 1) % 3], unit);
    }
  }

  /** An open side has a plane of its own, through it and across its triangle. */
  #addBorder(a: number, b: number, normal: readonly number[]): void {
    if (this.#editor.triangleOf(b, a) >= 0) return;
    const p = this.#editor.positions;
    const [x, y, z] = [0, 1, 2].map((k) => p[b * 3 + k] - p[a * 3 + k]);
    const across = [
      y * normal[2] - z * normal[1],
      z * normal[0] - x * normal[2],
      x * normal[1] - y * normal[0],
    ];
    const size = length3(across[0], across[1], across[2]);
    if (!(size > 0)) return;
    const unit = across.map((c) => c / size);
    const d = unit[0] * p[a * 3] + unit[1] * p[a * 3 + 1] + unit[2] * p[a * 3 + 2];
    for (const v of [a, b]) this.#quadrics.addPlane(v, unit, d, x * x + y * y + z * z);
  }

  /** Collapses until so many vertices are left, or none can go; gives how many are left. Yields the fraction done. */
  *collapseTo(maxVertices: number): Generator<number, number> {
    const nAll = this.#nLeft;
    for (const limits of LIMITS) {
      this.#limits = limits;
      for (let nBefore = -1; nBefore !== this.#nLeft && this.#nLeft > maxVertices; ) {
        nBefore = this.#nLeft;
        yield* this.#queueAll();
        yield* this.#collapseQueued(maxVertices, nAll);
      }
    }
    return this.#nLeft;
  }

  *#queueAll(): Generator<number, void> {
    const editor = this.#editor;
    for (let c = 0; c < editor.nTriangles * 3; c++) {
      if (editor.indices[c] >= 0)
        this.#queueEdge(editor.indices[c], editor.indices[c - (c % 3) + ((c + 1) % 3)]);
      if (c % (STEPS_PER_YIELD * 16) === 0) yield 0;
    }
  }

  /** Queues the collapses of a -> b, onto either end. */
  #queueEdge(a: number, b: number): void {
    // The other triangle of a pair queues it.
    if (a > b && this.#editor.triangleOf(b, a) >= 0) return;
    const age = this.#age[a] + this.#age[b];
    if (this.#mayMove(a, b)) this.#queue.push(this.#errorAt(b, a), a, b, age);
    if (this.#mayMove(b, a)) this.#queue.push(this.#errorAt(a, b), b, a, age);
  }

  #errorAt(to: number, from: number): number {
    const p = this.#editor.positions;
    return this.#quadrics.error(to, p[to * 3], p[to * 3 + 1], p[to * 3 + 2], from);
  }

  /** A vertex stays on the faces that it lies on, and where its border is another tile's too. */
  #mayMove(from: number, to: number): boolean {
    const { faces } = this.#editor;
    if (this.#isFixed[from] !== 0 || this.#isFixed[to] !== 0) return false;
    return (faces[from] & ~faces[to]) === 0 && !(this.#frame.keepsBorder && faces[from] !== 0);
  }

  *#collapseQueued(maxVertices: number, nAll: number): Generator<number, void> {
    const editor = this.#editor;
    let n = 0;
    while (this.#nLeft > maxVertices) {
      const next = this.#queue.pop();
      if (next === undefined) return;
      if (++n % STEPS_PER_YIELD === 0) yield (0.9 * (nAll - this.#nLeft)) / (nAll - maxVertices);
      const [a, b, age] = next;
      if (age !== this.#age[a] + this.#age[b] || editor.nextCorner(a, -1) < 0 || editor.nextCorner(b, -1) < 0)
        continue;
      if (this.#mayMove(a, b) && editor.isLinkSound(a, b) && this.#isSound(a, b)) this.#collapse(a, b);
    }
    while (this.#queue.pop() !== undefined);
  }

  #collapse(from: number, to: number): void {
    const editor = this.#editor;
    this.#quadrics.merge(from, to);
    this.#parts.move(from, this.#placeOf(to));
    editor.collapse(from, to);
    this.#age[from]++;
    this.#age[to]++;
    this.#nLeft--;
    for (let c = editor.nextCorner(to, -1); c >= 0; c = editor.nextCorner(to, c)) {
      const t = c - (c % 3);
      const b = editor.indices[t + ((c - t + 1) % 3)];
      const d = editor.indices[t + ((c - t + 2) % 3)];
      this.#queueNew(to, b);
      if (editor.triangleOf(to, d) < 0) this.#queueNew(to, d);
    }
  }

  #queueNew(a: number, b: number): void {
    const isForward = this.#editor.triangleOf(Math.min(a, b), Math.max(a, b)) >= 0;
    this.#queueEdge(isForward ? Math.min(a, b) : Math.max(a, b), isForward ? Math.max(a, b) : Math.min(a, b));
  }

  /** Whether the triangles around v stay sound when it moves to a place; those with `onto` vanish then. */
  #isSound(v: number, onto: number, place: ArrayLike<number> = this.#placeOf(onto)): boolean {
    const editor = this.#editor;
    const old = this.#placeOf(v);
    const kept: number[] = [];
    const before: Shape[] = [];
    for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) {
      const t = c - (c % 3);
      if (this.#hasVertex(t, onto)) continue;
      kept.push(t);
      before.push(this.#shapeOf(t));
    }
    editor.positions.set(place, v * 3);
    const isSound = kept.every((t, i) => this.#isTriangleSound(t, before[i], v, onto));
    editor.positions.set(old, v * 3);
    return isSound && this.#parts.mayMove(v, place);
  }

  #placeOf(v: number): number[] {
    return [...this.#editor.positions.subarray(v * 3, v * 3 + 3)];
  }

  #hasVertex(t: number, v: number): boolean {
    const { indices } = this.#editor;
    return indices[t] === v || indices[t + 1] === v || indices[t + 2] === v;
  }

  #shapeOf(t: number): Shape {
    const { indices } = this.#editor;
    const [x, y, z] = this.#editor.triangleNormal(indices[t], indices[t + 1], indices[t + 2]);
    const size = length3(x, y, z);
    return { normal: [x, y, z], size, aspect: size / this.#longest2(t) };
  }

  #isTriangleSound(t: number, before: Shape, v: number, onto: number): boolean {
    const { indices } = this.#editor;
    const { leastCosine, leastAspect } = this.#limits;
    const { normal: n, size, aspect } = this.#shapeOf(t);
    if (!(size > 0) || dot(n, before.normal) < leastCosine * size * before.size) return false;
    if (aspect < leastAspect && !(aspect > before.aspect)) return false;
    for (let k = 0; k < 3; k++) {
      const a = indices[t + k];
      const b = indices[t + ((k + 1) % 3)];
      const other = this.#across(a, b, v, onto);
      if (other >= 0 && isFold(n, size, this.#shapeOf(other).normal)) return false;
    }
    return true;
  }

  /** The triangle beyond the side a -> b once v is one with `onto`; -1 for none. */
  #across(a: number, b: number, v: number, onto: number): number {
    const editor = this.#editor;
    const other = editor.triangleOf(b, a);
    if (other < 0 || onto < 0 || !this.#hasVertex(other, v) || !this.#hasVertex(other, onto)) return other;
    return a === v ? editor.triangleOf(b, onto) : editor.triangleOf(onto, a);
  }

  #longest2(t: number): number {
    const { indices, positions: p } = this.#editor;
    let longest = 0;
    for (let k = 0; k < 3; k++) {
      const a = indices[t + k] * 3;
      const b = indices[t + ((k + 1) % 3)] * 3;
      longest = Math.max(
        longest,
        (p[a] - p[b]) ** 2 + (p[a + 1] - p[b + 1]) ** 2 + (p[a + 2] - p[b + 2]) ** 2,
      );
    }
    return longest;
  }

  /** Moves every vertex to the place on the zero set beside that of its least error, where that is better. */
  relocate(): void {
    const editor = this.#editor;
    const raw = this.#raw;
    this.#limits = LIMITS[0];
    const places = new Set<number>();
    const moved: number[] = [];
    const points: number[] = [];
    let reach = 0;
    for (let v = 0; v < raw.nVertices; v++) {
      if (editor.nextCorner(v, -1) < 0) continue;
      const [x, y, z] = this.#placeOf(v);
      places.add(placeKey([x, y, z]));
      const held = heldAxes(editor.faces[v]);
      if (this.#isFixed[v] !== 0 || held === 7 || (this.#frame.keepsBorder && held !== 0)) continue;
      const best = this.#quadrics.best(v, x, y, z, held);
      reach += length3(best[0] - x, best[1] - y, best[2] - z);
      moved.push(v);
      points.push(...best);
    }
    if (moved.length === 0) return;
    const target: RawMesh = { ...raw, positions: Float64Array.from(points), nVertices: moved.length };
    const all = [...moved.keys()];
    putOnZeroSet(this.#field, target, this.#frame.bounds, (4 * reach) / moved.length, all);
    const rounded = target.positions.map(Math.fround);
    const values = new Float64Array(moved.length);
    const gradients = new Float64Array(rounded.length);
    this.#field.evaluateWithGradient(rounded, values, gradients, moved.length);
    moved.forEach((v, i) => {
      const place = rounded.subarray(i * 3, i * 3 + 3);
      const slope = length3(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
      if (!(Math.abs(values[i]) <= ON_ZERO * this.#frame.diagonal * slope) || places.has(placeKey(place)))
        return;
      const error = this.#quadrics.error(v, place[0], place[1], place[2]);
      if (error >= this.#errorAt(v, -1) || !this.#isSound(v, -1, place)) return;
      places.add(placeKey(place));
      this.#parts.move(v, place);
      editor.positions.set(place, v * 3);
    });
  }

  /** The mesh, shaded by the field's gradient, and by its triangles where that does not fit them. */
  finish(): SurfaceMesh {
    const editor = this.#editor;
    const raw = this.#raw;
    const field = this.#field;
    raw.indices = editor.compactIndices();
    raw.nTriangles = raw.indices.length / 3;
    const gradients = new Float64Array(raw.nVertices * 3);
    field.evaluateWithGradient(raw.positions, new Float64Array(raw.nVertices), gradients, raw.nVertices);
    raw.normals.fill(0);
    for (let t = 0; t < raw.indices.length; t += 3) {
      const [a, b, c] = raw.indices.subarray(t, t + 3);
      const n = editor.triangleNormal(a, b, c);
      const size = length3(n[0], n[1], n[2]);
      for (const v of [a, b, c]) {
        const g = gradients.subarray(v * 3, v * 3 + 3);
        const slope = length3(g[0], g[1], g[2]);
        const isFit = dot(n, g) >= FITS * size * slope && slope > 0;
        for (let k = 0; k < 3; k++) raw.normals[v * 3 + k] += isFit ? (size * g[k]) / slope : n[k];
      }
    }
    return finishMesh(raw);
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** Whether two neighbours lie on one another. @param size of n. */
function isFold(n: readonly number[], size: number, m: readonly number[]): boolean {
  if (dot(n, m) >= 0) return false;
  const sine = length3(n[1] * m[2] - n[2] * m[1], n[2] * m[0] - n[0] * m[2], n[0] * m[1] - n[1] * m[0]);
  return sine < FOLD * size * length3(m[0], m[1], m[2]);
}
