/** The component of every vertex, by the number of one of its vertices; -1 for those of no triangle. */
export function componentsOf(indices: ArrayLike<number>, nVertices: number): Int32Array {
  const parent = new Int32Array(nVertices).map((_, v) => v);
  const isUsed = new Uint8Array(nVertices);
  const root = (v: number): number => {
    while (parent[v] !== v) {
      parent[v] = parent[parent[v]];
      v = parent[v];
    }
    return v;
  };
  for (let t = 0; t < indices.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      isUsed[indices[t + k]] = 1;
      parent[root(indices[t + k])] = root(indices[t]);
    }
  }
  return parent.map((_, v) => (isUsed[v] === 1 ? root(v) : -1));
}
