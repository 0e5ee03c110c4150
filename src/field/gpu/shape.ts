import { NsdfUnsupportedError } from '../../errors.ts';
import type { FieldAsset } from '../../format/asset.ts';
import type { Network } from '../mlp.ts';

/** All that the text of a field's kernels depends on: fields of one shape share their pipelines. */
export interface FieldShape {
  /** Levels of the grid; 0 without one. */
  readonly nLevels: number;
  /** F, or 3 coordinates without a grid. */
  readonly nFeatures: number;
  readonly nInputs: number;
  /** Widths of the hidden layers. */
  readonly widths: readonly number[];
  /** The table's entries are half floats, two in a word; see resources.ts. */
  readonly isHalf: boolean;
}

/** Products of one evaluation beyond which unrolled code takes too long to compile: 2 s on SwiftShader. */
const MAX_PRODUCTS = 16_384;

/** @throws {NsdfUnsupportedError} if the network is too large for unrolled kernels. */
export function shapeOf(asset: FieldAsset, network: Network, isHalf: boolean): FieldShape {
  const { encoding } = asset;
  const isGrid = encoding.kind === 'hash-grid';
  const shape = {
    nLevels: isGrid ? encoding.levels.length : 0,
    nFeatures: isGrid ? encoding.nFeaturesPerLevel : 3,
    nInputs: network.nInputs,
    widths: network.hidden.map((layer) => layer.nOut),
    isHalf,
  };
  const nProducts = countProducts(shape);
  if (nProducts <= MAX_PRODUCTS) return shape;
  throw new NsdfUnsupportedError(
    'gpu-network-size',
    `The network has ${nProducts} weights; GPU kernels are generated for at most ${MAX_PRODUCTS}.`,
  );
}

/** Weights of all layers. */
export function countProducts({ nInputs, widths }: Pick<FieldShape, 'nInputs' | 'widths'>): number {
  return [...widths, 1].reduce((sum, width, l) => sum + width * (l === 0 ? nInputs : widths[l - 1]), 0);
}

/** Where a layer's weights lie in the packed array, in vec4. */
export interface LayerPlace {
  readonly nIn: number;
  readonly nOut: number;
  /** Weight of rows 4g..4g+3 and column i: weights + g * nIn + i. */
  readonly weights: number;
  /** Bias of rows 4g..4g+3: bias + g. */
  readonly bias: number;
}

/** Where everything lies in the packed weights: hidden layers, then the last row (like a bias, 4 inputs a vec4). */
export interface WeightPlaces {
  readonly layers: readonly LayerPlace[];
  readonly lastRow: number;
  /** The vec4 whose x is the last bias. */
  readonly lastBias: number;
  readonly nVectors: number;
}

export function placeWeights({ nInputs, widths }: FieldShape): WeightPlaces {
  let at = 0;
  let nIn = nInputs;
  const layers = widths.map((nOut) => {
    const nGroups = Math.ceil(nOut / 4);
    const place = { nIn, nOut, weights: at, bias: at + nGroups * nIn };
    at = place.bias + nGroups;
    nIn = nOut;
    return place;
  });
  const lastRow = at;
  const lastBias = lastRow + Math.ceil(nIn / 4);
  return { layers, lastRow, lastBias, nVectors: lastBias + 1 };
}

/** f32[nVectors * 4]: see {@link WeightPlaces}; rows and inputs beyond the last are zeros. */
export function packWeights(network: Network, places: WeightPlaces): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(places.nVectors * 4);
  places.layers.forEach(({ nIn, nOut, weights, bias }, l) => {
    const layer = network.hidden[l];
    for (let row = 0; row < nOut; row++) {
      const [group, lane] = [row >> 2, row & 3];
      for (let i = 0; i < nIn; i++) {
        packed[(weights + group * nIn + i) * 4 + lane] = layer.weights[row * nIn + i];
      }
      packed[(bias + group) * 4 + lane] = layer.bias[row];
    }
  });
  packed.set(network.lastWeights, places.lastRow * 4);
  packed[places.lastBias * 4] = network.lastBias;
  return packed;
}

/** Where each layer's rows begin in the packed weights, and how many vec4 a row has; the last entry is f's own row. */
export function placeRows({
  nInputs,
  widths,
}: FieldShape): { readonly first: number; readonly stride: number }[] {
  let at = 0;
  return [...widths, 1].map((nOut, l) => {
    const stride = Math.ceil((l === 0 ? nInputs : widths[l - 1]) / 4) + 1;
    const first = at;
    at += nOut * stride;
    return { first, stride };
  });
}

/** Row-major weights: each row's columns, four a vec4, then a vec4 of its bias and its weight in the last row. */
export function packRows(network: Network, shape: FieldShape): Float32Array<ArrayBuffer> {
  const places = placeRows(shape);
  const last = places[places.length - 1];
  const packed = new Float32Array((last.first + last.stride) * 4);
  network.hidden.forEach(({ nIn, nOut, weights, bias }, l) => {
    const { first, stride } = places[l];
    for (let row = 0; row < nOut; row++) {
      const at = (first + row * stride) * 4;
      packed.set(weights.subarray(row * nIn, (row + 1) * nIn), at);
      packed[at + stride * 4 - 4] = bias[row];
      if (l === network.hidden.length - 1) packed[at + stride * 4 - 3] = network.lastWeights[row];
    }
  });
  packed.set(network.lastWeights, last.first * 4);
  packed[(last.first + last.stride) * 4 - 4] = network.lastBias;
  return packed;
}
