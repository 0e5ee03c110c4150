import type { AttributeField, FieldAsset, MlpLayer } from './asset.ts';
import { isSameEncoding } from './encodings.ts';

function areSameAttributes({ attributes: a = {} }: FieldAsset, { attributes: b = {} }: FieldAsset): boolean {
  const isSame = (one: AttributeField, other: AttributeField | undefined): boolean =>
    one === other || (one.layers === other?.layers && isSameEncoding(one.encoding, other.encoding));
  return (
    a === b ||
    (Object.keys(a).length === Object.keys(b).length &&
      Object.entries(a).every(([name, one]) => isSame(one, b[name])))
  );
}

/** Whether two fields are one function with the same attributes: the same arrays of weights, and all else that determines them. */
export function isSameNetwork(a: FieldAsset, b: FieldAsset): boolean {
  const rest = ({ output, isNegativeInside, valueScale, domain }: FieldAsset): string =>
    JSON.stringify([output.plus, output.minus, isNegativeInside, valueScale, domain.min, domain.max]);
  return (
    a === b ||
    (a.layers === b.layers &&
      isSameEncoding(a.encoding, b.encoding) &&
      rest(a) === rest(b) &&
      areSameAttributes(a, b))
  );
}

/**
 * Values by network: tiles of one field differ in name, region and tolerance alone, and have one value between them.
 * A value is held no longer than its network's weights.
 */
export class NetworkMap<T> {
  private readonly _entries = new WeakMap<
    readonly MlpLayer[],
    { readonly asset: FieldAsset; readonly value: T }
  >();

  get(asset: FieldAsset): T | undefined {
    const entry = this._entries.get(asset.layers);
    return entry && isSameNetwork(entry.asset, asset) ? entry.value : undefined;
  }

  set(asset: FieldAsset, value: T): void {
    this._entries.set(asset.layers, { asset, value });
  }
}
