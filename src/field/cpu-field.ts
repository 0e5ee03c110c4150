import { assertField } from '../format/assert-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { hasPlanes } from '../format/encodings.ts';
import { type Bounder, createBounder } from './bound.ts';
import { type BoxEncoder, createEncoder, MOST_POINTS } from './encoder.ts';
import { createEvaluator } from './evaluator.ts';
import { createFrame } from './frame.ts';
import { axisMarks } from './marks.ts';
import { createNetwork } from './mlp.ts';

/** Weights that are multiplied within a few milliseconds. */
const WEIGHTS_PER_SLICE = 2 ** 23;

/**
 * A neural field on the CPU; f < 0 inside. All arithmetic is float64. Outside the domain f is extended by
 * f(q) + |p - q|, q being the nearest point of the domain, so that it stays usable as a distance.
 *
 * Instances own scratch memory: they are cheap to call and not to be shared between threads.
 */
export interface CpuField {
  readonly asset: FieldAsset;
  /** Widths of the hidden layers. */
  readonly layerWidths: readonly number[];
  /** Their sum. */
  readonly nPreActivations: number;
  /** Effective last row: f = dot(lastWeights, relu(last hidden)) + lastBias; sign, value scale, difference folded in. */
  readonly lastWeights: Float64Array;
  readonly lastBias: number;
  /**
   * Points that are evaluated within a few milliseconds, from 1 to `most`: what loops that give way to others count by.
   * A file decides how large its network is.
   */
  pointsPerSlice(most: number): number;
  /** Whether there are planes across which f bends: a grid's. Then the field's own boxes lie between them. */
  readonly hasPlanes: boolean;
  /**
   * Sorted coordinates, in local units, where the grid's levels have planes across this axis; the domain's ends
   * included, planes closer than 2e-6 of the extent merged (an end wins). Without a grid: the two ends.
   */
  marks(axis: 0 | 1 | 2): Float64Array;
  /**
   * f at n points. A point's value doesn't depend on the other points of the call.
   * @param pointsLocal f32|f64[3n], local units.
   * @param out f32|f64[n], overwritten.
   * @param n default pointsLocal.length / 3
   */
  evaluate(pointsLocal: Float32Array | Float64Array, out: Float32Array | Float64Array, n?: number): void;
  /**
   * f and its gradient in local units. At kinks a one-sided value: relu'(0) = 1, and the cell that `floor` gives.
   * @param outValues f32|f64[n]
   * @param outGradients f32|f64[3n]
   */
  evaluateWithGradient(
    pointsLocal: Float32Array | Float64Array,
    outValues: Float32Array | Float64Array,
    outGradients: Float32Array | Float64Array,
    n?: number,
  ): void;
  /**
   * All hidden pre-activations, layer after layer, then f, at each point.
   * @param out f64[n * (nPreActivations + 1)] from `outOffset` on.
   */
  preActivations(pointsLocal: Float64Array, out: Float64Array, n?: number, outOffset?: number): void;
  /** f64[nOut * nIn], row-major; layer 0 reads the features (coarse to fine, F per level) or the coordinates. */
  hiddenWeights(layer: number): Float64Array;
  /** f64[nOut], zeros where the asset has none. */
  hiddenBias(layer: number): Float64Array;
  /**
   * A certified interval of f over an axis-aligned box (local units, clamped to the domain): it contains every value
   * that f takes there, as computed by `evaluate` in float64.
   */
  bound(min: ArrayLike<number>, max: ArrayLike<number>): { lo: number; hi: number };
  /**
   * As `bound`, and how far f is, at most, from the network's value at the trilinear interpolants of its inputs' values at the
   * box's corners (`deviation`): certified, 0 where no plane of the grid passes through the box.
   */
  boundCell(min: ArrayLike<number>, max: ArrayLike<number>): { lo: number; hi: number; deviation: number };
  /**
   * What has to be built before this box can be bounded and takes more than milliseconds, to be run in steps; undefined
   * where there is nothing to do. `bound` builds it in one go otherwise.
   */
  prepareBound(min: ArrayLike<number>, max: ArrayLike<number>): Generator<void, void, void> | undefined;
  /**
   * Range of every feature over a box, and per level whether the box lies in one cell, so that the level's features are
   * trilinear in it. Without a grid there is nothing to write.
   * @param outLo f64[L*F]
   * @param outHi f64[L*F]
   * @param outIsTrilinear u8[L]
   */
  featureRange(
    min: ArrayLike<number>,
    max: ArrayLike<number>,
    outLo: Float64Array,
    outHi: Float64Array,
    outIsTrilinear: Uint8Array,
  ): void;
}

