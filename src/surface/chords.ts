import { MAX_UNITS } from '../partition/region-network.ts';
import { MAX_CHORDS, type Patch } from './patch.ts';

const MAX_NEWTON_STEPS = 12;
/** Bends lower than this share of the tolerance get no chord. */
const LEAST_BEND = 0.25;

/**
 * Splits the polygons of a patch along its units' creases, in layer order (edge subdivision, Berzins 2023, on the
 * surface instead of in space): a polygon whose boundary changes the unit's sign at two places is cut by a chord
 * between them. Where a unit changes sign along a chord, a vertex is put at the crossing of the two creases, in both
 * polygons that share the chord, whether or not they can be cut there.
 */
export class ChordSplitter {
  /** Crossings of two creases that Newton did not reach (placed by projection instead). */
  nProjected = 0;
  private readonly patch: Patch;
  /** v of unit u at vertex i: values[i * MAX_UNITS + u]. */
  private values = new Float64Array(64 * MAX_UNITS);
  private nValued = 0;
  private readonly crossings = new Map<number, number>();
  private readonly system = new Float64Array(12);

  constructor(patch: Patch) {
    this.patch = patch;
  }

  /**
   * @param tolerance creases that bend the surface less than a share of it are left out; 0 takes all.
   * @returns false where there are more creases than masks can name.
   */
  split(tolerance: number): boolean {
    const { patch } = this;
    this.nValued = 0;
    for (let u = 0; u < patch.net.nUnits; u++) {
      this.valueVertices();
      if (!this.isMet(u)) continue;
      if (tolerance > 0 && this.bend(u) < LEAST_BEND * tolerance) continue;
      this.crossChords(u);
      const n = patch.polygons.length;
      for (let i = 0; i < n; i++) {
        if (!this.cutPolygon(u, i)) return false;
      }
    }
    return true;
  }

