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