/**
 * Prepares a field for evaluation on the CPU. The asset's tables are referenced, not copied.
 * @throws {NsdfFormatError | NsdfUnsupportedError} if the field breaks a rule that one in a file has to obey.
 * @throws {NsdfArgumentError} if it is no field at all.
 */
export function createCpuField(asset: FieldAsset): CpuField {
  assertField(asset);
  const { encoding } = asset;
  const encoder = createEncoder(encoding);
  const frame = createFrame(asset);
  const network = createNetwork(asset, encoder.nInputs);
  const evaluator = createEvaluator(encoder, frame, network);
  // Made when first asked for: they read every table, which an evaluation doesn't need.
  let boxEncoder: BoxEncoder | undefined;
  let bounder: Bounder | undefined;
  const { nPreActivations, lastWeights, lastBias, hidden } = network;
  const values = new Float64Array(MOST_POINTS * (nPreActivations + 1));
  const bounderOf = (): Bounder => {
    boxEncoder ??= encoder.createBoxes(frame);
    bounder ??= createBounder(network, boxEncoder);
    return bounder;
  };

  const nWeights = hidden.reduce((sum, { weights }) => sum + weights.length, nPreActivations + 1);
  const countOf = (points: ArrayLike<number>, n: number | undefined): number =>
    n ?? Math.floor(points.length / 3);

  return {
    asset,
    layerWidths: hidden.map((layer) => layer.nOut),
    nPreActivations,
    lastWeights,
    lastBias,
    pointsPerSlice: (most) => Math.max(1, Math.min(most, Math.floor(WEIGHTS_PER_SLICE / nWeights))),
    hasPlanes: hasPlanes(encoding),
    marks: (axis) => axisMarks(asset, axis),
    evaluate(points, out, n) {
      const count = countOf(points, n);
      for (let start = 0; start < count; start += MOST_POINTS) {
        const size = Math.min(MOST_POINTS, count - start);
        evaluator.forward(points, start, size, values, 0);
        const stride = nPreActivations + 1;
        for (let p = 0, i = nPreActivations; p < size; p++, i += stride) out[start + p] = values[i];
      }
    },
    evaluateWithGradient(points, outValues, outGradients, n) {
      const count = countOf(points, n);
      for (let start = 0; start < count; start += MOST_POINTS) {
        const size = Math.min(MOST_POINTS, count - start);
        evaluator.forward(points, start, size, values, 0);
        const stride = nPreActivations + 1;
        for (let p = 0, i = nPreActivations; p < size; p++, i += stride) outValues[start + p] = values[i];
        evaluator.backward(points, start, size, values, outGradients);
      }
    },
    preActivations(points, out, n, outOffset = 0) {
      const count = countOf(points, n);
      for (let start = 0; start < count; start += MOST_POINTS) {
        const size = Math.min(MOST_POINTS, count - start);
        evaluator.forward(points, start, size, out, outOffset + start * (nPreActivations + 1));
      }
    },
    hiddenWeights: (layer) => hidden[layer].weights,
    hiddenBias: (layer) => hidden[layer].bias,
    bound: (min, max) => bounderOf().bound(min, max),
    boundCell: (min, max) => bounderOf().boundCell(min, max),
    prepareBound(min, max) {
      boxEncoder ??= encoder.createBoxes(frame);
      return boxEncoder.prepare(min, max);
    },
    featureRange(min, max, outLo, outHi, outIsTrilinear) {
      boxEncoder ??= encoder.createBoxes(frame);
      boxEncoder.range(min, max, outLo, outHi, outIsTrilinear);
    },
  };
}
