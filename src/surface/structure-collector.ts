import { type CornerTable, latticeCoordinate } from '../partition/corners.ts';
import { type Forest, NODE_SETTLED } from '../partition/forest.ts';
import { NumberMap } from '../partition/number-map.ts';
import type { VertexTable } from './mesh-tables.ts';
import { N_SIDE_BITS, type Patch } from './patch.ts';
import { type RegionStructure, signVectors } from './structure.ts';

/** Factor that packs two vertex ids in one key below 2^53. */
const PAIR = 2 ** 26;

/** The structure of a part, and which of the part's vertices its own are: ascending, i32[structure.vertices.length / 3]. */
export interface PartStructure {
  readonly structure: RegionStructure;
  readonly ids: Int32Array;
}

/** What made an edge of the skeleton. */
interface EdgeMaker {
  readonly axis: number;
  readonly mark: number;
  readonly coordinate: number;
  readonly neuron: number;
}

/** Gathers the {@link RegionStructure} while leaves are filled, from the polygons of their patches. */
export class StructureCollector {
  readonly #table: CornerTable;
  readonly #forest: Forest;
  readonly #vertices: VertexTable;
  /** Leaf nodes; the last one is still being added to. */
  readonly #nodes: number[] = [];
  readonly #flatness: number[] = [];
  readonly #neuronStart: number[] = [0];
  readonly #neurons: number[] = [];
  readonly #edgeIndex = new NumberMap(1 << 12);
  readonly #edges: number[] = [];
  readonly #makers: EdgeMaker[] = [];
  readonly #polygonStart: number[] = [0];
  readonly #polygonVertices: number[] = [];
  readonly #polygonLeaf: number[] = [];
  readonly #points: number[] = [];

  constructor(table: CornerTable, forest: Forest, vertices: VertexTable) {
    this.#table = table;
    this.#forest = forest;
    this.#vertices = vertices;
  }

  /** Adds one piece of surface in leaf `node`, its vertices emitted already. Pieces of one leaf follow each other. */
  add(node: number, patch: Patch): void {
    if (this.#nodes.at(-1) !== node) this.#beginLeaf(node, patch);
    const leaf = this.#nodes.length - 1;
    const off = distanceFromBestPlane(patch.x, patch.y, patch.z, patch.nVertices);
    this.#flatness[leaf] = Math.max(this.#flatness[leaf], off);
    for (const polygon of patch.polygons) {
      if (polygon.length < 3) continue;
      for (let k = 0; k < polygon.length; k++) {
        this.#polygonVertices.push(patch.id[polygon[k]]);
        this.#addEdge(node, patch, polygon[k], polygon[(k + 1) % polygon.length]);
      }
      this.#polygonStart.push(this.#polygonVertices.length);
      this.#polygonLeaf.push(leaf);
      innerPoint(patch, polygon, this.#points, this.#points.length);
    }
  }

  #beginLeaf(node: number, { net }: Patch): void {
    this.#nodes.push(node);
    this.#flatness.push(0);
    const neurons = new Set([...net.unitNeuron.subarray(0, net.nUnits), ...net.twinNeurons]);
    this.#neurons.push(...[...neurons].sort((a, b) => a - b));
    this.#neuronStart.push(this.#neurons.length);
  }

  #addEdge(node: number, patch: Patch, a: number, b: number): void {
    const low = Math.min(patch.id[a], patch.id[b]);
    const high = Math.max(patch.id[a], patch.id[b]);
    const edge = this.#makers.length;
    if (this.#edgeIndex.getOrSet(low * PAIR + high, edge) !== edge) return;
    this.#edges.push(low, high);
    this.#makers.push(this.#makerOf(node, patch, a, b));
  }

  /** Two neighbours on a polygon share either the side of the box that their edge lies on, or its chord. */
  #makerOf(node: number, patch: Patch, a: number, b: number): EdgeMaker {
    const maskA = patch.maskA[a] & patch.maskA[b];
    const maskB = patch.maskB[a] & patch.maskB[b];
    const side = lowestBit(maskA & ((1 << N_SIDE_BITS) - 1));
    if (side >= 0) return this.#planeMaker(node, side >> 1, side & 1);
    const chord = maskA === 0 ? 31 - N_SIDE_BITS + lowestBit(maskB) : lowestBit(maskA) - N_SIDE_BITS;
    return { axis: -1, mark: -1, coordinate: Number.NaN, neuron: patch.chordNeuron[chord] };
  }

