import type { HiddenLayer } from './mlp.ts';

const ULP = 2 ** -53;
/** A certified value takes several sums like the one that it encloses; every one of them rounds. */
const N_SUMS = 16;

const INACTIVE = 0;
const ACTIVE = 1;
const UNSTABLE = 2;

/**
 * Enclosure of one hidden layer over one box; scratch, overwritten for every box.
 *
 * Each pre-activation z lies between the two functions center ± spread, both trilinear in the box, hence given by their
 * corner values; and in the interval [lo, hi]. Its ReLU lies between two lines in z:
 *
 *     lowerSlope * z  <=  relu(z)  <=  upperSlope * (z - lo),    upperSlope = hi / (hi - lo),  lowerSlope 0 or 1
 *
 * (both are z or 0 where the sign of z is certain).
 *
 * Loops run over whole layers: doubles passed to a function that isn't inlined are allocated (2 of 5 µs a box).
 * @see docs/theory.md, "Culling"; Zhang et al. 2018, sec. 3 (adaptive lower slope)
 */
export class LayerBounds {
  /** Whether z is trilinear in the box: spread 0. */
  isExact = true;
  private readonly layer: HiddenLayer;
  /** |weights| */
  private readonly sizes: Float64Array;
  /** Relative error of a sum over the layer's outputs. */
  private readonly sumError: number;
  /** f64[nOut * 8] */
  readonly center: Float64Array;
  private readonly spread: Float64Array;
  private readonly lo: Float64Array;
  private readonly hi: Float64Array;
  /** By how much rounding can move z, both as `evaluate` computes it and as it is enclosed here. */
  private readonly slack: Float64Array;
  private readonly state: Uint8Array;
  private readonly lowerSlope: Float64Array;
  private readonly upperSlope: Float64Array;
  /** Neurons that may be active, the only ones that the next layer reads; and those of them that have a spread. */
  readonly live: Int32Array;
  nLive = 0;
  private readonly spreading: Int32Array;
  private nSpreading = 0;
  /** Enclosure of the ReLUs: functions, intervals, and what the next layer's slack grows by per unit of weight. */
  private readonly reluCenter: Float64Array;
  private readonly reluSpread: Float64Array;
  private readonly reluMiddle: Float64Array;
  private readonly reluRadius: Float64Array;
  private readonly reluSlack: Float64Array;
  private readonly extremes = new Float64Array(2);

  constructor(layer: HiddenLayer) {
    const { nOut } = layer;
    this.layer = layer;
    this.sizes = layer.weights.map(Math.abs);
    this.sumError = sumError(nOut);
    this.center = new Float64Array(nOut * 8);
    this.spread = new Float64Array(nOut * 8);
    this.lo = new Float64Array(nOut);
    this.hi = new Float64Array(nOut);
    this.slack = new Float64Array(nOut);
    this.state = new Uint8Array(nOut);
    this.lowerSlope = new Float64Array(nOut);
    this.upperSlope = new Float64Array(nOut);
    this.live = new Int32Array(nOut);
    this.spreading = new Int32Array(nOut);
    this.reluCenter = new Float64Array(nOut * 8);
    this.reluSpread = new Float64Array(nOut * 8);
    this.reluMiddle = new Float64Array(nOut);
    this.reluRadius = new Float64Array(nOut);
    this.reluSlack = new Float64Array(nOut);
  }

  /**
   * First layer: z = W (T ± radius) + b.
   * @param corners f64[nIn * 8], T.
   * @param radius f64[nIn]
   * @param slack f64[nOut], see `slack` above.
   * @param all i32[nIn], 0, 1, 2, ...
   */
  encloseFirst(corners: Float64Array, radius: Float64Array, slack: Float64Array, all: Int32Array): void {
    const { nIn, nOut, weights, bias } = this.layer;
    sumCorners(weights, bias, nOut, nIn, all, nIn, corners, this.center);
    this.isExact = true;
    for (let i = 0; i < nIn; i++) if (radius[i] !== 0) this.isExact = false;
    for (let row = 0, w = 0; row < nOut; row++) {
      this.slack[row] = slack[row];
      this.lo[row] = Number.NEGATIVE_INFINITY;
      this.hi[row] = Number.POSITIVE_INFINITY;
      if (this.isExact) continue;
      let sum = 0;
      for (let i = 0; i < nIn; i++, w++) sum += this.sizes[w] * radius[i];
      for (let c = row * 8; c < row * 8 + 8; c++) this.spread[c] = sum;
    }
    this.narrow();
    this.relax();
  }

