import type { RecordCache } from '../cache/record-cache.ts';
import { recordKey } from '../cache/store.ts';
import { NsdfFormatError } from '../errors.ts';
import type { FieldAsset, PackedPartition } from '../format/asset.ts';
import { contentHash } from '../format/hash.ts';
import { NetworkMap } from '../format/network-map.ts';
import type { DeriveOptions } from '../options.ts';
import { abortable } from './abortable.ts';
import { ALGORITHM_VERSION } from './algorithm-version.ts';
import { jobOptionsOf, type RecordedResult } from './derive-with.ts';
import { drive } from './drive.ts';
import type { CacheUse, DeriveResult } from './figures.ts';
import { isGpuFaster } from './gpu-speed.ts';
import { latticeSpacing } from './lattice-rule.ts';
import { openEnvelope, type RecordHeader } from './record-envelope.ts';
import type { RecordOptions } from './records.ts';
import { REGIONS_RECORD, readSurface, regionsOptions, SURFACE_RECORD, surfaceOptions } from './records.ts';
import type { DerivedRecords, DerivedSurface, JobOptions, RecordRequest } from './steps.ts';

/** Derives without a cache; gives back the records that `recordsFor` asks for. */
export type Derive = (asset: FieldAsset, options: DeriveOptions & RecordRequest) => Promise<RecordedResult>;

/** One derivation that looks in a cache first. */
interface CachedJob {
  readonly asset: FieldAsset;
  readonly options: DeriveOptions;
  /** What the options come to for this asset. */
  readonly asked: JobOptions;
  /** Null where there is none, and only the asset itself to look in. */
  readonly cache: RecordCache | null;
  readonly hash: string;
  readonly startMs: number;
}

type RecordKind = typeof SURFACE_RECORD | typeof REGIONS_RECORD;

interface FoundRecord {
  readonly bytes: Uint8Array;
  readonly source: 'memory' | 'store' | 'file';
  /** For whoever finds that it is wrong. */
  readonly reject: () => void;
}

const PLACES = { memory: 'memory', store: "the cache's store", file: 'the file' } as const;

// Assets are immutable: each network is hashed once, however often and in how many parts it is derived.
const hashes = new NetworkMap<Promise<string>>();

/**
 * Looks for the mesh in the cache and in the asset itself, then for the field's regions, and derives what is missing.
 *
 * It runs on the page's thread, not in the worker: a record that is there needs no worker to be started (which takes
 * longer than reading it) and waits for no other job; memory is shared by all workers and backends; and a store of the
 * application's own is a function, which cannot be posted. Nothing of it blocks: IndexedDB and SHA-256 work elsewhere,
 * records are decoded in slices, and made in the worker.
 *
 * @throws as `deriveMesh` does; the cache itself never fails a derivation.
 */
export async function deriveCached(
  derive: Derive,
  asset: FieldAsset,
  options: DeriveOptions,
  cache: RecordCache | null,
): Promise<DeriveResult> {
  const startMs = performance.now();
  const { signal } = options;
  const hash = await abortable(hashOf(asset), signal);
  const job = { asset, options, asked: jobOptionsOf(asset, options), cache, hash, startMs };
  const found = options.structure ? undefined : await findSurface(job);
  if (typeof found === 'object') return found;
  return deriveAndKeep(derive, job, found ?? '');
}

function hashOf(asset: FieldAsset): Promise<string> {
  const known = hashes.get(asset);
  if (known !== undefined) return known;
  const hash = contentHash(asset);
  hashes.set(asset, hash);
  return hash;
}

function optionsOf({ asset, asked }: CachedJob, kind: RecordKind): RecordOptions {
  return kind === SURFACE_RECORD ? surfaceOptions(asset, asked) : regionsOptions(asset, asked);
}

/** @param maker whose bytes it is a record of, where they are not those of the cpu. */
function keyOf(job: CachedJob, kind: RecordKind, maker?: 'gpu'): string {
  const options = maker ? { ...optionsOf(job, kind), maker } : optionsOf(job, kind);
  return recordKey({ contentHash: job.hash, algorithm: ALGORITHM_VERSION, kind, options });
}

/** Whose surfaces will do: those of the backend that was asked for; of any that may have made one where none was. */
function makersOf({ options: { backend = 'auto' } }: CachedJob): readonly ('gpu' | undefined)[] {
  if (backend === 'auto') return isGpuFaster() ? [undefined, 'gpu'] : [undefined];
  return backend === 'gpu' ? ['gpu'] : [undefined];
}

