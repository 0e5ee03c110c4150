/** A copy of `array` with at least `needed` elements (at least doubled); the array itself where it is long enough. */
export function growFloat64(array: Float64Array, needed: number): Float64Array {
  if (array.length >= needed) return array;
  const grown = new Float64Array(Math.max(needed, array.length * 2));
  grown.set(array);
  return grown;
}

/** {@link growFloat64} for Int32Array. */
export function growInt32(array: Int32Array, needed: number): Int32Array {
  if (array.length >= needed) return array;
  const grown = new Int32Array(Math.max(needed, array.length * 2));
  grown.set(array);
  return grown;
}
