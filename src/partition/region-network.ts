import type { CpuField } from '../field/cpu-field.ts';
import type { CornerTable } from './corners.ts';
import { evaluateRegion, MAX_UNITS } from './region-evaluate.ts';

/**
 * The network reduced to one box, face or edge (8, 4 or 2 corners): only the neurons that may change sign there, the
 * *units*, are kept; all others are folded into multilinear functions.
 *
 *     v_u(t) = A_u(t) + Σ_{w<u} B_uw relu(v_w(t)),     f(t) = A_f(t) + Σ_u B_fu relu(v_u(t)),     t in [0,1]^dim
 *
 * A is multilinear, so it is given by its corner values: A_u(c) = preActivation_u(c) - Σ_w B_uw relu(v_w(c)), which
 * costs no pass over the weights. In layer 0 a neuron is a unit exactly when its corner values differ in sign; deeper,
 * when the certified range of v contains zero (see {@link RegionNetwork.errLo}).
 *
 * One instance is reused for many boxes: arrays are scratch, valid until the next `build`.
 * @see Kim 2024, sec. 4 (trilinear regions); Berzins 2023 (sign vectors).
 */
export class RegionNetwork {
  readonly field: CpuField;
  /** Units found by the last `build`. */
  nUnits = 0;
  /** Neurons that fold where a unit does, being multiples of it, and became couplings. */
  readonly twinNeurons: number[] = [];
  /** 2, 4 or 8. */
  nCorners = 0;
  /** Whether the last build found more than MAX_UNITS units (it is unusable then). */
  isOverflow = false;
  /** Certified range of f minus the multilinear interpolant of its corner values. */
  fErrLo = 0;
  fErrHi = 0;
  /** Certified range of f over the region. */
  lo = 0;
  hi = 0;
  /** Neuron (index among all hidden neurons) of each unit, ascending, so in layer order. */
  readonly unitNeuron = new Int32Array(MAX_UNITS);
  /** Corner values of A_u: f64[MAX_UNITS * 8]; bit k of the corner index is the coordinate along axis k. */
  readonly unitA = new Float64Array(MAX_UNITS * 8);
  /** relu(v_u) at the corners: f64[MAX_UNITS * 8]. */
  readonly unitRelu = new Float64Array(MAX_UNITS * 8);
  /** B_uw: f64[MAX_UNITS * MAX_UNITS], row u. */
  readonly unitB = new Float64Array(MAX_UNITS * MAX_UNITS);
  /**
   * Range of e_u = multilinear interpolant of relu(v_u)'s corner values - relu(v_u). For v exactly multilinear it is
   * [0, -l u / (u - l)] with l, u its extremes (ReLU is convex); an error d of v adds to it, ReLU being 1-Lipschitz.
   */
  readonly errLo = new Float64Array(MAX_UNITS);
  readonly errHi = new Float64Array(MAX_UNITS);
  /** Corner values of A_f: f64[8]. */
  readonly fA = new Float64Array(8);
  /** f at the corners: f64[8]. */
  readonly fCorner = new Float64Array(8);
  readonly fB = new Float64Array(MAX_UNITS);

  /** Scratch of {@link evaluateRegion}. */
  readonly scratch = {
    relu: new Float64Array(MAX_UNITS),
    gradients: new Float64Array(MAX_UNITS * 3),
    out: new Float64Array(4),
  };

  private readonly widths: readonly number[];
  private readonly weights: readonly Float64Array[];
  private readonly rowOffset = new Int32Array(8);
  /** B rows of the neurons of the layer before (0) and the current one (1): [width * MAX_UNITS]. */
  private rowsBefore: Float64Array;
  private rowsNow: Float64Array;
  /** 0 inactive, 1 active without couplings, 2 active with couplings, 3 + u: unit u. */
  private statesBefore: Int32Array;
  private statesNow: Int32Array;
  /** Units known when the layer before was reduced: the length of its rows. */
  private nRowBefore = 0;
  private layer = 0;
  private readonly coupled: Int32Array;
  private nCoupled = 0;
  private readonly layerRange = { lo: 0, hi: 0, errLo: 0, errHi: 0 };

