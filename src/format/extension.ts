/** The glTF extension that a mesh primitive carries. */
export const EXTENSION_NAME = 'NSDF_neural_field';

/** The version of the extension that this package reads and writes. */
export const EXTENSION_VERSION = 1;

/** How plain numbers are stored; glTF has no half floats, so they lie in raw bufferViews. */
export type ValueType = 'f32' | 'f16';

/**
 * How weights are stored. `compact`: grid tables as coded integers (docs/format.md, "Compact tables"), the network's weights f16 and its
 * biases f32; `compact-f32`: the network f32.
 */
export type WeightType = ValueType | 'compact' | 'compact-f32';

export const WEIGHT_TYPES: readonly WeightType[] = ['f32', 'f16', 'compact', 'compact-f32'];

/** Bytes of one number. */
export const VALUE_BYTES: Readonly<Record<ValueType, number>> = { f32: 4, f16: 2 };

/** How each part of a field is stored; a null type of tables is the streams'. */
export const STORED: Readonly<
  Record<
    WeightType,
    { readonly weights: ValueType; readonly biases: ValueType; readonly tables: ValueType | null }
  >
> = {
  f32: { weights: 'f32', biases: 'f32', tables: 'f32' },
  f16: { weights: 'f16', biases: 'f16', tables: 'f16' },
  compact: { weights: 'f16', biases: 'f32', tables: null },
  'compact-f32': { weights: 'f32', biases: 'f32', tables: null },
};

/** One grid level: `bufferView` holds nEntries * nFeaturesPerLevel values, entry-major, or the stream of them. */
export interface GridLevelJson {
  readonly resolution: number;
  readonly scale: number;
  readonly offset: number;
  readonly nEntries: number;
  readonly indexing: 'dense' | 'hashed';
  readonly bufferView: number;
}

/** One layer: byte offsets into the MLP's bufferView; no `biasByteOffset`, no bias. */
export interface MlpLayerJson {
  readonly nIn: number;
  readonly nOut: number;
  readonly weightsByteOffset: number;
  readonly biasByteOffset?: number;
}

/** The encoder. */
export type EncodingJson =
  | {
      readonly type: 'hash-grid';
      readonly convention: 'tiny-cuda-nn';
      readonly nFeaturesPerLevel: number;
      readonly log2HashmapSize: number;
      readonly levels: readonly GridLevelJson[];
    }
  | { readonly type: 'none'; readonly inputSpace: 'local' | 'unit' };

/** A network: what a field's values and its attributes are made of. */
export interface NetworkJson {
  readonly mlp: {
    readonly activation: 'relu';
    readonly bufferView: number;
    readonly layers: readonly MlpLayerJson[];
  };
  readonly encoding: EncodingJson;
}

/** An attribute; without `dtype` it is stored as its field is. */
export interface AttributeJson extends NetworkJson {
  readonly dtype?: WeightType;
}

/** A precomputed partition: `bufferView` holds one record. */
export interface PartitionJson {
  readonly kind: 'regions' | 'surface';
  readonly bufferView: number;
}

/** The extension object, version 1; docs/format.md describes every property. */
export interface NeuralFieldJson extends NetworkJson {
  readonly version: 1;
  readonly name?: string;
  readonly dtype: WeightType;
  readonly domain: { readonly min: readonly number[]; readonly max: readonly number[] };
  readonly sign: 'negative-inside' | 'positive-inside';
  readonly valueScale: number;
  readonly output: { readonly plus: number; readonly minus?: number };
  readonly lodResolutions?: readonly number[];
  readonly region?: { readonly min: readonly number[]; readonly max: readonly number[] };
  readonly tolerance?: number;
  readonly attributes?: Readonly<Record<string, AttributeJson>>;
  readonly partitions?: readonly PartitionJson[];
  readonly sha256?: string;
}

/** Limits that keep every later count within exact integers and sane memory. */
export const FIELD_LIMITS = {
  nLevels: 64,
  nFeaturesPerLevel: 64,
  log2HashmapSize: 32,
  resolution: 2 ** 20,
  nEntries: 2 ** 32,
  nLayers: 256,
  layerWidth: 65536,
  lodResolution: 65536,
  /** Beyond this, products of two activations leave float32; a flipped exponent bit lands here. */
  weightMagnitude: 1e18,
  /** f is a distance in local units: beyond this either way, its products leave float32, or floats altogether. */
  valueScaleMagnitude: 1e18,
  /** Steps of double precision along a domain's axis: below, planes and points of it are not to be told apart. */
  domainSteps: 2 ** 20,
} as const;

/** Whether a number counts something, up to `max`. */
export const isCount = (n: number, max: number): boolean => Number.isInteger(n) && n >= 1 && n <= max;
