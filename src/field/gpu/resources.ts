import { NsdfUnsupportedError } from '../../errors.ts';
import type { FieldAsset } from '../../format/asset.ts';
import { type GpuArena, USAGE } from '../../gpu/arena.ts';
import { defineStruct } from '../../gpu/struct.ts';
import type { Network } from '../mlp.ts';
import { type FieldShape, packRows, packWeights, placeWeights, shapeOf, type WeightPlaces } from './shape.ts';

/** One level of the grid, as the kernels read it. `mask` is nEntries - 1 where that is a power of two, else 0. */
export const LEVEL = defineStruct('Level', {
  scale: 'f32',
  offset: 'f32',
  resolution: 'u32',
  nEntries: 'u32',
  mask: 'u32',
  isDense: 'u32',
  /** The level's first entry in the table of all levels. */
  firstEntry: 'u32',
});

/** Bytes of weights that fit a uniform buffer; more of them are read from storage. */
const MAX_UNIFORM_BYTES = 65536;

/**
 * What the layers may multiply a feature by at most, together. Kernels tell no box off whose features exceed
 * MAX_FEATURE: then no sum overflows, of which nothing would be certain.
 */
const MAX_GAIN = 1e18;
export const MAX_FEATURE = 1e9;

/** A field's network and tables on the GPU. */
export interface FieldResources {
  readonly asset: FieldAsset;
  readonly network: Network;
  readonly shape: FieldShape;
  readonly places: WeightPlaces;
  /** `uniform` or `storage, read`. */
  readonly weightSpace: string;
  readonly weights: GPUBuffer;
  /** vec4<f32>, row by row: see {@link packRows}. */
  readonly rows: GPUBuffer;
  readonly nRowVectors: number;
  readonly levels: GPUBuffer;
  /** All levels' entries, coarse to fine: f32, or half floats (see `FieldShape.isHalf`). */
  readonly table: GPUBuffer;
}

/**
 * Makes a field's buffers, which belong to the arena; {@link uploadTable} has to fill the table.
 * @param isHalf keep the table in half precision; see `isHalfTable`.
 * @throws {NsdfUnsupportedError} if the network is too large for unrolled kernels, or single precision too small for it
 * @throws {NsdfGpuError} if the table is larger than the device's limits allow
 */
export function createResources(
  arena: GpuArena,
  asset: FieldAsset,
  network: Network,
  isHalf: boolean,
): FieldResources {
  const shape = shapeOf(asset, network, isHalf);
  const places = placeWeights(shape);
  const packed = packWeights(network, places);
  if (!(largestGain(network) < MAX_GAIN)) {
    throw new NsdfUnsupportedError('gpu-weight-range', 'The weights are too large for single precision.');
  }
  const rows = packRows(network, shape);
  const isUniform = Math.max(packed.byteLength, rows.byteLength) <= MAX_UNIFORM_BYTES;
  return {
    asset,
    network,
    shape,
    places,
    weightSpace: isUniform ? 'uniform' : 'storage, read',
    weights: arena.upload('field.weights', packed, isUniform ? USAGE.uniform : USAGE.storage),
    rows: arena.upload('field.rows', rows, isUniform ? USAGE.uniform : USAGE.storage),
    nRowVectors: rows.length / 4,
    ...createTable(arena, asset, isHalf),
  };
}

function createTable(
  arena: GpuArena,
  { encoding }: FieldAsset,
  isHalf: boolean,
): { readonly levels: GPUBuffer; readonly table: GPUBuffer } {
  const levels = encoding.kind === 'hash-grid' ? encoding.levels : [];
  const nFeatures = encoding.kind === 'hash-grid' ? encoding.nFeaturesPerLevel : 1;
  let nEntries = 0;
  const structs = levels.map((level) => {
    const firstEntry = nEntries;
    nEntries += level.nEntries;
    const isPower = (level.nEntries & (level.nEntries - 1)) === 0;
    return {
      scale: level.scale,
      offset: level.offset,
      resolution: level.resolution,
      nEntries: level.nEntries,
      mask: isPower ? level.nEntries - 1 : 0,
      isDense: level.isDense ? 1 : 0,
      firstEntry,
    };
  });
  const nBytes = nEntries * nFeatures * (isHalf ? 2 : 4);
  const table = arena.create('field.table', nBytes, USAGE.storage | USAGE.copyTarget);
  return { levels: arena.upload('field.levels', LEVEL.pack(...structs), USAGE.uniform), table };
}

/** Copies the levels' entries to the table. */
export async function uploadTable(arena: GpuArena, { asset, table, shape }: FieldResources): Promise<void> {
  if (asset.encoding.kind === 'none') return;
  let byteOffset = 0;
  for (const { params } of asset.encoding.levels) {
    const entries = shape.isHalf ? packHalves(params) : params;
    await arena.writeInParts(table, entries, byteOffset, 'field');
    byteOffset += entries.byteLength;
  }
}

/** The grid's buffers, in the order of `tableBindings`. */
export function tableBuffers({ shape, levels, table }: FieldResources): GPUBuffer[] {
  return shape.nLevels === 0 ? [] : [levels, table];
}

/** Product over the layers of the largest sum of a row's weights, its bias and 1. */
function largestGain({ hidden, lastWeights, lastBias }: Network): number {
  const rowSum = (weights: Float64Array, bias: number): number =>
    weights.reduce((sum, weight) => sum + Math.abs(weight), 1 + Math.abs(bias));
  return hidden.reduce(
    (gain, { weights, bias, nIn, nOut }) => {
      const rows = Array.from({ length: nOut }, (_, row) =>
        rowSum(weights.subarray(row * nIn, (row + 1) * nIn), bias[row]),
      );
      return gain * Math.max(...rows);
    },
    rowSum(lastWeights, lastBias),
  );
}

/**
 * What entries are multiplied by before they are rounded to half floats, a power of two: WGSL lets an implementation take
 * half-precision subnormals for zeros, and untrained entries are that small. None is left of those of a half float.
 */
export const HALF_SCALE = 2 ** 14;
const SCALE_BITS = 14;

/** f32 exponents whose multiple is a normal half float: 2^-28 to 4. */
const LEAST_EXPONENT = 113 - SCALE_BITS;
const MOST_EXPONENT = 142 - SCALE_BITS;
/** Bits of a float32's mantissa that a half float has not. */
const LOST_BITS = 0x1fff;

/** Whether a grid's entries can be kept as half floats without any loss, as those of files in half precision can. */
export function isHalfTable({ encoding }: FieldAsset): boolean {
  if (encoding.kind !== 'hash-grid' || encoding.nFeaturesPerLevel % 2 !== 0) return false;
  return encoding.levels.every(({ params }) => bitsOf(params).every(isHalf));
}

function isHalf(bits: number): boolean {
  const exponent = (bits >>> 23) & 255;
  if ((bits & 0x7fffffff) === 0) return true;
  return (bits & LOST_BITS) === 0 && exponent >= LEAST_EXPONENT && exponent <= MOST_EXPONENT;
}

/** Entries as half floats, times {@link HALF_SCALE}; all of them pass {@link isHalfTable}. */
export function packHalves(params: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(bitsOf(params), (bits) => {
    const sign = (bits >>> 16) & 0x8000;
    const exponent = (bits >>> 23) & 255;
    if (exponent === 0) return sign;
    return sign | ((exponent + SCALE_BITS - 112) << 10) | ((bits >>> 13) & 1023);
  });
}

function bitsOf(params: Float32Array): Uint32Array {
  return new Uint32Array(params.buffer, params.byteOffset, params.length);
}
