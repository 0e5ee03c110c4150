/** Partitions in a file: how its fields' searches and surfaces are packed beside them, and what is looked at in those of others. */
import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset, PackedPartition } from '../format/asset.ts';
import { contentHash } from '../format/hash.ts';
import type { DeriveOptions, DeriveProgress } from '../options.ts';
import { validateDeriveOptions } from '../options.ts';
import { decodeRegions, encodeRegions, verifyRegions } from '../partition/regions-record.ts';
import { createRandom } from '../surface/check-random.ts';
import { jobOptionsOf } from './derive-with.ts';
import { drive, runJob } from './drive.ts';
import { JOB } from './job.ts';
import { movedAsset } from './move-field.ts';
import { makePlan } from './plan.ts';
import { packRecord, type RecordHeader, unpackRecord } from './record-envelope.ts';
import { quietly, REGIONS_RECORD, readSurface, regionsOptions } from './records.ts';
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

/** What is wrong with one of an asset's partitions. */
interface PartitionProblem {
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
