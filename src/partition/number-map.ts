/**
 * Open-addressing map from non-negative integers below 2^53 to non-negative int32, insertion only. About 4 times
 * faster than `Map<number, number>` on the 10^5–10^6 keys of a partition, and free of per-entry objects.
 */
export class NumberMap {
  private keys: Float64Array;
  private values: Int32Array;
  private mask: number;
  private nEntries = 0;

  constructor(expected = 1024) {
    let capacity = 16;
    while (capacity < expected * 2) capacity *= 2;
    this.keys = new Float64Array(capacity).fill(-1);
    this.values = new Int32Array(capacity);
    this.mask = capacity - 1;
  }

  get size(): number {
    return this.nEntries;
  }

  /** Forgets all keys; the room for them stays. */
  clear(): void {
    this.keys.fill(-1);
    this.nEntries = 0;
  }

  /** The value stored for `key`, or -1. */
  get(key: number): number {
    const slot = this.slotOf(key);
    return this.keys[slot] === key ? this.values[slot] : -1;
  }

  /** Stores `value` for `key` unless the key is present; gives what is stored then. */
  getOrSet(key: number, value: number): number {
    const slot = this.slotOf(key);
    if (this.keys[slot] === key) return this.values[slot];
    this.keys[slot] = key;
    this.values[slot] = value;
    if (++this.nEntries * 2 > this.mask) this.grow();
    return value;
  }

  /** Stores `value` for `key`, replacing what was there. */
  set(key: number, value: number): void {
    const slot = this.slotOf(key);
    if (this.keys[slot] === key) {
      this.values[slot] = value;
      return;
    }
    this.getOrSet(key, value);
  }

  private slotOf(key: number): number {
    const low = key >>> 0;
    const high = (key / 4294967296) | 0;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & this.mask;
    while (this.keys[slot] !== key && this.keys[slot] !== -1) slot = (slot + 1) & this.mask;
    return slot;
  }

  private grow(): void {
    const oldKeys = this.keys;
    const oldValues = this.values;
    const capacity = oldKeys.length * 2;
    this.keys = new Float64Array(capacity).fill(-1);
    this.values = new Int32Array(capacity);
    this.mask = capacity - 1;
    for (let i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] === -1) continue;
      const slot = this.slotOf(oldKeys[i]);
      this.keys[slot] = oldKeys[i];
      this.values[slot] = oldValues[i];
    }
  }
}