  /** Later layers: z = W relu(previous) + b. */
  encloseAfter(previous: LayerBounds): void {
    const { nIn, nOut, weights, bias } = this.layer;
    const { live, nLive, spreading, nSpreading, reluCenter, reluSpread } = previous;
    sumCorners(weights, bias, nOut, nIn, live, nLive, reluCenter, this.center);
    this.isExact = nSpreading === 0;
    if (!this.isExact)
      sumCorners(this.sizes, null, nOut, nIn, spreading, nSpreading, reluSpread, this.spread);
    previous.intervals(weights, bias, this.lo, this.hi, this.slack);
    this.narrow();
    this.relax();
  }

  /**
   * Interval arithmetic for rows of weights · relu(z) + bias.
   * @param weights f64[rows * nOut]
   * @param bias f64[rows]
   * @param slack f64[rows]: by how much rounding can move the row; lo and hi are not yet widened by it.
   */
  intervals(
    weights: Float64Array,
    bias: Float64Array,
    lo: Float64Array,
    hi: Float64Array,
    slack: Float64Array,
  ): void {
    const { live, nLive, reluMiddle, reluRadius, reluSlack, sumError } = this;
    const width = this.layer.nOut;
    for (let row = 0, from = 0; row < bias.length; row++, from += width) {
      let middle = bias[row];
      let radius = 0;
      let moved = sumError * Math.abs(middle);
      for (let j = 0; j < nLive; j++) {
        const i = live[j];
        const w = weights[from + i];
        const size = Math.abs(w);
        middle += w * reluMiddle[i];
        radius += size * reluRadius[i];
        moved += size * reluSlack[i];
      }
      lo[row] = middle - radius;
      hi[row] = middle + radius;
      slack[row] = moved;
    }
  }

  /** Cuts [lo, hi] down to the range of the functions, and widens it by the slack. */
  private narrow(): void {
    const { center, spread, lo, hi, slack, reluSlack, isExact, sumError, extremes } = this;
    for (let row = 0; row < lo.length; row++) {
      cornerExtremes(center, spread, isExact, row * 8, extremes);
      const least = extremes[0];
      const most = extremes[1];
      lo[row] = (least > lo[row] ? least : lo[row]) - slack[row];
      hi[row] = (most < hi[row] ? most : hi[row]) + slack[row];
      reluSlack[row] = slack[row] + sumError * (Math.abs(least) + Math.abs(most));
    }
  }

  /** Finds each neuron's state, its two lines, and the enclosure of its ReLU. */
  private relax(): void {
    const { center, spread, lo, hi, state, reluCenter, reluSpread, reluMiddle, reluRadius, isExact } = this;
    this.nLive = 0;
    this.nSpreading = 0;
    for (let row = 0; row < lo.length; row++) {
      const l = lo[row];
      const u = hi[row];
      if (u <= 0) {
        state[row] = INACTIVE;
        continue;
      }
      this.live[this.nLive++] = row;
      if (l >= 0) {
        state[row] = ACTIVE;
        for (let c = row * 8; c < row * 8 + 8; c++) reluCenter[c] = center[c];
        if (!isExact) {
          this.spreading[this.nSpreading++] = row;
          for (let c = row * 8; c < row * 8 + 8; c++) reluSpread[c] = spread[c];
        }
        reluMiddle[row] = (l + u) / 2;
        reluRadius[row] = (u - l) / 2;
        continue;
      }
      state[row] = UNSTABLE;
      this.spreading[this.nSpreading++] = row;
      const lower = u > -l ? 1 : 0;
      const upper = u / (u - l);
      this.lowerSlope[row] = lower;
      this.upperSlope[row] = upper;
      for (let c = row * 8; c < row * 8 + 8; c++) {
        const width = isExact ? 0 : spread[c];
        const below = lower * (center[c] - width);
        const above = upper * (center[c] + width - l);
        reluCenter[c] = (below + above) / 2;
        reluSpread[c] = (above - below) / 2;
      }
      reluMiddle[row] = u / 2;
      reluRadius[row] = u / 2;
    }
  }

  /**
   * From coefficients of the ReLUs to coefficients of z, for lower bounds.
   * @param lambda f64[nVectors * nOut], overwritten.
   * @param constant f64[nVectors], to which is added what comes with the lines, less what rounding may take.
   */
  passBack(lambda: Float64Array, constant: Float64Array, nVectors: number): void {
    const { state, lowerSlope, upperSlope, lo, slack } = this;
    const width = state.length;
    for (let i = 0; i < width; i++) {
      const moved = slack[i];
      if (state[i] === UNSTABLE) {
        const lower = lowerSlope[i];
        const upper = upperSlope[i];
        const intercept = upper * lo[i];
        for (let v = 0, k = i; v < nVectors; v++, k += width) {
          const x = lambda[k];
          if (x < 0) constant[v] -= x * intercept;
          lambda[k] = x < 0 ? x * upper : x * lower;
          constant[v] -= Math.abs(x) * moved;
        }
      } else if (state[i] === ACTIVE) {
        for (let v = 0, k = i; v < nVectors; v++, k += width) constant[v] -= Math.abs(lambda[k]) * moved;
      } else {
        for (let v = 0, k = i; v < nVectors; v++, k += width) lambda[k] = 0;
      }
    }
  }

