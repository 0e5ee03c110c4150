import { NsdfFormatError, NsdfUnsupportedError } from '../errors.ts';
import { FIELD_LIMITS } from './extension.ts';

/** `error`: the file cannot be read. `warning`: it can, but something is off. `info`: worth knowing. */
export type NsdfSeverity = 'error' | 'warning' | 'info';

/** What kind of rule an issue is about. docs/format.md lists them. */
export type NsdfIssueCode =
  /** GLB header and chunks. */
  | 'container'
  /** The JSON chunk is not JSON, or not glTF 2.0. */
  | 'json'
  /** A required property is missing. */
  | 'property-missing'
  /** A property has another type than expected. */
  | 'property-type'
  /** A property's value is not among those allowed. */
  | 'property-range'
  /** A property that this version does not know; ignored. */
  | 'property-unknown'
  /** An index that points at nothing, at the wrong thing, or in circles. */
  | 'reference'
  /** Bytes that lie outside their buffer, or whose count does not fit what they hold. */
  | 'length'
  /** Network shapes that don't chain. */
  | 'shape'
  /** NaN, infinite or absurdly large numbers in the weights. */
  | 'weights'
  /** Well-formed, but more than this package can do. */
  | 'unsupported'
  /** The stored SHA-256 is not that of the weights. */
  | 'hash'
  /** The file holds no neural field. */
  | 'empty';

/** Where in a file something is: a byte, a JSON pointer (or the name of a tensor), or both. */
export interface NsdfPlace {
  readonly byteOffset?: number | undefined;
  readonly path?: string | undefined;
}

/** One finding of the validator. */
export interface NsdfIssue {
  readonly severity: NsdfSeverity;
  readonly code: NsdfIssueCode;
  readonly message: string;
  /** Offset in the file. */
  readonly byteOffset?: number;
  /** JSON pointer into the glTF JSON, for example `/meshes/0/primitives/0/extensions/NSDF_neural_field/domain`. */
  readonly path?: string;
  /** With code `unsupported`: the feature that is asked for. */
  readonly feature?: string;
}

/** Collects issues; the reader throws the first error, the validator lists them all. */
export class IssueList {
  readonly issues: NsdfIssue[] = [];
  readonly #seen: WeakSet<object>;
  #nErrors = 0;

  /** @param seen what need not be looked at any more; grows. */
  constructor(seen: WeakSet<object> = new WeakSet()) {
    this.#seen = seen;
  }

  /** True from the second time on that it is asked about the same thing. */
  isSeen(thing: object): boolean {
    const isSeen = this.#seen.has(thing);
    this.#seen.add(thing);
    return isSeen;
  }

  error(code: Exclude<NsdfIssueCode, 'unsupported'>, message: string, place: NsdfPlace = {}): void {
    this.#nErrors++;
    this.issues.push({ severity: 'error', code, message, ...definedPlace(place) });
  }

  unsupported(feature: string, message: string, place: NsdfPlace = {}): void {
    this.#nErrors++;
    this.issues.push({ severity: 'error', code: 'unsupported', message, feature, ...definedPlace(place) });
  }

  note(severity: 'warning' | 'info', code: NsdfIssueCode, message: string, place: NsdfPlace = {}): void {
    this.issues.push({ severity, code, message, ...definedPlace(place) });
  }

  get nErrors(): number {
    return this.#nErrors;
  }

  /**
   * Throws the first error, if there is one.
   * @param advice follows the number of further errors.
   * @throws {NsdfFormatError | NsdfUnsupportedError}
   */
  throwFirstError(advice = ''): void {
    const first = this.issues.find(({ severity }) => severity === 'error');
    if (first !== undefined) throw errorOf(first, this.nErrors - 1, advice);
  }
}

function definedPlace({ byteOffset, path }: NsdfPlace): Pick<NsdfIssue, 'byteOffset' | 'path'> {
  return { ...(byteOffset === undefined ? {} : { byteOffset }), ...(path === undefined ? {} : { path }) };
}

function errorOf(issue: NsdfIssue, nMore: number, advice: string): NsdfFormatError | NsdfUnsupportedError {
  const { message, byteOffset, path, feature } = issue;
  const where = [path, byteOffset === undefined ? undefined : `byte ${byteOffset}`]
    .filter(Boolean)
    .join(', ');
  const rest = nMore > 0 ? ` (and ${nMore} more${advice})` : '';
  const text = `${message}${where === '' ? '' : ` (at ${where})`}${rest}`;
  if (feature !== undefined) return new NsdfUnsupportedError(feature, text);
  return new NsdfFormatError(text, { byteOffset, field: path });
}

/** Where the parts of a network come from, for messages: JSON pointers, tensor names, bytes. */
export interface NetworkPlaces {
  readonly encoding: NsdfPlace;
  readonly mlp: NsdfPlace;
  level(index: number): NsdfPlace;
  /** `element` counts values of the level's table. */
  levelParams(index: number, element: number): NsdfPlace;
  layer(index: number): NsdfPlace;
  weights(index: number, element: number): NsdfPlace;
  bias(index: number, element: number): NsdfPlace;
}

/** Reports the first value that is not finite or absurdly large, and how many there are. */
export function checkValues(
  values: Float32Array,
  what: string,
  placeOf: (element: number) => NsdfPlace,
  issues: IssueList,
): void {
  // Fields may share arrays; each is looked at once.
  if (issues.isSeen(values)) return;
  const limit = FIELD_LIMITS.weightMagnitude;
  let first = -1;
  let nBad = 0;
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]) <= limit) continue;
    if (nBad++ === 0) first = i;
  }
  if (nBad === 0) return;
  const found = `${what} holds ${values[first]} at ${first}${nBad > 1 ? ` and ${nBad - 1} more such values` : ''}`;
  issues.error('weights', `${found}, expected finite numbers below ${limit}`, placeOf(first));
}
