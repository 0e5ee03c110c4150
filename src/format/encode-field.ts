import { NsdfArgumentError } from '../errors.ts';
import type { AttributeField, FieldAsset, MlpLayer } from './asset.ts';
import { encodingJson, tableStreams } from './encoding-codec.ts';
import { mapTables, tablesOf } from './encodings.ts';
import {
  EXTENSION_VERSION,
  type MlpLayerJson,
  type NetworkJson,
  type NeuralFieldJson,
  STORED,
  VALUE_BYTES,
  type ValueType,
  type WeightType,
} from './extension.ts';
import { checkField, MEMORY_PLACES } from './field-rules.ts';
import { decodeHalf, encodeHalf } from './half.ts';
import { IssueList } from './issues.ts';

/** The bytes of a network, by bufferView: the MLP, then the grid levels, coarse to fine. */
export interface EncodedNetwork {
  readonly mlp: Uint8Array;
  readonly mlpLayers: readonly MlpLayerJson[];
  readonly levels: readonly Uint8Array[];
}

/** The bytes of a field. */
export interface EncodedField extends EncodedNetwork {
  readonly attributes: Readonly<Record<string, EncodedNetwork>>;
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
    ...encodeNetwork(asset, dtype),
    attributes: mapAttributes(asset, (attribute) =>
      encodeNetwork(attribute, attributeType(attribute, dtype)),
    ),
    partitions: isExactAs(asset, dtype) ? (asset.partitions ?? []).map(({ bytes }) => bytes) : [],
  };
}

/** Something of every attribute, by name. */
export function mapAttributes<A, T>(
  { attributes = {} }: { readonly attributes?: Readonly<Record<string, A>> },
  map: (attribute: A, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [name, map(attribute, name)]),
  );
}

/** How an attribute of a field that is stored as `dtype` is stored: plainly where its tables are of no whole steps. */
function attributeType({ encoding }: AttributeField, dtype: WeightType): WeightType {
  if (STORED[dtype].tables !== null) return dtype;
  return tableStreams(encoding) === null ? STORED[dtype].weights : dtype;
}

function encodeNetwork(
  network: AttributeField & { readonly name?: string },
  dtype: WeightType,
): EncodedNetwork {
  return { ...encodeMlp(network.layers, dtype), levels: encodeLevels(network, dtype) };
}

function encodeLevels(
  { encoding, name = 'the attribute' }: AttributeField & { readonly name?: string },
  dtype: WeightType,
): readonly Uint8Array[] {
  const type = STORED[dtype].tables;
  if (type !== null) return tablesOf(encoding).map((table) => encodeValues(table, type));
  const streams = tableStreams(encoding);
  if (streams !== null) return streams;
  const advice = 'make it so with packField of nsdf-loader/train, or nsdf pack --compact';
  throw new NsdfArgumentError(
    'dtype',
    `the tables of ${name} are not of whole steps, as ${dtype} stores them: ${advice}`,
  );
}

/** Whether all weights come back from `dtype` as they went in. */
export function isExactAs(asset: FieldAsset, dtype: WeightType): boolean {
  const isExact = (attribute: AttributeField): boolean =>
    isNetworkExact(attribute, attributeType(attribute, dtype));
  return isNetworkExact(asset, dtype) && Object.values(asset.attributes ?? {}).every(isExact);
}

function isNetworkExact({ layers, encoding }: AttributeField, dtype: WeightType): boolean {
  const types = STORED[dtype];
  const isExact = (values: Float32Array | null, type: ValueType): boolean =>
    type === 'f32' ||
    values === null ||
    decodeHalf(encodeHalf(values)).every((value, i) => Object.is(value, values[i]));
  if (!layers.every(({ weights, bias }) => isExact(weights, types.weights) && isExact(bias, types.biases)))
    return false;
  const type = types.tables;
  if (type === null) return tableStreams(encoding) !== null;
  return tablesOf(encoding).every((table) => isExact(table, type));
}

/** The smallest of the types that change none of the fields. */
export function exactType(assets: readonly FieldAsset[]): WeightType {
  const hasGrids = assets.some(({ encoding }) => tablesOf(encoding).length > 0);
  const types = hasGrids ? (['compact', 'compact-f32', 'f16'] as const) : (['f16'] as const);
  return types.find((type) => assets.every((asset) => isExactAs(asset, type))) ?? 'f32';
}

