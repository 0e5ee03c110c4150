import { length3 } from '../arrays.ts';
import type { CpuField } from '../field/cpu-field.ts';
import { evaluateRegion, MAX_UNITS } from '../partition/region-evaluate.ts';
import type { RegionNetwork } from '../partition/region-network.ts';
import { SignProbe } from './sign-probe.ts';

/** Bits of a vertex's first mask that name the six sides of its box; the others name chords. */
export const N_SIDE_BITS = 6;
/** Chords that two masks of 31 bits can name. */
export const MAX_CHORDS = 2 * 31 - N_SIDE_BITS;

const MAX_PROJECTION_STEPS = 40;

/**
 * The surface inside one box while it is derived: vertices, polygons, then triangles. f increases along `direction`
 * there, so the surface is a graph over the plane of (e1, e2) and everything is decided on its projection (qx, qy):
 * a vertex moved along `direction` stays where it is in the plane.
 */
export class Patch {
  readonly net: RegionNetwork;
  /** Asked instead of the reduced network where that has too many units to be of use; there are no creases then. */
  field: CpuField | undefined;
  /** Added to the field's values; see CornerTable. */
  isoOffset = 0;
  /** What follows has as many values, and may have old ones beyond: arrays that are cut grow anew for every box. */
  nVertices = 0;
  /** Vertex in the mesh, or -1 for one made here and not yet emitted. */
  id: number[] = [];
  x: number[] = [];
  y: number[] = [];
  z: number[] = [];
  qx: number[] = [];
  qy: number[] = [];
  /** Neuron whose hyperplane the vertex lies on, or -1. */
  neuron: number[] = [];
  /** Box sides and chords that the vertex lies on: two that share one may not be joined by a diagonal. */
  maskA: number[] = [];
  maskB: number[] = [];
  polygons: number[][] = [];
  nChords = 0;
  /** Neuron of each chord. */
  chordNeuron: number[] = [];
  readonly triangles: number[] = [];
  /** False once a vertex could not be put on the zero set inside the box; which ones: `unsound`. */
  isSound = true;
  readonly unsound: number[] = [];
  readonly direction = new Float64Array(3);
  readonly gradient = new Float64Array(3);
  /** v of every unit at the point evaluated last. */
  readonly unitValues = new Float64Array(MAX_UNITS);
  readonly unitGradients = new Float64Array(MAX_UNITS * 3);
  readonly origin = new Float64Array(3);
  readonly size = new Float64Array(3);
  private readonly e1 = new Float64Array(3);
  private readonly e2 = new Float64Array(3);
  private readonly t = new Float64Array(3);
  private readonly fieldValue = new Float64Array(1);
  /** Result of {@link project}. */
  readonly point = new Float64Array(3);

  private readonly probe: SignProbe;

  constructor(net: RegionNetwork) {
    this.net = net;
    this.probe = new SignProbe(net.field, net.field.asset.domain);
  }

  /** Starts a box: clears all, sets the frame. Direction has unit length. */
  begin(origin: ArrayLike<number>, size: ArrayLike<number>, direction: ArrayLike<number>): void {
    this.origin.set(origin);
    this.size.set(size);
    this.direction.set(direction);
    setFrame(this.direction, this.e1, this.e2);
    this.clear();
  }

  clear(): void {
    this.nVertices = 0;
    this.nChords = 0;
    this.isSound = true;
    this.unsound.length = 0;
    this.chordNeuron.length = 0;
    this.polygons.length = 0;
    this.triangles.length = 0;
  }

  addVertex(id: number, x: number, y: number, z: number, neuron: number): number {
    const i = this.nVertices++;
    this.id[i] = id;
    this.neuron[i] = neuron;
    this.maskA[i] = 0;
    this.maskB[i] = 0;
    this.setPosition(i, x, y, z);
    return i;
  }

  /** A vertex on the zero set beside (x, y, z); where that is not reached in the box, (x, y, z) itself, noted as unsound. */
  addProjected(x: number, y: number, z: number, neuron: number): number {
    if (this.project(x, y, z)) return this.addVertex(-1, this.point[0], this.point[1], this.point[2], neuron);
    this.isSound = false;
    const i = this.addVertex(-1, x, y, z, neuron);
    this.unsound.push(i);
    return i;
  }

