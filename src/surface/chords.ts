import { length3 } from '../arrays.ts';
import type { Vec3 } from '../format/asset.ts';
import { MAX_UNITS } from '../partition/region-evaluate.ts';
import { CrossingSolver } from './crossing.ts';
import { MAX_CHORDS, type Patch } from './patch.ts';

/** Cosine of the gradients on both sides of a crease up to which it is sharp: the surface's edge has less than some 80 degrees. */
const SHARP = -0.15;

/** A part of a unit's crease between two points of the zero set. */
export interface Crease {
  readonly from: Vec3;
  readonly to: Vec3;
  readonly unit: number;
}

/** Bends lower than this share of the tolerance get no chord. */
const LEAST_BEND = 0.25;

/**
 * Splits the polygons of a patch along its units' creases, in layer order (edge subdivision, Berzins 2023, on the
 * surface instead of in space): a polygon whose boundary changes the unit's sign at two places is cut by a chord
 * between them. Where a unit changes sign along a chord, a vertex is put at the crossing of the two creases, in both
 * polygons that share the chord, whether or not they can be cut there.
 */
export class ChordSplitter {
  /**
   * Crossings of two creases that were not found (placed by projection instead), and chords that would have both ends on
   * one side of the box or on one chord (left out).
   */
  nMissed = 0;
  /** The chords along sharp creases of the patch that was split last. */
  readonly sharp: Crease[] = [];
  #isSharp = false;
  /** Chords left out so far. */
  #nRefused = 0;
  private readonly patch: Patch;
  /** v of unit u at vertex i: values[i * MAX_UNITS + u]. */
  private values = new Float64Array(64 * MAX_UNITS);
  #nValued = 0;
  private readonly crossings = new Map<number, number>();
  readonly #solver: CrossingSolver;

  constructor(patch: Patch) {
    this.patch = patch;
    this.#solver = new CrossingSolver(patch);
  }

