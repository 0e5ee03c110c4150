import type { LayerBounds } from './layer-bounds.ts';
import type { HiddenLayer } from './mlp.ts';

/**
 * Bounds on the slopes of f by the network's inputs, wherever these lie in a box that the layers are enclosed over. Slopes are
 * carried back as intervals, middle ± radius: a neuron whose sign is certain passes its own on or none, one whose sign is open
 * anything between. What cancels among certain neurons cancels here too.
 */
export class InputSlopes {
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
