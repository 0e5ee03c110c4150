import { addCorners, addCornersAbsolute } from './corner-sums.ts';
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
 * @see EXTRACTION "Certified culling"; Zhang et al. 2018, sec. 3 (adaptive lower slope)
 */
export class LayerBounds {
  /** Whether z is trilinear in the box: spread 0 (first layer only). */
  isExact = true;
  private readonly layer: HiddenLayer;
  /** By how much rounding can move z, both as `evaluate` computes it and as it is enclosed here. */
  private readonly slack: Float64Array;
  /** What the next layer's slack grows by, per unit of weight. */
  private readonly reluSlack: Float64Array;
  /** Relative error of a sum over the layer's outputs. */
  private readonly sumError: number;
  private readonly center: Float64Array;
  private readonly spread: Float64Array;
  private readonly lo: Float64Array;
  private readonly hi: Float64Array;
  private readonly state: Uint8Array;
  private readonly lowerSlope: Float64Array;
  private readonly upperSlope: Float64Array;
  /** Neurons that may be active, the only ones that the next layer reads; `spreading`: those with a spread. */
  private readonly live: Int32Array;
  private nLive = 0;
  private readonly spreading: Int32Array;
  private nSpreading = 0;
  /** Enclosure of the ReLUs: functions and intervals. */
  private readonly reluCenter: Float64Array;
  private readonly reluSpread: Float64Array;
  private readonly reluMiddle: Float64Array;
  private readonly reluRadius: Float64Array;
  private readonly range = new Float64Array(3);

  constructor(layer: HiddenLayer) {
    const { nOut } = layer;
    this.layer = layer;
    this.slack = new Float64Array(nOut);
    this.reluSlack = new Float64Array(nOut);
    this.sumError = sumError(nOut);
    this.center = new Float64Array(nOut * 8);
    this.spread = new Float64Array(nOut * 8);
    this.lo = new Float64Array(nOut);
    this.hi = new Float64Array(nOut);
    this.state = new Uint8Array(nOut);
    this.lowerSlope = new Float64Array(nOut);
    this.upperSlope = new Float64Array(nOut);
    this.live = new Int32Array(nOut);
    this.spreading = new Int32Array(nOut);
    this.reluCenter = new Float64Array(nOut * 8);
    this.reluSpread = new Float64Array(nOut * 8);
    this.reluMiddle = new Float64Array(nOut);
    this.reluRadius = new Float64Array(nOut);
  }