  constructor(field: CpuField) {
    this.field = field;
    this.widths = field.layerWidths;
    this.weights = field.layerWidths.map((_, layer) => field.hiddenWeights(layer));
    const widest = Math.max(1, ...field.layerWidths);
    this.rowsBefore = new Float64Array(widest * MAX_UNITS);
    this.rowsNow = new Float64Array(widest * MAX_UNITS);
    this.coupled = new Int32Array(widest);
    this.statesBefore = new Int32Array(widest);
    this.statesNow = new Int32Array(widest);
  }

  /** Reduces the network to the region spanned by `nCorners` corners of `table`, ids at ids[offset...]. */
  build(table: CornerTable, ids: ArrayLike<number>, nCorners: 2 | 4 | 8, offset = 0): void {
    this.nCorners = nCorners;
    this.nUnits = 0;
    this.twinNeurons.length = 0;
    this.isOverflow = false;
    for (let c = 0; c < nCorners; c++) this.rowOffset[c] = ids[offset + c] * table.stride;
    let neuron = 0;
    for (let layer = 0; layer < this.widths.length && !this.isOverflow; layer++) {
      this.reduceLayer(table.values, layer, neuron);
      this.nRowBefore = this.nUnits;
      neuron += this.widths[layer];
      this.swapLayers();
    }
    this.reduceOutput(table.values, neuron);
  }

  /** {@link build} for a region that is known to have no units: f is multilinear. */
  buildLinear(table: CornerTable, ids: ArrayLike<number>, nCorners: 4 | 8, offset = 0): void {
    this.nCorners = nCorners;
    this.nUnits = 0;
    this.twinNeurons.length = 0;
    this.isOverflow = false;
    for (let c = 0; c < nCorners; c++) this.rowOffset[c] = ids[offset + c] * table.stride;
    this.reduceOutput(table.values, table.stride - 1);
  }

  /** f at t, and its gradient with respect to t in `gradient` (dim entries) where that is given. */
  evaluate(t: ArrayLike<number>, gradient?: Float64Array): number {
    return evaluateRegion(this, t, gradient);
  }

  private swapLayers(): void {
    [this.rowsBefore, this.rowsNow] = [this.rowsNow, this.rowsBefore];
    [this.statesBefore, this.statesNow] = [this.statesNow, this.statesBefore];
  }

  private reduceLayer(values: Float64Array, layer: number, firstNeuron: number): void {
    const width = this.widths[layer];
    this.layer = layer;
    const nBefore = this.nUnits;
    const range = this.layerRange;
    this.listCoupled(layer, nBefore);
    for (let j = 0; j < width; j++) {
      cornerRange(values, this.rowOffset, firstNeuron + j, this.nCorners, range);
      if (nBefore === 0) {
        if (range.lo >= 0) {
          this.statesNow[j] = 1;
          continue;
        }
        if (range.hi <= 0) {
          this.statesNow[j] = 0;
          continue;
        }
        range.errLo = 0;
        range.errHi = 0;
      } else {
        this.coupleRow(layer, j, nBefore);
        this.errorRange(this.rowsNow, j * MAX_UNITS, nBefore);
      }
      if (range.lo + range.errLo >= 0) this.activate(j, nBefore);
      else if (range.hi + range.errHi <= 0) this.statesNow[j] = 0;
      else this.addUnit(values, firstNeuron + j, j, nBefore);
      if (this.isOverflow) return;
    }
  }

  /** Neuron j is active throughout; its row may be read up to all units of its layer. */
  private activate(j: number, nBefore: number): void {
    this.statesNow[j] = nBefore > 0 ? 2 : 1;
    const row = j * MAX_UNITS;
    const end = Math.min(MAX_UNITS, nBefore + this.widths[this.layer]);
    if (nBefore > 0) this.rowsNow.fill(0, row + nBefore, row + end);
  }

  /** rowsNow[j] = Σ_i W_ji * (coupling of neuron i of the layer before to the units so far). */
  private coupleRow(layer: number, j: number, nBefore: number): void {
    const row = j * MAX_UNITS;
    const rows = this.rowsNow;
    rows.fill(0, row, row + nBefore);
    const nIn = this.widths[layer - 1];
    const w = this.weights[layer];
    for (let m = 0; m < this.nCoupled; m++) {
      const i = this.coupled[m];
      this.addCoupling(rows, row, w[j * nIn + i], i, this.statesBefore[i]);
    }
  }

