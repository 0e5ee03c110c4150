import { noteChecked } from './assert-field.ts';
import type { Box3, FieldAsset, MlpLayer, OutputRule, PackedPartition, Vec3 } from './asset.ts';
import { readEncoding } from './encoding-codec.ts';
import { type EncodingParts, nInputsOf } from './encodings.ts';
import {
  EXTENSION_VERSION,
  STORED,
  VALUE_BYTES,
  type ValueType,
  WEIGHT_TYPES,
  type WeightType,
} from './extension.ts';
import { checkField, type FieldPlaces, type NetworkParts } from './field-rules.ts';
import type { NetworkPlaces, NsdfPlace } from './issues.ts';
import { describe, type JsonObject, type LengthRange, pointer, readChoice } from './json-object.ts';
import { type BufferViews, readSlice, type WeightSource } from './weights.ts';

/** A decoded extension object. */
export interface DecodedField {
  readonly asset: FieldAsset;
  readonly sha256: string | null;
}

const FIELD_KEYS = [
  'version',
  'name',
  'dtype',
  'domain',
  'sign',
  'valueScale',
  'output',
  'mlp',
  'encoding',
  'lodResolutions',
  'region',
  'tolerance',
  'attributes',
  'partitions',
  'sha256',
];

/**
 * Decodes one `NSDF_neural_field` object, recording everything that is wrong with it. Null if an error was found.
 * @param meshName names the field where the extension does not.
 */
export function decodeField(json: JsonObject, meshName: string, source: WeightSource): DecodedField | null {
  const { issues } = json;
  const nErrorsBefore = issues.nErrors;
  if (!isVersionKnown(json)) return null;
  json.noteUnknown(FIELD_KEYS);
  const dtype = readChoice(json, 'dtype', WEIGHT_TYPES);
  const parts = {
    name: json.text('name', meshName),
    domain: readBox(json, 'domain', { min: 1, max: 16 }),
    isNegativeInside: readSign(json),
    valueScale: json.number('valueScale'),
    output: readOutput(json),
    ...readNetwork(json, dtype, source),
    ...readHints(json),
    ...readAttributes(json, dtype, source),
    ...readPartitions(json, source),
  };
  const sha256 = readSha256(json);
  checkField(parts, jsonPlaces(json, source, dtype ?? 'f32'), issues);
  if (issues.nErrors > nErrorsBefore) return null;
  noteChecked(parts as FieldAsset);
  return { asset: parts as FieldAsset, sha256 };
}

/** The network of a field or of an attribute; of a file that is still arriving, with the levels that are there. */
function readNetwork(
  json: JsonObject,
  dtype: WeightType | null,
  source: WeightSource,
): Required<NetworkParts> {
  const mlp = json.object('mlp');
  const encodingJson = json.object('encoding');
  const layers = mlp && dtype && readMlp(mlp, dtype, source);
  const encoding = encodingJson && dtype && readEncoding(encodingJson, dtype, source);
  return { layers: source.isMissing ? fitFirstLayer(layers, encoding) : layers, encoding };
}

/**
 * The network as it reads the levels that have arrived: features of the others count as zero, which takes their columns
 * out of the first layer.
 */
function fitFirstLayer(
  layers: (MlpLayer | null)[] | null,
  encoding: EncodingParts | null,
): (MlpLayer | null)[] | null {
  const first = layers?.[0];
  if (!layers || !first || !encoding) return layers;
  const nIn = nInputsOf(encoding);
  // A count of features that is none is named by the field rules.
  if (!(nIn >= 0 && nIn < first.nIn)) return layers;
  const weights = new Float32Array(first.nOut * nIn);
  for (let row = 0; row < first.nOut; row++) {
    weights.set(first.weights.subarray(row * first.nIn, row * first.nIn + nIn), row * nIn);
  }
  return [{ ...first, nIn, weights }, ...layers.slice(1)];
}

/** Attributes are there once their network and their first level are. */
function readAttributes(
  json: JsonObject,
  dtype: WeightType | null,
  source: WeightSource,
): { attributes?: Record<string, Required<NetworkParts> | null> } {
  const listed = json.optionalObject('attributes');
  if (listed === null) return {};
  if (Object.keys(listed.value).length === 0) {
    const message = 'attributes is empty, expected at least one, or none of the property';
    listed.issues.error('property-range', message, { path: listed.path });
  }
  const read = Object.keys(listed.value).flatMap((name) => {
    const attribute = listed.object(name);
    if (attribute && source.isMissing && !hasArrived(attribute, source)) return [];
    attribute?.noteUnknown(['dtype', 'mlp', 'encoding']);
    const own = attribute?.has('dtype') ? readChoice(attribute, 'dtype', WEIGHT_TYPES) : dtype;
    return [[name, attribute && readNetwork(attribute, own, source)] as const];
  });
  return read.length === 0 ? {} : { attributes: Object.fromEntries(read) };
}

