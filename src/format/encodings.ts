import type { HashGridEncoding, IdentityEncoding } from './asset.ts';
import type { EncodingJson, WeightType } from './extension.ts';
import { checkGrid, checkTables, type GridParts, gridJson, readGrid } from './hash-grid-encoding.ts';
import type { IssueList, NetworkPlaces } from './issues.ts';
import { type JsonObject, readChoice } from './json-object.ts';
import { streamsOf } from './table-decoder.ts';
import type { WeightSource } from './weights.ts';

export type Encoding = HashGridEncoding | IdentityEncoding;
/** An encoder as far as it could be read. */
export type EncodingParts = GridParts | IdentityEncoding;
type Kind = Encoding['kind'];

/**
 * What the format knows of one kind of encoder. A new one gets an entry in {@link ENCODINGS}; nothing else here asks for its kind.
 * @template E it, in a field. @template P it, as far as it could be read.
 */
interface EncodingKind<E, P> {
  /** What a file says of it; null, and an issue, where that cannot be read. */
  read(json: JsonObject, dtype: WeightType, source: WeightSource): P | null;
  /** @param views bufferViews of its tables. */
  toJson(encoding: E, views: readonly number[]): EncodingJson;
  /** What of an encoding that was made in memory has not the type that it should have: the place, what is there, what should be. */
  findMistyped(encoding: E): readonly [path: string, found: unknown, expected: string] | undefined;
  /** Holds it to all rules but those of its weights. */
  check(parts: P, places: NetworkPlaces, issues: IssueList): void;
  checkTables(parts: P, places: NetworkPlaces, issues: IssueList): void;
  /** How many numbers it gives the network, and the words for how that comes about. */
  width(parts: P): { readonly nInputs: number; readonly words: string };
  /** f32 tables, in the order of a file's bufferViews: coarse to fine. */
  tables(encoding: E): readonly Float32Array[];
  withTables(encoding: E, tables: readonly Float32Array[]): E;
  /** Its tables as streams of whole steps; null where they are not. */
  streams(encoding: E): readonly Uint8Array[] | null;
  /** Boxes along an axis between the planes of each of its levels, coarse to fine; none where it is smooth. */
  resolutions(encoding: E): readonly number[];
  /** All that determines it but its tables, in a fixed order, for the content hash. */
  header(encoding: E): readonly unknown[];
}

type Kinds = {
  readonly [K in Kind]: EncodingKind<Extract<Encoding, { kind: K }>, Extract<EncodingParts, { kind: K }>>;
};

/** Every kind of encoder that a field can have. */
const ENCODINGS: Kinds = {
  'hash-grid': {
    read: readGrid,
    toJson: gridJson,
    findMistyped: ({ levels }) => {
      if (!Array.isArray(levels)) return ['levels', levels, 'an array'];
      const at = levels.findIndex((level) => !(level?.params instanceof Float32Array));
      if (at < 0) return undefined;
      const level: unknown = levels[at];
      if (typeof level !== 'object' || level === null) return [`levels[${at}]`, level, 'an object'];
      return [`levels[${at}].params`, levels[at].params, 'a Float32Array'];
    },
    check: checkGrid,
    checkTables,
    width: ({ levels, nFeaturesPerLevel: F }) => {
      const nInputs = levels.length * F;
      return { nInputs, words: `${levels.length} levels * ${F} features = ${nInputs}` };
    },
    tables: ({ levels }) => levels.map(({ params }) => params),
    withTables: (grid, tables) => {
      return { ...grid, levels: grid.levels.map((level, l) => ({ ...level, params: tables[l] })) };
    },
    streams: ({ levels, nFeaturesPerLevel }) => streamsOf(levels, nFeaturesPerLevel),
    resolutions: ({ levels }) => levels.map(({ resolution }) => resolution),
    header: ({ kind, convention, nFeaturesPerLevel, levels }) => [
      kind,
      convention,
      nFeaturesPerLevel,
      levels.map((l) => [l.resolution, l.scale, l.offset, l.nEntries, l.isDense]),
    ],
  },
  none: {
    read: (json) => {
      json.noteUnknown(['type', 'inputSpace']);
      const inputSpace = json.choice('inputSpace', ['local', 'unit']);
      return inputSpace && { kind: 'none', inputSpace };
    },
    toJson: ({ inputSpace }) => ({ type: 'none', inputSpace }),
    findMistyped: ({ inputSpace }) =>
      ['local', 'unit'].includes(inputSpace) ? undefined : ['inputSpace', inputSpace, "'local' or 'unit'"],
    check: () => {},
    checkTables: () => {},
    width: () => ({ nInputs: 3, words: 'the three coordinates' }),
    tables: () => [],
    withTables: (encoding) => encoding,
    streams: () => [],
    resolutions: () => [],
    header: ({ inputSpace, origin = [] }) => ['none', inputSpace, ...origin],
  },
};

/** Their names. */
export const ENCODING_KINDS = Object.keys(ENCODINGS) as readonly Kind[];

export function isEncodingKind(kind: unknown): kind is Kind {
  return ENCODING_KINDS.some((known) => known === kind);
}

/** What the format knows of an encoder of this kind. */
export function encodingKind<E extends { readonly kind: Kind }>(
  encoding: E,
): EncodingKind<Extract<Encoding, { kind: E['kind'] }>, Extract<EncodingParts, { kind: E['kind'] }>> {
  return ENCODINGS[encoding.kind] as never;
}

/** Reads the encoder of a network. */
export function readEncoding(
  json: JsonObject,
  dtype: WeightType,
  source: WeightSource,
): EncodingParts | null {
  const type = readChoice(json, 'type', ENCODING_KINDS);
  return type && ENCODINGS[type].read(json, dtype, source);
}

/** f32 tables of an encoder, coarse to fine. */
export function tablesOf(encoding: Encoding): readonly Float32Array[] {
  return encodingKind(encoding).tables(encoding);
}

/** The encoder with other tables. */
export function mapTables(encoding: Encoding, change: (table: Float32Array) => Float32Array): Encoding {
  const { tables, withTables } = encodingKind(encoding);
  return withTables(encoding, tables(encoding).map(change));
}

/** Boxes along an axis of each of an encoder's levels, coarse to fine; none where f has no planes of its own. */
export function resolutionsOf(encoding: Encoding): readonly number[] {
  return encodingKind(encoding).resolutions(encoding);
}

/** Whether an encoder has planes across which f bends: a grid. */
export function hasPlanes(encoding: Encoding): boolean {
  return resolutionsOf(encoding).length > 0;
}

/** One grid, or none and the same coordinates read. */
export function isSameEncoding(a: Encoding, b: Encoding): boolean {
  if (a === b || tablesOf(a).length > 0 || a.kind !== b.kind) return a === b;
  return String(encodingKind(a).header(a)) === String(encodingKind(b).header(b));
}
