import type { CpuField } from '../field/cpu-field.ts';
import type { MeshEditor } from './mesh-editor.ts';
import { PartVolumes } from './part-volumes.ts';
import { COLLAPSE } from './rules.ts';

/**
 * Rounds of collapses, each with the share of the tolerance by which a removed vertex may stand off the new triangles:
 * flat neighbourhoods go first. At tolerance 1e-3 bunny-S comes to 12.8k vertices (mean error 1.7e-4) and fandisk-S to
 * 6.8k (1.4e-4); without collapses they had 16.3k and 10.5k, with a last round of 0.15 14.0k (1.6e-4) and 7.7k (1.2e-4).
 */
const ROUNDS: readonly number[] = [0.04, 0.1, 0.26];
const LAST = ROUNDS[ROUNDS.length - 1];
/** Those of a piece: what the last round takes may let others go, which would be left to one thread otherwise. */
export const ROUNDS_OF_PIECE: readonly number[] = [...ROUNDS, LAST];
/** Share of its volume that a part keeps, however small it is: of a ball a tetrahedron has 0.12. */
const LEAST_VOLUME = 0.1;
const VERTICES_PER_YIELD = 128;

/** What a decimation may do beside what the tolerance allows. */
interface DecimationLimits {
  /** What the mesh's parts may lose of their volumes. */
  readonly volumes: PartVolumes;
  /** u8[nVertices]: 1 for the vertices that may go; all where it is not given. */
  readonly mayGo?: Uint8Array;
}

/**
 * Collapses vertices onto neighbours where the field itself says that the mesh stays within the tolerance: no vertex
 * moves, and points of every new triangle are evaluated, so errors do not add up over collapses.
 */
export class Decimator {
  private readonly editor: MeshEditor;
  private readonly field: CpuField;
  private readonly normals: Float64Array;
  private readonly slopes: Float64Array;
  private readonly tolerances: Float64Array;
  private readonly points = new Float64Array(COLLAPSE.maxRing * 6);
  private readonly values = new Float64Array(COLLAPSE.maxRing * 2);
  private readonly ring = new Int32Array(COLLAPSE.maxRing * 2);
  private nRing = 0;
  readonly volumes: PartVolumes;
  private readonly mayGo: Uint8Array | undefined;
  /** Around the current vertex, local units. */
  private tolerance = 0;
  /** f64[nVertices]: least distance found for each since its triangles last changed, as a share of the tolerance; -1 where not looked for. */
  readonly known: Float64Array;

  /**
   * @param normals f64[nVertices * 3], unit length.
   * @param slopes f64[nVertices], |∇f| at each vertex.
   * @param tolerances f64[nVertices], at each vertex, local units.
   */
  constructor(
    editor: MeshEditor,
    field: CpuField,
    normals: Float64Array,
    slopes: Float64Array,
    tolerances: Float64Array,
    limits: DecimationLimits = { volumes: PartVolumes.of(editor, LEAST_VOLUME) },
  ) {
    this.editor = editor;
    this.field = field;
    this.normals = normals;
    this.slopes = slopes;
    this.tolerances = tolerances;
    this.volumes = limits.volumes;
    this.mayGo = limits.mayGo;
    this.known = new Float64Array(editor.nVertices).fill(-1);
  }

  /** Vertices removed so far. */
  get nRemoved(): number {
    return this.collapses.length / 2;
  }

  /** The collapses so far, in their order: pairs of the vertex that went and the one that it was moved onto. */
  readonly collapses: number[] = [];

  /** Yields the fraction done. */
  *run(rounds: readonly number[] = ROUNDS): Generator<number, void> {
    const n = this.editor.nVertices;
    for (const [round, share] of rounds.entries()) {
      for (let v = 0; v < n; v++) {
        if (this.editor.faces[v] === 0 && this.mayGo?.[v] !== 0) this.tryRemove(v, share);
        if (v % VERTICES_PER_YIELD === 0) yield (round + v / n) / rounds.length;
      }
    }
  }

  /** Removes v where it would stand off by less than a share of the tolerance. */
  private tryRemove(v: number, share: number): void {
    if (this.known[v] >= share || !this.collectRing(v)) return;
    this.tolerance = this.ringTolerance(v);
    const most = share * this.tolerance;
    let best = -1;
    let least = LAST * this.tolerance;
    for (let i = 0; i < this.nRing; i++) {
      const to = this.ring[i * 2];
      const off = this.standOff(v, to, least);
      if (off >= least) continue;
      least = off;
      best = to;
    }
    // Exactly the largest share where there is none nearer, or rounding would have it looked for again.
    this.known[v] = best < 0 ? LAST : least / this.tolerance;
    if (best < 0 || least >= most) return;
    const place = this.editor.positions.subarray(best * 3, best * 3 + 3);
    if (!this.editor.isLinkSound(v, best) || !this.volumes.mayMove(v, place) || !this.isNearField(v, best)) {
      this.known[v] = Number.POSITIVE_INFINITY;
      return;
    }
    for (let i = 0; i < this.nRing; i++) this.known[this.ring[i * 2]] = -1;
    this.collapse(v, best);
  }

