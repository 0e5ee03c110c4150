import type { FieldAsset, GridLevel } from '../../src/format/asset.ts';
import { encodeHalf } from '../../src/format/half.ts';

/** A tensor to be written. */
export interface TensorSource {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type Metadata = Readonly<Record<string, string>>;

const asBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Values in a stored type. */
export function tensor(shape: readonly number[], values: Float32Array, dtype = 'F32'): TensorSource {
  if (dtype === 'F16') return { dtype, shape, bytes: asBytes(encodeHalf(values)) };
  if (dtype === 'F64') return { dtype, shape, bytes: asBytes(Float64Array.from(values)) };
  if (dtype === 'BF16') {
    const upper = new Uint16Array(values.slice().buffer).filter((_, i) => i % 2 === 1);
    return { dtype, shape, bytes: asBytes(upper) };
  }
  return { dtype, shape, bytes: asBytes(values) };
}

/** Packs tensors; `pad` spaces after the header move the data's alignment. */
export function packSafetensors(
  tensors: Readonly<Record<string, TensorSource>>,
  metadata: Metadata = {},
  pad = 0,
): Uint8Array {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [end - bytes.length, end] }] as const;
  });
  return packHeader({ __metadata__: metadata, ...Object.fromEntries(entries) }, Object.values(tensors), pad);
}

/** Packs any header over the bytes of some tensors. */
export function packHeader(header: unknown, tensors: readonly TensorSource[] = [], pad = 0): Uint8Array {
  const text = JSON.stringify(header);
  const aligned = text.padEnd(Math.ceil(text.length / 8) * 8 + pad, ' ');
  const head = new TextEncoder().encode(aligned);
  const nBytes = tensors.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const out = new Uint8Array(8 + head.length + nBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true);
  out.set(head, 8);
  let offset = 8 + head.length;
  for (const { bytes } of tensors) {
    out.set(bytes, offset);
    offset += bytes.length;
  }
  return out;
}

/** The tensors and metadata that a field would have been saved with. */
export function toTensors(
  asset: FieldAsset,
  dtype = 'F32',
): { tensors: Record<string, TensorSource>; metadata: Record<string, string> } {
  const { encoding, layers, output, domain, name } = asset;
  const tensors: Record<string, TensorSource> = {};
  layers.forEach(({ nIn, nOut, weights, bias }, i) => {
    tensors[`fc.${i}.weight`] = tensor([nOut, nIn], weights, dtype);
    if (bias !== null) tensors[`fc.${i}.bias`] = tensor([nOut], bias, dtype);
  });
  const metadata: Record<string, string> = {
    name,
    encoder: encoding.kind === 'none' ? 'none' : 'hashgrid',
    domain_box: JSON.stringify([domain.min, domain.max]),
    output: output.minus === null ? `out[${output.plus}]` : `out[${output.plus}]-out[${output.minus}]`,
  };
  if (encoding.kind === 'none') return { tensors, metadata: { ...metadata, input: encoding.inputSpace } };
  const params = Float32Array.from(encoding.levels.flatMap((level) => [...level.params]));
  tensors['enc.params'] = tensor([params.length], params, dtype);
  const { levels } = encoding;
  const column = (pick: (level: GridLevel) => unknown): string => JSON.stringify(levels.map(pick));
  return {
    tensors,
    metadata: {
      ...metadata,
      n_levels: String(encoding.levels.length),
      n_features_per_level: String(encoding.nFeaturesPerLevel),
      log2_hashmap_size: String(encoding.log2HashmapSize),
      level_scales: column(({ scale }) => scale),
      level_resolutions: column(({ resolution }) => resolution),
      level_entries: column(({ nEntries }) => nEntries),
      level_dense: column(({ isDense }) => isDense),
    },
  };
}
