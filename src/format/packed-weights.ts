import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from './asset.ts';
import {
  encodeField,
  type FieldViews,
  mapAttributes,
  type NetworkViews,
  placeNetworks,
  roundField,
} from './encode-field.ts';
import type { WeightType } from './extension.ts';
import { checkField, MEMORY_PLACES } from './field-rules.ts';
import { contentHash } from './hash.ts';
import { IssueList } from './issues.ts';
import { isSameNetwork } from './network-map.ts';
import { BinWriter, type ExternalBuffer } from './write-bin.ts';

/** A field's weights as a file of their own, which any number of GLBs may refer to. */
export interface PackedWeights {
  /** Where the GLBs look for the file, relative to themselves; percent-encoded. */
  readonly uri: string;
  readonly bytes: Uint8Array;
  readonly dtype: WeightType;
  /** Of the field as it will be read back; see `contentHash`. */
  readonly sha256: string;
  /** The field whose weights these are. */
  readonly asset: FieldAsset;
  /** Which of the ranges hold what. */
  readonly views: Omit<FieldViews, 'partitions'>;
  /** Byte ranges of the bufferViews: MLPs, then levels, coarse to fine. */
  readonly ranges: readonly { readonly byteOffset: number; readonly byteLength: number }[];
}

/**
 * Packs the weights of a field once for many files: `writeNsdf(tile, { weights })` writes a field of the same
 * network, with a region and a tolerance of its own, and refers to them.
 * @throws {NsdfFormatError} if the field breaks a rule. @throws {NsdfArgumentError} if a weight doesn't fit `dtype`.
 * @example
 * const weights = await packWeights(asset, { uri: 'terrain.bin' });
 * const glb = writeNsdf({ ...asset, region, tolerance: 0.1 }, { weights });
 */
export async function packWeights(
  asset: FieldAsset,
  { uri, dtype = 'f32' }: { readonly uri: string; readonly dtype?: WeightType },
): Promise<PackedWeights> {
  const bin = new BinWriter();
  const [views] = placeNetworks([encodeField(asset, dtype)], (bytes) => bin.addView(bytes));
  const sha256 = await contentHash(roundField(asset, dtype));
  return { uri, bytes: bin.bytes(), dtype, sha256, asset, views, ranges: bin.ranges() };
}

/** Adds the bufferViews of packed weights to a file. */
export function addPackedViews(bin: BinWriter, { uri, bytes, views, ranges }: PackedWeights): FieldViews {
  const buffer: ExternalBuffer = { uri, byteLength: bytes.length };
  const indices = ranges.map(({ byteOffset, byteLength }) =>
    bin.addExternalView(buffer, byteOffset, byteLength),
  );
  const inFile = ({ mlp, mlpLayers, levels }: NetworkViews): NetworkViews => ({
    mlp: indices[mlp],
    mlpLayers,
    levels: levels.map((level) => indices[level]),
  });
  return { ...inFile(views), attributes: mapAttributes(views, inFile), partitions: [] };
}

/**
 * Holds a field against the weights that it is to be written with: its hints may differ from those of the packed
 * field, and nothing else.
 * @throws {NsdfArgumentError} if it is another field. @throws {NsdfFormatError} if its hints break a rule.
 */
export function checkPacked(asset: FieldAsset, { asset: packed, uri }: PackedWeights): void {
  if (!isSameNetwork(asset, packed)) {
    const message = `${asset.name} is not the field whose weights were packed as ${uri}`;
    throw new NsdfArgumentError('weights', `${message}: it must share its layers, encoding and domain`);
  }
  const issues = new IssueList();
  checkField(
    { ...asset, encoding: null, layers: null, output: null, attributes: null },
    MEMORY_PLACES,
    issues,
  );
  issues.throwFirstError();
}
