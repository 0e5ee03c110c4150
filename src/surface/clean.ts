import { growFloat64, growInt32, length3, placeKey } from '../arrays.ts';
import { clampTo } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3 } from '../format/asset.ts';
import { Coverer } from './cover.ts';
import type { DetailMap } from './detail-map.ts';
import { faceMasks, type RawMesh } from './finish.ts';
import { MeshEditor } from './mesh-editor.ts';
import { type MeshErrors, measureErrors } from './mesh-error.ts';
import { type MeshSteps, mapSteps } from './mesh-tasks.ts';
import { Repairer, type RepairStops } from './repair.ts';
import { ERROR_SEARCH } from './rules.ts';
import { thinMesh } from './thin-pieces.ts';

/**
 * Edges shorter than this share of the domain's diagonal are collapsed: a few times single precision's step there, so
 * that no two vertices round to one position.
 */
const LEAST_EDGE = 1e-6;
/** Triangles lower than this share of that least edge are flipped away. */
const LEAST_HEIGHT = 0.25;
const MAX_PASSES = 6;
/** Times that a mesh is mended at what its measurement found. */
const MAX_MENDS = 4;
const TRIANGLES_PER_YIELD = 2048;

/** Where a mesh lies. */
export interface MeshFrame {
  /** The mesh may be open on the faces of this box, and nowhere else. */
  readonly bounds: Box3;
  /** Of the field's domain, in local units: what lengths are small against. */
  readonly diagonal: number;
  /** Its border is another tile's too: no vertex is added there. */
  readonly keepsBorder: boolean;
}

/** What {@link cleanMesh} needs to thin a mesh out: the field to check against, tolerances, and the boxes' size in local units. */
export interface Decimation {
  readonly field: CpuField;
  readonly detail: DetailMap;
  readonly spacing: number;
  /** Points by which the mesh is measured in the end, and mended where that finds it off; 0 where it is not. */
  readonly nMeasured: number;
}

/** What is left to be told when a mesh was held against its field. */
export interface Unmended {
  readonly stops: RepairStops;
  /** f64[3n], all points of the zero set that came to be known: vertices that were removed, and what boxes were asked for. */
  readonly known: Float64Array;
  /** Undefined where it was not measured. */
  readonly errors: MeshErrors | undefined;
}

/**
 * Rounds a raw mesh to single precision and removes what rounding would degenerate: edges a few steps short, triangles
 * without area. With a decimation, vertices that the tolerance does not need go too. Only moves that keep the mesh a
 * manifold with its orientation are made. Yields the fraction done, or parts to run; gives what the checks against the field
 * left, where there was a decimation.
 */
export function* cleanMesh(
  raw: RawMesh,
  frame: MeshFrame,
  decimation?: Decimation,
): MeshSteps<Unmended | undefined> {
  if (decimation) makeRoom(raw);
  const { positions } = raw;
  for (let i = 0; i < raw.nVertices * 3; i++) positions[i] = Math.fround(positions[i]);
  const { bounds, diagonal } = frame;
  const faces = faceMasks(raw.positions, raw.nVertices, bounds);
  const editor = new MeshEditor(positions, raw.nVertices, raw.indices, raw.nTriangles, faces);
  const cleaner = new Cleaner(editor, raw.normals, diagonal * LEAST_EDGE);
  yield 0;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const nMoves = (yield* cleaner.collapseShort()) + (yield* cleaner.flipFlat());
    if (nMoves === 0) break;
  }
  const unmended = decimation && (yield* thinOut(editor, raw, frame, decimation));
  if (!decimation?.nMeasured) yield* separate(editor, raw, bounds, diagonal);
  yield 1;
  const indices = editor.compactIndices();
  raw.indices = indices;
  raw.nTriangles = indices.length / 3;
  return unmended;
}

