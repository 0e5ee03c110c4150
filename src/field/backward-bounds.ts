import { type LayerBounds, sumCorners } from './layer-bounds.ts';
import type { HiddenLayer } from './mlp.ts';

/** Rows carried together: scratch is proportional to it. */
const MAX_ROWS = 64;

/** Rows of a layer to be bounded: z_row = weights[row] · relu(previous layer) + bias[row]. */
export interface RowSet {
  /** f64[*, width of the previous layer], row-major. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  /** i32: the rows wanted, `n` of them. */
  readonly rows: Int32Array;
  n: number;
}

/** The network's inputs over the box, as `BoxEncoder.encode` writes them. */
export interface InputEnclosure {
  /** f64[nInputs * 8] */
  readonly corners: Float64Array;
  /** f64[nInputs] */
  readonly radius: Float64Array;
}

/**
 * Bounds rows by substituting backward: the coefficients of each row are carried from layer to layer down to the first
 * one, whose pre-activations are extreme at the corners. Tighter than bounds that are carried forward, since what
 * cancels does so before it is relaxed: on a trained 8x32 network 6,002 boxes of 32³ survive instead of 31,642.
 * @see Zhang et al. 2018 (CROWN)
 */
export class BackwardBounds {
  /** Lower and upper bounds of the rows of the last call, in their order; not widened by the rows' own slack. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  private readonly hidden: readonly HiddenLayer[];
  private readonly layers: readonly LayerBounds[];
  private readonly inputs: InputEnclosure;
  /** Coefficients of row r and, after it, of -r: f64[2 * rows * width of the layer reached]. */
  private current: Float64Array;
  private next: Float64Array;
  /** f64[2 * rows] */
  private readonly constant: Float64Array;
  private readonly atCorners: Float64Array;
  private readonly all: Int32Array;

  constructor(hidden: readonly HiddenLayer[], layers: readonly LayerBounds[], inputs: InputEnclosure) {
    const widest = Math.max(inputs.radius.length, 1, ...hidden.map((layer) => layer.nOut));
    this.hidden = hidden;
    this.layers = layers;
    this.inputs = inputs;
    const nVectors = 2 * Math.min(widest, MAX_ROWS);
    this.lo = new Float64Array(widest);
    this.hi = new Float64Array(widest);
    this.current = new Float64Array(nVectors * widest);
    this.next = new Float64Array(nVectors * widest);
    this.constant = new Float64Array(nVectors);
    this.atCorners = new Float64Array(nVectors * 8);
    this.all = Int32Array.from({ length: widest }, (_, i) => i);
  }

  /** @param top the layer that the rows read; -1 for the inputs. */
  bound(set: RowSet, top: number): void {
    for (let first = 0; first < set.n; first += MAX_ROWS) {
      this.boundSome(set, top, first, Math.min(MAX_ROWS, set.n - first));
    }
  }

  /** `nRows` of the rows, from the one at `first` on. */
  private boundSome(set: RowSet, top: number, first: number, nRows: number): void {
    this.start(set, first, nRows, top < 0 ? this.inputs.radius.length : this.hidden[top].nOut);
    const n = 2 * nRows;
    for (let l = top; l >= 0; l--) {
      this.layers[l].passBack(this.current, this.constant, n);
      if (l === 0 && this.layers[0].isExact) {
        // z itself is known at the corners then: no need to go back to the inputs.
        this.finish(first, nRows, this.layers[0].center, this.hidden[0].nOut);
        return;
      }
      const { nIn, nOut, weights, bias } = this.hidden[l];
      const { live, nLive } = this.layers[l];
      multiply(this.current, n, nOut, live, nLive, weights, nIn, this.next);
      addBias(this.current, n, nOut, live, nLive, bias, this.constant);
      const swapped = this.current;
      this.current = this.next;
      this.next = swapped;
    }
    const { corners, radius } = this.inputs;
    for (let v = 0, i = 0; v < n; v++) {
      for (let k = 0; k < radius.length; k++, i++) {
        this.constant[v] -= Math.abs(this.current[i]) * radius[k];
      }
    }
    this.finish(first, nRows, corners, radius.length);
  }

  private start({ weights, bias, rows }: RowSet, first: number, nRows: number, width: number): void {
    const { current, constant } = this;
    for (let r = 0; r < nRows; r++) {
      const row = rows[first + r];
      const from = row * width;
      const at = 2 * r * width;
      for (let i = 0; i < width; i++) {
        current[at + i] = weights[from + i];
        current[at + width + i] = -weights[from + i];
      }
      constant[2 * r] = bias[row];
      constant[2 * r + 1] = -bias[row];
    }
  }

  /** Least value at the corners. */
  private finish(first: number, nRows: number, corners: Float64Array, width: number): void {
    const { atCorners, lo, hi } = this;
    sumCorners(this.current, this.constant, 2 * nRows, width, this.all, width, corners, atCorners);
    for (let r = first, i = 0; r < first + nRows; r++) {
      let least = atCorners[i++];
      for (let c = 1; c < 8; c++, i++) if (atCorners[i] < least) least = atCorners[i];
      lo[r] = least;
      least = atCorners[i++];
      for (let c = 1; c < 8; c++, i++) if (atCorners[i] < least) least = atCorners[i];
      hi[r] = -least;
    }
  }
}

/**
 * out[v, i] = Σ_j lambda[v, index_j] * weights[index_j, i] for an even number of vectors v, two of them and four columns
 * at a time.
 */
function multiply(
  lambda: Float64Array,
  nVectors: number,
  width: number,
  index: Int32Array,
  n: number,
  weights: Float64Array,
  nIn: number,
  out: Float64Array,
): void {
  for (let v = 0; v < nVectors; v += 2) {
    const a = v * width;
    const b = a + width;
    let i = 0;
    for (; i + 4 <= nIn; i += 4) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      for (let j = 0; j < n; j++) {
        const row = index[j];
        const x = lambda[a + row];
        const y = lambda[b + row];
        const w = row * nIn + i;
        const w0 = weights[w];
        const w1 = weights[w + 1];
        const w2 = weights[w + 2];
        const w3 = weights[w + 3];
        a0 += x * w0;
        a1 += x * w1;
        a2 += x * w2;
        a3 += x * w3;
        b0 += y * w0;
        b1 += y * w1;
        b2 += y * w2;
        b3 += y * w3;
      }
      const o = v * nIn + i;
      out[o] = a0;
      out[o + 1] = a1;
      out[o + 2] = a2;
      out[o + 3] = a3;
      const q = o + nIn;
      out[q] = b0;
      out[q + 1] = b1;
      out[q + 2] = b2;
      out[q + 3] = b3;
    }
    for (; i < nIn; i++) {
      let s = 0;
      let t = 0;
      for (let j = 0; j < n; j++) {
        const w = weights[index[j] * nIn + i];
        s += lambda[a + index[j]] * w;
        t += lambda[b + index[j]] * w;
      }
      out[v * nIn + i] = s;
      out[(v + 1) * nIn + i] = t;
    }
  }
}

/** constant[v] += Σ_j lambda[v, index_j] * bias[index_j] */
function addBias(
  lambda: Float64Array,
  nVectors: number,
  width: number,
  index: Int32Array,
  n: number,
  bias: Float64Array,
  constant: Float64Array,
): void {
  for (let v = 0; v < nVectors; v++) {
    let sum = constant[v];
    for (let j = 0; j < n; j++) sum += lambda[v * width + index[j]] * bias[index[j]];
    constant[v] = sum;
  }
}
