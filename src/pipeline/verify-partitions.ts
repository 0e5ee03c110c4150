import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset, PackedPartition } from '../format/asset.ts';
import { contentHash } from '../format/hash.ts';
import { decodeRegions, verifyRegions } from '../partition/regions-record.ts';
import { createRandom } from '../surface/check-random.ts';
import { jobOptionsOf } from './derive-with.ts';
import { drive } from './drive.ts';
import { movedAsset } from './move-field.ts';
import type { DeriveOptions, DeriveProgress } from './options.ts';
import { makePlan } from './plan.ts';
import { type RecordHeader, unpackRecord } from './record-envelope.ts';
import { quietly, readSurface } from './records.ts';
import type { JobOptions } from './steps.ts';
import { validateDeriveOptions } from './validate-options.ts';

/** What is wrong with one of an asset's partitions. */
export interface PartitionProblem {
  /** Its place in `asset.partitions`. */
  readonly index: number;
  readonly message: string;
}

/**
 * Looks at every partition as a derivation would before it uses it: whole, of this version, of this field, and a mesh that
 * is closed, lies on the zero set and lacks no part of it.
 */
export async function verifyPartitions(asset: FieldAsset): Promise<PartitionProblem[]> {
  const { partitions = [], ...bare } = movedAsset(asset);
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
  const identity = { kind, contentHash: hash };
  const { header, payload } = unpackRecord(bytes, identity);
  const options = optionsOf(asset, header);
  if (kind === 'surface') {
    yield* readSurface(asset, bytes, options, hash);
    return;
  }
  const field = createCpuField(asset);
  const { lattice } = makePlan(field, options);
  const regions = yield* quietly(decodeRegions(payload, lattice));
  const problem = yield* quietly(verifyRegions(regions, field, lattice, createRandom(regions.cull.nBoxes)));
  if (problem !== undefined) throw new NsdfFormatError(`a record of regions that is not right: ${problem}`);
}

/**
 * The options that a record says it is for, as a derivation would have them.
 * @throws {NsdfFormatError} if no derivation can.
 */
function optionsOf(asset: FieldAsset, { options }: RecordHeader): JobOptions {
  const told = (options ?? {}) as Readonly<Record<string, unknown>>;
  const names = ['tolerance', 'resolution', 'exact', 'cap'].filter((name) => told[name] !== undefined);
  const detail = Object.fromEntries(names.map((name) => [name, told[name]])) as DeriveOptions;
  try {
    validateDeriveOptions(detail);
  } catch (cause) {
    if (!(cause instanceof NsdfArgumentError)) throw cause;
    throw new NsdfFormatError(`a record for options that there cannot be: ${cause.message}`, { cause });
  }
  return jobOptionsOf(asset, detail);
}