  /**
   * @param tolerance creases that bend the surface less than a share of it are left out; 0 takes all.
   * @returns false where there are more creases than masks can name.
   */
  split(tolerance: number): boolean {
    const { net } = this.patch;
    const again: number[] = [];
    this.#nValued = 0;
    this.sharp.length = 0;
    for (let u = 0; u < net.nUnits; u++) {
      this.#valueVertices();
      if (!this.#isMet(u)) continue;
      this.#isSharp = false;
      if (tolerance > 0 && this.#bend(u) < LEAST_BEND * tolerance) continue;
      this.#nRefused = 0;
      if (!this.#splitAlong(u)) return false;
      if (this.#nRefused > 0) again.push(u);
    }
    // A crease that comes and goes by one side bends in between, where it meets the crease of a later unit.
    this.#nRefused = 0;
    if (tolerance === 0) for (const u of again) if (!this.#splitAlong(u)) return false;
    this.nMissed += this.#nRefused;
    return true;
  }

  #splitAlong(u: number): boolean {
    this.#valueVertices();
    this.#crossChords(u);
    const n = this.patch.polygons.length;
    for (let i = 0; i < n; i++) if (!this.#cutPolygon(u, i)) return false;
    return true;
  }

  #valueVertices(): void {
    const { patch } = this;
    for (; this.#nValued < patch.nVertices; this.#nValued++) {
      const i = this.#nValued;
      patch.evaluate(patch.x[i], patch.y[i], patch.z[i]);
      const row = i * MAX_UNITS;
      if (this.values.length < row + MAX_UNITS) {
        const grown = new Float64Array(this.values.length * 2);
        grown.set(this.values);
        this.values = grown;
      }
      for (let u = 0; u < patch.net.nUnits; u++) {
        const isOn = patch.neuron[i] >= 0 && patch.net.unitNeuron[u] === patch.neuron[i];
        this.values[row + u] = isOn ? 0 : patch.unitValues[u];
      }
    }
  }

  /** Whether unit u changes sign between vertices of the patch. */
  #isMet(u: number): boolean {
    let hasPositive = false;
    let hasNegative = false;
    for (let i = 0; i < this.patch.nVertices; i++) {
      const v = this.values[i * MAX_UNITS + u];
      if (v > 0) hasPositive = true;
      else if (v < 0) hasNegative = true;
    }
    return hasPositive && hasNegative;
  }

  /** Rough height by which the surface bends over unit u's crease: change of slope times a quarter of the patch. */
  #bend(u: number): number {
    const { patch } = this;
    const { net } = patch;
    let weight = net.fB[u];
    for (let v = u + 1; v < net.nUnits; v++) weight += net.fB[v] * net.unitB[v * MAX_UNITS + u];
    // The crease's middle, roughly: where the unit is least on the loop.
    const polygon = patch.polygons[0];
    let at = polygon[0];
    for (const i of polygon) {
      if (Math.abs(this.values[i * MAX_UNITS + u]) < Math.abs(this.values[at * MAX_UNITS + u])) at = i;
    }
    patch.evaluate(patch.x[at], patch.y[at], patch.z[at]);
    const g = patch.gradient;
    const gu = patch.unitGradients;
    const jump = length3(gu[u * 3], gu[u * 3 + 1], gu[u * 3 + 2]) * Math.abs(weight);
    const slope = length3(g[0], g[1], g[2]);
    // The gradient beyond the crease.
    const flip = patch.unitValues[u] >= 0 ? -weight : weight;
    const [x, y, z] = [0, 1, 2].map((k) => g[k] + flip * gu[u * 3 + k]);
    this.#isSharp = x * g[0] + y * g[1] + z * g[2] < SHARP * slope * length3(x, y, z);
    return (jump / (slope || 1)) * this.#extent() * 0.25;
  }

  /** Diagonal of the first polygon's bounding rectangle in the projection. */
  #extent(): number {
    const { qx, qy } = this.patch;
    let [minX, maxX, minY, maxY] = [qx[0], qx[0], qy[0], qy[0]];
    for (let i = 1; i < this.patch.nVertices; i++) {
      minX = Math.min(minX, qx[i]);
      maxX = Math.max(maxX, qx[i]);
      minY = Math.min(minY, qy[i]);
      maxY = Math.max(maxY, qy[i]);
    }
    return Math.hypot(maxX - minX, maxY - minY);
  }

  /** Puts a vertex on every chord along which unit u changes sign. */
  #crossChords(u: number): void {
    const { patch, crossings } = this;
    if (patch.nChords === 0) return;
    crossings.clear();
    for (let p = 0; p < patch.polygons.length; p++) {
      const polygon = patch.polygons[p];
      const crossed: number[] = [];
      for (let k = 0; k < polygon.length; k++) {
        const a = polygon[k];
        const b = polygon[(k + 1) % polygon.length];
        crossed.push(a);
        const chord = this.#chordOf(a, b);
        if (chord < 0 || !this.#changesSign(a, b, u)) continue;
        const key = Math.min(a, b) * 65536 + Math.max(a, b);
        let vertex = crossings.get(key);
        if (vertex === undefined) {
          vertex = this.#addCrossing(Math.min(a, b), Math.max(a, b), chord, u);
          crossings.set(key, vertex);
        }
        crossed.push(vertex);
      }
      patch.polygons[p] = crossed;
    }
  }

  #changesSign(a: number, b: number, u: number): boolean {
    const va = this.values[a * MAX_UNITS + u];
    const vb = this.values[b * MAX_UNITS + u];
    return (va < 0 && vb > 0) || (va > 0 && vb < 0);
  }

