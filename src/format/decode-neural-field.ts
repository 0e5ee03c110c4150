import type { FieldAsset } from './asset.ts';
import { type BytesSource, plainBytes } from './bytes.ts';
import { type DecodedField, decodeField, isVersionKnown, jsonPlaces, readHints } from './decode-field.ts';
import { checkField } from './field-rules.ts';
import { IssueList } from './issues.ts';
import { JsonObject } from './json-object.ts';
import { type DecodeTables, TableStore } from './table-store.ts';
import { createWeightSource } from './weights.ts';

/**
 * Decodes an extension object outside a file of ours: for engines' own glTF loaders.
 * @param getBufferView the bytes of a bufferView of the glTF, or null if it has none of that index;
 * {@link neuralFieldBufferViews} lists those that will be asked for.
 * @throws {NsdfFormatError} or {@link NsdfUnsupportedError}, with the place relative to the extension object.
 * @example
 * const asset = decodeNeuralField(extension, (i) => bufferViews.get(i) ?? null, { name: meshDef.name });
 */
export function decodeNeuralField(
  extension: unknown,
  getBufferView: GetBufferView,
  options: FieldPlace = {},
): FieldAsset {
  const issues = new IssueList();
  return checked(decode(extension, getBufferView, options, issues, new TableStore()), issues);
}

/**
 * As {@link decodeNeuralField}, with coded tables decoded elsewhere.
 * @param tables a patient store.
 * @throws as it, and what `decodeTables` throws.
 */
export async function decodeNeuralFieldWith(
  extension: unknown,
  getBufferView: GetBufferView,
  options: FieldPlace,
  decodeTables: DecodeTables,
  tables: TableStore,
): Promise<FieldAsset> {
  for (;;) {
    const issues = new IssueList();
    const decoded = decode(extension, getBufferView, options, issues, tables);
    if (!tables.isMissingSome) return checked(decoded, issues);
    await tables.fill(decodeTables);
  }
}

/** The bytes of a bufferView; null where there is none of that index. */
export type GetBufferView = (index: number) => BytesSource | null;

/** What an extension object is called where it does not say so, and where it stands, for messages. */
export interface FieldPlace {
  readonly name?: string;
  readonly path?: string;
}

function decode(
  extension: unknown,
  getBufferView: GetBufferView,
  { name = '', path = '' }: FieldPlace,
  issues: IssueList,
  tables: TableStore,
): DecodedField | null {
  const json = JsonObject.of(extension, path, issues);
  const getBytes = (index: number): Uint8Array | null => {
    const bytes = getBufferView(index);
    return bytes && plainBytes(bytes);
  };
  const source = createWeightSource({ getBytes, getByteOffset: () => undefined }, undefined, tables);
  return json && decodeField(json, name, source);
}

function checked(decoded: DecodedField | null, issues: IssueList): FieldAsset {
  issues.throwFirstError();
  return (decoded as DecodedField).asset;
}

/**
 * As `decodeNeuralField`, for an extension object whose network is at hand already, as its `sha256` says: only its
 * name and its hints are read.
 * @throws {NsdfFormatError} or {@link NsdfUnsupportedError}, with the place relative to the extension object.
 */
export function decodeFieldHints(
  extension: unknown,
  network: FieldAsset,
  options: FieldPlace = {},
): FieldAsset {
  const issues = new IssueList();
  const json = JsonObject.of(extension, options.path ?? '', issues);
  const { layers, encoding, output, isNegativeInside, valueScale, domain, attributes } = network;
  const name = json?.text('name', options.name ?? '') ?? '';
  const hints = json && isVersionKnown(json) ? readHints(json) : {};
  const source = createWeightSource({ getBytes: () => null, getByteOffset: () => undefined });
  if (json) checkField({ domain, ...hints }, jsonPlaces(json, source, 'f32'), issues);
  issues.throwFirstError();
  const field = { layers, encoding, output, isNegativeInside, valueScale, domain };
  return { name, ...field, ...hints, ...(attributes && { attributes }) };
}

/** Indices of the bufferViews that an extension object names: the field's MLP and levels, its attributes', then partitions; unchecked ones left out. */
export function neuralFieldBufferViews(extension: unknown): number[] {
  const issues = new IssueList();
  const json = JsonObject.of(extension, '', issues);
  const attributes = json?.optionalObject('attributes');
  const networks = [json, ...Object.keys(attributes?.value ?? {}).map((name) => attributes?.object(name))];
  const owners = [
    ...networks.flatMap((network) => [
      network?.optionalObject('mlp'),
      ...(network?.optionalObject('encoding')?.optionalObjects('levels') ?? []),
    ]),
    ...(json?.optionalObjects('partitions') ?? []),
  ];
  const indices = owners.map((owner) => owner?.value.bufferView);
  return [...new Set(indices.filter((index): index is number => Number.isSafeInteger(index)))];
}
