import type { IssueList, NsdfPlace } from './issues.ts';

/** Escapes one step of a JSON pointer (RFC 6901). */
export function pointer(path: string, key: string | number): string {
  return `${path}/${String(key).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** Accepted length of an array. */
export interface LengthRange {
  readonly min: number;
  readonly max: number;
}

/**
 * An object of parsed JSON with getters that check what they give. A getter that finds something wrong records an
 * issue with its place and gives null; `fallback`, where given, stands for a property that is absent.
 */
export class JsonObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly issues: IssueList;

  private constructor(value: Readonly<Record<string, unknown>>, path: string, issues: IssueList) {
    this.value = value;
    this.path = path;
    this.issues = issues;
  }

  /** Null, and an issue, if the value is no object. */
  static of(value: unknown, path: string, issues: IssueList): JsonObject | null {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new JsonObject(value as Record<string, unknown>, path, issues);
    }
    issues.error('property-type', `expected an object, found ${describe(value)}`, { path });
    return null;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.value, key);
  }

  place(key: string): NsdfPlace {
    return { path: pointer(this.path, key) };
  }

  number(key: string, fallback?: number): number | null {
    return this.#get(
      key,
      fallback,
      'a number',
      (value) => typeof value === 'number' && Number.isFinite(value),
    );
  }

  integer(key: string, fallback?: number): number | null {
    return this.#get(key, fallback, 'an integer', Number.isSafeInteger);
  }

  text(key: string, fallback?: string): string | null {
    return this.#get(key, fallback, 'a string', (value) => typeof value === 'string');
  }

  flag(key: string, fallback?: boolean): boolean | null {
    return this.#get(key, fallback, 'true or false', (value) => typeof value === 'boolean');
  }

  /** One of some strings. A string that is not among them is an error, `property-range`. */
  choice<T extends string>(key: string, allowed: readonly T[], fallback?: T): T | null {
    const value = this.text(key, fallback);
    if (value === null || (allowed as readonly string[]).includes(value)) return value as T | null;
    const expected = allowed.map((name) => `"${name}"`).join(' or ');
    this.issues.error(
      'property-range',
      `${key} is ${describe(value)}, expected ${expected}`,
      this.place(key),
    );
    return null;
  }

  /** An array of finite numbers. */
  numbers(key: string, length: LengthRange, fallback?: readonly number[]): readonly number[] | null {
    const isNumbers = (value: unknown): boolean =>
      Array.isArray(value) && value.every((n) => typeof n === 'number' && Number.isFinite(n));
    const value = this.#get<readonly number[]>(key, fallback, 'an array of numbers', isNumbers);
    return value !== null && this.#hasLength(key, value, length) ? value : null;
  }

  /** An index into something: an integer of at least 0. */
  index(key: string): number | null {
    const value = this.integer(key);
    if (value === null || value >= 0) return value;
    this.issues.error('property-range', `${key} is ${value}, expected an index`, this.place(key));
    return null;
  }

  object(key: string): JsonObject | null {
    if (!this.has(key)) return this.#missing(key, 'an object');
    return JsonObject.of(this.value[key], pointer(this.path, key), this.issues);
  }

  /** As `object`, but absence is no issue. */
  optionalObject(key: string): JsonObject | null {
    return this.has(key) ? this.object(key) : null;
  }

  /** An array of objects; an element that is none comes as null. */
  objects(key: string): readonly (JsonObject | null)[] | null {
    const value = this.#get<readonly unknown[]>(key, undefined, 'an array of objects', Array.isArray);
    const path = pointer(this.path, key);
    return value?.map((element, i) => JsonObject.of(element, pointer(path, i), this.issues)) ?? null;
  }

  /** As `objects`, but absence means none. */
  optionalObjects(key: string): readonly (JsonObject | null)[] {
    return this.has(key) ? (this.objects(key) ?? []) : [];
  }

  /** Warns of properties that this version does not know. `extras` and `extensions` are always known. */
  noteUnknown(known: readonly string[]): void {
    for (const key of Object.keys(this.value)) {
      if (known.includes(key) || key === 'extras' || key === 'extensions') continue;
      this.issues.note('warning', 'property-unknown', 'unknown property, ignored', this.place(key));
    }
  }

  #hasLength(key: string, value: readonly unknown[], { min, max }: LengthRange): boolean {
    if (value.length >= min && value.length <= max) return true;
    const expected = min === max ? `${min}` : `${min} to ${max}`;
    this.issues.error(
      'property-range',
      `${key} has ${value.length} values, expected ${expected}`,
      this.place(key),
    );
    return false;
  }

  #get<T>(
    key: string,
    fallback: T | undefined,
    what: string,
    isRight: (value: unknown) => boolean,
  ): T | null {
    if (!this.has(key)) return fallback === undefined ? this.#missing(key, what) : fallback;
    const value = this.value[key];
    if (isRight(value)) return value as T;
    this.issues.error('property-type', `${key}: expected ${what}, found ${describe(value)}`, this.place(key));
    return null;
  }

  #missing(key: string, what: string): null {
    this.issues.error('property-missing', `${key} is missing, expected ${what}`, this.place(key));
    return null;
  }
}

/** A short text for an unknown value: bounded, and of any value that there is, whatever its prototype or its keys. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A choice whose other values are features that this package lacks. */
export function readChoice<T extends string>(
  json: JsonObject,
  key: string,
  allowed: readonly T[],
  advice = '',
): T | null {
  const value = json.text(key);
  if (value === null || (allowed as readonly string[]).includes(value)) return value as T | null;
  const expected = allowed.map((name) => `"${name}"`).join(' or ');
  const message = `${key} is ${describe(value)}, expected ${expected}${advice}`;
  json.issues.unsupported(`${key} ${value.slice(0, 60)}`, message, json.place(key));
  return null;
}
