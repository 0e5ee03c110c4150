import { length3 } from '../arrays.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Decimation, MeshFrame } from './clean.ts';
import type { DetailMap } from './detail-map.ts';
import { putOnZeroSet, type RawMesh } from './finish.ts';
import type { MeshEditor } from './mesh-editor.ts';
import {
  type MeasuredSides,
  type MeasureTask,
  type MeshSteps,
  mapSteps,
  runParts,
  type TriangleSet,
} from './mesh-tasks.ts';
import { LEAST_FACING, SAMPLING } from './rules.ts';
import { CLOSEST_PATTERN, measureTriangles, STANDS_OFF, TriangleSampler } from './triangle-sampler.ts';

/** Share of the domain's diagonal by which a new vertex may be off the zero set: single precision's. */
export const OFF_ZERO = 2e-7;
const MAX_PASSES = 12;
/** Triangles that are measured as one part; parts that are in memory together. */
const TRIANGLES_PER_PART = 1024;
const MAX_PARTS = 64;

/** Places that stood off when the last pass ended; divisions that were refused, and that had no room. */
export interface RepairStops {
  nPlacesLeft: number;
  nDivisionsRefused: number;
  nWithoutRoom: number;
}

/** What is known of every vertex: f64[n * 3], f64[n]. */
export interface VertexData {
  readonly normals: Float64Array;
  readonly slopes: Float64Array;
}

/**
 * The last word on the tolerance: samples every triangle of the finished mesh against the field itself and divides the
 * ones that stand off, at their side that does or at their longest, with the new vertex on the zero set. It catches what
 * boxes could not mend on their own, on the faces between them.
 */
export class Repairer {
  readonly #editor: MeshEditor;
  readonly #raw: RawMesh;
  readonly #field: CpuField;
  readonly #normals: Float64Array;
  readonly #slopes: Float64Array;
  readonly #detail: DetailMap;
  readonly #frame: MeshFrame;
  readonly #spacing: number;
  readonly #values = new Float64Array(1);

  /**
   * @param raw the editor's arrays, with room for new vertices.
   * @param at by vertex, both with room too: unit normals and |∇f|.
   */
  constructor(
    editor: MeshEditor,
    raw: RawMesh,
    at: VertexData,
    { field, detail, spacing }: Decimation,
    frame: MeshFrame,
  ) {
    this.#editor = editor;
    this.#raw = raw;
    this.#field = field;
    this.#normals = at.normals;
    this.#slopes = at.slopes;
    this.#detail = detail;
    this.#spacing = spacing;
    this.#frame = frame;
  }

  /** Triangles that were to be divided and could not be. */
  readonly #doubtful = new Set<number>();

  /** Sides divided and turned so far. */
  nChanges = 0;
  readonly stops: RepairStops = { nPlacesLeft: 0, nDivisionsRefused: 0, nWithoutRoom: 0 };

  /**
   * Yields the fraction done.
   * @param which triangles to look at, by their first corners; all where none are given.
   * @param isClose see `MeasureTask`.
   */
  *run(which?: readonly number[], isClose = false): MeshSteps<void> {
    let triangles = which ?? this.#editor.liveTriangles();
    for (let pass = 0; triangles.length > 0; pass++) {
      const sides = yield* this.#findSides(triangles, isClose, (fraction) => (pass === 0 ? fraction : 1));
      if (pass === MAX_PASSES) {
        this.stops.nPlacesLeft += sides.length / 2;
        for (let i = 0; i < sides.length; i += 2) this.#doubt(sides[i], sides[i + 1]);
        return;
      }
      triangles = this.#splitSides(sides);
    }
  }

