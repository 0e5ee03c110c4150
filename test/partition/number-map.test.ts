import { describe, expect, it } from 'vitest';
import { NumberMap } from '../../src/partition/number-map.ts';
import { seededRandom } from '../fixtures/random.ts';

describe('NumberMap', () => {
  it('agrees with Map under random sets, first-sets and gets', () => {
    const random = seededRandom(1);
    const map = new NumberMap(4);
    const oracle = new Map<number, number>();
    const keys = Array.from({ length: 3000 }, () =>
      Math.floor(random() * 2 ** Math.floor(1 + random() * 52)),
    );
    for (let i = 0; i < 20_000; i++) {
      const key = keys[Math.floor(random() * keys.length)];
      const value = Math.floor(random() * 2 ** 31);
      if (random() < 0.3) {
        map.set(key, value);
        oracle.set(key, value);
      } else if (random() < 0.5) {
        const expected = oracle.get(key) ?? value;
        oracle.set(key, expected);
        expect(map.getOrSet(key, value)).toBe(expected);
      } else expect(map.get(key)).toBe(oracle.get(key) ?? -1);
    }
    expect(map.size).toBe(oracle.size);
    for (const key of keys) expect(map.get(key)).toBe(oracle.get(key) ?? -1);
  });

  it('tells keys apart that agree in their low or in their high 32 bits', () => {
    const map = new NumberMap();
    const keys = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 52, 2 ** 52 + 1, 2 ** 53 - 1, 2 ** 53 - 2 ** 32];
    keys.forEach((key, i) => {
      expect(map.get(key)).toBe(-1);
      map.set(key, i);
    });
    expect(keys.map((key) => map.get(key))).toEqual(keys.map((_, i) => i));
  });

  it('stays fast on keys of a lattice, which differ by strides', () => {
    const map = new NumberMap(8);
    let n = 0;
    for (let z = 0; z < 60; z++) {
      for (let y = 0; y < 60; y++)
        for (let x = 0; x < 60; x++) map.set(x * 512 + 2 ** 17 * (y * 512 + 2 ** 17 * z), n++);
    }
    expect(map.size).toBe(n);
    expect(map.get(59 * 512 + 2 ** 17 * (59 * 512 + 2 ** 17 * 59))).toBe(n - 1);
  });
});
