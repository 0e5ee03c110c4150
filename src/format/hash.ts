import type { AttributeField, FieldAsset } from './asset.ts';
import { encodingHeader, tablesOf } from './encodings.ts';

/** Changes whenever the canonical bytes do. */
const CANONICAL_VERSION = 1;

/**
 * SHA-256 over all that determines f and its attributes, not the name nor LOD hints: equal fields have equal hashes
 * however they are stored.
 * Lower-case hexadecimal. Needs `crypto.subtle` (a secure context in browsers).
 */
export async function contentHash(asset: FieldAsset): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', canonicalBytes(asset));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Byte length of a JSON header, the header without weights, then all weights as little-endian f32. */
function canonicalBytes(asset: FieldAsset): Uint8Array<ArrayBuffer> {
  const arrays = [asset, ...attributesOf(asset).map(([, attribute]) => attribute)].flatMap(weightArrays);
  const header = new TextEncoder().encode(JSON.stringify(canonicalHeader(asset)));
  const nBytes = arrays.reduce((sum, array) => sum + array.byteLength, 4 + header.length);
  const out = new Uint8Array(nBytes);
  new DataView(out.buffer).setUint32(0, header.length, true);
  out.set(header, 4);
  let offset = 4 + header.length;
  for (const array of arrays) {
    out.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    offset += array.byteLength;
  }
  return out;
}

/** Layers first, then levels coarse to fine, as in the file. */
function weightArrays({ layers, encoding }: AttributeField): Float32Array[] {
  const mlp = layers.flatMap(({ weights, bias }) => (bias === null ? [weights] : [weights, bias]));
  return [...mlp, ...tablesOf(encoding)];
}

/** Sorted by name. */
function attributesOf({ attributes = {} }: FieldAsset): [string, AttributeField][] {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Arrays of values in a fixed order: no object, whose keys may come in any order. */
function canonicalHeader(asset: FieldAsset): unknown[] {
  const { output, domain } = asset;
  const attributes = attributesOf(asset);
  return [
    CANONICAL_VERSION,
    ...shapeOf(asset),
    [output.plus, output.minus],
    asset.isNegativeInside,
    asset.valueScale,
    [...domain.min, ...domain.max],
    ...(attributes.length > 0 ? [attributes.map(([name, attribute]) => [name, ...shapeOf(attribute)])] : []),
  ];
}

/** Encoder and layers, without weights. */
function shapeOf({ encoding, layers }: AttributeField): unknown[] {
  const encoder = encodingHeader(encoding);
  return [encoder, layers.map(({ nIn, nOut, bias }) => [nIn, nOut, bias !== null])];
}
