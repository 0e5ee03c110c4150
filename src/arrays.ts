/** What every stage does with flat arrays of numbers and with the points in them. */
type Values = Int32Array | Int8Array | Uint8Array | Uint32Array | Float32Array | Float64Array;

/** Typed arrays one after the other. */
export function concat<T extends Values>(type: new (length: number) => T, parts: readonly T[]): T {
  const joined = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A copy of `array` with at least `needed` elements (at least doubled); the array itself where it is long enough. */
export function growFloat64(array: Float64Array, needed: number): Float64Array<ArrayBuffer> {
  if (array.length >= needed) return array as Float64Array<ArrayBuffer>;
  const grown = new Float64Array(Math.max(needed, array.length * 2));
  grown.set(array);
  return grown;
}

/** {@link growFloat64} for Int32Array. */
export function growInt32(array: Int32Array, needed: number): Int32Array<ArrayBuffer> {
  if (array.length >= needed) return array as Int32Array<ArrayBuffer>;
  const grown = new Int32Array(Math.max(needed, array.length * 2));
  grown.set(array);
  return grown;
}

/** Length of (x, y, z). Math.hypot, which guards against overflow, takes ten times as long in V8 (measured 2026-11-24). */
export function length3(x: number, y: number, z: number): number {
  return Math.sqrt(x * x + y * y + z * z);
}

/**
 * One number a place: two that share one by chance are taken for one, which does no harm to whoever parts vertices at one place.
 * @param offset of its three coordinates in p.
 */
export function placeKey(p: ArrayLike<number>, offset = 0): number {
  return p[offset] * 73856093 + p[offset + 1] * 19349663.5 + p[offset + 2] * 83492791.25;
}
