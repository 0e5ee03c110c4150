import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { randomField, randomMlp, sphereField, withFineLevels } from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';

const CASES: readonly { readonly name: string; readonly asset: FieldAsset }[] = [
  { name: 'sphere', asset: sphereField({ cells: [4, 8, 16] }) },
  { name: 'random dense', asset: randomField(41, { T: 19 }) },
  { name: 'random hashed', asset: randomField(42, { T: 7, L: 4, finest: 16 }) },
  { name: 'no hidden layer', asset: randomField(43, { layers: [] }) },
  { name: 'fine levels', asset: withFineLevels(randomField(44), 45, { cells: [64], amplitude: 0.05 }) },
];

/** The network's value where the first layer's pre-activations (or, without one, f) are those interpolated from a box's corners. */
function interpolated(asset: FieldAsset, min: readonly number[], max: readonly number[]) {
  const field = createCpuField(asset);
  const stride = field.nPreActivations + 1;
  const corners = Float64Array.from({ length: 24 }, (_, i) =>
    (Math.floor(i / 3) >> (i % 3)) & 1 ? max[i % 3] : min[i % 3],
  );
  const values = new Float64Array(8 * stride);
  field.preActivations(corners, values, 8);
  return (t: readonly number[]): number => {
    const at = (i: number): number => {
      let sum = 0;
      for (let c = 0; c < 8; c++) {
        const weight = t.reduce((w, x, k) => w * ((c >> k) & 1 ? x : 1 - x), 1);
        sum += weight * values[c * stride + i];
      }
      return sum;
    };
    const { layerWidths, lastWeights, lastBias } = field;
    if (layerWidths.length === 0) return at(0);
    let z = Array.from({ length: layerWidths[0] }, (_, i) => at(i));
    for (let layer = 1; layer < layerWidths.length; layer++) {
      const [weights, bias] = [field.hiddenWeights(layer), field.hiddenBias(layer)];
      const before = z;
      z = Array.from({ length: layerWidths[layer] }, (_, row) =>
        before.reduce((sum, x, i) => sum + weights[row * before.length + i] * Math.max(0, x), bias[row]),
      );
    }
    return z.reduce((sum, x, i) => sum + lastWeights[i] * Math.max(0, x), lastBias);
  };
}

describe.each(CASES)('of $name', ({ asset }) => {
  test('no point of a box is farther from the interpolated network than told', () => {
    const random = seededRandom(7);
    const field = createCpuField(asset);
    const { min: low, max: high } = asset.domain;
    let largestShare = 0;
    for (let box = 0; box < 150; box++) {
      const size = 2 ** -between(random, 1, 7);
      const min = low.map((l, k) => l + random() * (1 - size) * (high[k] - l));
      const max = min.map((m, k) => m + size * (high[k] - low[k]));
      const { deviation: most } = field.boundCell(min, max);
      const g = interpolated(asset, min, max);
      const value = new Float64Array(1);
      for (let i = 0; i < 40; i++) {
        const t = [random(), random(), random()];
        field.evaluate(
          Float64Array.from(t, (x, k) => min[k] + x * (max[k] - min[k])),
          value,
          1,
        );
        const off = Math.abs(value[0] - g(t));
        expect(off).toBeLessThanOrEqual(most + 1e-12);
        if (most > 0) largestShare = Math.max(largestShare, off / most);
      }
    }
    // A bound that is several times too wide would settle nothing.
    expect(largestShare).toBeGreaterThan(0.25);
  });
});

test('a box in one cell of every level has none, nor has any box without a grid', () => {
  const grid = createCpuField(sphereField({ cells: [4, 8] }));
  const [a, b] = grid.marks(0).subarray(3, 5);
  expect(grid.boundCell([a, a, a], [b, b, b]).deviation).toBe(0);
  const plain = createCpuField(randomMlp(5));
  expect(plain.boundCell([-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]).deviation).toBe(0);
});