/** Layer after layer: weights, then bias. */
function encodeMlp(layers: readonly MlpLayer[], dtype: WeightType): Omit<EncodedNetwork, 'levels'> {
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
  const { attributes } = asset;
  const round = (attribute: AttributeField): AttributeField =>
    roundNetwork(attribute, attributeType(attribute, dtype));
  return {
    ...asset,
    ...roundNetwork(asset, dtype),
    ...(attributes && { attributes: mapAttributes(asset, round) }),
  };
}

function roundNetwork(network: AttributeField, dtype: WeightType): AttributeField {
  const types = STORED[dtype];
  const { encoding, layers: given } = network;
  const round = (values: Float32Array, type: ValueType | null): Float32Array =>
    type === 'f16' ? decodeHalf(encodeHalf(values)) : values;
  if (types.weights === 'f32') return { encoding, layers: given };
  const layers = given.map((layer) => ({
    ...layer,
    weights: round(layer.weights, types.weights),
    bias: layer.bias === null ? null : round(layer.bias, types.biases),
  }));
  return { encoding: mapTables(encoding, (table) => round(table, types.tables)), layers };
}

/** Indices of the bufferViews that hold a network, and the places of its layers in the first. */
export interface NetworkViews {
  readonly mlp: number;
  readonly mlpLayers: readonly MlpLayerJson[];
  readonly levels: readonly number[];
}

/** Indices of the bufferViews that hold a field. */
export interface FieldViews extends NetworkViews {
  readonly attributes: Readonly<Record<string, NetworkViews>>;
  readonly partitions: readonly number[];
}

/**
 * Places the bytes of all networks in a file's order: MLPs, then level 0 of all fields and of their attributes, level 1 of
 * all, and so on, so that a prefix has every field coarsely, with its colours.
 * @param add appends a bufferView and gives its index.
 */
export function placeNetworks(
  fields: readonly EncodedField[],
  add: (bytes: Uint8Array) => number,
): Omit<FieldViews, 'partitions'>[] {
  const networks = fields.flatMap((field) => [field, ...Object.values(field.attributes)]);
  const placed = new Map<EncodedNetwork, NetworkViews & { readonly levels: number[] }>();
  for (const network of networks) {
    placed.set(network, { mlp: add(network.mlp), mlpLayers: network.mlpLayers, levels: [] });
  }
  const nLevels = Math.max(...networks.map(({ levels }) => levels.length));
  for (let l = 0; l < nLevels; l++) {
    for (const network of networks) {
      if (l < network.levels.length) placed.get(network)!.levels.push(add(network.levels[l]));
    }
  }
  const viewsOf = (network: EncodedNetwork): NetworkViews => placed.get(network)!;
  return fields.map((field) => ({ ...viewsOf(field), attributes: mapAttributes(field, viewsOf) }));
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
  { dtype, views, meshName, sha256 }: FieldJsonOptions,
): NeuralFieldJson {
  const { output, lodResolutions, region, tolerance, attributes } = asset;
  return {
    version: EXTENSION_VERSION,
    ...(asset.name === meshName ? {} : { name: asset.name }),
    dtype,
    domain: { min: [...asset.domain.min], max: [...asset.domain.max] },
    sign: asset.isNegativeInside ? 'negative-inside' : 'positive-inside',
    valueScale: asset.valueScale,
    output: { plus: output.plus, ...(output.minus === null ? {} : { minus: output.minus }) },
    ...networkJson(asset, views),
    ...(lodResolutions === undefined ? {} : { lodResolutions: [...lodResolutions] }),
    ...(region === undefined ? {} : { region: { min: [...region.min], max: [...region.max] } }),
    ...(tolerance === undefined ? {} : { tolerance }),
    ...(attributes && {
      attributes: mapAttributes(asset, (attribute, name) => {
        const own = attributeType(attribute, dtype);
        return { ...(own !== dtype && { dtype: own }), ...networkJson(attribute, views.attributes[name]) };
      }),
    }),
    ...partitionsJson(asset, views.partitions),
    ...(sha256 === null ? {} : { sha256 }),
  };
}

function networkJson({ encoding }: AttributeField, { mlp, mlpLayers, levels }: NetworkViews): NetworkJson {
  return {
    mlp: { activation: 'relu', bufferView: mlp, layers: mlpLayers },
    encoding: encodingJson(encoding, levels),
  };
}

function partitionsJson(
  { partitions = [] }: FieldAsset,
  views: readonly number[],
): Pick<NeuralFieldJson, 'partitions'> {
  if (views.length === 0) return {};
  return { partitions: views.map((bufferView, i) => ({ kind: partitions[i].kind, bufferView })) };
}
