/**
 * Lists the distinct ArrayBuffers behind the typed arrays of a plain object tree (objects, arrays, typed arrays).
 * Shared memory is left out: it cannot be transferred.
 */
export function collectBuffers(root: unknown, found: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(root)) {
    if (root.buffer instanceof ArrayBuffer) found.add(root.buffer);
  } else if (typeof root === 'object' && root !== null) {
    for (const value of Object.values(root)) collectBuffers(value, found);
  }
  return found;
}

/**
 * Copies a plain object tree so that each typed array owns its bytes. Cloning a view for a worker would copy the
 * whole file behind it; these copies are tight, and can be transferred without detaching the original.
 */
export function copyTight<T>(root: T): T {
  if (ArrayBuffer.isView(root)) return (root as unknown as Float32Array).slice() as unknown as T;
  if (Array.isArray(root)) return root.map(copyTight) as unknown as T;
  if (typeof root !== 'object' || root === null) return root;
  return Object.fromEntries(Object.entries(root).map(([key, value]) => [key, copyTight(value)])) as T;
}