/** Removes what the tolerance does not need, then holds mesh and field against each other, both ways. */
function* thinOut(
  editor: MeshEditor,
  raw: RawMesh,
  frame: MeshFrame,
  decimation: Decimation,
): MeshSteps<Unmended> {
  const at = unitNormals(raw);
  const tolerances = vertexTolerances(raw, decimation.detail);
  const before = editor.indices.slice(0, editor.nTriangles * 3);
  yield* mapSteps(thinMesh(editor, decimation.field, at, tolerances), (fraction) => 0.2 + 0.3 * fraction);
  const coverer = new Coverer(editor, raw, at, decimation, frame, before);
  const repairer = new Repairer(editor, raw, at, decimation, frame);
  yield* mapSteps(coverer.mend(), (fraction) => 0.5 + 0.1 * fraction);
  yield* mapSteps(repairer.run(), (fraction) => 0.6 + 0.3 * fraction);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const changed = yield* mapSteps(coverer.mend(), () => 0.9);
    if (changed.length === 0) break;
    yield* mapSteps(repairer.run(changed), () => 0.9);
  }
  const { stops } = repairer;
  let errors: MeshErrors | undefined;
  for (let pass = 0; decimation.nMeasured > 0; pass++) {
    yield* separate(editor, raw, frame.bounds, frame.diagonal);
    const steps = measure(editor, raw, frame, decimation, repairer.suspects(), coverer.known());
    const measured = yield* mapSteps(steps, () => 0.95);
    errors = measured.errors;
    const { off } = measured;
    if (pass === MAX_MENDS || (off.length === 0 && errors.missed.length === 0)) break;
    const { nChanges } = repairer;
    yield* mapSteps(repairer.run(off, true), () => 0.95);
    coverer.add(errors.missed);
    const changed = yield* mapSteps(coverer.mend(), () => 0.95);
    yield* mapSteps(repairer.run(changed), () => 0.95);
    if (changed.length === 0 && repairer.nChanges === nChanges) break;
  }
  stops.nDivisionsRefused += coverer.nRefused;
  return { stops, known: coverer.known(), errors };
}

/** Measures the mesh as it is, both ways; gives the triangles with points that are off, by their first corners. */
function* measure(
  editor: MeshEditor,
  { positions }: RawMesh,
  { bounds }: MeshFrame,
  { field, detail, spacing, nMeasured }: Decimation,
  suspects: Float64Array,
  known: Float64Array,
): Generator<number, { errors: MeshErrors; off: number[] }> {
  const mesh = { positions, indices: Uint32Array.from(editor.compactIndices()) };
  const within = { bounds, domain: field.asset.domain };
  const tolerance = detail.at.bind(detail);
  // Boxes may be a hundred tolerances wide: what passes between known points is looked for from there down to half of one.
  const reach = Math.max(ERROR_SEARCH.reach * detail.most, Math.sqrt(3) * spacing);
  const lengths = { reach, nearest: detail.least / 2 };
  const steps = measureErrors(mesh, field, within, tolerance, { suspects, known }, lengths, nMeasured);
  const errors = yield* steps;
  const live = editor.liveTriangles();
  return { errors, off: errors.off.map((t) => live[t]) };
}

/** Room for the vertices that the last check adds: a share of the mesh's, and a few. */
const ROOM_SHARE = 0.25;
const ROOM_LEAST = 256;

function makeRoom(raw: RawMesh): void {
  const n = raw.nVertices + Math.ceil(raw.nVertices * ROOM_SHARE) + ROOM_LEAST;
  const extra = n - raw.nVertices;
  raw.positions = growFloat64(raw.positions, n * 3);
  raw.normals = growFloat64(raw.normals, n * 3);
  raw.slopes = growFloat64(raw.slopes, n * 2);
  raw.indices = growInt32(raw.indices, (raw.nTriangles + 2 * extra) * 3);
}

/** The tolerance at every vertex: f64[], with the vertices' room. */
function vertexTolerances({ positions, nVertices }: RawMesh, detail: DetailMap): Float64Array {
  const tolerances = new Float64Array(positions.length / 3).fill(detail.least);
  if (detail.isUniform) return tolerances;
  for (let v = 0; v < nVertices; v++) tolerances[v] = detail.at(positions, v * 3);
  return tolerances;
}