  setPosition(i: number, x: number, y: number, z: number): void {
    const { e1, e2 } = this;
    this.x[i] = x;
    this.y[i] = y;
    this.z[i] = z;
    this.qx[i] = x * e1[0] + y * e1[1] + z * e1[2];
    this.qy[i] = x * e2[0] + y * e2[1] + z * e2[2];
  }

  markChord(i: number, chord: number): void {
    const bit = chord + N_SIDE_BITS;
    if (bit < 31) this.maskA[i] |= 1 << bit;
    else this.maskB[i] |= 1 << (bit - 31);
  }

  /** Whether vertices i and j lie on one side of the box or on one chord. */
  sharesLine(i: number, j: number): boolean {
    return ((this.maskA[i] & this.maskA[j]) | (this.maskB[i] & this.maskB[j])) !== 0;
  }

  /** Whether vertices i and j lie on one side of the box. */
  sharesSide(i: number, j: number): boolean {
    return (this.maskA[i] & this.maskA[j] & ((1 << N_SIDE_BITS) - 1)) !== 0;
  }

  /** Twice the signed area of triangle (i, j, k) in the projection. */
  area(i: number, j: number, k: number): number {
    const { qx, qy } = this;
    return (qx[j] - qx[i]) * (qy[k] - qy[i]) - (qy[j] - qy[i]) * (qx[k] - qx[i]);
  }

  /** Whether every vertex is on the zero set and no triangle is turned over in the projection. */
  isFilledSoundly(): boolean {
    const { triangles } = this;
    if (!this.isSound) return false;
    for (let t = 0; t < triangles.length; t += 3) {
      if (!(this.area(triangles[t], triangles[t + 1], triangles[t + 2]) > 0)) return false;
    }
    return true;
  }

  /** f at a point in local units; leaves ∇f (local) in `gradient`, v of all units in `unitValues` and their gradients. */
  evaluate(x: number, y: number, z: number): number {
    const { size, unitGradients } = this;
    const f = this.slopeAt(x, y, z, this.unitValues, unitGradients);
    if (this.field !== undefined) return f;
    for (let u = 0; u < this.net.nUnits * 3; u += 3) {
      unitGradients[u] /= size[0];
      unitGradients[u + 1] /= size[1];
      unitGradients[u + 2] /= size[2];
    }
    return f;
  }

  /** f at a point in local units; leaves ∇f (local) in `gradient`. Most who ask want nothing of the units. */
  private slopeAt(
    x: number,
    y: number,
    z: number,
    unitValues?: Float64Array,
    unitGradients?: Float64Array,
  ): number {
    const { t, origin, size, gradient } = this;
    if (this.field !== undefined) {
      t[0] = x;
      t[1] = y;
      t[2] = z;
      this.field.evaluateWithGradient(t, this.fieldValue, gradient, 1);
      return this.fieldValue[0] + this.isoOffset;
    }
    t[0] = (x - origin[0]) / size[0];
    t[1] = (y - origin[1]) / size[1];
    t[2] = (z - origin[2]) / size[2];
    const f = evaluateRegion(this.net, t, gradient, unitValues, unitGradients);
    gradient[0] /= size[0];
    gradient[1] /= size[1];
    gradient[2] /= size[2];
    return f;
  }

  /** Distance of a point from the zero set to first order: |f| / |∇f|. */
  deviation(x: number, y: number, z: number): number {
    return this.firstOrder(this.slopeAt(x, y, z));
  }

  /**
   * As {@link deviation}, but no more than `most` where f changes its sign that near along the patch's direction, which
   * bounds the distance both ways. Beside a crease, and where f is next to constant on one side, the first-order figure may
   * be anything.
   * @param farthest no point asked is farther from the zero set: a figure beyond that says nothing, and signs all around do.
   */
  deviationWithin(x: number, y: number, z: number, most: number, farthest: number): number {
    const f = this.slopeAt(x, y, z);
    const off = this.firstOrder(f);
    if (off <= most) return off;
    const { direction: d, probe } = this;
    const reach = f >= 0 ? -most : most;
    // Beyond the box the field itself is asked: the reduced network holds in the box only.
    if (probe.isCrossed(f, x, y, z, reach * d[0], reach * d[1], reach * d[2])) return most;
    return off > farthest && probe.isCrossedAround(f, x, y, z, most) ? most : off;
  }