function hasArrived({ value }: JsonObject, { isMissing }: WeightSource): boolean {
  const { mlp, encoding } = value as {
    readonly mlp?: { readonly bufferView?: unknown } | null;
    readonly encoding?: { readonly levels?: readonly ({ readonly bufferView?: unknown } | null)[] } | null;
  };
  const levels = encoding?.levels;
  const first = Array.isArray(levels) ? levels[0] : undefined;
  return [mlp, first].every((owner) => !isMissing?.(owner?.bufferView as number));
}

/** A newer version may mean anything: nothing else is read then. */
export function isVersionKnown(json: JsonObject): boolean {
  const version = json.integer('version');
  if (version === null || version === EXTENSION_VERSION) return true;
  if (version < 1) {
    json.issues.error(
      'property-range',
      `version is ${version}, expected ${EXTENSION_VERSION}`,
      json.place('version'),
    );
  } else {
    const advice = `this package reads version ${EXTENSION_VERSION}: update nsdf-loader`;
    json.issues.unsupported(
      `version ${version}`,
      `the field has version ${version}; ${advice}`,
      json.place('version'),
    );
  }
  return false;
}

function readBox(json: JsonObject, key: string, length: LengthRange): Box3 | null {
  const box = json.object(key);
  if (box === null) return null;
  box.noteUnknown(['min', 'max']);
  const min = box.numbers('min', length);
  const max = box.numbers('max', length);
  // Domains of other lengths than 3 are named by the field rules.
  return min && max && { min: min as unknown as Vec3, max: max as unknown as Vec3 };
}

function readSign(json: JsonObject): boolean | null {
  const sign = json.choice('sign', ['negative-inside', 'positive-inside']);
  return sign === null ? null : sign === 'negative-inside';
}

function readOutput(json: JsonObject): OutputRule | null {
  const output = json.object('output');
  if (output === null) return null;
  output.noteUnknown(['plus', 'minus']);
  const plus = output.index('plus');
  const minus = output.has('minus') ? output.index('minus') : null;
  return plus === null || (output.has('minus') && minus === null) ? null : { plus, minus };
}

/** What the file has to say about how it is to be derived, each of it optional. */
export function readHints(json: JsonObject): Pick<FieldAsset, 'lodResolutions' | 'region' | 'tolerance'> {
  const hints = {
    lodResolutions: json.has('lodResolutions') ? json.numbers('lodResolutions', { min: 1, max: 64 }) : null,
    region: json.has('region') ? readBox(json, 'region', { min: 3, max: 3 }) : null,
    tolerance: json.has('tolerance') ? json.number('tolerance') : null,
  };
  return Object.fromEntries(Object.entries(hints).filter(([, hint]) => hint !== null));
}

function readSha256(json: JsonObject): string | null {
  const sha256 = json.has('sha256') ? json.text('sha256') : null;
  if (sha256 === null || /^[0-9a-f]{64}$/.test(sha256)) return sha256;
  const message = `found ${describe(sha256)}, expected 64 lower-case hexadecimal digits`;
  json.issues.error('property-range', message, json.place('sha256'));
  return null;
}

function readMlp(mlp: JsonObject, dtype: WeightType, source: WeightSource): (MlpLayer | null)[] | null {
  mlp.noteUnknown(['activation', 'bufferView', 'layers']);
  const advice =
    ': only ReLU networks are piecewise; retrain with ReLU, or distil the field into a ReLU network';
  readChoice(mlp, 'activation', ['relu'], advice);
  const bufferView = mlp.index('bufferView');
  const layers = mlp.objects('layers');
  if (bufferView === null || layers === null) return null;
  return layers.map((layer) => layer && readLayer(layer, bufferView, dtype, source));
}

function readLayer(
  json: JsonObject,
  bufferView: number,
  dtype: WeightType,
  source: WeightSource,
): MlpLayer | null {
  json.noteUnknown(['nIn', 'nOut', 'weightsByteOffset', 'biasByteOffset']);
  const nIn = json.index('nIn');
  const nOut = json.index('nOut');
  const weightsByteOffset = json.index('weightsByteOffset');
  const hasBias = json.has('biasByteOffset');
  const biasByteOffset = hasBias ? json.index('biasByteOffset') : null;
  if (nIn === null || nOut === null || weightsByteOffset === null || (hasBias && biasByteOffset === null))
    return null;
  const slice = (key: string, type: ValueType, byteOffset: number, nValues: number): Float32Array | null =>
    readSlice(json, key, { bufferView, byteOffset, nValues, dtype: type }, source);
  const types = STORED[dtype];
  const weights = slice('weightsByteOffset', types.weights, weightsByteOffset, nIn * nOut);
  const bias = biasByteOffset === null ? null : slice('biasByteOffset', types.biases, biasByteOffset, nOut);
  return weights === null || (hasBias && bias === null) ? null : { nIn, nOut, weights, bias };
}