  private valueVertices(): void {
    const { patch } = this;
    for (; this.nValued < patch.nVertices; this.nValued++) {
      const i = this.nValued;
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
  private isMet(u: number): boolean {
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
  private bend(u: number): number {
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
    const jump = Math.hypot(gu[u * 3], gu[u * 3 + 1], gu[u * 3 + 2]) * Math.abs(weight);
    return (jump / (Math.hypot(g[0], g[1], g[2]) || 1)) * this.extent() * 0.25;
  }

  /** Diagonal of the first polygon's bounding rectangle in the projection. */
  private extent(): number {
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
  private crossChords(u: number): void {
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
        const chord = this.chordOf(a, b);
        if (chord < 0 || !this.changesSign(a, b, u)) continue;
        const key = Math.min(a, b) * 65536 + Math.max(a, b);
        let vertex = crossings.get(key);
        if (vertex === undefined) {
          vertex = this.addCrossing(Math.min(a, b), Math.max(a, b), chord, u);
          crossings.set(key, vertex);
        }
        crossed.push(vertex);
      }
      patch.polygons[p] = crossed;
    }
  }

  private changesSign(a: number, b: number, u: number): boolean {
    const va = this.values[a * MAX_UNITS + u];
    const vb = this.values[b * MAX_UNITS + u];
    return (va < 0 && vb > 0) || (va > 0 && vb < 0);
  }

  /** The chord on which both ends lie, or -1. An edge of the box's sides is not one. */
  private chordOf(a: number, b: number): number {
    const { patch } = this;
    for (let chord = 0; chord < patch.nChords; chord++) {
      const bit = chord + 6;
      const inA = bit < 31 ? (patch.maskA[a] >> bit) & 1 : (patch.maskB[a] >> (bit - 31)) & 1;
      const inB = bit < 31 ? (patch.maskA[b] >> bit) & 1 : (patch.maskB[b] >> (bit - 31)) & 1;
      if (inA && inB) return chord;
    }
    return -1;
  }

  private addCrossing(a: number, b: number, chord: number, u: number): number {
    const { patch } = this;
    const va = this.values[a * MAX_UNITS + u];
    const s = va / (va - this.values[b * MAX_UNITS + u]);
    const x = patch.x[a] + s * (patch.x[b] - patch.x[a]);
    const y = patch.y[a] + s * (patch.y[b] - patch.y[a]);
    const z = patch.z[a] + s * (patch.z[b] - patch.z[a]);
    const reach = Math.hypot(patch.x[b] - patch.x[a], patch.y[b] - patch.y[a], patch.z[b] - patch.z[a]);
    const m = patch.net.unitNeuron.indexOf(patch.chordNeuron[chord]);
    const neuron = patch.net.unitNeuron[u];
    let vertex: number;
    if (this.newton(x, y, z, m, u, reach)) {
      const [px, py, pz] = patch.point;
      vertex = patch.addVertex(-1, px, py, pz, neuron);
    } else {
      this.nProjected++;
      vertex = patch.addProjected(x, y, z, neuron);
    }
    patch.markChord(vertex, chord);
    this.valueVertices();
    this.values[vertex * MAX_UNITS + m] = 0;
    return vertex;
  }

  /**
   * Solves f = v_m = v_u = 0 from (x, y, z) into patch.point (least-norm steps where gradients are dependent are
   * refused). False where it does not converge within `reach` and the box.
   */
  private newton(x: number, y: number, z: number, m: number, u: number, reach: number): boolean {
    const { patch, system } = this;
    let [px, py, pz] = [x, y, z];
    for (let step = 0; step < MAX_NEWTON_STEPS; step++) {
      const f = patch.evaluate(px, py, pz);
      const g = patch.unitGradients;
      for (let k = 0; k < 3; k++) {
        system[k] = patch.gradient[k];
        system[4 + k] = g[m * 3 + k];
        system[8 + k] = g[u * 3 + k];
      }
      system[3] = -f;
      system[7] = -patch.unitValues[m];
      system[11] = -patch.unitValues[u];
      if (!solve3(system)) return false;
      px += system[3];
      py += system[7];
      pz += system[11];
      if (Math.hypot(px - x, py - y, pz - z) > reach) return false;
      if (Math.hypot(system[3], system[7], system[11]) > 1e-12 * reach) continue;
      patch.point[0] = px;
      patch.point[1] = py;
      patch.point[2] = pz;
      return this.isInside(px, py, pz);
    }
    return false;
  }

  private isInside(x: number, y: number, z: number): boolean {
    const { origin, size } = this.patch;
    const inX = x >= origin[0] && x <= origin[0] + size[0];
    const inY = y >= origin[1] && y <= origin[1] + size[1];
    return inX && inY && z >= origin[2] && z <= origin[2] + size[2];
  }

  /** Cuts polygon p along unit u's crease; false where there are no names left for chords. */
  private cutPolygon(u: number, p: number): boolean {
    const places = this.crossingPlaces(this.patch.polygons[p], u);
    if (places.length < 2) return true;
    const [from, to] = places.length === 2 ? places : this.closestPair(this.patch.polygons[p], places, u);
    const polygon = this.patch.polygons[p];
    const a = polygon[from];
    const b = polygon[to];
    const isAdjacent = to - from === 1 || to - from === polygon.length - 1;
    if (isAdjacent || a === b || this.patch.sharesLine(a, b)) return true;
    if (this.patch.nChords >= MAX_CHORDS) return false;
    this.cut(u, p, from, to);
    return (
      places.length === 2 || (this.cutPolygon(u, p) && this.cutPolygon(u, this.patch.polygons.length - 1))
    );
  }

  private cut(u: number, p: number, from: number, to: number): void {
    const { patch } = this;
    const polygon = patch.polygons[p];
    const chord = patch.nChords++;
    patch.chordNeuron[chord] = patch.net.unitNeuron[u];
    for (const i of [polygon[from], polygon[to]]) {
      patch.markChord(i, chord);
      this.values[i * MAX_UNITS + u] = 0;
    }
    patch.polygons[p] = polygon.slice(from, to + 1);
    patch.polygons.push([...polygon.slice(to), ...polygon.slice(0, from + 1)]);
  }

  /** Positions in the polygon where u's sign changes: a vertex on the crease, else the nearer end of a side. */
  private crossingPlaces(polygon: readonly number[], u: number): number[] {
    const n = polygon.length;
    const value = (k: number) => this.values[polygon[k % n] * MAX_UNITS + u];
    const places: number[] = [];
    let first = 0;
    while (first < n && value(first) === 0) first++;
    if (first === n) return places;
    let before = first;
    for (let k = first + 1; k <= first + n; k++) {
      if (value(k) === 0) continue;
      if (value(before) > 0 !== value(k) > 0) places.push(this.placeBetween(value, before, k) % n);
      before = k;
    }
    return [...new Set(places)].sort((a, b) => a - b);
  }

  private placeBetween(value: (k: number) => number, from: number, to: number): number {
    if (to - from > 1) return from + ((to - from) >> 1);
    return Math.abs(value(from)) <= Math.abs(value(to)) ? from : to;
  }

  /** Of more than two places, the pair whose chord stays nearest to the crease and has the others on one side. */
  private closestPair(polygon: readonly number[], places: readonly number[], u: number): [number, number] {
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

/** Gaussian elimination with pivoting on 3 rows of 4; the solution replaces the last column. */
function solve3(m: Float64Array): boolean {
  let scale = 0;
  for (let i = 0; i < 12; i++) if (i % 4 < 3) scale = Math.max(scale, Math.abs(m[i]));
  for (let c = 0; c < 3; c++) {
    let pivot = c;
    for (let r = c + 1; r < 3; r++) if (Math.abs(m[r * 4 + c]) > Math.abs(m[pivot * 4 + c])) pivot = r;
    if (!(Math.abs(m[pivot * 4 + c]) > 1e-10 * scale)) return false;
    for (let k = 0; k < 4; k++) [m[c * 4 + k], m[pivot * 4 + k]] = [m[pivot * 4 + k], m[c * 4 + k]];
    for (let r = 0; r < 3; r++) {
      if (r === c) continue;
      const factor = m[r * 4 + c] / m[c * 4 + c];
      for (let k = c; k < 4; k++) m[r * 4 + k] -= factor * m[c * 4 + k];
    }
  }
  for (let r = 0; r < 3; r++) m[r * 4 + 3] /= m[r * 4 + r];
  return true;
}
