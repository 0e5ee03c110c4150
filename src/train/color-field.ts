import { entryIndex } from '../field/hash-grid.ts';
import type { AttributeField, GridLevel } from '../format/asset.ts';
import { createRandom } from '../surface/check-random.ts';
import { COLOR_STRIDE } from './color-source.ts';
import { copyNetwork, storedResolution, type TrainableLayer } from './trainable-field.ts';

/** Shape of a network that gives colours. */
export interface ColorShape {
  /** Boxes along the cube, coarse to fine. */
  readonly resolutions: readonly number[];
  readonly nFeaturesPerLevel: number;
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
  /** Levels that would have more than 2 to the power of this many entries are hashed: colours are of the surface alone. */
  readonly log2HashmapSize: number;
}

const N_CHANNELS = 3;
const MIDDLE_GREY = 0.5;
/**
 * Errors are weighed by 1 / (colour + this)², the colour taken as fixed: about as the eye sees them, and where a texture is
 * finer than the grid its mean remains, in linear light. @see Mildenhall et al. 2022 (RawNeRF), eq. 5
 */
const DARK = 0.1;

/** The parameters of a colour network while it is trained, in the cube [-1, 1]³, and the gradients of its loss. */
export class ColorField {
  readonly shape: ColorShape;
  /** The tables, one after the other, entry-major; what is never met stays 0. */
  readonly table: Float32Array;
  readonly mlp: Float64Array;
  readonly levels: readonly GridLevel[];
  readonly tableGradient: Float32Array;
  readonly mlpGradient: Float64Array;
  /** Entries that have a gradient, in the order in which they were met. */
  readonly touched: Uint32Array;
  nTouched = 0;
  private readonly isTouched: Uint8Array;
  /** First entry of each level in `table`. */
  private readonly entriesAt: readonly number[];
  private readonly layers: readonly TrainableLayer[];
  /** Entries of the eight corners of every level's cell, and their shares. */
  private readonly corners: Uint32Array;
  private readonly shares: Float64Array;
  /** Activations of every layer, the features first; slopes of the loss by them. */
  private readonly values: readonly Float64Array[];
  private readonly slopes: readonly Float64Array[];

  constructor(shape: ColorShape, seed: number) {
    this.shape = shape;
    const { nFeaturesPerLevel: F, resolutions, hidden } = shape;
    const sizes = resolutions.map((n) => Math.min(storedResolution(n) ** 3, 2 ** shape.log2HashmapSize));
    const entriesAt = [0];
    for (const size of sizes) entriesAt.push(entriesAt[entriesAt.length - 1] + size);
    const nEntries = entriesAt[sizes.length];
    this.entriesAt = entriesAt;
    this.table = new Float32Array(nEntries * F);
    this.tableGradient = new Float32Array(nEntries * F);
    this.touched = new Uint32Array(nEntries);
    this.isTouched = new Uint8Array(nEntries);
    this.levels = resolutions.map((n, l) => ({
      resolution: storedResolution(n),
      scale: Math.fround(n - 1),
      offset: 0.5,
      nEntries: sizes[l],
      isDense: sizes[l] === storedResolution(n) ** 3,
      params: this.table.subarray(entriesAt[l] * F, entriesAt[l + 1] * F),
    }));
    const widths = [F * resolutions.length, ...hidden, N_CHANNELS];
    let at = 0;
    this.layers = widths.slice(1).map((nOut, l) => {
      const nIn = widths[l];
      const layer = { nIn, nOut, weightsAt: at, biasAt: at + nOut * nIn };
      at += nOut * (nIn + 1);
      return layer;
    });
    this.mlp = new Float64Array(at);
    this.mlpGradient = new Float64Array(at);
    this.corners = new Uint32Array(resolutions.length * 8);
    this.shares = new Float64Array(resolutions.length * 8);
    this.values = widths.map((n) => new Float64Array(n));
    this.slopes = widths.map((n) => new Float64Array(n));
    this.initialise(createRandom(seed));
  }

  /** Kaiming's weights, and grey. */
  private initialise(random: () => number): void {
    const { mlp, layers } = this;
    layers.forEach(({ nIn, nOut, weightsAt, biasAt }, l) => {
      const range = Math.sqrt(6 / nIn);
      for (let i = 0; i < nIn * nOut; i++) mlp[weightsAt + i] = (2 * random() - 1) * range;
      // Tables begin with zeros: biases alone tell the neurons of the first layer apart then.
      const isLast = l === layers.length - 1;
      for (let row = 0; row < nOut; row++) mlp[biasAt + row] = isLast ? MIDDLE_GREY : 0.1 * random();
    });
  }