  /** From slopes by the ReLUs, middle ± radius, to slopes by z, in place; of inactive neurons they are not read. */
  passSlopes(middle: Float64Array, radius: Float64Array): void {
    const { live, nLive, state } = this;
    for (let k = 0; k < nLive; k++) {
      const i = live[k];
      if (state[i] !== UNSTABLE) continue;
      const low = Math.min(0, middle[i] - radius[i]);
      const high = Math.max(0, middle[i] + radius[i]);
      middle[i] = (low + high) / 2;
      radius[i] = (high - low) / 2;
    }
  }

  /** Collects the neurons whose sign is open. */
  unstableRows(out: Int32Array): number {
    let n = 0;
    for (let row = 0; row < this.state.length; row++) if (this.state[row] === UNSTABLE) out[n++] = row;
    return n;
  }

  /** Cuts [lo, hi] of some rows down to other bounds of them (not widened), and relaxes anew. */
  refine(rows: Int32Array, n: number, lo: Float64Array, hi: Float64Array): void {
    for (let r = 0; r < n; r++) {
      const row = rows[r];
      const l = lo[r] - this.slack[row];
      const u = hi[r] + this.slack[row];
      if (l > this.lo[row]) this.lo[row] = l;
      if (u < this.hi[row]) this.hi[row] = u;
    }
    this.relax();
  }
}

/**
 * Least corner value of center - spread and largest of center + spread.
 * min = (a + b - |a - b|) / 2: it rounds, which the slack covers, but it has no branch to mispredict (a box has 32 of
 * these on the small network, and comparing cost 1.0 of 8.3 µs).
 */
function cornerExtremes(
  center: Float64Array,
  spread: Float64Array,
  isExact: boolean,
  at: number,
  out: Float64Array,
): void {
  let least = center[at];
  let most = least;
  if (isExact) {
    for (let c = at; c < at + 8; c += 2) {
      const a = center[c];
      const b = center[c + 1];
      const sum = a + b;
      const difference = Math.abs(a - b);
      const low = (sum - difference) * 0.5;
      const high = (sum + difference) * 0.5;
      least = (least + low - Math.abs(least - low)) * 0.5;
      most = (most + high + Math.abs(most - high)) * 0.5;
    }
  } else {
    least -= spread[at];
    most += spread[at];
    for (let c = at + 1; c < at + 8; c++) {
      const low = center[c] - spread[c];
      const high = center[c] + spread[c];
      least = (least + low - Math.abs(least - low)) * 0.5;
      most = (most + high + Math.abs(most - high)) * 0.5;
    }
  }
  out[0] = least;
  out[1] = most;
}

/** Bounds the rounding of a sum of n products, relative to the sum of their sizes. @see Higham 2002, sec. 3.1 */
export function sumError(n: number): number {
  return N_SUMS * (n + 8) * ULP;
}

/**
 * Rows of weighted sums of functions that are given by their 8 corner values:
 * out[row * 8 + c] = bias[row] + Σ_j weights[row * nIn + i_j] * corners[i_j * 8 + c].
 * @param weights f64[nRows * nIn]
 * @param bias f64[nRows], or null for none.
 * @param index i32: the `n` columns i_j that count.
 * @param corners f64[nIn * 8]
 * @param out f64[nRows * 8], overwritten.
 */
export function sumCorners(
  weights: Float64Array,
  bias: Float64Array | null,
  nRows: number,
  nIn: number,
  index: Int32Array,
  n: number,
  corners: Float64Array,
  out: Float64Array,
): void {
  for (let row = 0, from = 0, at = 0; row < nRows; row++, from += nIn, at += 8) {
    let c0 = bias === null ? 0 : bias[row];
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let c4 = c0;
    let c5 = c0;
    let c6 = c0;
    let c7 = c0;
    for (let j = 0; j < n; j++) {
      const i = index[j];
      const w = weights[from + i];
      const k = i * 8;
      c0 += w * corners[k];
      c1 += w * corners[k + 1];
      c2 += w * corners[k + 2];
      c3 += w * corners[k + 3];
      c4 += w * corners[k + 4];
      c5 += w * corners[k + 5];
      c6 += w * corners[k + 6];
      c7 += w * corners[k + 7];
    }
    out[at] = c0;
    out[at + 1] = c1;
    out[at + 2] = c2;
    out[at + 3] = c3;
    out[at + 4] = c4;
    out[at + 5] = c5;
    out[at + 6] = c6;
    out[at + 7] = c7;
  }
}
