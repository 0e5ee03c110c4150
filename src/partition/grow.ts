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