  private firstOrder(f: number): number {
    const g = this.gradient;
    const norm = length3(g[0], g[1], g[2]);
    if (norm === 0) return f === 0 ? 0 : Number.POSITIVE_INFINITY;
    return Math.abs(f) / norm;
  }

  /** Puts the point of the zero set on the line through (x, y, z) along `direction` in `point`; false where the line leaves the box before. */
  project(x: number, y: number, z: number): boolean {
    const { direction: d, point } = this;
    const [from, to] = this.clip(x, y, z);
    let lo = from;
    let hi = to;
    let s = Math.min(hi, Math.max(lo, 0));
    for (let i = 0; i < MAX_PROJECTION_STEPS && lo < hi; i++) {
      const f = this.slopeAt(x + s * d[0], y + s * d[1], z + s * d[2]);
      if (f === 0) break;
      if (f > 0) hi = s;
      else lo = s;
      const slope = d[0] * this.gradient[0] + d[1] * this.gradient[1] + d[2] * this.gradient[2];
      const newton = s - f / slope;
      const next = newton > lo && newton < hi ? newton : 0.5 * (lo + hi);
      const step = Math.abs(next - s);
      s = next;
      if (step < 1e-15 * (Math.abs(x) + Math.abs(y) + Math.abs(z) + to - from)) break;
    }
    point[0] = x + s * d[0];
    point[1] = y + s * d[1];
    point[2] = z + s * d[2];
    const margin = 1e-9 * (to - from);
    return s > from + margin && s < to - margin;
  }

  /** Newton's method from (x, y, z) along the gradients met, into `point`; false where it leaves the box or does not end. */
  descend(x: number, y: number, z: number): boolean {
    const { gradient: g, point, origin, size } = this;
    point.set([x, y, z]);
    const least = 1e-12 * length3(size[0], size[1], size[2]);
    for (let i = 0; i < MAX_PROJECTION_STEPS; i++) {
      const f = this.slopeAt(point[0], point[1], point[2]);
      const norm2 = g[0] * g[0] + g[1] * g[1] + g[2] * g[2];
      if (norm2 === 0) return false;
      for (let k = 0; k < 3; k++) {
        point[k] -= (f * g[k]) / norm2;
        if (!(point[k] > origin[k] && point[k] < origin[k] + size[k])) return false;
      }
      if (f * f <= least * least * norm2) return true;
    }
    return false;
  }

  /** Range of s in which (x, y, z) + s * direction lies in the box. */
  private clip(x: number, y: number, z: number): [number, number] {
    let from = Number.NEGATIVE_INFINITY;
    let to = Number.POSITIVE_INFINITY;
    for (let k = 0; k < 3; k++) {
      const d = this.direction[k];
      if (d === 0) continue;
      const p = k === 0 ? x : k === 1 ? y : z;
      const a = (this.origin[k] - p) / d;
      const b = (this.origin[k] + this.size[k] - p) / d;
      from = Math.max(from, Math.min(a, b));
      to = Math.min(to, Math.max(a, b));
    }
    return [from, to];
  }
}

/** Two unit vectors with e1 × e2 = direction. */
function setFrame(direction: Float64Array, e1: Float64Array, e2: Float64Array): void {
  const [x, y, z] = direction;
  let axis = 0;
  for (let k = 1; k < 3; k++) if (Math.abs(direction[k]) < Math.abs(direction[axis])) axis = k;
  const a = [0, 0, 0];
  a[axis] = 1;
  const dot = direction[axis];
  const v = [a[0] - dot * x, a[1] - dot * y, a[2] - dot * z];
  const norm = Math.hypot(v[0], v[1], v[2]);
  for (let k = 0; k < 3; k++) e1[k] = v[k] / norm;
  e2[0] = y * e1[2] - z * e1[1];
  e2[1] = z * e1[0] - x * e1[2];
  e2[2] = x * e1[1] - y * e1[0];
}
