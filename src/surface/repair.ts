import type { CpuField } from '../field/cpu-field.ts';
import type { MeshFrame } from './clean.ts';
import { putOnZeroSet, type RawMesh } from './finish.ts';
import type { MeshEditor } from './mesh-editor.ts';

/** Share of the tolerance beyond which a sampled point has its triangle divided. */
const SHARE = 0.78;
/** Share beyond which, going by the mean slope at the corners, the gradient is asked. */
const LOOK_SHARE = 0.5;
/** Share of the domain's diagonal by which a new vertex may be off the zero set: single precision's. */
const OFF_ZERO = 2e-7;
const MAX_PASSES = 4;
const TRIANGLES_PER_YIELD = 512;
/** Samples of a triangle: three inside as barycentric weights, one on each side. */
const INSIDE = [
  [1 / 3, 1 / 3, 1 / 3],
  [2 / 3, 1 / 6, 1 / 6],
  [1 / 6, 2 / 3, 1 / 6],
  [1 / 6, 1 / 6, 2 / 3],
] as const;
const N_SAMPLES = INSIDE.length + 3;

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
  private readonly tolerance: number;
  private readonly frame: MeshFrame;
  private readonly gradient = new Float64Array(3);
  private readonly points = new Float64Array(TRIANGLES_PER_YIELD * N_SAMPLES * 3);
  private readonly values = new Float64Array(TRIANGLES_PER_YIELD * N_SAMPLES);

  /**
   * @param raw the editor's arrays, with room for new vertices.
   * @param normals f64[], unit length. @param slopes f64[], |∇f| at each vertex; both with room too.
   */
  constructor(
    editor: MeshEditor,
    raw: RawMesh,
    field: CpuField,
    normals: Float64Array,
    slopes: Float64Array,
    tolerance: number,
    frame: MeshFrame,
  ) {
    this.editor = editor;
    this.raw = raw;
    this.field = field;
    this.normals = normals;
    this.slopes = slopes;
    this.tolerance = tolerance;
    this.frame = frame;
  }

  /** Yields the fraction done. */
  *run(): Generator<number, void> {
    let triangles = this.liveTriangles();
    for (let pass = 0; pass < MAX_PASSES && triangles.length > 0; pass++) {
      const sides: number[] = [];
      for (let from = 0; from < triangles.length; from += TRIANGLES_PER_YIELD) {
        this.findSides(triangles.slice(from, from + TRIANGLES_PER_YIELD), sides);
        yield pass === 0 ? from / triangles.length : 1;
      }
      triangles = this.splitSides(sides);
    }
  }

  private liveTriangles(): number[] {
    const live: number[] = [];
    for (let t = 0; t < this.editor.nTriangles * 3; t += 3) if (this.editor.indices[t] >= 0) live.push(t);
    return live;
  }

  /** Appends the sides (pairs of vertices) at which triangles that stand off are to be divided. */
  private findSides(triangles: readonly number[], sides: number[]): void {
    triangles.forEach((t, i) => {
      this.placeSamples(t, i * N_SAMPLES);
    });
    this.field.evaluate(this.points, this.values, triangles.length * N_SAMPLES);
    triangles.forEach((t, i) => {
      const { indices } = this.editor;
      const slope = Math.min(
        this.slopes[indices[t]],
        this.slopes[indices[t + 1]],
        this.slopes[indices[t + 2]],
      );
      let most = LOOK_SHARE * this.tolerance * slope;
      let worst = -1;
      for (let k = 0; k < N_SAMPLES; k++) {
        const off = Math.abs(this.values[i * N_SAMPLES + k]);
        if (off <= most) continue;
        most = off;
        worst = k;
      }
      if (worst < 0 || this.distanceAt(i * N_SAMPLES + worst) <= SHARE * this.tolerance) return;
      const side = worst < INSIDE.length ? this.longestSide(t) : worst - INSIDE.length;
      sides.push(indices[t + side], indices[t + ((side + 1) % 3)]);
    });
  }

  /** Distance of a sample from the zero set to first order, by the gradient there. */
  private distanceAt(sample: number): number {
    const { gradient } = this;
    const point = this.points.subarray(sample * 3, sample * 3 + 3);
    this.field.evaluateWithGradient(point, this.values.subarray(sample, sample + 1), gradient, 1);
    return Math.abs(this.values[sample]) / (Math.hypot(gradient[0], gradient[1], gradient[2]) || 1);
  }

  private placeSamples(t: number, at: number): void {
    const { indices, positions: p } = this.editor;
    const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
    for (let k = 0; k < 3; k++) {
      const [x, y, z] = [p[a + k], p[b + k], p[c + k]];
      for (let s = 0; s < INSIDE.length; s++) {
        const w = INSIDE[s];
        this.points[(at + s) * 3 + k] = w[0] * x + w[1] * y + w[2] * z;
      }
      const sides = (at + INSIDE.length) * 3 + k;
      this.points[sides] = 0.5 * (x + y);
      this.points[sides + 3] = 0.5 * (y + z);
      this.points[sides + 6] = 0.5 * (z + x);
    }
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
    return Math.hypot(p[a * 3] - p[b * 3], p[a * 3 + 1] - p[b * 3 + 1], p[a * 3 + 2] - p[b * 3 + 2]);
  }

  /** Divides the sides that still exist and can be without a fold; gives the triangles that changed. */
  private splitSides(sides: readonly number[]): number[] {
    const { editor } = this;
    const touched = new Set<number>();
    for (let i = 0; i < sides.length && editor.hasRoom(); i += 2) {
      const a = sides[i];
      const b = sides[i + 1];
      const isSide = editor.triangleOf(a, b) >= 0 || editor.triangleOf(b, a) >= 0;
      // A point of a triangle is never farther from the zero set than from the nearest corner.
      if (!isSide || this.length(a, b) <= this.tolerance || !this.placeVertex(a, b)) continue;
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
    const norm = Math.hypot(normals[v * 3], normals[v * 3 + 1], normals[v * 3 + 2]) || 1;
    for (let k = 0; k < 3; k++) {
      normals[v * 3 + k] /= norm;
      raw.normals[v * 3 + k] = normals[v * 3 + k];
    }
    slopes[v] = 0.5 * (slopes[a] + slopes[b]);
    editor.isBorder[v] = isBorder ? 1 : 0;
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
    for (const [i, j] of [
      [a, v],
      [v, b],
    ]) {
      const n = editor.triangleNormal(i, j, c);
      const facing = n[0] * normals[v * 3] + n[1] * normals[v * 3 + 1] + n[2] * normals[v * 3 + 2];
      if (!(facing > 0.1 * Math.hypot(n[0], n[1], n[2]))) return false;
    }
    return true;
  }
}
