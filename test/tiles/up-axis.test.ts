import { describe, expect, it } from 'vitest';
import { largestStretch } from '../../src/plugin/field-sampler.ts';
import { boxAround, boxVolume, diagonalOf, tileTransform } from '../../src/tiles/tileset-json.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { isInVolume, multiply, transformPoint } from './check-tileset.ts';

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
/** What renderers do to glTF contents: y up to z up. */
const turn = ([x, y, z]: readonly number[]) => [x, -z, y];

describe('y up to z up', () => {
  const random = seededRandom(5);
  const numbers = (n: number) => Array.from({ length: n }, () => between(random, -2, 2));
  const matrix = () => [...numbers(3), 0, ...numbers(3), 0, ...numbers(3), 0, ...numbers(3), 1];

  it('puts turned contents where the scene turned as a whole has them', () => {
    for (let i = 0; i < 50; i++) {
      const [m, p] = [matrix(), numbers(3)];
      const found = transformPoint(tileTransform(m), turn(p));
      turn(transformPoint(m, p)).forEach((value, k) => {
        expect(found[k]).toBeCloseTo(value, 10);
      });
    }
    expect(tileTransform(IDENTITY)).toEqual(IDENTITY);
    const [a, b] = [matrix(), matrix()];
    const both = multiply(tileTransform(a), tileTransform(b));
    tileTransform(multiply(a, b)).forEach((value, i) => {
      expect(both[i]).toBeCloseTo(value, 10);
    });
  });

  it('bounds a turned box, and no more', () => {
    const box = { min: [-1, 2, 3], max: [2, 2.5, 7] } as const;
    const volume = boxVolume(box);
    expect(boxAround(volume, undefined)).toEqual({ min: [-1, -7, 2], max: [2, -3, 2.5] });
    expect(diagonalOf(volume)).toBeCloseTo(Math.hypot(3, 0.5, 4), 12);
    expect(isInVolume(turn([2, 2, 7]), volume, IDENTITY)).toBe(true);
    expect(isInVolume(turn([2, 2, 7.01]), volume, IDENTITY)).toBe(false);
  });

  it('stretches errors by the most that a transform stretches anything', () => {
    expect(largestStretch([2, 0, 0, 0, 0, 0, 3, 0, 0, -0.5, 0, 0, 9, 9, 9, 1])).toBeCloseTo(3, 12);
    for (let i = 0; i < 50; i++) {
      const m = matrix();
      const stretch = largestStretch(m);
      const origin = transformPoint(m, [0, 0, 0]);
      let most = 0;
      for (let n = 0; n < 200; n++) {
        const v = numbers(3);
        const image = transformPoint(m, v).map((value, k) => value - origin[k]);
        most = Math.max(most, Math.hypot(...image) / Math.hypot(...v));
      }
      expect(most).toBeLessThanOrEqual(stretch * (1 + 1e-9));
      expect(most).toBeGreaterThan(stretch * 0.9);
    }
  });
});
