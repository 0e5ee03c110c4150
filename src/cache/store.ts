/** Where records are kept, and under which keys. */

/**
 * Where records outlive the page. Methods may reject: the cache then goes on without the store and says so in its
 * statistics. Records are sealed with a checksum before they come here, so a store need not protect them.
 */
export interface CacheStore {
  /** The record's bytes, or undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Keeps the record; may drop others, or this one, to stay within its bounds. */
  set(key: string, bytes: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  clear(): Promise<void>;
  /** What is kept, where the store can tell. */
  usage?(): Promise<StoreUsage>;
  /** Lets go of connections; a later call may open them again. */
  close?(): void;
}

export interface StoreUsage {
  readonly nRecords: number;
  readonly nBytes: number;
}

/** What a record is of. */
interface RecordIdentity {
  /** SHA-256 of all that determines the field, in hexadecimal. */
  readonly contentHash: string;
  /** Version of the algorithm that made the record: another one's records are never found. */
  readonly algorithm: string;
  /** What kind of record it is, for example `surface`. */
  readonly kind: string;
  /** All that the record depends on beside the field; what is undefined counts as absent. */
  readonly options: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** The key of a record: equal identities have equal keys, in whatever order their options come. */
export function recordKey({ contentHash, algorithm, kind, options }: RecordIdentity): string {
  const entries = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${contentHash}/${algorithm}/${kind}/${JSON.stringify(entries)}`;
}