  #doubt(a: number, b: number): void {
    this.#doubtful.add(this.#editor.triangleOf(a, b)).add(this.#editor.triangleOf(b, a));
  }

  /** Points all over the triangles that could not be divided and stand off: f64[3n]. Which is the farthest is not for samples to say. */
  suspects(): Float64Array {
    const { indices } = this.#editor;
    const live = [...this.#doubtful].filter((t) => t >= 0 && indices[t] >= 0);
    const sampler = new TriangleSampler(this.#field, this.#gather(live));
    sampler.measure([...live.keys()], CLOSEST_PATTERN, SAMPLING.look, STANDS_OFF);
    const { weights } = CLOSEST_PATTERN;
    const p = this.#raw.positions;
    const points: number[] = [];
    live.forEach((t, i) => {
      if (sampler.off[i] <= STANDS_OFF) return;
      const [a, b, c] = [0, 1, 2].map((k) => indices[t + k] * 3);
      for (let w = 0; w < weights.length; w += 3) {
        for (let k = 0; k < 3; k++)
          points.push(weights[w] * p[a + k] + weights[w + 1] * p[b + k] + weights[w + 2] * p[c + k]);
      }
    });
    return Float64Array.from(points);
  }

  /** The sides (pairs of vertices) at which triangles that stand off are to be divided, in the triangles' order. */
  *#findSides(
    triangles: readonly number[],
    isClose: boolean,
    at: (fraction: number) => number,
  ): MeshSteps<number[]> {
    const { indices } = this.#editor;
    const n = triangles.length;
    const sides: number[] = [];
    for (let from = 0; from < n; from += MAX_PARTS * TRIANGLES_PER_PART) {
      const to = Math.min(n, from + MAX_PARTS * TRIANGLES_PER_PART);
      const found = yield* this.#measure(triangles.slice(from, to), isClose, (f) =>
        at((from + f * (to - from)) / n),
      );
      found.forEach((part, i) => {
        part.forEach((side, k) => {
          const t = triangles[from + i * TRIANGLES_PER_PART + k];
          if (side >= 0) sides.push(indices[t + side], indices[t + ((side + 1) % 3)]);
        });
      });
    }
    return sides;
  }

  *#measure(
    triangles: readonly number[],
    isClose: boolean,
    at: (fraction: number) => number,
  ): MeshSteps<readonly MeasuredSides[]> {
    const tasks: MeasureTask[] = [];
    for (let from = 0; from < triangles.length; from += TRIANGLES_PER_PART) {
      const part = this.#gather(triangles.slice(from, from + TRIANGLES_PER_PART));
      tasks.push({ kind: 'measure', triangles: part, spacing: this.#spacing, isClose });
      yield at(0);
    }
    if (tasks.length > 1) return yield* runParts(tasks, at);
    // Not worth sending.
    return [yield* mapSteps(measureTriangles(this.#field, tasks[0]), at)];
  }

  /** Triangles by themselves. */
  #gather(triangles: readonly number[]): TriangleSet {
    const editor = this.#editor;
    const slopes = this.#slopes;
    const detail = this.#detail;
    const { indices, positions } = editor;
    const n = triangles.length;
    const set = {
      corners: new Float32Array(n * 9),
      slopes: new Float64Array(n),
      tolerances: new Float64Array(n),
    };
    for (let i = 0; i < n; i++) {
      const t = triangles[i];
      const [a, b, c] = [indices[t], indices[t + 1], indices[t + 2]];
      set.slopes[i] = Math.min(slopes[a], slopes[b], slopes[c]);
      set.tolerances[i] = detail.along(positions, a, b, c);
      for (let k = 0; k < 9; k++)
        set.corners[i * 9 + k] = positions[indices[t + ((k / 3) | 0)] * 3 + (k % 3)];
    }
    return set;
  }

  /** Divides the sides that still exist and can be without a fold; gives the triangles that changed. */
  #splitSides(sides: readonly number[]): number[] {
    const editor = this.#editor;
    const touched = new Set<number>();
    for (let i = 0; i < sides.length; i += 2) {
      const a = sides[i];
      const b = sides[i + 1];
      const isSide = editor.triangleOf(a, b) >= 0 || editor.triangleOf(b, a) >= 0;
      // A point of a triangle is never farther from the zero set than from the nearest corner.
      if (!isSide || editor.lengthOf(a, b) <= this.#detail.along(editor.positions, a, b)) continue;
      if (!editor.hasRoom()) {
        this.stops.nWithoutRoom++;
        this.#doubt(a, b);
        continue;
      }
      if (!this.#placeVertex(a, b)) {
        const flipped = this.#flip(a, b);
        for (const t of flipped) touched.add(t);
        if (flipped.length > 0) {
          this.nChanges++;
          continue;
        }
        this.stops.nDivisionsRefused++;
        this.#doubt(a, b);
        continue;
      }
      this.nChanges++;
      const v = editor.nVertices++;
      this.#raw.nVertices = editor.nVertices;
      editor.splitEdge(a, b, v);
      for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) touched.add(c - (c % 3));
    }
    return [...touched];
  }

  /** Puts the vertex after the last on the zero set beside the middle of a-b; false where that would fold. */
  #placeVertex(a: number, b: number): boolean {
    const editor = this.#editor;
    const raw = this.#raw;
    const normals = this.#normals;
    const slopes = this.#slopes;
    const isBorder = editor.triangleOf(a, b) < 0 || editor.triangleOf(b, a) < 0;
    if (isBorder && this.#frame.keepsBorder) return false;
    const v = editor.nVertices;
    const p = raw.positions;
    for (let k = 0; k < 3; k++) {
      p[v * 3 + k] = 0.5 * (p[a * 3 + k] + p[b * 3 + k]);
      normals[v * 3 + k] = normals[a * 3 + k] + normals[b * 3 + k];
    }
    const norm = length3(normals[v * 3], normals[v * 3 + 1], normals[v * 3 + 2]) || 1;
    for (let k = 0; k < 3; k++) {
      normals[v * 3 + k] /= norm;
      raw.normals[v * 3 + k] = normals[v * 3 + k];
    }
    slopes[v] = 0.5 * (slopes[a] + slopes[b]);
    editor.faces[v] = editor.faces[a] & editor.faces[b];
    putOnZeroSet(this.#field, raw, this.#frame.bounds, 0.25 * editor.lengthOf(a, b), [v]);
    for (let k = 0; k < 3; k++) p[v * 3 + k] = Math.fround(p[v * 3 + k]);
    this.#field.evaluate(p.subarray(v * 3, v * 3 + 3), this.#values, 1);
    if (!(Math.abs(this.#values[0]) <= OFF_ZERO * this.#frame.diagonal * slopes[v])) return false;
    return (
      this.#isUnfolded(editor.triangleOf(a, b), a, b, v) && this.#isUnfolded(editor.triangleOf(b, a), b, a, v)
    );
  }

  /**
   * Turns the side a-b of two triangles into the other diagonal, where neither is lower then: with a corner next to a-b there is no
   * room for a vertex between. Gives the two triangles, or none where they would turn over.
   */
  #flip(a: number, b: number): number[] {
    const editor = this.#editor;
    const around = editor.quadrilateral(a, b);
    if (around === undefined) return [];
    const [t, s, c, d] = around;
    const before = Math.min(editor.heightOf(a, b, c), editor.heightOf(b, a, d));
    if (Math.min(editor.heightOf(a, d, c), editor.heightOf(d, b, c)) <= before) return [];
    const old = editor.triangleNormal(a, b, c).slice();
    const other = editor.triangleNormal(b, a, d);
    for (let k = 0; k < 3; k++) old[k] += other[k];
    for (const v of [c, d]) {
      if (!isUnfolded(editor, this.#normals, old, [a, d, c], v)) return [];
      if (!isUnfolded(editor, this.#normals, old, [d, b, c], v)) return [];
    }
    editor.flip(t, s, a, b);
    return [t, s];
  }

  #isUnfolded(t: number, a: number, b: number, v: number): boolean {
    if (t < 0) return true;
    const editor = this.#editor;
    const normals = this.#normals;
    const c = editor.apex(t, a, b);
    const old = editor.triangleNormal(a, b, c).slice();
    return isUnfolded(editor, normals, old, [a, v, c], v) && isUnfolded(editor, normals, old, [v, b, c], v);
  }
}

/** Whether a triangle faces the way of the surface at its corner v, or of the triangle that it comes from. */
export function isUnfolded(
  editor: MeshEditor,
  normals: Float64Array,
  old: Float64Array,
  corners: readonly [number, number, number],
  v: number,
): boolean {
  const n = editor.triangleNormal(...corners);
  const size = length3(old[0], old[1], old[2]) || 1;
  const facing = n[0] * normals[v * 3] + n[1] * normals[v * 3 + 1] + n[2] * normals[v * 3 + 2];
  const turned = (old[0] * n[0] + old[1] * n[1] + old[2] * n[2]) / size;
  return Math.max(facing, turned) > LEAST_FACING * length3(n[0], n[1], n[2]);
}