  /** Neurons of the layer before that depend on units. */
  private listCoupled(layer: number, nBefore: number): void {
    this.nCoupled = 0;
    if (nBefore === 0) return;
    const nIn = this.widths[layer - 1];
    for (let i = 0; i < nIn; i++) if (this.statesBefore[i] >= 2) this.coupled[this.nCoupled++] = i;
  }

  private addCoupling(rows: Float64Array, row: number, weight: number, i: number, state: number): void {
    if (state >= 3) {
      rows[row + state - 3] += weight;
      return;
    }
    const before = this.rowsBefore;
    const from = i * MAX_UNITS;
    for (let u = 0; u < this.nRowBefore; u++) rows[row + u] += weight * before[from + u];
  }

  private errorRange(rows: Float64Array, row: number, n: number): void {
    let lo = 0;
    let hi = 0;
    for (let u = 0; u < n; u++) {
      const b = rows[row + u];
      if (b > 0) {
        lo -= b * this.errHi[u];
        hi -= b * this.errLo[u];
      } else {
        lo -= b * this.errLo[u];
        hi -= b * this.errHi[u];
      }
    }
    this.layerRange.errLo = lo;
    this.layerRange.errHi = hi;
  }

  private addUnit(values: Float64Array, neuron: number, j: number, nBefore: number): void {
    const u = this.nUnits;
    if (u >= MAX_UNITS) {
      this.isOverflow = true;
      return;
    }
    const { lo, hi, errLo, errHi } = this.layerRange;
    const row = j * MAX_UNITS;
    this.unitNeuron[u] = neuron;
    const b = u * MAX_UNITS;
    for (let w = 0; w < u; w++) this.unitB[b + w] = w < nBefore ? this.rowsNow[row + w] : 0;
    for (let c = 0; c < this.nCorners; c++) {
      const value = values[this.rowOffset[c] + neuron];
      let a = value;
      for (let w = 0; w < nBefore; w++) a -= this.unitB[b + w] * this.unitRelu[w * 8 + c];
      this.unitA[u * 8 + c] = a;
      this.unitRelu[u * 8 + c] = value > 0 ? value : 0;
    }
    if (this.joinTwin(u, row)) {
      this.statesNow[j] = 2;
      this.twinNeurons.push(neuron);
      return;
    }
    this.statesNow[j] = 3 + u;
    const gap = lo < 0 && hi > 0 ? (-lo * hi) / (hi - lo) : 0;
    this.errLo[u] = -Math.max(errHi, 0);
    this.errHi[u] = gap - Math.min(errLo, 0);
    this.nUnits = u + 1;
  }

  /**
   * A unit that is a multiple k of an earlier one w folds on the same surface: relu(v_u) = k relu(v_w) for k > 0, and
   * |k| (relu(v_w) - v_w) for k < 0 (as in |x| = relu(x) + relu(-x)). It then becomes couplings instead of a unit, or
   * bounds would let the two change independently. Fills rowsNow[row...]; false where there is no such w.
   */
  private joinTwin(u: number, row: number): boolean {
    for (let w = 0; w < u; w++) {
      const k = twinRatio(this, u, w);
      if (k === 0) continue;
      const size = Math.abs(k);
      this.rowsNow.fill(0, row, Math.min(row + MAX_UNITS, row + u + this.widths[this.layer]));
      if (k < 0) for (let i = 0; i < w; i++) this.rowsNow[row + i] = -size * this.unitB[w * MAX_UNITS + i];
      this.rowsNow[row + w] = size;
      return true;
    }
    return false;
  }

