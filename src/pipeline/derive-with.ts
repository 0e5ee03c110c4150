import type { FieldAsset } from '../format/asset.ts';
import type { DeriveOptions, OptionNames } from '../options.ts';
import { DETAIL_OPTIONS, isAsked, JOB_OPTIONS, validateDeriveOptions } from '../options.ts';
import { type BackendRun, type BackendSurface, type DeriveBackend, runFirst } from './backend.ts';
import type { CacheUse, DeriveResult } from './figures.ts';
import { checkPrecision } from './lattice-rule.ts';
import type { DerivedSurface, JobOptions, RecordRequest } from './steps.ts';

/** What a cache asks for besides. */
const RECORD_NAMES = { recordsFor: true, regions: true } satisfies OptionNames<RecordRequest>;

/** What stands in the statistics of a derivation that asked no cache. */
export const NO_CACHE: CacheUse = { use: 'off', reason: 'none was asked for' };

/** A result with the records that a cache asked for, and who made it where its bytes are not those of the cpu. */
export type RecordedResult = DeriveResult & Pick<DerivedSurface, 'records'> & Pick<BackendSurface, 'maker'>;

/**
 * Derives with the first of the backends that works; the statistics say which one that was and why.
 * @param backends best first; a backend that is asked for by name goes first, and what stands after it is its fallback
 * @throws as `deriveMesh` does
 */
export async function deriveWith(
  backends: readonly DeriveBackend[],
  asset: FieldAsset,
  options: DeriveOptions & RecordRequest,
): Promise<RecordedResult> {
  validateDeriveOptions(options, RECORD_NAMES);
  const { backend: wanted = 'auto', signal, onProgress, device, workerLimit } = options;
  const jobOptions = jobOptionsOf(asset, options);
  signal?.throwIfAborted();
  const startMs = performance.now();
  const isAuto = wanted === 'auto';
  const first = isAuto ? 0 : backends.findIndex(({ kind }) => kind === wanted);
  const control = { signal, onProgress, device, workerLimit, isAuto };
  const run = await runFirst(backends.slice(first), asset, jobOptions, control);
  const { kind } = run.backend;
  const { where, madeBy: backend = kind, searchedBy = backend, ...surface } = run.surface;
  const backendReason = explain(wanted, run) + (where === undefined ? '' : `; ${where}`);
  const totalTimeMs = performance.now() - startMs;
  const stats = { ...surface.stats, totalTimeMs, backend, backendReason, searchedBy, cache: NO_CACHE };
  return { ...surface, stats };
}

/** What the asset says of its derivation; the caller's own detail takes its tolerance's place. */
function hintsOf({ region, tolerance }: FieldAsset, options: DeriveOptions): JobOptions {
  const isDetailAsked = DETAIL_OPTIONS.some((name) => isAsked(options[name]));
  return { ...(region && { region }), ...(tolerance !== undefined && !isDetailAsked && { tolerance }) };
}

/**
 * What a job is asked for, the asset's own wishes included. Leaves out what cannot be posted to a worker, and what other
 * layers added to the options.
 * @throws {NsdfArgumentError} if single precision cannot hold the tolerance
 */
export function jobOptionsOf(asset: FieldAsset, options: DeriveOptions & RecordRequest): JobOptions {
  checkPrecision(asset.domain, options);
  const names = [...JOB_OPTIONS, ...(Object.keys(RECORD_NAMES) as (keyof RecordRequest)[])];
  const picked = names.filter((name) => options[name] !== undefined);
  return { ...hintsOf(asset, options), ...Object.fromEntries(picked.map((name) => [name, options[name]])) };
}

function explain(wanted: string, { backend: { kind, merit }, refusals }: BackendRun): string {
  if (refusals.length > 0) return `fallback to ${kind} (${refusals.join('; ')})`;
  return wanted === 'auto' ? `auto: ${merit}` : 'asked for';
}
