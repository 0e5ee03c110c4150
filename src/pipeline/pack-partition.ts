import { NsdfArgumentError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset, PackedPartition } from '../format/asset.ts';
import { contentHash } from '../format/hash.ts';
import { decodeRegions, encodeRegions } from '../partition/regions-record.ts';
import { jobOptionsOf } from './derive-with.ts';
import { drive, runJob } from './drive.ts';
import { JOB } from './job.ts';
import { movedAsset } from './move-field.ts';
import type { DeriveOptions, DeriveProgress } from './options.ts';
import { makePlan } from './plan.ts';
import { packRecord, unpackRecord } from './record-envelope.ts';
import { quietly, REGIONS_RECORD, regionsOptions } from './records.ts';
import type { JobOptions } from './steps.ts';

/** One surface to be packed; an empty object asks for the default tolerance. */
export type PackedDetail = Pick<DeriveOptions, 'tolerance' | 'resolution' | 'exact'>;

/**
 * The asset with its partition: the boxes that may hold surface, and one finished surface for each detail. Derivations of
 * it with these details then take the surface from there, others start from the boxes.
 * @throws {NsdfArgumentError} if the field has no zero set, or a surface does not stand up to verification.
 */
export async function packPartition(
  asset: FieldAsset,
  details: readonly PackedDetail[],
  onProgress: (progress: DeriveProgress) => void = () => {},
): Promise<FieldAsset> {
  const { partitions: _old, ...given } = asset;
  const bare = movedAsset(given);
  const recordsFor = await contentHash(bare);
  const partitions: PackedPartition[] = [];
  let regions: PackedPartition | undefined;
  for (const detail of details) {
    const options = { ...jobOptionsOf(bare, detail), recordsFor };
    const { records, isEmpty } = await runJob(JOB, bare, options, { throwIfCancelled: () => {}, onProgress });
    if (isEmpty || records?.surface === undefined) {
      const reason = isEmpty ? 'it has no zero set in its domain' : records?.problem;
      throw new NsdfArgumentError('asset', `${asset.name} cannot be packed with its partition: ${reason}`);
    }
    if (records.regions) regions ??= await boxesOnly(bare, records.regions, options);
    partitions.push({ kind: 'surface', bytes: records.surface });
  }
  return { ...given, partitions: [...(regions ? [regions] : []), ...partitions] };
}

/** The regions without how they were settled, which would be larger than most fields. */
async function boxesOnly(
  asset: FieldAsset,
  bytes: Uint8Array,
  options: JobOptions & { readonly recordsFor: string },
): Promise<PackedPartition> {
  const identity = { kind: REGIONS_RECORD, contentHash: options.recordsFor };
  const { payload } = unpackRecord(bytes, identity);
  const { lattice } = makePlan(createCpuField(asset), options);
  const steps = function* (): Generator<DeriveProgress, Uint8Array, void> {
    const { cull } = yield* quietly(decodeRegions(payload, lattice));
    return yield* quietly(encodeRegions(lattice, { cull, forest: undefined }));
  };
  const boxes = await drive(steps(), { throwIfCancelled: () => {}, onProgress: () => {} });
  return {
    kind: REGIONS_RECORD,
    bytes: packRecord({ ...identity, options: regionsOptions(asset, options) }, boxes),
  };
}