  private reduceOutput(values: Float64Array, fIndex: number): void {
    const n = this.nUnits;
    const nLast = this.widths.length === 0 ? 0 : this.widths[this.widths.length - 1];
    this.fB.fill(0, 0, n);
    for (let i = 0; i < nLast && n > 0; i++) {
      const state = this.statesBefore[i];
      if (state >= 2) this.addCoupling(this.fB, 0, this.field.lastWeights[i], i, state);
    }
    let lo = Number.POSITIVE_INFINITY;
    let hi = Number.NEGATIVE_INFINITY;
    let size = 0;
    for (let c = 0; c < this.nCorners; c++) {
      const value = values[this.rowOffset[c] + fIndex];
      let a = value;
      for (let u = 0; u < n; u++) a -= this.fB[u] * this.unitRelu[u * 8 + c];
      this.fA[c] = a;
      this.fCorner[c] = value;
      lo = Math.min(lo, value);
      hi = Math.max(hi, value);
      size = Math.max(size, Math.abs(value), Math.abs(a));
    }
    this.layerRange.errLo = 0;
    this.layerRange.errHi = 0;
    if (n > 0) this.errorRange(this.fB, 0, n);
    this.fErrLo = this.layerRange.errLo;
    this.fErrHi = this.layerRange.errHi;
    const slack = size * 1e-13;
    this.lo = this.isOverflow ? Number.NEGATIVE_INFINITY : lo + this.layerRange.errLo - slack;
    this.hi = this.isOverflow ? Number.POSITIVE_INFINITY : hi + this.layerRange.errHi + slack;
  }
}

/** A range that is written to. */
interface Range {
  lo: number;
  hi: number;
}

/**
 * Extremes of a neuron over the corners of a region, into `out`: the innermost loop of all, so unrolled.
 * @param values the corner table's. @param offsets its rows, one a corner. @param nCorners 2, 4 or 8.
 */
function cornerRange(
  values: Float64Array,
  offsets: Int32Array,
  neuron: number,
  nCorners: number,
  out: Range,
): void {
  const a = values[offsets[0] + neuron];
  const b = values[offsets[1] + neuron];
  let lo = a < b ? a : b;
  let hi = a < b ? b : a;
  if (nCorners > 2) {
    const c = values[offsets[2] + neuron];
    const d = values[offsets[3] + neuron];
    const lo1 = c < d ? c : d;
    const hi1 = c < d ? d : c;
    if (lo1 < lo) lo = lo1;
    if (hi1 > hi) hi = hi1;
  }
  if (nCorners > 4) {
    const e = values[offsets[4] + neuron];
    const f = values[offsets[5] + neuron];
    const g = values[offsets[6] + neuron];
    const h = values[offsets[7] + neuron];
    const lo2 = e < f ? e : f;
    const hi2 = e < f ? f : e;
    const lo3 = g < h ? g : h;
    const hi3 = g < h ? h : g;
    if (lo2 < lo) lo = lo2;
    if (hi2 > hi) hi = hi2;
    if (lo3 < lo) lo = lo3;
    if (hi3 > hi) hi = hi3;
  }
  out.lo = lo;
  out.hi = hi;
}

/** Relative difference up to which two units are multiples of each other. */
const TWIN = 1e-10;

/** Units of a `RegionNetwork`. */
interface Units {
  readonly unitA: Float64Array;
  readonly unitB: Float64Array;
  readonly nCorners: number;
}

/** k where v_u = k v_w up to rounding, else 0. */
function twinRatio({ unitA, unitB, nCorners }: Units, u: number, w: number): number {
  // Nearly all pairs differ at the first two corners already.
  const [p, q] = [u * 8, w * 8];
  const cross = unitA[p] * unitA[q + 1] - unitA[p + 1] * unitA[q];
  const scale = Math.abs(unitA[p] * unitA[q + 1]) + Math.abs(unitA[p + 1] * unitA[q]);
  if (Math.abs(cross) > 1e-6 * scale) return 0;
  let most = 0;
  let at = 0;
  for (let c = 0; c < nCorners; c++) {
    const size = Math.abs(unitA[q + c]);
    if (size <= most) continue;
    most = size;
    at = c;
  }
  const k = most > 0 ? unitA[p + at] / unitA[q + at] : 0;
  const margin = TWIN * Math.abs(k) * most;
  for (let c = 0; c < nCorners; c++) if (Math.abs(unitA[p + c] - k * unitA[q + c]) > margin) return 0;
  for (let i = 0; i < u; i++) {
    const b = i < w ? k * unitB[w * MAX_UNITS + i] : 0;
    if (Math.abs(unitB[u * MAX_UNITS + i] - b) > TWIN * (Math.abs(b) + Math.abs(k))) return 0;
  }
  return k;
}
