import { expect, test } from 'vitest';
import { HALF_SCALE, isHalfTable, packHalves } from '../../src/field/gpu/resources.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { decodeHalf, encodeHalf } from '../../src/format/half.ts';
import { randomField, withHalfTable } from '../fixtures/fields.ts';

const BELOW_4 = decodeHalf(Uint16Array.from({ length: 0x4400 }, (_, bits) => bits));
const HALVES = Float32Array.from([...BELOW_4, ...BELOW_4.map((x) => -x)]);

function withEntries(params: Float32Array): FieldAsset {
  const asset = randomField(3, { L: 1, F: 2 });
  if (asset.encoding.kind !== 'hash-grid') throw new Error('no grid');
  const [level] = asset.encoding.levels;
  return { ...asset, encoding: { ...asset.encoding, levels: [{ ...level, params }] } };
}

test('every half float below 4 is kept without loss, and none of them as a subnormal', () => {
  expect(isHalfTable(withEntries(HALVES))).toBe(true);
  const packed = packHalves(HALVES);
  expect(decodeHalf(packed)).toEqual(HALVES.map((x) => x * HALF_SCALE));
  expect(packed.filter((bits) => (bits & 0x7c00) === 0 && (bits & 0x3ff) !== 0)).toHaveLength(0);
  expect(packed.filter((bits) => (bits & 0x7c00) === 0x7c00)).toHaveLength(0);
});

test('what half floats cannot hold stays in single precision', () => {
  for (const x of [0.1, 4, -70_000, 1e-9, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(isHalfTable(withEntries(Float32Array.of(0.5, x)))).toBe(false);
  }
  expect(isHalfTable(randomField(3))).toBe(false);
  expect(isHalfTable(withHalfTable(randomField(3)))).toBe(true);
  // Two share a word.
  expect(isHalfTable(withHalfTable(randomField(3, { F: 1 })))).toBe(false);
});

test('encodeHalf agrees where both can', () => {
  const normal = HALVES.filter((x) => Math.abs(x) >= 2 ** -14);
  expect(decodeHalf(encodeHalf(normal))).toEqual(normal);
});
