import type { CpuField } from '../field/cpu-field.ts';
import { length3 } from '../partition/length.ts';
import type { Decimation, MeshFrame } from './clean.ts';
import type { DetailMap } from './detail-map.ts';
import { putOnZeroSet, type RawMesh } from './finish.ts';
import type { MeshEditor } from './mesh-editor.ts';
import { LEAST_FACING, SAMPLING } from './rules.ts';
import { barycentricLattice, type Pattern, patternOf, TriangleSampler } from './triangle-sampler.ts';

/** Share of the tolerance beyond which a sampled point has its triangle divided. */
const SHARE = 0.82;
/** Share of the domain's diagonal by which a new vertex may be off the zero set: single precision's. */
export const OFF_ZERO = 2e-7;
const MAX_PASSES = 12;
const TRIANGLES_PER_YIELD = 512;
/** Triangles with a side longer than this many boxes, or beyond this share of SHARE, are sampled closer. */
const LONG = 1.5;
const CLOSE_SHARE = 0.8;

/** Few points (four inside, one on each side), then the lattices of sixths and twelfths but the corners. */
const PATTERNS: readonly Pattern[] = [
  patternOf(
    [
      [2, 2, 2],
      [4, 1, 1],
      [1, 4, 1],
      [1, 1, 4],
      [3, 3, 0],
      [0, 3, 3],
      [3, 0, 3],
    ],
    6,
  ),
  patternOf(barycentricLattice(6), 6),
  patternOf(barycentricLattice(12), 12),
];

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
  private readonly editor: MeshEditor;
  private readonly raw: RawMesh;
  private readonly field: CpuField;
  private readonly normals: Float64Array;
  private readonly slopes: Float64Array;
  private readonly detail: DetailMap;
  private readonly frame: MeshFrame;
  private readonly spacing: number;
  private readonly sampler: TriangleSampler;
  private readonly values = new Float64Array(1);

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
    this.editor = editor;
    this.raw = raw;
    this.field = field;
    this.normals = at.normals;
    this.slopes = at.slopes;
    this.detail = detail;
    this.spacing = spacing;
    this.frame = frame;
    this.sampler = new TriangleSampler(editor, field, at.slopes, detail);
  }

  /** Triangles that were to be divided and could not be. */
  private readonly doubtful = new Set<number>();

  readonly stops: RepairStops = { nPlacesLeft: 0, nDivisionsRefused: 0, nWithoutRoom: 0 };

  /**
   * Yields the fraction done.
   * @param which triangles to look at, by their first corners; all where none are given.
   */
  *run(which?: readonly number[]): Generator<number, void> {
    let triangles = which ?? this.editor.liveTriangles();
    for (let pass = 0; triangles.length > 0; pass++) {
      const sides: number[] = [];
      for (let from = 0; from < triangles.length; from += TRIANGLES_PER_YIELD) {
        this.findSides(triangles.slice(from, from + TRIANGLES_PER_YIELD), sides);
        yield pass === 0 ? from / triangles.length : 1;
      }
      if (pass === MAX_PASSES) {
        this.stops.nPlacesLeft += sides.length / 2;
        for (let i = 0; i < sides.length; i += 2) this.doubt(sides[i], sides[i + 1]);
        return;
      }
      triangles = this.splitSides(sides);
    }
  }

  private doubt(a: number, b: number): void {
    this.doubtful.add(this.editor.triangleOf(a, b)).add(this.editor.triangleOf(b, a));
  }

  /** Of the triangles that could not be divided the points that stand off most: f64[3n]. */
  suspects(): Float64Array {
    const { indices } = this.editor;
    const { sampler } = this;
    const live = [...this.doubtful].filter((t) => t >= 0 && indices[t] >= 0);
    const pattern = PATTERNS[PATTERNS.length - 1];
    sampler.measure(live, pattern, SAMPLING.look, SHARE);
    const points: number[] = [];
    live.forEach((t, i) => {
      if (sampler.off[i] <= SHARE) return;
      const [a, b, c] = [0, 1, 2].map((k) => indices[t + k] * 3);
      const [wa, wb, wc] = pattern.weights.subarray(sampler.worst[i] * 3, sampler.worst[i] * 3 + 3);
      const p = this.raw.positions;
      for (let k = 0; k < 3; k++) points.push(wa * p[a + k] + wb * p[b + k] + wc * p[c + k]);
    });
    return Float64Array.from(points);
  }

  /** Appends the sides (pairs of vertices) at which triangles that stand off are to be divided. */
  private findSides(triangles: readonly number[], sides: number[]): void {
    const { sampler } = this;
    const { indices } = this.editor;
    let asked = triangles;
    for (const pattern of PATTERNS) {
      sampler.measure(asked, pattern, SAMPLING.look, SHARE);
      const closer: number[] = [];
      for (let i = 0; i < asked.length; i++) {
        const t = asked[i];
        const off = sampler.off[i] / SHARE;
        if (off > 1) {
          const worst = pattern.sides[sampler.worst[i]];
          const side = worst < 0 ? this.longestSide(t) : worst;
          sides.push(indices[t + side], indices[t + ((side + 1) % 3)]);
        } else if (off > CLOSE_SHARE || (pattern === PATTERNS[0] && this.isLong(t))) closer.push(t);
      }
      asked = closer;
    }
  }

  private isLong(t: number): boolean {
    const { indices } = this.editor;
    const side = this.longestSide(t);
    return this.length(indices[t + side], indices[t + ((side + 1) % 3)]) > LONG * this.spacing;
  }

  private longestSide(t: number): number {
    const { indices } = this.editor;
    let side = 0;
    let longest = -1;
    for (let k = 0; k < 3; k++) {
      const length = this.length(indices[t + k], indices[t + ((k + 1) % 3)]);
      if (length <= longest) continue;
      longest = length;
      side = k;
    }
    return side;
  }

  private length(a: number, b: number): number {
    const p = this.editor.positions;
    return length3(p[a * 3] - p[b * 3], p[a * 3 + 1] - p[b * 3 + 1], p[a * 3 + 2] - p[b * 3 + 2]);
  }

  /** Divides the sides that still exist and can be without a fold; gives the triangles that changed. */
  private splitSides(sides: readonly number[]): number[] {
    const { editor } = this;
    const touched = new Set<number>();
    for (let i = 0; i < sides.length; i += 2) {
      const a = sides[i];
      const b = sides[i + 1];
      const isSide = editor.triangleOf(a, b) >= 0 || editor.triangleOf(b, a) >= 0;
      // A point of a triangle is never farther from the zero set than from the nearest corner.
      if (!isSide || this.length(a, b) <= this.detail.along(editor.positions, a, b)) continue;
      if (!editor.hasRoom()) {
        this.stops.nWithoutRoom++;
        this.doubt(a, b);
        continue;
      }
      if (!this.placeVertex(a, b)) {
        this.stops.nDivisionsRefused++;
        this.doubt(a, b);
        continue;
      }
      const v = editor.nVertices++;
      this.raw.nVertices = editor.nVertices;
      editor.splitEdge(a, b, v);
      for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) touched.add(c - (c % 3));
    }
    return [...touched];
  }

  /** Puts the vertex after the last on the zero set beside the middle of a-b; false where that would fold. */
  private placeVertex(a: number, b: number): boolean {
    const { editor, raw, normals, slopes } = this;
    const isBorder = editor.triangleOf(a, b) < 0 || editor.triangleOf(b, a) < 0;
    if (isBorder && this.frame.keepsBorder) return false;
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
    putOnZeroSet(this.field, raw, this.frame.bounds, 0.25 * this.length(a, b), [v]);
    for (let k = 0; k < 3; k++) p[v * 3 + k] = Math.fround(p[v * 3 + k]);
    this.field.evaluate(p.subarray(v * 3, v * 3 + 3), this.values, 1);
    if (!(Math.abs(this.values[0]) <= OFF_ZERO * this.frame.diagonal * slopes[v])) return false;
    return (
      this.isUnfolded(editor.triangleOf(a, b), a, b, v) && this.isUnfolded(editor.triangleOf(b, a), b, a, v)
    );
  }

  private isUnfolded(t: number, a: number, b: number, v: number): boolean {
    if (t < 0) return true;
    const { editor, normals } = this;
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