  /**
   * First layer: z = W (T ± radius) + b.
   * @param corners f64[nIn * 8]
   * @param slack f64[nOut], see `slack` above.
   * @param all i32[nIn], 0, 1, 2, ...
   */
  encloseFirst(corners: Float64Array, radius: Float64Array, slack: Float64Array, all: Int32Array): void {
    const { nIn, nOut, weights, bias } = this.layer;
    this.isExact = true;
    for (let i = 0; i < nIn; i++) if (radius[i] !== 0) this.isExact = false;
    for (let row = 0; row < nOut; row++) {
      addCorners(weights, row * nIn, all, nIn, corners, bias[row], this.center, row * 8);
      let spread = 0;
      if (!this.isExact) for (let i = 0; i < nIn; i++) spread += Math.abs(weights[row * nIn + i]) * radius[i];
      for (let c = row * 8; c < row * 8 + 8; c++) this.spread[c] = spread;
      this.slack[row] = slack[row];
      this.relax(row, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    }
    this.collect();
  }

  /** Later layers: z = W relu(previous) + b. */
  encloseAfter(previous: LayerBounds): void {
    const { nIn, nOut, weights, bias } = this.layer;
    const { live, nLive, spreading, nSpreading, reluCenter, reluSpread } = previous;
    this.isExact = nSpreading === 0;
    for (let row = 0; row < nOut; row++) {
      const from = row * nIn;
      addCorners(weights, from, live, nLive, reluCenter, bias[row], this.center, row * 8);
      addCornersAbsolute(weights, from, spreading, nSpreading, reluSpread, this.spread, row * 8);
      previous.interval(weights, from, bias[row], this.range);
      const [lo, hi, slack] = this.range;
      this.slack[row] = slack;
      this.relax(row, lo, hi);
    }
    this.collect();
  }

  /**
   * Interval arithmetic for weights[from ...] · relu(z) + bias.
   * @param out f64[3]: lo, hi (not widened), and the slack: by how much rounding may move it.
   */
  interval(weights: Float64Array, from: number, bias: number, out: Float64Array): void {
    const { live, nLive, reluMiddle, reluRadius, reluSlack } = this;
    let middle = bias;
    let radius = 0;
    let slack = this.sumError * Math.abs(bias);
    for (let j = 0; j < nLive; j++) {
      const i = live[j];
      const w = weights[from + i];
      const size = Math.abs(w);
      middle += w * reluMiddle[i];
      radius += size * reluRadius[i];
      slack += size * reluSlack[i];
    }
    out[0] = middle - radius;
    out[1] = middle + radius;
    out[2] = slack;
  }

  /**
   * From coefficients of the ReLUs to coefficients of z, for a lower bound: lambda is overwritten.
   * @returns the constant that comes with them, less what rounding may take.
   */
  passBack(lambda: Float64Array): number {
    const { state, lowerSlope, upperSlope, lo, slack } = this;
    let constant = 0;
    for (let i = 0; i < state.length; i++) {
      if (state[i] === INACTIVE) {
        lambda[i] = 0;
        continue;
      }
      if (state[i] === UNSTABLE) {
        if (lambda[i] >= 0) lambda[i] *= lowerSlope[i];
        else {
          lambda[i] *= upperSlope[i];
          constant -= lambda[i] * lo[i];
        }
      }
      constant -= Math.abs(lambda[i]) * slack[i];
    }
    return constant;
  }

  /**
   * From coefficients of z to coefficients of the layer's input.
   * @returns Σ lambda bias
   */
  passThroughWeights(lambda: Float64Array, out: Float64Array): number {
    const { nIn, nOut, weights, bias } = this.layer;
    let constant = 0;
    for (let i = 0; i < nIn; i++) out[i] = 0;
    for (let row = 0, w = 0; row < nOut; row++, w += nIn) {
      const factor = lambda[row];
      if (factor === 0) continue;
      constant += factor * bias[row];
      for (let i = 0; i < nIn; i++) out[i] += factor * weights[w + i];
    }
    return constant;
  }

  /** min over the corners of Σ lambda z, for an exact layer. `all`: 0, 1, 2, ... */
  leastAtCorners(lambda: Float64Array, all: Int32Array, scratch: Float64Array): number {
    addCorners(lambda, 0, all, this.layer.nOut, this.center, 0, scratch, 0);
    let least = scratch[0];
    for (let c = 1; c < 8; c++) if (scratch[c] < least) least = scratch[c];
    return least;
  }

  /** Range of one neuron, within the interval given; then its two lines and its ReLU's enclosure. */
  private relax(row: number, intervalLo: number, intervalHi: number): void {
    const { center, spread } = this;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let c = row * 8; c < row * 8 + 8; c++) {
      const a = center[c] - spread[c];
      const b = center[c] + spread[c];
      if (a < least) least = a;
      if (b > most) most = b;
    }
    const slack = this.slack[row];
    const lo = (least > intervalLo ? least : intervalLo) - slack;
    const hi = (most < intervalHi ? most : intervalHi) + slack;
    this.lo[row] = lo;
    this.hi[row] = hi;
    this.reluSlack[row] = slack + this.sumError * Math.max(-least, most);
    if (!(hi > 0)) this.state[row] = INACTIVE;
    else if (lo >= 0) this.setActive(row, lo, hi);
    else this.setUnstable(row, lo, hi);
  }

  private setActive(row: number, lo: number, hi: number): void {
    this.state[row] = ACTIVE;
    for (let c = row * 8; c < row * 8 + 8; c++) {
      this.reluCenter[c] = this.center[c];
      this.reluSpread[c] = this.spread[c];
    }
    this.reluMiddle[row] = (lo + hi) / 2;
    this.reluRadius[row] = (hi - lo) / 2;
  }

  private setUnstable(row: number, lo: number, hi: number): void {
    this.state[row] = UNSTABLE;
    const lower = hi > -lo ? 1 : 0;
    const upper = hi / (hi - lo);
    this.lowerSlope[row] = lower;
    this.upperSlope[row] = upper;
    for (let c = row * 8; c < row * 8 + 8; c++) {
      const below = lower * (this.center[c] - this.spread[c]);
      const above = upper * (this.center[c] + this.spread[c] - lo);
      this.reluCenter[c] = (below + above) / 2;
      this.reluSpread[c] = (above - below) / 2;
    }
    this.reluMiddle[row] = hi / 2;
    this.reluRadius[row] = hi / 2;
  }

  private collect(): void {
    this.nLive = 0;
    this.nSpreading = 0;
    for (let row = 0; row < this.layer.nOut; row++) {
      if (this.state[row] === INACTIVE) continue;
      this.live[this.nLive++] = row;
      if (this.state[row] === UNSTABLE || !this.isExact) this.spreading[this.nSpreading++] = row;
    }
  }
}

/** Bounds the rounding of a sum of n products, relative to the sum of their sizes. @see Higham 2002, sec. 3.1 */
export function sumError(n: number): number {
  return N_SUMS * (n + 8) * ULP;
}
