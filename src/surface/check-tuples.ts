/**
 * Numbers distinct integer triples in order of first appearance: an open-addressing hash table in flat arrays, used to
 * weld positions (three float patterns), to find edges (two vertices and 0) and triangles (three sorted vertices).
 */
export class TupleTable {
  /** How many distinct triples were seen. */
  count = 0;
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #keys: Int32Array;

  /** @param capacity the largest number of distinct triples that will be inserted. */
  constructor(capacity: number) {
    let nSlots = 16;
    while (nSlots < capacity * 2) nSlots *= 2;
    this.#slots = new Int32Array(nSlots).fill(-1);
    this.#mask = nSlots - 1;
    this.#keys = new Int32Array(capacity * 3);
  }

  /** The number of the triple (a, b, c): a new one where it was not seen before. */
  insert(a: number, b: number, c: number): number {
    const keys = this.#keys;
    let slot = hash(a, b, c) & this.#mask;
    for (;;) {
      const id = this.#slots[slot];
      if (id < 0) break;
      const k = id * 3;
      if (keys[k] === a && keys[k + 1] === b && keys[k + 2] === c) return id;
      slot = (slot + 1) & this.#mask;
    }
    const id = this.count++;
    this.#slots[slot] = id;
    keys[id * 3] = a;
    keys[id * 3 + 1] = b;
    keys[id * 3 + 2] = c;
    return id;
  }
}

/** Mixes three 32-bit integers; float patterns differ in their high bits only, hence the closing shifts. */
function hash(a: number, b: number, c: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}

/** Disjoint sets of integers below n, by union of roots with path halving. */
export class DisjointSets {
  readonly #parent: Int32Array;

  constructor(n: number) {
    this.#parent = new Int32Array(n);
    for (let i = 0; i < n; i++) this.#parent[i] = i;
  }

  find(i: number): number {
    const parent = this.#parent;
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]];
      i = parent[i];
    }
    return i;
  }

  union(i: number, j: number): void {
    const a = this.find(i);
    const b = this.find(j);
    if (a < b) this.#parent[b] = a;
    else this.#parent[a] = b;
  }
}