/** Unit normals and mean |∇f| of all vertices. */
function unitNormals(raw: RawMesh): { normals: Float64Array; slopes: Float64Array } {
  const n = raw.nVertices;
  const normals = new Float64Array(raw.positions.length);
  const slopes = new Float64Array(raw.positions.length / 3);
  for (let v = 0; v < n; v++) {
    const [x, y, z] = [raw.normals[v * 3], raw.normals[v * 3 + 1], raw.normals[v * 3 + 2]];
    const norm = Math.sqrt(x * x + y * y + z * z) || 1;
    normals[v * 3] = x / norm;
    normals[v * 3 + 1] = y / norm;
    normals[v * 3 + 2] = z / norm;
    slopes[v] = raw.slopes[v * 2] / (raw.slopes[v * 2 + 1] || 1);
  }
  return { normals, slopes };
}

/** Steps of single precision tried to part two vertices, and to give a triangle without area some. */
const MAX_STEPS = 4096;
const MAX_FLAT_STEPS = 64;

/**
 * Parts vertices that round to one position and could not be merged, then gives triangles without area some: by a few
 * steps of single precision across the surface's normal, which leaves them on the zero set to that precision. A vertex
 * that no such step helps stays where it is.
 */
function* separate(
  editor: MeshEditor,
  raw: RawMesh,
  bounds: Box3,
  diagonal: number,
): Generator<number, void> {
  const used = new Set<number>();
  const key = (v: number): number => placeKey(raw.positions, v * 3);
  const step = diagonal * 2 ** -25;
  const moveUntil = (v: number, nSteps: number, isGood: () => boolean): void => {
    const start = raw.positions.slice(v * 3, v * 3 + 3);
    for (let i = 1; i < nSteps; i++) {
      nudge(raw, v, start, editor.faces[v], bounds, i, step);
      if (!used.has(key(v)) && isGood()) return;
    }
    raw.positions.set(start, v * 3);
  };
  for (let v = 0; v < raw.nVertices; v++) {
    if (v % TRIANGLES_PER_YIELD === 0) yield 0.95;
    if (editor.nextCorner(v, -1) < 0) continue;
    if (used.has(key(v))) moveUntil(v, MAX_STEPS, () => true);
    used.add(key(v));
  }
  // Ascending; a vertex that was moved leaves no flat triangle, nor makes one.
  const onFlat = new Set<number>();
  for (let t = 0; t < editor.nTriangles * 3; t += 3) {
    const [a, b, c] = [editor.indices[t], editor.indices[t + 1], editor.indices[t + 2]];
    if (a >= 0 && isFlat(editor, a, b, c)) onFlat.add(a).add(b).add(c);
  }
  yield 0.97;
  for (const v of [...onFlat].sort((a, b) => a - b)) {
    if (!hasFlatTriangle(editor, v)) continue;
    moveUntil(v, MAX_FLAT_STEPS, () => !hasFlatTriangle(editor, v));
    used.add(key(v));
  }
}

function hasFlatTriangle(editor: MeshEditor, v: number): boolean {
  const { indices } = editor;
  for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) {
    const t = c - (c % 3);
    if (isFlat(editor, indices[t], indices[t + 1], indices[t + 2])) return true;
  }
  return false;
}

function isFlat(editor: MeshEditor, a: number, b: number, c: number): boolean {
  const n = editor.triangleNormal(a, b, c);
  return n[0] === 0 && n[1] === 0 && n[2] === 0;
}

/**
 * Moves v to the i-th of a spiral of places around `start`, along the two axes nearest to its tangent plane; on the
 * faces that it lies on, and inside of the bounds.
 */
function nudge(
  raw: RawMesh,
  v: number,
  start: Float64Array,
  faces: number,
  bounds: Box3,
  i: number,
  step: number,
): void {
  const n = [0, 1, 2].map((k) => Math.abs(raw.normals[v * 3 + k]));
  const reach = step * Math.sqrt(i);
  const angle = i * 2.399963;
  const free = [0, 1, 2].filter((k) => ((faces >> (2 * k)) & 3) === 0).sort((a, b) => n[a] - n[b]);
  [Math.cos(angle), Math.sin(angle)].slice(0, free.length).forEach((share, m) => {
    const k = free[m];
    raw.positions[v * 3 + k] = Math.fround(clampTo(bounds, k, start[k] + reach * share));
  });
}