  /** The chord on which both ends lie, or -1. An edge of the box's sides is not one. */
  #chordOf(a: number, b: number): number {
    const { patch } = this;
    for (let chord = 0; chord < patch.nChords; chord++) {
      const bit = chord + 6;
      const inA = bit < 31 ? (patch.maskA[a] >> bit) & 1 : (patch.maskB[a] >> (bit - 31)) & 1;
      const inB = bit < 31 ? (patch.maskA[b] >> bit) & 1 : (patch.maskB[b] >> (bit - 31)) & 1;
      if (inA && inB) return chord;
    }
    return -1;
  }

  #addCrossing(a: number, b: number, chord: number, u: number): number {
    const { patch } = this;
    const va = this.values[a * MAX_UNITS + u];
    const vb = this.values[b * MAX_UNITS + u];
    const m = patch.net.unitNeuron.indexOf(patch.chordNeuron[chord]);
    const neuron = patch.net.unitNeuron[u];
    let vertex: number;
    if (this.#solver.solve(a, b, m, u, va, vb)) {
      const [x, y, z] = patch.point;
      vertex = patch.addVertex(-1, x, y, z, neuron);
    } else {
      this.nMissed++;
      const s = va / (va - vb);
      const between = (c: readonly number[]) => c[a] + s * (c[b] - c[a]);
      vertex = patch.addProjected(between(patch.x), between(patch.y), between(patch.z), neuron);
    }
    patch.markChord(vertex, chord);
    this.#valueVertices();
    this.values[vertex * MAX_UNITS + m] = 0;
    return vertex;
  }

  /** Cuts polygon p along unit u's crease; false where there are no names left for chords. */
  #cutPolygon(u: number, p: number): boolean {
    const places = this.#crossingPlaces(this.patch.polygons[p], u);
    if (places.length < 2) return true;
    const [from, to] = places.length === 2 ? places : this.#closestPair(this.patch.polygons[p], places, u);
    const polygon = this.patch.polygons[p];
    const a = polygon[from];
    const b = polygon[to];
    const isAdjacent = to - from === 1 || to - from === polygon.length - 1;
    if (isAdjacent || a === b) return true;
    if (this.patch.sharesLine(a, b)) {
      this.#nRefused++;
      return true;
    }
    if (this.patch.nChords >= MAX_CHORDS) return false;
    this.#cut(u, p, from, to);
    return (
      places.length === 2 || (this.#cutPolygon(u, p) && this.#cutPolygon(u, this.patch.polygons.length - 1))
    );
  }

  #cut(u: number, p: number, from: number, to: number): void {
    const { patch } = this;
    const polygon = patch.polygons[p];
    const chord = patch.nChords++;
    patch.chordNeuron[chord] = patch.net.unitNeuron[u];
    if (this.#isSharp) {
      const at = (i: number): Vec3 => [patch.x[i], patch.y[i], patch.z[i]];
      this.sharp.push({ from: at(polygon[from]), to: at(polygon[to]), unit: u });
    }
    for (const i of [polygon[from], polygon[to]]) {
      patch.markChord(i, chord);
      this.values[i * MAX_UNITS + u] = 0;
    }
    patch.polygons[p] = polygon.slice(from, to + 1);
    patch.polygons.push([...polygon.slice(to), ...polygon.slice(0, from + 1)]);
  }

  /** Positions in the polygon where u's sign changes, ascending: a vertex on the crease, else the nearer end of a side. */
  #crossingPlaces(polygon: readonly number[], u: number): number[] {
    const { values } = this;
    const n = polygon.length;
    const places: number[] = [];
    let first = 0;
    while (first < n && values[polygon[first] * MAX_UNITS + u] === 0) first++;
    if (first === n) return places;
    let before = first;
    let valueBefore = values[polygon[first] * MAX_UNITS + u];
    for (let k = first + 1; k <= first + n; k++) {
      const value = values[polygon[k % n] * MAX_UNITS + u];
      if (value === 0) continue;
      if (valueBefore > 0 !== value > 0) {
        const isNearer = Math.abs(valueBefore) <= Math.abs(value);
        const place = (k - before > 1 ? before + ((k - before) >> 1) : isNearer ? before : k) % n;
        if (!places.includes(place)) places.push(place);
      }
      before = k;
      valueBefore = value;
    }
    return places.length < 2 ? places : places.sort((a, b) => a - b);
  }

  /** Of more than two places, the pair whose chord stays nearest to the crease and has the others on one side. */
  #closestPair(polygon: readonly number[], places: readonly number[], u: number): [number, number] {
    const { patch } = this;
    let best: [number, number] = [places[0], places[1]];
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < places.length; i++) {
      const j = (i + 1) % places.length;
      const a = polygon[places[i]];
      const b = polygon[places[j]];
      if (patch.sharesLine(a, b)) continue;
      patch.evaluate(
        0.5 * (patch.x[a] + patch.x[b]),
        0.5 * (patch.y[a] + patch.y[b]),
        0.5 * (patch.z[a] + patch.z[b]),
      );
      const off = Math.abs(patch.unitValues[u]);
      if (off >= least) continue;
      least = off;
      best = [Math.min(places[i], places[j]), Math.max(places[i], places[j])];
    }
    return best;
  }
}
