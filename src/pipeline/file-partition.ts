import { recordKey } from '../cache/record-key.ts';
import { NsdfFormatError } from '../errors.ts';
import type { FieldAsset, PackedPartition } from '../format/asset.ts';
import { openEnvelope, type RecordHeader } from './record-envelope.ts';
import type { RecordOptions } from './records.ts';

/**
 * A record in the asset itself that is of this kind, field and options; undefined where there is none. What cannot be
 * read is passed over: a file may come from another version of this package. Which algorithm made it doesn't matter, for
 * what it holds is verified.
 */
export function findPartition(
  { partitions = [] }: FieldAsset,
  kind: PackedPartition['kind'],
  contentHash: string,
  options: RecordOptions,
): Uint8Array | undefined {
  const wanted = recordKey({ contentHash, algorithm: '', kind, options });
  return partitions.find((partition) => partition.kind === kind && statedKeyOf(partition.bytes) === wanted)
    ?.bytes;
}

/** Null for what is no record of this version. */
function statedKeyOf(bytes: Uint8Array): string | null {
  let header: RecordHeader;
  try {
    ({ header } = openEnvelope(bytes));
  } catch (error) {
    if (error instanceof NsdfFormatError) return null;
    throw error;
  }
  const { contentHash, kind, options } = header;
  if (typeof options !== 'object' || options === null) return null;
  return recordKey({ contentHash, algorithm: '', kind, options: options as RecordOptions });
}
