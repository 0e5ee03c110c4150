import { NsdfFormatError, NsdfUnsupportedError } from '../errors.ts';
import type { Box3, OutputRule } from '../format/asset.ts';

const place = (key: string): { field: string } => ({ field: `__metadata__.${key}` });

/** String metadata with typed getters; each names the key at fault. */
export class Metadata {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  text(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  /** @throws {NsdfFormatError} if the value is not a finite number. */
  number(key: string): number | null {
    const text = this.text(key);
    if (text === null) return null;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) {
      throw new NsdfFormatError(`metadata ${key} is "${shorten(text)}", expected a number`, place(key));
    }
    return value;
  }

  /** @throws {NsdfFormatError} if the key is missing. */
  requiredNumber(key: string): number {
    const value = this.number(key);
    if (value === null)
      throw new NsdfFormatError(`metadata ${key} is missing, expected a number`, place(key));
    return value;
  }

  /** A JSON array of `length` numbers (or booleans, as 0 and 1). */
  numbers(key: string, length: number): number[] | null {
    const value = this.json(key);
    if (value === null) return null;
    const isNumbers =
      Array.isArray(value) && value.every((n) => typeof n === 'number' || typeof n === 'boolean');
    if (isNumbers && value.length === length) return value.map(Number);
    const message = `metadata ${key} is ${shorten(this.text(key) ?? '')}, expected ${length} numbers`;
    throw new NsdfFormatError(message, place(key));
  }

  /** Parsed JSON; Python's True and False are understood. */
  json(key: string): unknown {
    const text = this.text(key);
    if (text === null) return null;
    try {
      return JSON.parse(text.replace(/\bTrue\b/g, 'true').replace(/\bFalse\b/g, 'false'));
    } catch (cause) {
      const message = `metadata ${key} is "${shorten(text)}", expected JSON`;
      throw new NsdfFormatError(message, { ...place(key), cause });
    }
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * The domain box: `domain_box` where there is one, else `domain` as text, "[a,b]^3" or "[a,b]x[c,d]x[e,f]".
 * @throws {NsdfFormatError} if neither can be understood. @throws {NsdfUnsupportedError} for other dimensions than 3.
 */
export function parseDomain(metadata: Metadata): Box3 {
  const fromBox = metadata.text('domain_box') === null ? null : boxFromJson(metadata.json('domain_box'));
  if (fromBox !== null) return fromBox;
  if (metadata.text('domain_box') !== null) {
    const expected = '[[x0,y0,z0],[x1,y1,z1]], [x0,y0,z0,x1,y1,z1] or [[x0,x1],[y0,y1],[z0,z1]]';
    throw new NsdfFormatError(`metadata domain_box is not a box, expected ${expected}`, place('domain_box'));
  }
  const text = metadata.text('domain');
  const ranges = text === null ? null : rangesFromText(text);
  if (ranges === null) {
    const found = text === null ? 'missing' : `"${shorten(text)}"`;
    const message = `metadata domain is ${found}, expected "[-1,1]^3" or the like, or a domain_box`;
    throw new NsdfFormatError(message, place('domain'));
  }
  return boxFromRanges(ranges);
}

type Range = readonly [min: number, max: number];

function boxFromRanges(ranges: readonly Range[]): Box3 {
  if (ranges.length !== 3) {
    const message = `the domain has ${ranges.length} dimensions, expected 3: only fields over three coordinates can be meshed`;
    throw new NsdfUnsupportedError(`${ranges.length}-D field`, message);
  }
  const [x, y, z] = ranges;
  return { min: [x[0], y[0], z[0]], max: [x[1], y[1], z[1]] };
}

function rangesFromText(text: string): Range[] | null {
  const compact = text.replace(/\s+/g, '');
  const power = /^\[([^,\]]+),([^,\]]+)\]\^(\d)$/.exec(compact);
  if (power !== null) {
    const range = toRange(power[1], power[2]);
    return range === null ? null : Array.from({ length: Number(power[3]) }, () => range);
  }
  const ranges = compact.split(/(?<=\])[x×*,](?=\[)/).map((part) => {
    const match = /^\[([^,[\]]+),([^,[\]]+)\]$/.exec(part);
    return match === null ? null : toRange(match[1], match[2]);
  });
  return ranges.every((range) => range !== null) ? ranges : null;
}

function toRange(min: string, max: string): Range | null {
  const range: Range = [Number(min), Number(max)];
  return range.every(Number.isFinite) ? range : null;
}

/** Null if it is no box; a box of 2 dimensions is refused by name. */
function boxFromJson(value: unknown): Box3 | null {
  if (typeof value === 'object' && value !== null && 'min' in value && 'max' in value) {
    return boxFromJson([value.min, value.max]);
  }
  if (!Array.isArray(value)) return null;
  const rows = value.every((row) => typeof row === 'number') ? rowsFromFlat(value) : value;
  const isRow = (row: unknown): row is number[] =>
    Array.isArray(row) && row.length === rows[0].length && row.every((n) => Number.isFinite(n));
  if (!Array.isArray(rows[0]) || !rows.every(isRow)) return null;
  if (rows.length === 2)
    return boxFromRanges(rows[0].map((min: number, axis: number) => [min, rows[1][axis]]));
  return rows[0].length === 2 ? boxFromRanges(rows.map(([min, max]: number[]) => [min, max])) : null;
}

/** Minimum then maximum; only where that is no box, pairs axis by axis. */
function rowsFromFlat(flat: readonly number[]): number[][] {
  const nDims = flat.length / 2;
  if (nDims === 0) return [];
  const corners = [flat.slice(0, nDims), flat.slice(nDims)];
  if (!Number.isInteger(nDims) || corners[0].every((min, axis) => min < corners[1][axis])) return corners;
  return Array.from({ length: nDims }, (_, axis) => flat.slice(2 * axis, 2 * axis + 2));
}

/**
 * The output rule: "out[i]" or "out[i]-out[j]"; without the key, the only output.
 * @throws {NsdfUnsupportedError} for anything else.
 */
export function parseOutput(metadata: Metadata, nOutputs: number): OutputRule {
  const text = metadata.text('output');
  if (text === null) {
    if (nOutputs === 1) return { plus: 0, minus: null };
    const message = `the network has ${nOutputs} outputs, expected metadata output to say which, such as "out[0]"`;
    throw new NsdfFormatError(message, place('output'));
  }
  const match = /^out\[(\d+)\](?:-out\[(\d+)\])?$/.exec(text.replace(/\s+/g, ''));
  if (match !== null)
    return { plus: Number(match[1]), minus: match[2] === undefined ? null : Number(match[2]) };
  const message = `metadata output is "${shorten(text)}", expected "out[i]" or "out[i]-out[j]"`;
  throw new NsdfUnsupportedError('output rule', message);
}
