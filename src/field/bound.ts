import { BackwardBounds } from './backward-bounds.ts';
import type { BoxEncoder } from './encoder.ts';
import { LayerBounds, sumError } from './layer-bounds.ts';
import type { HiddenLayer, Network } from './mlp.ts';

/** Encloses f over boxes; see `CpuField.bound` and `CpuField.boundCell`. */
export interface Bounder {
  bound(min: ArrayLike<number>, max: ArrayLike<number>): { lo: number; hi: number };
  boundCell(min: ArrayLike<number>, max: ArrayLike<number>): { lo: number; hi: number; deviation: number };
}

/**
 * First layer whose open neurons are bounded backward too. For layer 1 forward bounds are the same where layer 0 is
 * exact, and elsewhere (measured on bunny-S and -M) backward ones save 10 % of the tests but cost 20 to 40 % more each.
 */
const FIRST_REFINED = 2;

/**
 * Certified interval of f over a box. The first layer's pre-activations are trilinear, so any linear combination of
 * them is extreme at the corners. Bounds of that kind pass forward through the hidden layers (layer-bounds.ts),
 * intersected with interval arithmetic; neurons whose sign stays open, and f, are bounded backward.
 * @see Zhang et al. 2018 (CROWN). Departs: the inputs vary in a box of trilinear functions, not of coordinates.
 */
export function createBounder(network: Network, encoder: BoxEncoder): Bounder {
  const { nInputs, hidden, lastWeights, lastBias } = network;
  const inputs = {
    corners: new Float64Array(nInputs * 8),
    radius: new Float64Array(nInputs),
    deviation: new Float64Array(nInputs),
  };
  const layers = hidden.map((layer) => new LayerBounds(layer));
  const backward = new BackwardBounds(hidden, layers, inputs);
  const sets = hidden.map(({ weights, bias, nOut }) => ({ weights, bias, rows: new Int32Array(nOut), n: 0 }));
  const output = { weights: lastWeights, bias: Float64Array.of(lastBias), rows: new Int32Array(1), n: 1 };
  const lastLayer = layers.at(-1);
  const firstSlack = hidden.length > 0 ? inputSlack(hidden[0].weights, hidden[0].bias, encoder) : undefined;
  // Without a hidden layer this stays; otherwise it is overwritten for every box.
  const slack = lastLayer === undefined ? inputSlack(lastWeights, output.bias, encoder) : new Float64Array(1);
  const lo = new Float64Array(1).fill(Number.NEGATIVE_INFINITY);
  const hi = new Float64Array(1).fill(Number.POSITIVE_INFINITY);
  const all = Int32Array.from({ length: nInputs }, (_, i) => i);

  const bound: Bounder['bound'] = (min, max) => {
    encoder.encode(min, max, inputs.corners, inputs.radius, inputs.deviation);
    if (firstSlack !== undefined) layers[0].encloseFirst(inputs.corners, inputs.radius, firstSlack, all);
    for (let l = 1; l < layers.length; l++) {
      layers[l].encloseAfter(layers[l - 1]);
      if (l < FIRST_REFINED) continue;
      const set = sets[l];
      set.n = layers[l].unstableRows(set.rows);
      if (set.n === 0) continue;
      backward.bound(set, l - 1);
      layers[l].refine(set.rows, set.n, backward.lo, backward.hi);
    }
    backward.bound(output, layers.length - 1);
    if (lastLayer !== undefined) lastLayer.intervals(lastWeights, output.bias, lo, hi, slack);
    const least = Math.max(lo[0], backward.lo[0]) - slack[0];
    const most = Math.min(hi[0], backward.hi[0]) + slack[0];
    // Weights so large that sums overflow make NaN, of which nothing is certain.
    return {
      lo: Number.isNaN(least) ? Number.NEGATIVE_INFINITY : least,
      hi: Number.isNaN(most) ? Number.POSITIVE_INFINITY : most,
    };
  };
  const slopes = new InputSlopes(hidden, layers, lastWeights);
  const boundCell: Bounder['boundCell'] = (min, max) => {
    const { lo, hi } = bound(min, max);
    const sizes = slopes.find();
    let sum = 0;
    for (let i = 0; i < nInputs; i++) {
      const off = inputs.deviation[i];
      if (off > 0) sum += sizes[i] * (off + encoder.roundingError[i]);
    }
    return { lo, hi, deviation: Number.isNaN(sum) ? Number.POSITIVE_INFINITY : sum };
  };
  return { bound, boundCell };
}

/** By how much rounding can move W input + b: f64[rows]. */
function inputSlack(weights: Float64Array, bias: Float64Array, encoder: BoxEncoder): Float64Array {
  const { magnitude, roundingError } = encoder;
  const n = magnitude.length;
  const relative = sumError(n);
  return bias.map((b, row) => {
    let sum = relative * Math.abs(b);
    for (let i = 0; i < n; i++) {
      sum += Math.abs(weights[row * n + i]) * (roundingError[i] + relative * magnitude[i]);
    }
    return sum;
  });
}

/**
 * Bounds on the slopes of f by the network's inputs, wherever these lie in a box that the layers are enclosed over. Slopes are
 * carried back as intervals, middle ± radius: a neuron whose sign is certain passes its own on or none, one whose sign is open
 * anything between. What cancels among certain neurons cancels here too.
 */
class InputSlopes {
  private readonly hidden: readonly HiddenLayer[];
  private readonly layers: readonly LayerBounds[];
  private readonly lastWeights: Float64Array;
  private middle: Float64Array;
  private radius: Float64Array;
  private nextMiddle: Float64Array;
  private nextRadius: Float64Array;

  constructor(hidden: readonly HiddenLayer[], layers: readonly LayerBounds[], lastWeights: Float64Array) {
    const widest = Math.max(lastWeights.length, ...hidden.map(({ nIn, nOut }) => Math.max(nIn, nOut)));
    this.hidden = hidden;
    this.layers = layers;
    this.lastWeights = lastWeights;
    this.middle = new Float64Array(widest);
    this.radius = new Float64Array(widest);
    this.nextMiddle = new Float64Array(widest);
    this.nextRadius = new Float64Array(widest);
  }

  /** Of the box enclosed last: the largest |slope| by each input, f64[nInputs], valid until the next call. */
  find(): Float64Array {
    this.middle.set(this.lastWeights);
    this.radius.fill(0);
    for (let l = this.hidden.length - 1; l >= 0; l--) {
      this.layers[l].passSlopes(this.middle, this.radius);
      this.multiply(this.hidden[l], this.layers[l]);
    }
    const { middle, radius } = this;
    for (let i = 0; i < middle.length; i++) middle[i] = Math.abs(middle[i]) + radius[i];
    return middle;
  }

  private multiply({ nIn, weights }: HiddenLayer, { live, nLive }: LayerBounds): void {
    const { middle, radius, nextMiddle, nextRadius } = this;
    nextMiddle.fill(0);
    nextRadius.fill(0);
    for (let k = 0; k < nLive; k++) {
      const row = live[k] * nIn;
      const m = middle[live[k]];
      const r = radius[live[k]];
      for (let i = 0; i < nIn; i++) {
        const w = weights[row + i];
        nextMiddle[i] += m * w;
        nextRadius[i] += r * Math.abs(w);
      }
    }
    this.middle = nextMiddle;
    this.radius = nextRadius;
    this.nextMiddle = middle;
    this.nextRadius = radius;
  }
}
