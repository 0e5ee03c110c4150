/** The glTF extension that a mesh primitive carries. */
export const EXTENSION_NAME = 'NSDF_neural_field';

/** The version of the extension that this package reads and writes. */
export const EXTENSION_VERSION = 1;

/** How weights are stored; glTF has no half floats, so they lie in raw bufferViews. */
export type WeightType = 'f32' | 'f16';

/** Bytes of one weight. */
export const WEIGHT_BYTES: Readonly<Record<WeightType, number>> = { f32: 4, f16: 2 };

/** One grid level: `bufferView` holds nEntries * nFeaturesPerLevel values, entry-major. */
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

/** A precomputed partition: `bufferView` holds one record. */
export interface PartitionJson {
  readonly kind: 'regions' | 'surface';
  readonly bufferView: number;
}

/** The extension object, version 1; docs/format.md describes every property. */
export interface NeuralFieldJson {
  readonly version: 1;
  readonly name?: string;
  readonly dtype: WeightType;
  readonly domain: { readonly min: readonly number[]; readonly max: readonly number[] };
  readonly sign: 'negative-inside' | 'positive-inside';
  readonly valueScale: number;
  readonly output: { readonly plus: number; readonly minus?: number };
  readonly mlp: {
    readonly activation: 'relu';
    readonly bufferView: number;
    readonly layers: readonly MlpLayerJson[];
  };
  readonly encoding: EncodingJson;
  readonly lodResolutions?: readonly number[];
  readonly region?: { readonly min: readonly number[]; readonly max: readonly number[] };
  readonly tolerance?: number;
  readonly partitions?: readonly PartitionJson[];
  readonly sha256?: string;
}
