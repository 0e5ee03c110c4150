import { describe, expect, test } from 'vitest';
import type { Box3 } from '../../src/format/asset.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';

const DOMAIN: Box3 = { min: [-1, 0, 0], max: [1, 1, 3] };

describe('DetailMap', () => {
  const map = new DetailMap({ counts: [2, 1, 3], tolerances: [1, 2, 3, 4, 5, 6] }, DOMAIN);

  test('gives a block its tolerance, x fastest', () => {
    expect(map.at([-0.5, 0.5, 0.5], 0)).toBe(1);
    expect(map.at([9, 0.5, 0.5, 0.5], 1)).toBe(2);
    expect(map.at([-0.5, 0.5, 2.5], 0)).toBe(5);
    expect([map.least, map.most, map.isUniform]).toEqual([1, 6, false]);
  });

  test('gives what blocks share the finer tolerance', () => {
    expect(map.at([0, 0.5, 1.5], 0)).toBe(3);
    expect(map.at([0.5, 0.5, 2], 0)).toBe(4);
    expect(map.inBox([0.1, 0, 0.5], [0.5, 1, 1])).toBe(2);
    expect(map.inBox([0, 0, 2.5], [0.5, 1, 0.2])).toBe(5);
  });

  test('takes what lies outside to the nearest block', () => {
    expect(map.at([-7, -7, -7], 0)).toBe(1);
    expect(map.at([7, 7, 7], 0)).toBe(6);
  });

  test('is uniform where one tolerance is asked for', () => {
    const uniform = DetailMap.uniform(0.25, DOMAIN);
    expect(uniform.isUniform).toBe(true);
    expect(uniform.at([0, 0, 0], 0)).toBe(0.25);
    expect(uniform.inBox([0, 0, 0], [1, 1, 1])).toBe(0.25);
  });
});
