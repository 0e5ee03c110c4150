import { PartitionCache } from '../cache/partition-cache.ts';
import { ALGORITHM_VERSION, UNBUILT } from './algorithm-version.ts';

// One cache for all that derives on a page, so that nothing is computed twice whoever asks: it belongs to this module.
let chosen: PartitionCache | null | undefined;

/**
 * The cache of derivations that name none: in browsers one over IndexedDB, made at the first call; null where there is
 * no IndexedDB, or where the page wants none.
 */
export function defaultCache(): PartitionCache | null {
  if (chosen === undefined) chosen = typeof indexedDB === 'undefined' ? null : createDefault();
  return chosen;
}

/** Sources that were not built have no version to tell their records by: those must not outlive the page. */
function createDefault(): PartitionCache {
  return new PartitionCache(ALGORITHM_VERSION === UNBUILT ? { store: null } : {});
}

/**
 * Chooses the cache of derivations that name none; null for none.
 * @example
 * setDefaultCache(new PartitionCache({ maxStoreBytes: 64 * 2 ** 20 }));
 */
export function setDefaultCache(cache: PartitionCache | null): void {
  chosen = cache;
}

/** Why no cache can be used on this page, or undefined: keys and checksums need SHA-256. */
export function whyNoCache(): string | undefined {
  if (globalThis.crypto?.subtle) return undefined;
  return 'there is no crypto.subtle here: the page is not served over HTTPS';
}
