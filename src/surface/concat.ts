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
