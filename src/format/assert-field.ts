import { NsdfArgumentError } from '../errors.ts';
import type { AttributeField, FieldAsset } from './asset.ts';
import { findMistyped, tablesOf } from './encodings.ts';
import { checkField, MEMORY_PLACES } from './field-rules.ts';
import { IssueList } from './issues.ts';

// Assets are immutable: each is checked once, and so is each array, which several assets may share.
let checked: WeakSet<object> = new WeakSet();

/**
 * Holds a field that was made in memory to the rules of those in files; one that was checked before costs nothing.
 * @throws {NsdfArgumentError} if it has not a field's parts.
 * @throws {NsdfFormatError | NsdfUnsupportedError} at the first broken rule, with its property path.
 */
export function assertField(asset: FieldAsset): void {
  if (typeof asset === 'object' && asset !== null && checked.has(asset)) return;
  checkParts(asset);
  const issues = new IssueList(checked);
  checkField(asset, MEMORY_PLACES, issues);
  // What was looked at is in the set, right or wrong.
  if (issues.nErrors > 0) checked = new WeakSet();
  issues.throwFirstError();
  checked.add(asset);
}

/** A field that a reader has checked already. */
export function noteChecked(asset: FieldAsset): void {
  checked.add(asset);
  for (const { layers, encoding } of [asset, ...Object.values(asset.attributes ?? {})]) {
    for (const { weights, bias } of layers) {
      checked.add(weights);
      if (bias !== null) checked.add(bias);
    }
    for (const table of tablesOf(encoding)) checked.add(table);
  }
}

/** What the rules take for granted, and TypeScript where there is TypeScript. */
function checkParts(asset: FieldAsset): void {
  const refuse = (path: string, found: unknown, expected: string): never => {
    const what = found === null ? 'null' : Array.isArray(found) ? 'an array' : typeof found;
    throw new NsdfArgumentError('asset', `${path} is ${what}; expected ${expected}`);
  };
  const object = (path: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) refuse(path, value, 'an object');
  };
  const list = (path: string, value: unknown): void => {
    if (!Array.isArray(value)) refuse(path, value, 'an array');
  };
  const numbers = (path: string, value: unknown): void => {
    if (!(value instanceof Float32Array)) refuse(path, value, 'a Float32Array');
  };
  const box = (path: string, value: { readonly min?: unknown; readonly max?: unknown }): void => {
    object(path, value);
    list(`${path}.min`, value.min);
    list(`${path}.max`, value.max);
  };
  object('asset', asset);
  box('asset.domain', asset.domain);
  if (asset.region !== undefined) box('asset.region', asset.region);
  object('asset.output', asset.output);
  if (typeof asset.valueScale !== 'number') refuse('asset.valueScale', asset.valueScale, 'a number');
  const network = (path: string, { encoding, layers }: AttributeField): void => {
    object(`${path}.encoding`, encoding);
    list(`${path}.layers`, layers);
    layers.forEach((layer, i) => {
      object(`${path}.layers[${i}]`, layer);
      numbers(`${path}.layers[${i}].weights`, layer.weights);
      if (layer.bias !== null) numbers(`${path}.layers[${i}].bias`, layer.bias);
    });
    const mistyped = findMistyped(encoding);
    if (mistyped) refuse(`${path}.encoding${mistyped[0]}`, mistyped[1], mistyped[2]);
  };
  network('asset', asset);
  if (asset.attributes === undefined) return;
  object('asset.attributes', asset.attributes);
  for (const [name, attribute] of Object.entries(asset.attributes)) {
    object(`asset.attributes.${name}`, attribute);
    network(`asset.attributes.${name}`, attribute);
  }
}
