/** What a record is of. */
export interface RecordIdentity {
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
