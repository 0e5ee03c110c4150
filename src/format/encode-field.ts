import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset, MlpLayer } from './asset.ts';
import {
  type EncodingJson,
  EXTENSION_VERSION,
  type MlpLayerJson,
  type NeuralFieldJson,
  STORED,
  VALUE_BYTES,
  type ValueType,
  type WeightType,
} from './extension.ts';
import { checkField, MEMORY_PLACES } from './field-rules.ts';
import { decodeHalf, encodeHalf } from './half.ts';
import { IssueList } from './issues.ts';
import { streamsOf } from './table-decoder.ts';

/** The bytes of a field, by bufferView: the MLP, then the grid levels, coarse to fine. */
export interface EncodedField {
  readonly mlp: Uint8Array;
  readonly mlpLayers: readonly MlpLayerJson[];
  readonly levels: readonly Uint8Array[];
  /** Records as they are; none where rounding made another field of it, which they are not of. */
  readonly partitions: readonly Uint8Array[];
}

/**
 * The bytes that a field's bufferViews hold.
 * @throws {NsdfFormatError} if the field breaks a rule.
 * @throws {NsdfArgumentError} if a weight doesn't fit `dtype`, or a table is not of a stream and `dtype` is `compact`.
 */
export function encodeField(asset: FieldAsset, dtype: WeightType): EncodedField {
  const issues = new IssueList();
  checkField(asset, MEMORY_PLACES, issues);
  issues.throwFirstError();
  return {
    ...encodeMlp(asset.layers, dtype),
    levels: encodeLevels(asset, dtype),
    partitions: isExactAs(asset, dtype) ? (asset.partitions ?? []).map(({ bytes }) => bytes) : [],
  };
}

function encodeLevels({ encoding, name }: FieldAsset, dtype: WeightType): readonly Uint8Array[] {
  if (encoding.kind !== 'hash-grid') return [];
  const { levels, nFeaturesPerLevel } = encoding;
  const type = STORED[dtype].tables;
  if (type !== null) return levels.map(({ params }) => encodeValues(params, type));
  const streams = streamsOf(levels, nFeaturesPerLevel);
  if (streams !== null) return streams;
  const advice = 'make it so with packField of nsdf-loader/train, or nsdf pack --compact';
  throw new NsdfArgumentError(
    'dtype',
    `the tables of ${name} are not of whole steps, as ${dtype} stores them: ${advice}`,
  );
}

/** Whether all weights come back from `dtype` as they went in. */
export function isExactAs({ layers, encoding }: FieldAsset, dtype: WeightType): boolean {
  const types = STORED[dtype];
  const isExact = (values: Float32Array | null, type: ValueType): boolean =>
    type === 'f32' ||
    values === null ||
    decodeHalf(encodeHalf(values)).every((value, i) => Object.is(value, values[i]));
  if (!layers.every(({ weights, bias }) => isExact(weights, types.weights) && isExact(bias, types.biases)))
    return false;
  if (encoding.kind !== 'hash-grid') return true;
  const { levels, nFeaturesPerLevel } = encoding;
  const type = types.tables;
  if (type === null) return streamsOf(levels, nFeaturesPerLevel) !== null;
  return levels.every(({ params }) => isExact(params, type));
}

/** The smallest of the types that change none of the fields. */
export function exactType(assets: readonly FieldAsset[]): WeightType {
  const hasGrids = assets.some(({ encoding }) => encoding.kind === 'hash-grid');
  const types = hasGrids ? (['compact', 'compact-f32', 'f16'] as const) : (['f16'] as const);
  return types.find((type) => assets.every((asset) => isExactAs(asset, type))) ?? 'f32';
}

/** Layer after layer: weights, then bias. */
function encodeMlp(layers: readonly MlpLayer[], dtype: WeightType): Pick<EncodedField, 'mlp' | 'mlpLayers'> {
  const parts: Uint8Array[] = [];
  let byteOffset = 0;
  const types = STORED[dtype];
  const add = (values: Float32Array, type: ValueType): number => {
    const bytes = encodeValues(values, type);
    const padding = -byteOffset & (VALUE_BYTES[type] - 1);
    parts.push(new Uint8Array(padding), bytes);
    byteOffset += padding + bytes.length;
    return byteOffset - bytes.length;
  };
  const mlpLayers = layers.map(({ nIn, nOut, weights, bias }): MlpLayerJson => {
    const weightsByteOffset = add(weights, types.weights);
    const biases = bias === null ? {} : { biasByteOffset: add(bias, types.biases) };
    return { nIn, nOut, weightsByteOffset, ...biases };
  });
  return { mlp: concatenate(parts), mlpLayers };
}

