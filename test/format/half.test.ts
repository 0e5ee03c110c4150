import { describe, expect, it } from 'vitest';
import { decodeBfloat16, decodeHalf, encodeHalf } from '../../src/format/half.ts';
import { between, seededRandom } from '../fixtures/random.ts';

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The definition, in float64. */
function halfValue(half: number): number {
  const sign = half >> 15 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

describe('half floats', () => {
  it('decode every pattern as defined', () => {
    expect(Array.from(decodeHalf(ALL))).toEqual(Array.from(ALL, halfValue));
  });

  it('encode what they decoded to the same pattern', () => {
    const isNumber = (half: number): boolean => (half & 0x7c00) !== 0x7c00 || (half & 1023) === 0;
    const numbers = ALL.filter(isNumber);
    expect(encodeHalf(decodeHalf(numbers))).toEqual(numbers);
    expect(halfValue(encodeHalf(Float32Array.of(Number.NaN))[0])).toBeNaN();
  });

  it('round to the nearest, ties to even', () => {
    const random = seededRandom(3);
    const finite = Array.from(ALL.subarray(0, 0x7c00), halfValue);
    for (let i = 0; i < 3000; i++) {
      const index = Math.floor(between(random, 0, 0x7bff));
      const [low, high] = [finite[index], finite[index + 1]];
      const t = i % 3 === 0 ? 0.5 : random();
      const value = Math.fround(low + t * (high - low));
      const even = index % 2 === 0 ? low : high;
      const expected = value - low === high - value ? even : value - low < high - value ? low : high;
      expect(halfValue(encodeHalf(Float32Array.of(value))[0])).toBe(expected);
    }
  });

  it('overflow to infinity only from 65520 on', () => {
    expect(Array.from(encodeHalf(Float32Array.of(65519, 65520, -1e9, 2e-8, 3.1e-8)), halfValue)).toEqual([
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      2 ** -24,
    ]);
  });
});

it('bfloat16 is the upper half of a float32', () => {
  expect(Array.from(decodeBfloat16(Uint16Array.of(0x3f80, 0xc049, 0)))).toEqual([1, -3.140625, 0]);
});
