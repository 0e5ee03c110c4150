import { NsdfFormatError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset, PackedPartition } from '../format/asset.ts';
import { contentHash } from '../format/hash.ts';
import { decodeRegions } from '../partition/regions-record.ts';
import { jobOptionsOf } from './derive-with.ts';
import { drive } from './drive.ts';
import type { DeriveProgress } from './options.ts';
import { makePlan } from './plan.ts';
import { unpackRecord } from './record-envelope.ts';
import { quietly, REGIONS_RECORD, readSurface } from './records.ts';

/** What is wrong with one of an asset's partitions. */
export interface PartitionProblem {
  /** Its place in `asset.partitions`. */
  readonly index: number;
  readonly message: string;
}

/**
 * Looks at every partition as a derivation would before it uses it: whole, of this version, of this field, and a mesh that
 * is closed and lies on the zero set.
 */
export async function verifyPartitions(asset: FieldAsset): Promise<PartitionProblem[]> {
  const { partitions = [], ...bare } = asset;
  const hash = await contentHash(bare);
  const problems: PartitionProblem[] = [];
  for (const [index, partition] of partitions.entries()) {
    try {
      await drive(readPartition(bare, partition, hash), {
        throwIfCancelled: () => {},
        onProgress: () => {},
      });
    } catch (error) {
      if (!(error instanceof NsdfFormatError)) throw error;
      problems.push({ index, message: error.message });
    }
  }
  return problems;
}

function* readPartition(
  asset: FieldAsset,
  { kind, bytes }: PackedPartition,
  hash: string,
): Generator<DeriveProgress, void, void> {
  const options = jobOptionsOf(asset, {});
  if (kind === 'surface') {
    yield* readSurface(asset, bytes, options, hash);
    return;
  }
  const { header, payload } = unpackRecord(bytes, { kind: REGIONS_RECORD, contentHash: hash });
  const { resolution } = (header.options ?? {}) as { readonly resolution?: number };
  const { lattice } = makePlan(createCpuField(asset), { ...options, ...(resolution && { resolution }) });
  yield* quietly(decodeRegions(payload, lattice));
}