  /** Forgets all gradients. */
  clear(): void {
    const F = this.shape.nFeaturesPerLevel;
    for (let i = 0; i < this.nTouched; i++) {
      const entry = this.touched[i];
      this.isTouched[entry] = 0;
      for (let j = 0; j < F; j++) this.tableGradient[entry * F + j] = 0;
    }
    this.nTouched = 0;
    this.mlpGradient.fill(0);
  }

  /** Notes that an entry has a gradient. */
  touch(entry: number): void {
    if (this.isTouched[entry] !== 0) return;
    this.isTouched[entry] = 1;
    this.touched[this.nTouched++] = entry;
  }

  /** Adds the gradients of n samples, f64[n * COLOR_STRIDE]. */
  accumulate(samples: Float64Array, n: number): void {
    const { values, slopes, layers } = this;
    const out = values[layers.length];
    const slope = slopes[layers.length];
    for (let i = 0; i < n * COLOR_STRIDE; i += COLOR_STRIDE) {
      this.forward(samples[i], samples[i + 1], samples[i + 2]);
      for (let k = 0; k < N_CHANNELS; k++) {
        slope[k] = (out[k] - samples[i + 3 + k]) / (Math.max(0, out[k]) + DARK) ** 2;
      }
      this.backward();
    }
  }

  private forward(x: number, y: number, z: number): void {
    this.encode(x, y, z);
    const { values, layers, mlp } = this;
    layers.forEach(({ nIn, nOut, weightsAt, biasAt }, l) => {
      const [from, to] = [values[l], values[l + 1]];
      const isLast = l === layers.length - 1;
      for (let row = 0, w = weightsAt; row < nOut; row++, w += nIn) {
        let sum = mlp[biasAt + row];
        for (let i = 0; i < nIn; i++) sum += from[i] * mlp[w + i];
        to[row] = isLast || sum > 0 ? sum : 0;
      }
    });
  }

  private encode(x: number, y: number, z: number): void {
    const { levels, entriesAt, corners, shares, table, shape } = this;
    const F = shape.nFeaturesPerLevel;
    const features = this.values[0];
    features.fill(0);
    for (let l = 0; l < levels.length; l++) {
      const { scale, offset } = levels[l];
      const px = 0.5 * (x + 1) * scale + offset;
      const py = 0.5 * (y + 1) * scale + offset;
      const pz = 0.5 * (z + 1) * scale + offset;
      const [cx, cy, cz] = [Math.floor(px), Math.floor(py), Math.floor(pz)];
      const [fx, fy, fz] = [px - cx, py - cy, pz - cz];
      for (let c = 0; c < 8; c++) {
        const [dx, dy, dz] = [c & 1, (c >> 1) & 1, c >> 2];
        const entry = entriesAt[l] + entryIndex(levels[l], cx + dx, cy + dy, cz + dz);
        const share = (dx ? fx : 1 - fx) * (dy ? fy : 1 - fy) * (dz ? fz : 1 - fz);
        corners[l * 8 + c] = entry;
        shares[l * 8 + c] = share;
        for (let j = 0; j < F; j++) features[l * F + j] += share * table[entry * F + j];
      }
    }
  }

  /** From the slopes of the last layer's outputs to all gradients. */
  private backward(): void {
    const { values, slopes, layers, mlp, mlpGradient } = this;
    for (let l = layers.length - 1; l >= 0; l--) {
      const { nIn, nOut, weightsAt, biasAt } = layers[l];
      const [inputs, from, to] = [values[l], slopes[l + 1], slopes[l]];
      to.fill(0);
      for (let row = 0, w = weightsAt; row < nOut; row++, w += nIn) {
        const slope = from[row];
        if (slope === 0) continue;
        mlpGradient[biasAt + row] += slope;
        for (let i = 0; i < nIn; i++) {
          mlpGradient[w + i] += slope * inputs[i];
          to[i] += slope * mlp[w + i];
        }
      }
      if (l > 0) for (let i = 0; i < nIn; i++) if (inputs[i] === 0) to[i] = 0;
    }
    const { corners, shares, tableGradient, shape } = this;
    const F = shape.nFeaturesPerLevel;
    for (let c = 0; c < corners.length; c++) {
      const l = c >> 3;
      this.touch(corners[c]);
      for (let j = 0; j < F; j++) tableGradient[corners[c] * F + j] += shares[c] * slopes[0][l * F + j];
    }
  }

  /** The attribute as it is now; later steps do not change it. */
  toAttribute(): AttributeField {
    return copyNetwork(this.shape.nFeaturesPerLevel, this.levels, this.layers, this.mlp);
  }
}
