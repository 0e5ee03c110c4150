import type { CacheHit, RecordCache } from '../cache/record-cache.ts';
import { recordKey } from '../cache/record-key.ts';
import { NsdfFormatError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { contentHash } from '../format/hash.ts';
import { NetworkMap } from '../format/network-map.ts';
import { ALGORITHM_VERSION } from './algorithm-version.ts';
import { jobOptionsOf, type RecordedResult } from './derive-with.ts';
import { drive } from './drive.ts';
import type { CacheUse, DeriveOptions, DeriveResult } from './options.ts';
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
  readonly cache: RecordCache;
  readonly hash: string;
  readonly startMs: number;
}

// Assets are immutable: each network is hashed once, however often and in how many parts it is derived.
const hashes = new NetworkMap<Promise<string>>();

/**
 * Looks for the mesh in the cache, then for the field's regions, and derives what is missing.
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
  cache: RecordCache,
): Promise<DeriveResult> {
  const startMs = performance.now();
  const { signal } = options;
  const hash = await abortable(hashOf(asset), signal);
  const job = { asset, options, asked: jobOptionsOf(asset, options), cache, hash, startMs };
  const found = options.structure ? undefined : await findSurface(job);
  return found ?? deriveAndKeep(derive, job);
}

function hashOf(asset: FieldAsset): Promise<string> {
  const known = hashes.get(asset);
  if (known !== undefined) return known;
  const hash = contentHash(asset);
  hashes.set(asset, hash);
  return hash;
}

function keyOf({ asset, asked, hash }: CachedJob, kind: string): string {
  const options = kind === SURFACE_RECORD ? surfaceOptions(asked) : regionsOptions(asset, asked);
  return recordKey({ contentHash: hash, algorithm: ALGORITHM_VERSION, kind, options });
}

/** The mesh of a record, or undefined where there is none that is right. */
async function findSurface(job: CachedJob): Promise<DeriveResult | undefined> {
  const { cache, options, startMs } = job;
  const key = keyOf(job, SURFACE_RECORD);
  const hit = await abortable(cache.get(key), options.signal);
  if (hit === undefined) return undefined;
  const surface = await decode(job, hit, key);
  if (surface === undefined) return undefined;
  options.onProgress?.({ stage: 'normals', fraction: 1 });
  const where = hit.source === 'memory' ? 'memory' : "the cache's store";
  const stats = {
    ...surface.stats,
    totalTimeMs: performance.now() - startMs,
    backend: 'cache' as const,
    backendReason: `found in ${where}`,
    cache: { use: hit.source, reason: '' },
  };
  return { ...surface, stats };
}

async function decode(job: CachedJob, { bytes }: CacheHit, key: string): Promise<DerivedSurface | undefined> {
  const { asset, options, asked, hash, cache } = job;
  const throwIfCancelled = (): void => options.signal?.throwIfAborted();
  try {
    return await drive(readSurface(asset, bytes, asked, hash), {
      throwIfCancelled,
      onProgress: () => {},
    });
  } catch (error) {
    throwIfCancelled();
    if (!(error instanceof NsdfFormatError)) throw error;
    cache.reject(key);
    return undefined;
  }
}

/** Derives, from the field's known regions where there are any, and keeps what was found. */
async function deriveAndKeep(derive: Derive, job: CachedJob): Promise<DeriveResult> {
  const { asset, options, cache, hash } = job;
  const regionsKey = keyOf(job, REGIONS_RECORD);
  const seed = await abortable(cache.get(regionsKey), options.signal);
  const request = { ...options, recordsFor: hash };
  const first = await derive(asset, seed ? { ...request, regions: seed.bytes } : request);
  const isSeedUsed = seed !== undefined && first.records?.regions === undefined;
  if (!isSeedUsed) {
    if (seed !== undefined) cache.reject(regionsKey);
    return finish(job, first, { use: 'miss', reason: seed ? 'the regions found could not be used' : '' });
  }
  const problem = first.records?.problem;
  if (problem === undefined) return finish(job, first, { use: 'regions', reason: '' });
  // Wrong regions make a mesh with holes; nothing else is known to, so it is derived again without them.
  cache.reject(regionsKey);
  return finish(job, await derive(asset, request), {
    use: 'miss',
    reason: `from the regions found: ${problem}`,
  });
}

function finish(job: CachedJob, { records = {}, ...result }: RecordedResult, use: CacheUse): DeriveResult {
  keep(job, records);
  const totalTimeMs = performance.now() - job.startMs;
  const reason = use.reason || (records.problem ? `not kept: ${records.problem}` : '');
  return { ...result, stats: { ...result.stats, totalTimeMs, cache: { ...use, reason } } };
}

function keep(job: CachedJob, { surface, regions }: DerivedRecords): void {
  if (surface) job.cache.set(keyOf(job, SURFACE_RECORD), surface);
  if (regions) job.cache.set(keyOf(job, REGIONS_RECORD), regions);
}

/** Settles as `promise` does, or rejects with the signal's reason at once when that aborts. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