/** JSON pointers of the rules' places; for single weights their bytes too. */
export function jsonPlaces(json: JsonObject, source: WeightSource, dtype: WeightType): FieldPlaces {
  const at = (key: string): NsdfPlace => json.place(key);
  return {
    ...networkPlaces(json.value, json.path, source, dtype),
    domain: at('domain'),
    output: at('output'),
    valueScale: at('valueScale'),
    lodResolutions: at('lodResolutions'),
    region: at('region'),
    tolerance: at('tolerance'),
    attributes: at('attributes'),
    attribute: (name) => {
      const owner = (json.value.attributes as Record<string, Record<string, unknown>>)[name];
      const own = WEIGHT_TYPES.find((type) => type === owner.dtype) ?? dtype;
      return networkPlaces(owner, pointer(pointer(json.path, 'attributes'), name), source, own);
    },
  };
}

function networkPlaces(
  { mlp, encoding }: Readonly<Record<string, unknown>>,
  path: string,
  source: WeightSource,
  dtype: WeightType,
): NetworkPlaces {
  const at = (...keys: (string | number)[]): NsdfPlace => ({ path: keys.reduce(pointer, path) });
  const byteOf = (
    place: NsdfPlace,
    type: ValueType | null,
    bufferView: unknown,
    offset: unknown,
    element: number,
  ): NsdfPlace => {
    const begin = source.getByteOffset(Number(bufferView));
    if (begin === undefined || type === null) return place;
    return { ...place, byteOffset: begin + Number(offset) + element * VALUE_BYTES[type] };
  };
  const child = (value: unknown, key: string | number): unknown =>
    (value as Record<string | number, unknown>)[key];
  const types = STORED[dtype];
  const layerByte = (index: number, key: string, type: ValueType, element: number): NsdfPlace => {
    const offset = child(child(child(mlp, 'layers'), index), key);
    return byteOf(at('mlp', 'layers', index, key), type, child(mlp, 'bufferView'), offset, element);
  };
  return {
    encoding: at('encoding'),
    mlp: at('mlp'),
    level: (index) => at('encoding', 'levels', index),
    levelParams: (index, element) => {
      const bufferView = child(child(child(encoding, 'levels'), index), 'bufferView');
      return byteOf(at('encoding', 'levels', index), types.tables, bufferView, 0, element);
    },
    layer: (index) => at('mlp', 'layers', index),
    weights: (index, element) => layerByte(index, 'weightsByteOffset', types.weights, element),
    bias: (index, element) => layerByte(index, 'biasByteOffset', types.biases, element),
  };
}

/** The first bytes of a partition record, "NSDP". */
const RECORD_MAGIC = [0x4e, 0x53, 0x44, 0x50];

/**
 * The partitions that a field's extension object names. Their records are looked into only when they are used: the
 * reader sees to it that they are there and are records.
 */
export function readPartitions(json: JsonObject, source: BufferViews): Pick<FieldAsset, 'partitions'> {
  if (!json.has('partitions')) return {};
  const listed = json.objects('partitions') ?? [];
  if (Array.isArray(json.value.partitions) && (listed.length === 0 || listed.length > 64)) {
    const message = `${listed.length} partitions, expected 1 to 64`;
    json.issues.error('property-range', message, json.place('partitions'));
    return {};
  }
  const partitions = listed.map((partition) => partition && readPartition(partition, source));
  const whole = partitions.filter((partition) => partition !== null);
  return whole.length === 0 ? {} : { partitions: whole };
}

function readPartition(json: JsonObject, source: BufferViews): PackedPartition | null {
  json.noteUnknown(['kind', 'bufferView']);
  const kind = json.choice('kind', ['regions', 'surface']);
  const bufferView = json.index('bufferView');
  if (kind === null || bufferView === null || source.isMissing?.(bufferView)) return null;
  const bytes = source.getBytes(bufferView);
  if (bytes === null) {
    json.issues.error(
      'reference',
      `there are no bytes for bufferView ${bufferView}`,
      json.place('bufferView'),
    );
    return null;
  }
  if (RECORD_MAGIC.every((byte, i) => bytes[i] === byte)) return { kind, bytes };
  const message = `bufferView ${bufferView} holds no partition record, expected it to begin with "NSDP"`;
  json.issues.error('reference', message, { path: pointer(json.path, 'bufferView') });
  return null;
}
