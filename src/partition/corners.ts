import { growFloat64, growInt32 } from '../arrays.ts';
import { checkBudget } from '../budgets.ts';
import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { NumberMap } from './number-map.ts';

const TOO_FINE = 'the network is too large for a field, or a detail, so fine';
/** Largest number of bisections of one base box along one axis. */
export const MAX_SPLIT_DEPTH = 9;
/** Nodes of a forest, see `mostNodes`: for each root, and beside. */
const PER_ROOT = 12;
const BESIDE = 65536;
/** Neurons from which on nodes cost more, and there may be fewer of them. */
const LARGE_NETWORK = 64;

/**
 * The lattice on which every box corner lies: along each axis the base planes (marks or a uniform division), each
 * interval divided in 2^subBits so that bisected boxes have integer corners too. The search for surface ends at roots,
 * of 2^rootBits base boxes an axis each, fewer at the domain's upper faces.
 */
export interface Lattice {
  /** Local coordinates of the base planes, one sorted array an axis. */
  readonly planes: readonly [Float64Array, Float64Array, Float64Array];
  readonly subBits: number;
  readonly rootBits: number;
}

/** A lattice over the given planes, with as many sub-bits as a corner key below 2^53 allows; its roots are the base boxes. */
export function createLattice(planes: readonly [Float64Array, Float64Array, Float64Array]): Lattice {
  const bits = planes.reduce((sum, p) => sum + Math.log2(p.length), 0);
  const subBits = Math.max(0, Math.min(MAX_SPLIT_DEPTH, Math.floor((52.5 - bits) / 3)));
  return { planes, subBits, rootBits: 0 };
}

/** How many roots there are along each axis. */
export function rootCounts({ planes, rootBits }: Lattice): number[] {
  return planes.map((p) => Math.ceil((p.length - 1) / 2 ** rootBits));
}

/** The integer lattice coordinate at which root `i` begins along `axis`, and the one before it ends. */
export function rootCoordinate({ planes, rootBits, subBits }: Lattice, axis: number, i: number): number {
  return Math.min(i << rootBits, planes[axis].length - 1) << subBits;
}

/**
 * Nodes of a forest after which nothing is bisected any more: bounds the time on fields whose creases are everywhere.
 * @param nRoots boxes that the surface passes through: of a forest, or of a part of one that has `nRootsInAll`.
 */
export function mostNodes(nRoots: number, nNeurons: number, nRootsInAll = nRoots, boxesPerRoot = 1): number {
  const room = roomForNodes(nNeurons);
  const beside = room.beside * (nRoots / Math.max(1, nRootsInAll));
  return Math.max(2 * nRoots, room.perRoot * boxesPerRoot * nRoots + beside);
}

/** The nodes that there may be for each root, and beside. */
export function roomForNodes(nNeurons: number): { readonly perRoot: number; readonly beside: number } {
  const share = Math.min(1, LARGE_NETWORK / Math.max(1, nNeurons));
  return { perRoot: PER_ROOT * share, beside: BESIDE * share };
}

/** Where an interval of two or more is bisected: at the largest power of two in it, so that base planes come first. */
export function middleOf(low: number, high: number): number {
  return low + (1 << (31 - Math.clz32(high - low - 1)));
}

/** The local coordinate of integer lattice coordinate `i` on `axis`. */
export function latticeCoordinate(lattice: Lattice, axis: number, i: number): number {
  const planes = lattice.planes[axis];
  const base = i >> lattice.subBits;
  const fraction = i - (base << lattice.subBits);
  if (fraction === 0) return planes[base];
  const t = fraction / (1 << lattice.subBits);
  return planes[base] + t * (planes[base + 1] - planes[base]);
}

/** See `CornerTable.isoOffset`: a share of f's root mean square, whatever f's unit is. */
export function isoOffsetOf(asset: FieldAsset): number {
  return 2e-9 * rootMeanSquareOf(asset);
}

/**
 * Whether f + isoOffset, of which all signs are taken, may be zero where f is certified to lie in an interval: rounded, the sum
 * is as monotone as exact.
 */
export function mayBeZero(
  { lo, hi }: { readonly lo: number; readonly hi: number },
  isoOffset: number,
): boolean {
  return lo + isoOffset <= 0 && hi + isoOffset >= 0;
}