function encodeValues(values: Float32Array, dtype: ValueType): Uint8Array {
  if (dtype === 'f32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = encodeHalf(values);
  const overflow = halves.findIndex((half) => (half & 0x7fff) === 0x7c00);
  if (overflow < 0) return new Uint8Array(halves.buffer);
  const message = `the weight ${values[overflow]} does not fit f16 (at most 65504): write f32`;
  throw new NsdfArgumentError('dtype', message);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** The field as a reader will see it: weights rounded to `dtype`. */
export function roundField(asset: FieldAsset, dtype: WeightType): FieldAsset {
  const types = STORED[dtype];
  const round = (values: Float32Array, type: ValueType | null): Float32Array =>
    type === 'f16' ? decodeHalf(encodeHalf(values)) : values;
  if (types.weights === 'f32') return asset;
  const layers = asset.layers.map((layer) => ({
    ...layer,
    weights: round(layer.weights, types.weights),
    bias: layer.bias === null ? null : round(layer.bias, types.biases),
  }));
  if (asset.encoding.kind === 'none') return { ...asset, layers };
  const levels = asset.encoding.levels.map((level) => ({
    ...level,
    params: round(level.params, types.tables),
  }));
  return { ...asset, layers, encoding: { ...asset.encoding, levels } };
}

/** Indices of the bufferViews that hold a field. */
export interface FieldViews {
  readonly mlp: number;
  readonly levels: readonly number[];
  readonly partitions: readonly number[];
}

/** What the extension object says beside the field itself. */
export interface FieldJsonOptions {
  readonly dtype: WeightType;
  readonly views: FieldViews;
  /** The extension names the field only where the mesh doesn't. */
  readonly meshName: string;
  readonly sha256: string | null;
}

/** The extension object of a field. Keys come in a fixed order: equal scenes give equal bytes. */
export function fieldJson(
  asset: FieldAsset,
  mlpLayers: readonly MlpLayerJson[],
  { dtype, views, meshName, sha256 }: FieldJsonOptions,
): NeuralFieldJson {
  const { output, lodResolutions, region, tolerance } = asset;
  return {
    version: EXTENSION_VERSION,
    ...(asset.name === meshName ? {} : { name: asset.name }),
    dtype,
    domain: { min: [...asset.domain.min], max: [...asset.domain.max] },
    sign: asset.isNegativeInside ? 'negative-inside' : 'positive-inside',
    valueScale: asset.valueScale,
    output: { plus: output.plus, ...(output.minus === null ? {} : { minus: output.minus }) },
    mlp: { activation: 'relu', bufferView: views.mlp, layers: mlpLayers },
    encoding: encodingJson(asset.encoding, views.levels),
    ...(lodResolutions === undefined ? {} : { lodResolutions: [...lodResolutions] }),
    ...(region === undefined ? {} : { region: { min: [...region.min], max: [...region.max] } }),
    ...(tolerance === undefined ? {} : { tolerance }),
    ...partitionsJson(asset, views.partitions),
    ...(sha256 === null ? {} : { sha256 }),
  };
}

function partitionsJson(
  { partitions = [] }: FieldAsset,
  views: readonly number[],
): Pick<NeuralFieldJson, 'partitions'> {
  if (views.length === 0) return {};
  return { partitions: views.map((bufferView, i) => ({ kind: partitions[i].kind, bufferView })) };
}

function encodingJson(encoding: FieldAsset['encoding'], views: readonly number[]): EncodingJson {
  if (encoding.kind === 'none') return { type: 'none', inputSpace: encoding.inputSpace };
  const { convention, nFeaturesPerLevel, log2HashmapSize } = encoding;
  const levels = encoding.levels.map(({ resolution, scale, offset, nEntries, isDense }, l) => ({
    resolution,
    scale,
    offset,
    nEntries,
    indexing: isDense ? ('dense' as const) : ('hashed' as const),
    bufferView: views[l],
  }));
  return { type: 'hash-grid', convention, nFeaturesPerLevel, log2HashmapSize, levels };
}
