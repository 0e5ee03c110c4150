import { NsdfArgumentError } from '../errors.ts';
import { assertField } from '../format/assert-field.ts';
import type { AttributeField, FieldAsset } from '../format/asset.ts';
import { isColor } from '../format/attribute-names.ts';
import { createEncoder, MOST_POINTS } from './encoder.ts';
import { createFrame, toInputs } from './frame.ts';
import { applyLayer, type HiddenLayer, packLayer, rectify } from './mlp.ts';

/** Weights that are multiplied within a few milliseconds. */
const WEIGHTS_PER_SLICE = 2 ** 23;

/** An attribute of a field on the CPU, in double precision. Owns scratch memory: not to be shared between threads. */
export interface CpuAttribute {
  /** Numbers a point. */
  readonly width: number;
  /** Points that are evaluated within a few milliseconds, from 1 to `most`. */
  pointsPerSlice(most: number): number;
  /**
   * The attribute at n points; outside the domain that of the nearest point of it. Colours are linear and in [0, 1].
   * @param pointsLocal f32|f64[3n], local units.
   * @param out f32|f64[n * width], overwritten.
   * @param n default pointsLocal.length / 3
   */
  evaluate(pointsLocal: Float32Array | Float64Array, out: Float32Array | Float64Array, n?: number): void;
}

/**
 * Prepares one of a field's attributes for evaluation.
 * @param name glTF's: `COLOR_0`.
 * @throws {NsdfArgumentError} if the field has no such attribute.
 * @throws {NsdfFormatError | NsdfUnsupportedError} if the field breaks a rule that one in a file has to obey.
 * @example
 * const colors = new Float32Array(3);
 * createAttribute(asset, 'COLOR_0').evaluate(Float32Array.of(0, 0.5, 0), colors);
 */
export function createAttribute(asset: FieldAsset, name: string): CpuAttribute {
  assertField(asset);
  const attributes = asset.attributes ?? {};
  if (!Object.hasOwn(attributes, name)) {
    const found = Object.keys(attributes).join(', ') || 'none';
    throw new NsdfArgumentError('name', `the field has no attribute ${name}, only ${found}`);
  }
  const { encoding, layers } = attributes[name];
  const frame = createFrame({ domain: asset.domain, encoding });
  const packed = layers.map((layer, i) => packLayer(inDouble(layer), i > 0));
  const hidden = packed.slice(0, -1);
  const last = packed[packed.length - 1];
  const isClamped = isColor(name);
  const widest = Math.max(...layers.map(({ nIn, nOut }) => Math.max(nIn, nOut)));
  const inputs = new Float64Array(MOST_POINTS * 3);
  const distance = new Float64Array(MOST_POINTS);
  const activations = new Float64Array(MOST_POINTS * widest);
  const values = new Float64Array(MOST_POINTS * widest);
  const encoder = createEncoder(encoding);
  const width = last.nOut;
  const nWeights = layers.reduce((sum, { nIn, nOut }) => sum + nIn * nOut, 0);
  return {
    width,
    pointsPerSlice: (most) => Math.max(1, Math.min(most, Math.floor(WEIGHTS_PER_SLICE / nWeights))),
    evaluate(points, out, n = Math.floor(points.length / 3)) {
      for (let start = 0; start < n; start += MOST_POINTS) {
        const size = Math.min(MOST_POINTS, n - start);
        toInputs(frame, points, start, size, inputs, distance);
        encoder.encode(inputs, size, activations);
        for (const layer of hidden) {
          applyLayer(layer, size, activations, values, layer.nOut, 0);
          rectify(values, layer.nOut, 0, size, layer.nOut, activations);
        }
        applyLayer(last, size, activations, values, width, 0);
        for (let i = 0, o = start * width; i < size * width; i++, o++) {
          out[o] = isClamped ? Math.min(1, Math.max(0, values[i])) : values[i];
        }
      }
    },
  };
}

function inDouble({ nIn, nOut, weights, bias }: AttributeField['layers'][number]): HiddenLayer {
  return {
    nIn,
    nOut,
    weights: Float64Array.from(weights),
    bias: bias === null ? new Float64Array(nOut) : Float64Array.from(bias),
  };
}