class Cleaner {
  readonly #editor: MeshEditor;
  readonly #normals: Float64Array;
  readonly #least: number;

  constructor(editor: MeshEditor, normals: Float64Array, least: number) {
    this.#editor = editor;
    this.#normals = normals;
    this.#least = least;
  }

  /** Collapses short edges; gives the number collapsed. */
  *collapseShort(): Generator<number, number> {
    const editor = this.#editor;
    const least = this.#least;
    let n = 0;
    for (let c = 0; c < editor.nTriangles * 3; c++) {
      if (c % (TRIANGLES_PER_YIELD * 3) === 0) yield 0.1;
      const a = editor.indices[c];
      if (a < 0) continue;
      const t = c - (c % 3);
      const b = editor.indices[t + ((c - t + 1) % 3)];
      if (editor.lengthOf(a, b) >= least) continue;
      if (this.#collapse(b, a) || this.#collapse(a, b)) n++;
    }
    return n;
  }

  #collapse(from: number, to: number): boolean {
    if (!this.#editor.isLinkSound(from, to) || !this.#keepsOrientation(from, to)) return false;
    this.#editor.collapse(from, to);
    return true;
  }

  /** Whether no triangle around `from` turns against the surface, or loses its area, when `from` moves to `to`. */
  #keepsOrientation(from: number, to: number): boolean {
    const editor = this.#editor;
    for (let c = editor.nextCorner(from, -1); c >= 0; c = editor.nextCorner(from, c)) {
      const t = c - (c % 3);
      const b = editor.indices[t + ((c - t + 1) % 3)];
      const d = editor.indices[t + ((c - t + 2) % 3)];
      if (b === to || d === to) continue;
      const wasFacing = this.#facing(from, b, d);
      const isFacing = this.#facing(to, b, d);
      if (isFacing <= 0 && wasFacing > 0) return false;
      if (
        editor.heightOf(to, b, d) < LEAST_HEIGHT * this.#least &&
        editor.heightOf(from, b, d) >= LEAST_HEIGHT * this.#least
      ) {
        return false;
      }
    }
    return true;
  }

  /** Flips the longest side of triangles without height; gives the number flipped. */
  *flipFlat(): Generator<number, number> {
    const editor = this.#editor;
    const least = this.#least;
    let n = 0;
    for (let t = 0; t < editor.nTriangles * 3; t += 3) {
      if (t % (TRIANGLES_PER_YIELD * 3) === 0) yield 0.15;
      const [a, b, c] = [editor.indices[t], editor.indices[t + 1], editor.indices[t + 2]];
      if (a < 0 || editor.heightOf(a, b, c) >= LEAST_HEIGHT * least) continue;
      const ab = editor.lengthOf(a, b);
      const bc = editor.lengthOf(b, c);
      const ca = editor.lengthOf(c, a);
      const longest = Math.max(ab, bc, ca);
      const [from, to] = longest === ab ? [a, b] : longest === bc ? [b, c] : [c, a];
      if (this.#flip(from, to)) n++;
    }
    return n;
  }

  #flip(a: number, b: number): boolean {
    const editor = this.#editor;
    const around = editor.quadrilateral(a, b);
    if (around === undefined) return false;
    const [t, s, c, d] = around;
    const lowest = Math.min(editor.heightOf(a, d, c), editor.heightOf(d, b, c));
    if (lowest <= editor.heightOf(a, b, c)) return false;
    if (this.#facing(a, d, c) <= 0 || this.#facing(d, b, c) <= 0) return false;
    editor.flip(t, s, a, b);
    return true;
  }

  /** Scalar product of a triangle's normal with the sum of its vertices' surface normals. */
  #facing(a: number, b: number, c: number): number {
    const n = this.#editor.triangleNormal(a, b, c);
    let sum = 0;
    for (const v of [a, b, c]) {
      const [x, y, z] = [this.#normals[v * 3], this.#normals[v * 3 + 1], this.#normals[v * 3 + 2]];
      sum += (n[0] * x + n[1] * y + n[2] * z) / (length3(x, y, z) || 1);
    }
    return sum;
  }
}