/** f's root mean square on 4³ points of the domain. */
export function rootMeanSquareOf(asset: FieldAsset): number {
  const { min, max } = asset.domain;
  const points = new Float64Array(64 * 3);
  for (let i = 0; i < 64 * 3; i++) {
    const step = (Math.floor(i / 3) >> (2 * (i % 3))) & 3;
    points[i] = min[i % 3] + ((max[i % 3] - min[i % 3]) * (step + 0.5)) / 4;
  }
  const values = new Float64Array(64);
  createCpuField(asset).evaluate(points, values, 64);
  return Math.sqrt(values.reduce((sum, f) => sum + f * f, 0) / 64);
}

/**
 * Unique corners of boxes: integer coordinates, and the network's pre-activations there. Corners are evaluated in
 * batches by {@link CornerTable.flush}; `values` holds for corner i the row [i*stride, (i+1)*stride): every hidden
 * pre-activation, layer after layer, then f + isoOffset.
 */
export class CornerTable {
  readonly field: CpuField;
  readonly lattice: Lattice;
  readonly stride: number;
  /**
   * Added to f so that a surface which coincides with a lattice plane (f = rounding noise on a whole face) has one
   * side: see {@link isoOffsetOf}.
   */
  readonly isoOffset: number;
  values: Float64Array;
  coords: Int32Array;
  private readonly index = new NumberMap(1 << 14);
  private readonly extent: readonly [number, number];
  private nCorners = 0;
  private nEvaluated = 0;
  private points = new Float64Array(0);

  constructor(field: CpuField, lattice: Lattice) {
    this.field = field;
    this.lattice = lattice;
    this.stride = field.nPreActivations + 1;
    this.values = new Float64Array(64 * this.stride);
    this.coords = new Int32Array(1024 * 3);
    const side = (axis: number) => ((lattice.planes[axis].length - 1) << lattice.subBits) + 1;
    this.extent = [side(0), side(1)];
    this.isoOffset = isoOffsetOf(field.asset);
  }

  get count(): number {
    return this.nCorners;
  }

  /** Forgets all corners; the room for them stays, for another part of the same lattice. */
  clear(): void {
    this.index.clear();
    this.nCorners = 0;
    this.nEvaluated = 0;
  }

  /** The corner's id, or -1 where no box has this corner. */
  find(x: number, y: number, z: number): number {
    return this.index.get(x + this.extent[0] * (y + this.extent[1] * z));
  }

  /** The corner's id; a new one is evaluated by the next {@link flush}. */
  add(x: number, y: number, z: number): number {
    const id = this.index.getOrSet(x + this.extent[0] * (y + this.extent[1] * z), this.nCorners);
    if (id < this.nCorners) return id;
    this.coords = growInt32(this.coords, (id + 1) * 3);
    this.coords[id * 3] = x;
    this.coords[id * 3 + 1] = y;
    this.coords[id * 3 + 2] = z;
    this.nCorners++;
    return id;
  }

  /**
   * Evaluates up to `limit` of the corners added since the last call; gives the number still waiting.
   * @throws {NsdfBudgetError} before their values take more memory than there may be.
   */
  flush(limit = Number.POSITIVE_INFINITY): number {
    const first = this.nEvaluated;
    const n = Math.min(limit, this.nCorners - first);
    if (n === 0) return 0;
    if (this.points.length < n * 3) this.points = new Float64Array(n * 3);
    for (let i = 0; i < n * 3; i++) {
      this.points[i] = latticeCoordinate(this.lattice, i % 3, this.coords[first * 3 + i]);
    }
    const nValues = (first + n) * this.stride;
    checkBudget('nCornerValues', nValues, 'values at corners of boxes', TOO_FINE);
    // Room for all that wait, or they would be moved several times.
    if (this.values.length < nValues)
      this.values = growFloat64(this.values, Math.min(this.nCorners, 2 * (first + n)) * this.stride);
    this.field.preActivations(this.points, this.values, n, first * this.stride);
    for (let i = first; i < first + n; i++) this.values[(i + 1) * this.stride - 1] += this.isoOffset;
    this.nEvaluated = first + n;
    return this.nCorners - this.nEvaluated;
  }

  /** f (+ isoOffset) at corner `id`. */
  f(id: number): number {
    return this.values[(id + 1) * this.stride - 1];
  }

  /** Whether base planes pass between the ends of an edge. */
  hasPlanesBetween(a: number, b: number): boolean {
    const { coords } = this;
    let length = 0;
    for (let k = 0; k < 3; k++) length += coords[b * 3 + k] - coords[a * 3 + k];
    return length > 1 << this.lattice.subBits;
  }

  /** Local coordinate of corner `id` on `axis`. */
  coordinate(id: number, axis: number): number {
    return latticeCoordinate(this.lattice, axis, this.coords[id * 3 + axis]);
  }
}
