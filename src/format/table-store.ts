import { type DecodedTable, decodeTable, decodingSteps, noteStream } from './table-decoder.ts';
import type { IntegerTable, TableShape } from './table-model.ts';

/** A table that is to be decoded. */
export interface TableRequest {
  readonly bytes: Uint8Array;
  readonly shape: Omit<TableShape, 'coarser'>;
  /** The table before it: one that is decoded, or the number of an earlier request; null where there is none. */
  readonly coarser: IntegerTable | number | null;
}

/** A decoded table, without what its reader knows; or what is wrong with its stream, in words. */
export type TableResult =
  | (Omit<DecodedTable, 'table'> & { readonly table: Omit<IntegerTable, 'shape'> })
  | string;

/** Decodes tables somewhere; the results are in the order of the requests. */
export type DecodeTables = (requests: readonly TableRequest[]) => Promise<readonly TableResult[]>;

interface KnownTable {
  readonly bufferView: number;
  readonly shape: TableShape;
  readonly decoded: DecodedTable | string;
}

interface MissingTable extends KnownTable {
  readonly bytes: Uint8Array;
  /** Empty. */
  readonly decoded: DecodedTable;
}

const NO_VALUES = new Float32Array(0);
const NO_INTEGERS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);

/**
 * The coded tables of one file, each decoded once, however often the file is read: as it arrives, and when it is whole. A store
 * that `isPatient` decodes nothing itself: it notes what is asked for, and gives an empty table for it, with which nothing is
 * valid, until `fill` has had it decoded. Loaders hold it, and applications put these behind proxies: nothing in it is `#private`.
 */
export class TableStore {
  private readonly isPatient: boolean;
  private readonly known: KnownTable[] = [];
  private missing: MissingTable[] = [];
  /** Ends when what somebody had decoded is known. */
  private filling: Promise<void> | null = null;

  constructor({ isPatient = false }: { readonly isPatient?: boolean } = {}) {
    this.isPatient = isPatient;
  }

  /** Whether something was asked for that is not decoded. */
  get isMissingSome(): boolean {
    return this.missing.length > 0;
  }

  /**
   * A table whose stream is all of a bufferView.
   * @returns what is wrong, in words, for a stream that is damaged.
   */
  read(bufferView: number, bytes: Uint8Array, shape: TableShape): DecodedTable | string {
    const isIt = (known: KnownTable): boolean =>
      known.bufferView === bufferView && isSameShape(known.shape, shape);
    const known = this.known.find(isIt) ?? this.missing.find(isIt);
    if (known !== undefined) return known.decoded;
    if (this.isPatient) {
      const decoded = emptyDecoded(bytes, shape);
      this.missing.push({ bufferView, bytes, shape, decoded });
      return decoded;
    }
    const decoded = decodeTable(bytes, shape);
    this.keep({ bufferView, shape, decoded });
    return decoded;
  }

  /**
   * Has what is missing decoded, or waits for what somebody else has decoded: the file is to be read again, until nothing is
   * missing.
   * @throws what `decode` throws.
   */
  async fill(decode: DecodeTables): Promise<void> {
    const missing = this.missing;
    this.missing = [];
    if (this.filling) return this.filling;
    const filling = this.decode(missing, decode).finally(() => {
      this.filling = null;
    });
    // Whoever waits for it may do without.
    this.filling = filling.catch(() => {});
    return filling;
  }

  private async decode(missing: readonly MissingTable[], decode: DecodeTables): Promise<void> {
    const numbers = new Map(missing.map(({ decoded }, i) => [decoded.table, i]));
    const results = await decode(
      missing.map(({ bytes, shape: { coarser, ...shape } }) => ({
        bytes,
        shape,
        coarser: coarser && (numbers.get(coarser) ?? coarser),
      })),
    );
    const found: (IntegerTable | null)[] = [];
    for (const [i, { bufferView, shape: asked }] of missing.entries()) {
      const number = asked.coarser === null ? undefined : numbers.get(asked.coarser);
      // What follows a damaged table is asked for again, as if it followed none.
      if (number !== undefined && found[number] === null) {
        found.push(null);
        continue;
      }
      const shape = number === undefined ? asked : { ...asked, coarser: found[number] };
      const result = results[i];
      const decoded = typeof result === 'string' ? result : { ...result, table: { ...result.table, shape } };
      found.push(typeof decoded === 'string' ? null : decoded.table);
      this.keep({ bufferView, shape, decoded });
    }
  }

  private keep(known: KnownTable): void {
    const { decoded } = known;
    if (typeof decoded !== 'string') noteStream(decoded.params, decoded.table, decoded.stream);
    this.known.push(known);
  }
}

/** What a finer level's request can name before it is decoded. */
function emptyDecoded(stream: Uint8Array, shape: TableShape): DecodedTable {
  const table = { shape, lead: 0, values: NO_INTEGERS, kept: NO_BYTES, reach: -1, features: [] };
  return { table, params: NO_VALUES, stream };
}

/** Whether two tables of one stream are the same. */
export function isSameShape(a: TableShape, b: TableShape): boolean {
  return (Object.keys(a) as (keyof TableShape)[]).every((key) => a[key] === b[key]);
}

/**
 * Decodes what a {@link TableStore} asks for, row by row, for whoever gives others their turn between them.
 * @returns in the order of the requests; what follows a damaged table cannot be decoded, either.
 */
export function* decodeRequests(requests: readonly TableRequest[]): Generator<void, TableResult[], void> {
  const tables: (IntegerTable | null)[] = [];
  const results: TableResult[] = [];
  for (const { bytes, shape, coarser } of requests) {
    const before = typeof coarser === 'number' ? tables[coarser] : coarser;
    const isAfterDamage = typeof coarser === 'number' && before === null;
    const decoded = isAfterDamage
      ? 'the coarser level cannot be read'
      : yield* decodingSteps(bytes, { ...shape, coarser: before });
    if (typeof decoded === 'string') {
      tables.push(null);
      results.push(decoded);
      continue;
    }
    tables.push(decoded.table);
    const { shape: _, ...table } = decoded.table;
    results.push({ ...decoded, table });
  }
  return results;
}