/**
 * A record in the cache, else in the asset itself: where the asset's own is wrong, what is derived instead is found here
 * the next time.
 */
async function find(job: CachedJob, kind: RecordKind): Promise<FoundRecord | undefined> {
  const { asset, cache, hash, options } = job;
  const makers = kind === SURFACE_RECORD ? makersOf(job) : [undefined];
  for (const maker of cache ? makers : []) {
    const key = keyOf(job, kind, maker);
    const hit = await abortable((cache as RecordCache).get(key), options.signal);
    if (hit) return { ...hit, reject: () => (cache as RecordCache).reject(key) };
  }
  const bytes = findPartition(asset, kind, hash, optionsOf(job, kind));
  return bytes && { bytes, source: 'file', reject: () => {} };
}

/** The mesh of a record; undefined where there is none, and where there is one that is wrong, what is. */
async function findSurface(job: CachedJob): Promise<DeriveResult | string | undefined> {
  const { options, startMs } = job;
  const hit = await find(job, SURFACE_RECORD);
  const surface = hit && (await decode(job, hit));
  if (hit === undefined || surface === undefined) return undefined;
  if (typeof surface === 'string') return `the record in ${PLACES[hit.source]} was dropped: ${surface}`;
  options.onProgress?.({ stage: 'normals', fraction: 1 });
  const stats = {
    ...surface.stats,
    totalTimeMs: performance.now() - startMs,
    backend: 'cache' as const,
    searchedBy: 'cache' as const,
    backendReason: `found in ${PLACES[hit.source]}`,
    cache: { use: hit.source, reason: '' },
  };
  return { ...surface, stats };
}

/** The surface of a record, or what is wrong with it. */
async function decode(job: CachedJob, { bytes, reject }: FoundRecord): Promise<DerivedSurface | string> {
  const { asset, options, asked, hash } = job;
  const throwIfCancelled = (): void => options.signal?.throwIfAborted();
  try {
    return await drive(readSurface(asset, bytes, asked, hash), { throwIfCancelled, onProgress: () => {} });
  } catch (error) {
    throwIfCancelled();
    if (!(error instanceof NsdfFormatError)) throw error;
    reject();
    return error.message;
  }
}

/** Derives, from the field's known regions where there are any, and keeps what was found. */
async function deriveAndKeep(derive: Derive, job: CachedJob, dropped: string): Promise<DeriveResult> {
  const { asset, options, hash } = job;
  const isLattice = latticeSpacing(asset, job.asked) !== undefined;
  const seed = isLattice ? undefined : await find(job, REGIONS_RECORD);
  const request = { ...options, recordsFor: hash };
  const first = await derive(asset, seed ? { ...request, regions: seed.bytes } : request);
  if (!seed) return finish(job, first, { use: 'miss', reason: dropped });
  if (!first.records?.isSeeded) {
    seed.reject();
    return finish(job, first, {
      use: 'miss',
      reason: joined(dropped, 'the regions found could not be used'),
    });
  }
  const { problem } = first.records;
  if (problem === undefined) return finish(job, first, { use: 'regions', reason: dropped });
  // Wrong regions make a mesh with holes; nothing else is known to, so it is derived again without them.
  seed.reject();
  return finish(job, await derive(asset, request), {
    use: 'miss',
    reason: joined(dropped, `from the regions found: ${problem}`),
  });
}

function joined(...reasons: readonly string[]): string {
  return reasons.filter((reason) => reason !== '').join('; ');
}

function finish(
  job: CachedJob,
  { records = {}, maker, ...result }: RecordedResult,
  use: CacheUse,
): DeriveResult {
  keep(job, records, maker);
  const totalTimeMs = performance.now() - job.startMs;
  const reason = joined(use.reason, records.problem ? `not kept: ${records.problem}` : '');
  const searchedBy = use.use === 'regions' ? 'cache' : result.stats.searchedBy;
  return { ...result, stats: { ...result.stats, totalTimeMs, searchedBy, cache: { ...use, reason } } };
}

function keep(job: CachedJob, { surface, regions }: DerivedRecords, maker: 'gpu' | undefined): void {
  if (surface) job.cache?.set(keyOf(job, SURFACE_RECORD, maker), surface);
  if (regions) job.cache?.set(keyOf(job, REGIONS_RECORD), regions);
}

/**
 * A record in the asset itself that is of this kind, field and options; undefined where there is none. What cannot be
 * read is passed over: a file may come from another version of this package. Which algorithm made it doesn't matter, for
 * what it holds is verified.
 */
function findPartition(
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