  /** Moves v onto a neighbour, which is known to be sound. */
  collapse(v: number, to: number): void {
    const { editor } = this;
    this.volumes.move(v, editor.positions.subarray(to * 3, to * 3 + 3));
    editor.collapse(v, to);
    this.collapses.push(v, to);
  }

  /** The least tolerance of the vertices that the new triangles may have. */
  private ringTolerance(v: number): number {
    let least = this.tolerances[v];
    for (let i = 0; i < this.nRing; i++) least = Math.min(least, this.tolerances[this.ring[i * 2]]);
    return least;
  }

  /** The sides opposite to v of its triangles, as pairs; false where v is gone, or has too many. */
  private collectRing(v: number): boolean {
    const { editor, ring } = this;
    this.nRing = 0;
    for (let c = editor.nextCorner(v, -1); c >= 0; c = editor.nextCorner(v, c)) {
      if (this.nRing >= COLLAPSE.maxRing) return false;
      const t = c - (c % 3);
      ring[this.nRing * 2] = editor.indices[t + ((c - t + 1) % 3)];
      ring[this.nRing * 2 + 1] = editor.indices[t + ((c - t + 2) % 3)];
      this.nRing++;
    }
    return this.nRing > 2;
  }

  /**
   * Distance of v from the triangles that would replace its own, where it is below the limit; else, and where one folds,
   * Infinity. Their planes are not enough: a corner of the surface may lie in the plane of a triangle that cuts it off.
   */
  private standOff(v: number, to: number, limit: number): number {
    const { editor, ring } = this;
    const p = editor.positions;
    let least = limit;
    for (let i = 0; i < this.nRing; i++) {
      const a = ring[i * 2];
      const b = ring[i * 2 + 1];
      if (a === to || b === to) continue;
      const n = editor.triangleNormal(to, a, b);
      const norm = Math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
      if (!this.isWellShaped(n, norm, to, a, b)) return Number.POSITIVE_INFINITY;
      const off =
        n[0] * (p[v * 3] - p[to * 3]) +
        n[1] * (p[v * 3 + 1] - p[to * 3 + 1]) +
        n[2] * (p[v * 3 + 2] - p[to * 3 + 2]);
      if (Math.abs(off) >= least * norm) continue;
      least = Math.min(least, editor.distanceTo(to, a, b, p[v * 3], p[v * 3 + 1], p[v * 3 + 2]));
    }
    return least < limit ? least : Number.POSITIVE_INFINITY;
  }

  private isWellShaped(n: Float64Array, norm: number, a: number, b: number, c: number): boolean {
    const longest2 = Math.max(this.length2(a, b), this.length2(b, c), this.length2(c, a));
    if (norm < COLLAPSE.leastAspect * longest2) return false;
    const least = COLLAPSE.leastCosine * norm;
    return this.facing(n, a) >= least && this.facing(n, b) >= least && this.facing(n, c) >= least;
  }

  private facing(n: Float64Array, v: number): number {
    const m = this.normals;
    return n[0] * m[v * 3] + n[1] * m[v * 3 + 1] + n[2] * m[v * 3 + 2];
  }

  private length2(a: number, b: number): number {
    const p = this.editor.positions;
    return (
      (p[a * 3] - p[b * 3]) ** 2 + (p[a * 3 + 1] - p[b * 3 + 1]) ** 2 + (p[a * 3 + 2] - p[b * 3 + 2]) ** 2
    );
  }

  /** Whether sampled points of the new triangles, inside and on their new sides, stay near the zero set. */
  private isNearField(v: number, to: number): boolean {
    const { ring, points, values } = this;
    const p = this.editor.positions;
    let n = 0;
    for (let i = 0; i < this.nRing; i++) {
      const a = ring[i * 2];
      const b = ring[i * 2 + 1];
      if (a === to || b === to) continue;
      for (let k = 0; k < 3; k++) {
        const x = p[to * 3 + k];
        const y = p[a * 3 + k];
        points[n * 3 + k] = (x + y + p[b * 3 + k]) / 3;
        points[n * 3 + 3 + k] = 0.5 * (x + y);
      }
      n += 2;
    }
    this.field.evaluate(points, values, n);
    const most = COLLAPSE.sampleShare * this.tolerance * Math.min(this.slopes[v], this.slopes[to]);
    for (let i = 0; i < n; i++) if (Math.abs(values[i]) > most) return false;
    return true;
  }
}