  #planeMaker(node: number, axis: number, side: number): EdgeMaker {
    const { lattice } = this.#table;
    const at = this.#forest.box[node * 6 + axis + side * 3];
    const base = at >> lattice.subBits;
    const isMark = base << lattice.subBits === at;
    return { axis, mark: isMark ? base : -1, coordinate: latticeCoordinate(lattice, axis, at), neuron: -1 };
  }

  /**
   * The structure; yields the fraction done. The vertices' positions are read here: to be called before they are moved.
   * @param boxes i32[nBoxes * 3], the forest's roots, as far as they are this part's
   */
  *build(boxes: Int32Array): Generator<number, PartStructure, void> {
    const table = this.#table;
    const forest = this.#forest;
    const nodes = this.#nodes;
    const makers = this.#makers;
    const { numbers, positions, ids } = this.#compactVertices();
    const points = Float64Array.from(this.#points);
    const polygonSigns = yield* signVectors(table.field, points);
    const { planes } = table.lattice;
    const structure = {
      marks: [planes[0].slice(), planes[1].slice(), planes[2].slice()] as const,
      boxes: boxes.slice(),
      leaves: Float64Array.from(nodes.flatMap((node) => this.#corners(node))),
      leafBox: Int32Array.from(nodes, (node) => forest.root[node]),
      leafIsSettled: Uint8Array.from(nodes, (node) => (forest.state[node] === NODE_SETTLED ? 1 : 0)),
      leafFlatness: Float64Array.from(this.#flatness),
      leafNeuronStart: Int32Array.from(this.#neuronStart),
      leafNeurons: Int32Array.from(this.#neurons),
      vertices: positions,
      edges: Int32Array.from(this.#edges, (v) => numbers[v]),
      edgeAxis: Int8Array.from(makers, ({ axis }) => axis),
      edgeMark: Int32Array.from(makers, ({ mark }) => mark),
      edgeCoordinate: Float64Array.from(makers, ({ coordinate }) => coordinate),
      edgeNeuron: Int32Array.from(makers, ({ neuron }) => neuron),
      polygonStart: Int32Array.from(this.#polygonStart),
      polygonVertices: Int32Array.from(this.#polygonVertices, (v) => numbers[v]),
      polygonLeaf: Int32Array.from(this.#polygonLeaf),
      polygonPoints: points,
      nSignWords: Math.ceil(table.field.nPreActivations / 32),
      polygonSigns,
    };
    return { structure, ids };
  }

  /** The mesh's vertices that polygons use, renumbered in order: refinement's and fans' are left out. */
  #compactVertices(): { numbers: Int32Array; positions: Float64Array; ids: Int32Array } {
    const numbers = new Int32Array(this.#vertices.nVertices).fill(-1);
    for (const v of this.#polygonVertices) numbers[v] = 0;
    const ids = Int32Array.from(numbers.keys()).filter((v) => numbers[v] === 0);
    const positions = new Float64Array(ids.length * 3);
    ids.forEach((v, i) => {
      numbers[v] = i;
      positions.set(this.#vertices.positions.subarray(v * 3, v * 3 + 3), i * 3);
    });
    return { numbers, positions, ids };
  }

  /** Min xyz, max xyz. */
  #corners(node: number): number[] {
    return [0, 1, 2, 3, 4, 5].map((k) =>
      latticeCoordinate(this.#table.lattice, k % 3, this.#forest.box[node * 6 + k]),
    );
  }
}

/** Number of the lowest bit set, or -1. */
function lowestBit(mask: number): number {
  return mask === 0 ? -1 : 31 - Math.clz32(mask & -mask);
}

/** Polygons with more vertices are looked into along every second, third, ... diagonal only. */
const MANY = 32;

/** Candidates, deepest first, that are tried to be projected onto the zero set. */
const MAX_TRIES = 16;

/**
 * A point well inside a polygon of a patch, on the zero set: of the vertices' mean, the centroids of three consecutive
 * vertices and the middles of the diagonals, the one farthest from the sides in the projection that can be put on the
 * zero set within the box; the farthest, as it lies, where none can.
 * @param out f64, written from `offset` on.
 */
function innerPoint(patch: Patch, polygon: readonly number[], out: number[], offset: number): void {
  const candidates = listCandidates(polygon).map((chosen) => ({
    chosen,
    deep: depth(patch, polygon, chosen),
  }));
  candidates.sort((a, b) => b.deep - a.deep);
  const nTries = Math.min(MAX_TRIES, candidates.length);
  for (let i = 0; i < 2 * nTries; i++) {
    const { chosen } = candidates[i % nTries];
    const [x, y, z] = [mean(patch.x, chosen), mean(patch.y, chosen), mean(patch.z, chosen)];
    // Where the surface is seen nearly edge-on the way to it along the patch's direction may lead out of the box.
    const isProjected = i < nTries ? patch.project(x, y, z) : patch.descend(x, y, z);
    if (!isProjected && i > 0) continue;
    out[offset] = isProjected ? patch.point[0] : x;
    out[offset + 1] = isProjected ? patch.point[1] : y;
    out[offset + 2] = isProjected ? patch.point[2] : z;
    if (isProjected) return;
  }
}

/** Sets of vertices whose means may lie inside. */
function listCandidates(polygon: readonly number[]): (readonly number[])[] {
  const n = polygon.length;
  const step = Math.ceil(n / MANY);
  const candidates: (readonly number[])[] = [polygon];
  for (let i = 0; i < n; i++) {
    candidates.push([polygon[i], polygon[(i + 1) % n], polygon[(i + 2) % n]]);
    for (let j = i + 2; j < n; j += step) candidates.push([polygon[i], polygon[j]]);
  }
  return candidates;
}

function mean(values: readonly number[], chosen: readonly number[]): number {
  let sum = 0;
  for (const i of chosen) sum += values[i];
  return sum / chosen.length;
}

/** Distance, in the projection, of the chosen vertices' mean from the polygon's nearest side; negative outside. */
function depth(patch: Patch, polygon: readonly number[], chosen: readonly number[]): number {
  const { qx, qy } = patch;
  const x = mean(qx, chosen);
  const y = mean(qy, chosen);
  let least = Number.POSITIVE_INFINITY;
  let isInside = false;
  for (let k = 0, n = polygon.length; k < n; k++) {
    const [a, b] = [polygon[k], polygon[(k + 1) % n]];
    const [dx, dy] = [qx[b] - qx[a], qy[b] - qy[a]];
    const [px, py] = [x - qx[a], y - qy[a]];
    const length2 = dx * dx + dy * dy;
    const s = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
    least = Math.min(least, Math.hypot(px - s * dx, py - s * dy));
    if (qy[a] > y !== qy[b] > y && x < qx[a] + ((y - qy[a]) / dy) * dx) isInside = !isInside;
  }
  return isInside ? least : -least;
}

const MAX_SWEEPS = 12;

/**
 * Largest distance of points from the plane that fits them best in the least-squares sense (through their mean,
 * orthogonal to the direction in which they spread least); 0 for fewer than four points.
 * @param x of n points, as y and z are.
 */
export function distanceFromBestPlane(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: ArrayLike<number>,
  n: number,
): number {
  if (n < 4) return 0;
  const mean = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    mean[0] += x[i] / n;
    mean[1] += y[i] / n;
    mean[2] += z[i] / n;
  }
  const normal = leastSpread(covariance(x, y, z, n, mean));
  let most = 0;
  for (let i = 0; i < n; i++) {
    const off = normal[0] * (x[i] - mean[0]) + normal[1] * (y[i] - mean[1]) + normal[2] * (z[i] - mean[2]);
    most = Math.max(most, Math.abs(off));
  }
  return most;
}

/** Σ (p - mean)(p - mean)ᵀ, row-major. */
function covariance(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: ArrayLike<number>,
  n: number,
  mean: readonly number[],
): number[] {
  const c = new Array<number>(9).fill(0);
  for (let i = 0; i < n; i++) {
    const d = [x[i] - mean[0], y[i] - mean[1], z[i] - mean[2]];
    for (let k = 0; k < 9; k++) c[k] += d[Math.floor(k / 3)] * d[k % 3];
  }
  return c;
}

/** Unit eigenvector of the least eigenvalue of a symmetric 3x3 matrix (overwritten), by cyclic Jacobi rotations. */
function leastSpread(a: number[]): [number, number, number] {
  const v = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const off = Math.abs(a[1]) + Math.abs(a[2]) + Math.abs(a[5]);
    if (off <= 1e-16 * (Math.abs(a[0]) + Math.abs(a[4]) + Math.abs(a[8]))) break;
    rotate(a, v, 0, 1);
    rotate(a, v, 0, 2);
    rotate(a, v, 1, 2);
  }
  let least = 0;
  for (let k = 1; k < 3; k++) if (a[k * 4] < a[least * 4]) least = k;
  return [v[least], v[3 + least], v[6 + least]];
}

/** Turns the plane of axes p and q so that a_pq vanishes; the columns of v turn along. */
function rotate(a: number[], v: number[], p: number, q: number): void {
  const apq = a[p * 3 + q];
  if (apq === 0) return;
  const theta = (a[q * 4] - a[p * 4]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cos = 1 / Math.sqrt(t * t + 1);
  const sin = t * cos;
  for (let k = 0; k < 3; k++) turn(a, k * 3 + p, k * 3 + q, cos, sin);
  for (let k = 0; k < 3; k++) turn(a, p * 3 + k, q * 3 + k, cos, sin);
  for (let k = 0; k < 3; k++) turn(v, k * 3 + p, k * 3 + q, cos, sin);
}

function turn(m: number[], i: number, j: number, cos: number, sin: number): void {
  const [x, y] = [m[i], m[j]];
  m[i] = cos * x - sin * y;
  m[j] = sin * x + cos * y;
}
